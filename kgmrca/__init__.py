"""kgmrca: relations between entities as a spaCy component, and the way from there to RDF with provenance.

>>> import kgmrca
>>> nlp = kgmrca.load()
>>> doc = nlp("Marie Curie was born in Warsaw.")
>>> [(relation.subject.text, relation.label, relation.object.text) for relation in doc._.relations]
[('Marie Curie', 'place of birth', 'Warsaw')]

The names of this module are loaded when they are first used. So `import kgmrca` imports neither spaCy nor torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from kgmrca.drawing import render
    from kgmrca.entities import Entity, get_entities
    from kgmrca.errors import KgmrcaError
    from kgmrca.extraction.relations.component import load
    from kgmrca.graph.networks import to_networkx
    from kgmrca.relations import Relation, from_docs, get_relations, set_relations
    from kgmrca.triples.rdf import add_to, to_graph
    from kgmrca.triples.records import Statement
    from kgmrca.triples.statements import statements

_HOMES = {
    "Entity": "kgmrca.entities",
    "KgmrcaError": "kgmrca.errors",
    "Relation": "kgmrca.relations",
    "Statement": "kgmrca.triples.records",
    "add_to": "kgmrca.triples.rdf",
    "from_docs": "kgmrca.relations",
    "get_entities": "kgmrca.entities",
    "get_relations": "kgmrca.relations",
    "load": "kgmrca.extraction.relations.component",
    "render": "kgmrca.drawing",
    "set_relations": "kgmrca.relations",
    "statements": "kgmrca.triples.statements",
    "to_graph": "kgmrca.triples.rdf",
    "to_networkx": "kgmrca.graph.networks",
}

__all__ = [
    "Entity",
    "KgmrcaError",
    "Relation",
    "Statement",
    "__version__",
    "add_to",
    "from_docs",
    "get_entities",
    "get_relations",
    "load",
    "render",
    "set_relations",
    "statements",
    "to_graph",
    "to_networkx",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'kgmrca' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
