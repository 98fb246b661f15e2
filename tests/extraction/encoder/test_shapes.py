"""What oneDNN keeps of the shapes of texts, in a process of its own, because it is settled once a process."""

import os
import subprocess
import sys

READS_TWICE = """
import torch
import kgmrca.extraction.encoder.networks
lstm = torch.nn.LSTM(8, 8)
with torch.no_grad():
    for length in [*range(1, 41), *range(1, 41)]:
        lstm(torch.zeros(length, 2, 8))
"""


def made(**settings):
    """How often oneDNN made something for an LSTM while it read texts of 40 lengths twice."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ONEDNN", "DNNL"))}
    environment |= {"ONEDNN_VERBOSE": "profile_create"} | settings
    done = subprocess.run([sys.executable, "-c", READS_TWICE], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return sum("create:cache_miss" in line and ",rnn," in line for line in done.stdout.splitlines())


def test_few_shapes_are_kept_unless_the_user_says_otherwise():
    many = made(ONEDNN_PRIMITIVE_CACHE_CAPACITY="1024")
    assert made() == 2 * many  # those of the first time are gone by the second
