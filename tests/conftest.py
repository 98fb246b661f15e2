"""Fixtures that several rooms share."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from chromium import PROGRAMS, open_browser
from helpers import make_nlp
from hypothesis import settings
from spacy.language import Language

os.environ["HF_HUB_OFFLINE"] = "1"  # before anything imports transformers: no test asks the network


@pytest.fixture
def nlp() -> Language:
    """Tokens, sentences, entities and relations, all by rule (see `helpers`)."""
    return make_nlp()


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A browser without a window, for all tests of pages."""
    if not all(PROGRAMS):
        pytest.skip("there is no Chromium with its driver (on Debian: apt-get install chromium chromium-driver)")
    driver = open_browser(tmp_path_factory.mktemp("profile"))
    yield driver
    driver.quit()


# No test depends on how fast the machine is.
settings.register_profile("kgmrca", deadline=None)
settings.load_profile("kgmrca")
