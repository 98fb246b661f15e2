"""Docs as rdflib graphs in memory; `kgmrca.convert` is for what is larger than memory.

Terms keep their lexical forms, which rdflib would rewrite by default ("Z" as "+00:00").
"""

import math
from pathlib import Path
from typing import Any

import pyoxigraph
import rdflib
from rdflib.graph import DATASET_DEFAULT_GRAPH_ID

from kgmrca.errors import InputError
from kgmrca.ontology import Ontology, load_ontology
from kgmrca.terms import XSD
from kgmrca.triples.docs import Docs, document_iri, document_name, each_doc
from kgmrca.triples.formats import PROVENANCE, needs_graphs, needs_triple_terms, prefixes
from kgmrca.triples.iris import DEFAULT_BASE, Iris, text_digest
from kgmrca.triples.records import Run
from kgmrca.triples.statements import statements
from kgmrca.triples.write import document_triples

__all__ = ["add_to", "to_graph"]

_STRING = f"{XSD}string"


def to_graph(
    docs: Docs,
    *,
    document_id: str | int | None = None,
    base: str = DEFAULT_BASE,
    ontology: Ontology | str | Path = "wikidata",
    provenance: str = "statements",
    assert_above: float = 0.0,
    text: bool = False,
    source: str | None = None,
    threshold: float | None = None,
    run: Run | None = None,
) -> rdflib.Graph:
    """What Docs say as a new `rdflib.Graph`; an `rdflib.Dataset` for the provenance "graphs".

    All arguments are those of `add_to`.

    >>> import spacy, kgmrca
    >>> doc = spacy.blank("en")("Curie was born in Warsaw.")
    >>> doc._.relations = [(doc[0:1], doc[4:5], "place of birth", 0.9)]
    >>> print(kgmrca.to_graph(doc, provenance="none").serialize(format="nt11").strip())  # doctest: +ELLIPSIS
    <urn:kgmrca:entity/...
    """
    has_graphs = provenance in PROVENANCE and needs_graphs(provenance)
    graph = rdflib.Dataset() if has_graphs else rdflib.Graph()
    add_to(
        graph,
        docs,
        document_id=document_id,
        base=base,
        ontology=ontology,
        provenance=provenance,
        assert_above=assert_above,
        text=text,
        source=source,
        threshold=threshold,
        run=run,
    )
    return graph


def add_to(
    graph: rdflib.Graph,
    docs: Docs,
    *,
    document_id: str | int | None = None,
    base: str = DEFAULT_BASE,
    ontology: Ontology | str | Path = "wikidata",
    provenance: str = "statements",
    assert_above: float = 0.0,
    text: bool = False,
    source: str | None = None,
    threshold: float | None = None,
    run: Run | None = None,
) -> None:
    """Add what Docs say to a graph: the triples that `kgmrca.convert` writes for them, without those of the run.

    Adding a Doc again changes nothing. Of Docs that come before one that cannot be used, all is added; of that one and
    those after it, nothing.

    Args:
        graph: what to add to; an `rdflib.Dataset` for the provenance "graphs".
        docs: a Doc, or any number of them or of (Doc, id), as `nlp.pipe(..., as_tuples=True)` gives them. A Doc without
            an id is called by what its `user_data` has under "kgmrca.id", else by the digest of its text.
        document_id: the id of a single Doc.
        base: an absolute IRI ending in "/" or ":", with which the IRIs of the graph's own nodes begin.
        ontology: which predicate stands for which label, or its name or file (see `load_ontology`).
        provenance: the form in which confidence and place are recorded: "statements", "graphs", "wikidata" or "none"
            (see `kgmrca.convert.convert`).
        assert_above: the confidence from which the plain triple is added too.
        text: whether statements carry the text of their sentence.
        source, threshold: whose relations, and from which score they count (see `statements`).
        run: what found the relations; statements name it by its IRI.

    Raises:
        ModelError: no component has set the relations of a Doc.
        InputError: an argument cannot be used, or the graph cannot hold this kind of provenance.

    >>> import spacy, kgmrca
    >>> graph, doc = rdflib.Graph(), spacy.blank("en")("Curie was born in Warsaw.")
    >>> doc._.relations = [(doc[0:1], doc[4:5], "place of birth", 0.9)]
    >>> kgmrca.add_to(graph, doc, provenance="none")
    >>> len(graph)
    3
    """
    if not isinstance(graph, rdflib.Graph):
        raise InputError(f"The first argument of add_to is an rdflib.Graph, not {type(graph).__name__}.")
    if isinstance(assert_above, bool) or not isinstance(assert_above, int | float) or math.isnan(assert_above):
        raise InputError(f"assert_above is a number, not {assert_above!r}.")
    named = each_doc(docs, document_id)
    possible = [name for name in PROVENANCE if not needs_triple_terms(name)]
    if provenance not in possible:
        reason = "rdflib cannot hold RDF 1.2" if provenance in PROVENANCE else f"There is no provenance '{provenance}'"
        raise InputError(f"{reason}: choose one of {', '.join(possible)}.")
    if needs_graphs(provenance) and not isinstance(graph, rdflib.Dataset):
        raise InputError(f"The provenance '{provenance}' needs named graphs: give an rdflib.Dataset to add to.")
    Iris(base)
    if not isinstance(ontology, Ontology):
        ontology = load_ontology(ontology)
    for prefix, namespace in prefixes(base).items():
        graph.bind(prefix, namespace, override=False)
    for doc, given in named:
        name = document_name(doc, given)
        found = statements(
            doc, document_id=name or None, base=base, run=run, ontology=ontology, source=source, threshold=threshold
        )
        for triple in document_triples(
            document_iri(doc, name, base),
            name or text_digest(doc.text),
            found,
            base=base,
            provenance=provenance,
            assert_above=assert_above,
            text=text,
        ):
            _add(graph, triple)


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
