"""The shipped pipeline as the package `en_kgmrca_sm` of the wheel, which `spacy.load("en_kgmrca_sm")` imports."""

from typing import Any

from spacy.language import Language
from spacy.util import load_model_from_path

from kgmrca import __version__
from kgmrca.resources import resource

__all__ = ["__version__", "load"]


def load(**overrides: Any) -> Language:
    """The pipeline; spaCy calls this with the arguments of `spacy.load`."""
    return load_model_from_path(resource("pipelines/en_kgmrca_sm"), **overrides)
