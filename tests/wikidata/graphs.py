"""Graphs of statements, as files."""

from decimal import Decimal

from pyoxigraph import NamedNode, Triple

from kgmrca.files import whole_file
from kgmrca.triples.formats import format_of, write
from kgmrca.triples.iris import DEFAULT_BASE, mention_iri
from kgmrca.triples.records import Mention, Statement
from kgmrca.triples.write import statement_triples

WD = "http://www.wikidata.org/entity/"
WDT = "http://www.wikidata.org/prop/direct/"
KGMRCA = "https://w3id.org/kgmrca#"
XSD = "http://www.w3.org/2001/XMLSchema#"
DOCUMENT = f"{DEFAULT_BASE}document/lives"


def statement(subject, predicate, object_, *, datatype=None, number=0):
    """A statement about Wikidata's items and properties (by their ids), or whatever the IRIs stand for.

    The object is a literal if there is a datatype, "" for plain text.
    """

    def iri(name, namespace):
        return name if ":" in name else namespace + name

    return Statement(
        iri=f"{DEFAULT_BASE}statement/{number}",
        subject=iri(subject, WD),
        predicate=iri(predicate, WDT),
        object=object_ if datatype is not None else iri(object_, WD),
        object_is_literal=datatype is not None,
        object_datatype=XSD + datatype if datatype else None,
        label="a label",
        confidence=Decimal("0.9"),
        document=DOCUMENT,
        subject_mention=Mention(mention_iri(DOCUMENT, 0, 1), 0, 1, ""),
        object_mention=Mention(mention_iri(DOCUMENT, 2, 3), 2, 3, ""),
        sentence=None,
        sentence_digest=None,
        run=None,
    )


def link(entity, item, *, predicate=f"{KGMRCA}item"):
    return Triple(NamedNode(entity), NamedNode(predicate), NamedNode(WD + item))


def member(cluster, entity):
    return Triple(NamedNode(cluster), NamedNode(f"{KGMRCA}member"), NamedNode(entity))


def write_graph(path, *parts, provenance="statements"):
    """Statements and triples as a file in the format of its name."""
    triples = []
    for part in parts:
        triples += statement_triples(part, provenance=provenance) if isinstance(part, Statement) else [part]
    with whole_file(path) as stream:
        write(triples, stream, format=format_of(path), base=DEFAULT_BASE)
    return path
