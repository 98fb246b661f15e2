"""Fixtures that several rooms share."""

import os

import pytest
from helpers import make_nlp
from hypothesis import settings
from spacy.language import Language

os.environ["HF_HUB_OFFLINE"] = "1"  # before anything imports transformers: no test asks the network


@pytest.fixture
def nlp() -> Language:
    """Tokens, sentences, entities and relations, all by rule (see `helpers`)."""
    return make_nlp()


# No test depends on how fast the machine is.
settings.register_profile("kgmrca", deadline=None)
settings.load_profile("kgmrca")
