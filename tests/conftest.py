"""Fixtures that several rooms share."""

import pytest
from helpers import make_nlp
from spacy.language import Language


@pytest.fixture
def nlp() -> Language:
    """Tokens, sentences, entities and relations, all by rule (see `helpers`)."""
    return make_nlp()
