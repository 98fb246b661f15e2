"""Where the files are that ship with the package: ontologies, word table, trained weights, pipeline."""

from pathlib import Path

from kgmrca.errors import InputError, ResourceError

__all__ = ["COREFERENCE", "ENTITIES", "READER", "SHIPPED", "resource", "shipped_weights"]

SHIPPED = "en_kgmrca_sm"
"""The pipeline that ships with the package."""

ENTITIES = "entities_en_sm"
"""The weights of `mrca_entities` that ship with the package."""

READER = "reader_en_sm"
"""The reader that ships with the package, which several components share."""

COREFERENCE = "coreference_en_sm"
"""The weights of `coreference` that ship with the package."""

_PACKAGE = Path(__file__).parent


def resource(name: str) -> Path:
    """The path of a shipped file or folder, such as `ontologies/relations.sssom.tsv`.

    Installed from a wheel the files lie inside the package; in a checkout (also an editable one) beside it.

    Raises:
        ResourceError: it is in neither place.

    >>> resource("ontologies/relations.ttl").name
    'relations.ttl'
    """
    for root in (_PACKAGE, _PACKAGE.parent):
        if (path := root / name).exists():
            return path
    raise ResourceError(f"'{name}' is missing from the installation in {_PACKAGE}: reinstall kgmrca.")


def shipped_weights(name: str, known: str) -> Path:
    """The folder in which weights ship.

    Args:
        name: what the setting `pretrained` of a component says.
        known: the only name that it can have.

    Raises:
        InputError: it is another one.
        ResourceError: the folder is missing.
    """
    if name != known:
        raise InputError(
            f"No weights ship under the name {name!r}: pretrained is '{known}', or null for none. spacy.load, or "
            "nlp.add_pipe(..., source=...), takes the weights of any pipeline."
        )
    return resource(f"pipelines/{name}")
