"""The vocabularies of our graphs, by their usual prefixes, and those of their terms that several modules use.

Also what an item of Wikidata is called.
"""

import re

from pyoxigraph import DefaultGraph, NamedNode

DCTERMS = "http://purl.org/dc/terms/"
KGMRCA = "https://w3id.org/kgmrca#"
OWL = "http://www.w3.org/2002/07/owl#"
PROV = "http://www.w3.org/ns/prov#"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
RDFS = "http://www.w3.org/2000/01/rdf-schema#"
SKOS = "http://www.w3.org/2004/02/skos/core#"
XSD = "http://www.w3.org/2001/XMLSchema#"

DEFAULT_GRAPH = DefaultGraph()

TYPE = NamedNode(RDF + "type")
LABEL = NamedNode(RDFS + "label")
OTHER_NAME = NamedNode(SKOS + "altLabel")
COMMENT = NamedNode(RDFS + "comment")

RDF_STATEMENT = NamedNode(RDF + "Statement")
STATEMENT = NamedNode(KGMRCA + "Statement")
SUBJECT = NamedNode(RDF + "subject")
PREDICATE = NamedNode(RDF + "predicate")
OBJECT = NamedNode(RDF + "object")
REIFIES = NamedNode(RDF + "reifies")
DERIVED_FROM = NamedNode(PROV + "wasDerivedFrom")
GENERATED_BY = NamedNode(PROV + "wasGeneratedBy")

ENTITY_TYPE = NamedNode(KGMRCA + "entityType")
MENTION = NamedNode(KGMRCA + "mention")
NAMESAKE = NamedNode(KGMRCA + "namesake")
DECISION = NamedNode(KGMRCA + "decision")
ACCEPTED = "accepted"
"""The decision of a person that a statement is right."""
DISPUTED = "disputed"
"""The decision about a statement of which one person decided otherwise than another."""
WITHDRAWN = frozenset({"rejected", "corrected"})
"""The decisions of persons by which a statement is kept as what was read, and supports no fact any more."""
CHECKED_AGAINST = NamedNode(KGMRCA + "checkedAgainst")
SAME = frozenset({NamedNode(KGMRCA + "item"), NamedNode(OWL + "sameAs"), NamedNode(SKOS + "exactMatch")})
"""The predicates that lead from an entity to the item that it stands for."""

DECIMAL = NamedNode(XSD + "decimal")

_ITEM = re.compile("Q[1-9][0-9]{0,17}", re.ASCII)


def is_item_id(text: str) -> bool:
    """Whether a text is the id of an item: Q and a number.

    >>> is_item_id("Q90"), is_item_id("Q0"), is_item_id("P19")
    (True, False, False)
    """
    return _ITEM.fullmatch(text) is not None
