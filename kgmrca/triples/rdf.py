"""Docs as rdflib graphs, for whoever wants the graph in hand; `kgmrca.convert` is for what is larger than memory.

Terms cross over as they are: rdflib would rewrite lexical forms ("Z" as "+00:00") unless it is told not to.
"""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pyoxigraph
import rdflib
from rdflib.graph import DATASET_DEFAULT_GRAPH_ID
from spacy.tokens import Doc

from kgmrca.corpora.documents import ID
from kgmrca.errors import InputError
from kgmrca.ontology import Ontology, load_ontology
from kgmrca.terms import XSD
from kgmrca.triples.formats import PROVENANCE, prefixes
from kgmrca.triples.iris import DEFAULT_BASE, Iris
from kgmrca.triples.records import Run
from kgmrca.triples.statements import statements
from kgmrca.triples.write import document_triples

__all__ = ["add_to", "to_graph"]

Docs: TypeAlias = Doc | Iterable[Doc | tuple[Doc, str | int]]

_STRING = f"{XSD}string"


def to_graph(docs: Docs, *, base: str = DEFAULT_BASE, provenance: str = "statements", **options: Any) -> rdflib.Graph:
    """What Docs say as a new `rdflib.Graph`; an `rdflib.Dataset` for the provenance "graphs".

    All arguments are those of `add_to`.
    """
    graph = rdflib.Dataset() if provenance == "graphs" else rdflib.Graph()
    add_to(graph, docs, base=base, provenance=provenance, **options)
    return graph


def add_to(
    graph: rdflib.Graph,
    docs: Docs,
    *,
    base: str = DEFAULT_BASE,
    ontology: Ontology | str | Path = "wikidata",
    provenance: str = "statements",
    assert_above: float = 0.0,
    text: bool = False,
    source: str | None = None,
    threshold: float | None = None,
    run: Run | None = None,
) -> None:
    """Add what Docs say to a graph: the triples that `kgmrca.convert` writes for them, but for the record of the run.

    Adding a Doc again changes nothing. Of Docs that come before one that cannot be used, all is added; of that one and
    those after it, nothing.

    Args:
        graph: what to add to; an `rdflib.Dataset` for the provenance "graphs".
        docs: a Doc, or any number of them or of (Doc, id), as `nlp.pipe(..., as_tuples=True)` gives them. A Doc without
            an id is called by what its `user_data` has under "kgmrca.id", else by a hash of its text.
        base: an absolute IRI ending in "/" or ":", with which all IRIs begin that are made here.
        ontology: which predicate stands for which label, or its name or file (see `load_ontology`).
        provenance: in which shape a statement says how sure it is and where it was read: "statements", "graphs",
            "wikidata" or "none" (see `kgmrca.convert.convert`).
        assert_above: the confidence from which the plain triple is added too.
        text: whether statements carry the text of their sentence.
        source, threshold: whose relations, and from which score they count (see `statements`).
        run: what found the relations; statements name it by its IRI.

    Raises:
        ModelError: no component has set the relations of a Doc.
        InputError: an argument cannot be used, or the graph cannot hold this kind of provenance.
    """
    able = [name for name in PROVENANCE if name != "rdf12"]
    if provenance not in able:
        reason = "rdflib cannot hold RDF 1.2" if provenance == "rdf12" else f"There is no provenance '{provenance}'"
        raise InputError(f"{reason}: choose one of {', '.join(able)}.")
    if provenance == "graphs" and not isinstance(graph, rdflib.Dataset):
        raise InputError("The provenance 'graphs' needs named graphs: give an rdflib.Dataset to add to.")
    Iris(base)
    if not isinstance(ontology, Ontology):
        ontology = load_ontology(ontology)
    for prefix, namespace in prefixes(base).items():
        graph.bind(prefix, namespace, override=False)
    for doc, identifier in _named(docs):
        found = statements(
            doc, document_id=identifier, base=base, run=run, ontology=ontology, source=source, threshold=threshold
        )
        for triple in document_triples(
            identifier, found, base=base, provenance=provenance, assert_above=assert_above, text=text
        ):
            _add(graph, triple)


def _named(docs: Docs) -> Iterator[tuple[Doc, str]]:
    """Each Doc with its id."""
    for item in [docs] if isinstance(docs, Doc) else docs:
        doc, identifier = item if isinstance(item, tuple) else (item, None)
        if not isinstance(doc, Doc):
            raise InputError(f"A Doc or (Doc, id) is expected, not {item!r}.")
        if identifier is None:
            identifier = doc.user_data.get(ID, hashlib.sha256(doc.text.encode("utf-8", "replace")).hexdigest()[:32])
        if isinstance(identifier, bool) or not isinstance(identifier, str | int) or identifier == "":
            raise InputError(f"The id of a Doc is text or a whole number, not {identifier!r}.")
        yield doc, str(identifier)


def _add(graph: rdflib.Graph, triple: pyoxigraph.Triple | pyoxigraph.Quad) -> None:
    if isinstance(graph, rdflib.Dataset):
        name = _term(triple.graph_name) if isinstance(triple, pyoxigraph.Quad) else DATASET_DEFAULT_GRAPH_ID
        graph = graph.get_context(name)
    graph.add((_term(triple.subject), _term(triple.predicate), _term(triple.object)))


def _term(term: Any) -> rdflib.URIRef | rdflib.Literal:
    if isinstance(term, pyoxigraph.NamedNode):
        return rdflib.URIRef(term.value)
    # As rdflib's parsers have it: no datatype where RDF 1.1 has xsd:string.
    datatype = None if term.datatype.value == _STRING else rdflib.URIRef(term.datatype.value)
    return rdflib.Literal(term.value, datatype=datatype, normalize=False)
