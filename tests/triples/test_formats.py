"""What is written in any format is what both libraries read, whatever texts are in it.

    KGMRCA_EXAMPLES=10000 pytest tests/triples/test_formats.py

makes so many cases a format.
"""

import io
import os

import pyoxigraph
import pytest
from helpers import as_tuple, read_rdf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spacy.tokens import Doc, Span
from spacy.vocab import Vocab

from kgmrca.errors import InputError
from kgmrca.relations import Relation, set_relations
from kgmrca.triples.docs import document_iri
from kgmrca.triples.formats import FORMATS, PROVENANCE, write
from kgmrca.triples.statements import statements
from kgmrca.triples.write import document_triples

EXAMPLES = int(os.environ.get("KGMRCA_EXAMPLES", "30"))
# Of rdflib's readers, most take a time that grows with the square of a text's length.
LONG = 1_000_000 if EXAMPLES > 1000 else 100_000
BASE = "urn:kgmrca:"
HOSTILE = 'a "q" \\ <b>\x00\x07\r\n\t\x7f\x85\u2028\u202e\ufeff\ufffe é😀]]>&amp;@en^^{}\ud800'
PIECES = ['"', "'", '"""', "'''", "\\", "\\u0041", "\n", "\r", "\r\n", "\t", " ", ">", "<", "]]>", "<!--", "&#13;", "%"]
PIECES += ["_", ":", ".", "/", "..", "#", "@en", "^^", "<<(", "{}", "_:b", "1", "a", "\x00", "\x1b", "\x7f", "\x85"]
PIECES += [
    "\u200b",
    "\u202e",
    "\u2066",
    "\u2028",
    "\ufeff",
    "\ufffe",
    "\ud800",
    "\udfff",
    "é",
    "e\u0301",
    "😀",
    "\U000e0001",
]

pieces = st.lists(st.sampled_from(PIECES) | st.characters(categories=None), max_size=12).map("".join)
texts = pieces | st.text(st.characters(categories=None), max_size=30)
names = texts.map(lambda text: text.encode("utf-8", "replace").decode() or "x")  # as spaCy can hold them
values = texts | st.integers() | st.booleans() | st.floats() | st.lists(texts, max_size=2) | st.none()


def case(names, types, labels, identifier, meta):
    """A document that consists of the names alone, each related to the next by each label."""
    doc = Doc(Vocab(), words=list(names), sent_starts=[True] + [False] * (len(names) - 1))
    doc.ents = [Span(doc, at, at + 1, label=type_) for at, type_ in zip(range(len(doc)), types, strict=True)]
    pairs = zip(doc.ents, doc.ents[1:], strict=False)
    set_relations(doc, [Relation(*pair, label, 0.5) for pair in pairs for label in labels])
    return document_iri(doc, identifier, BASE), identifier, list(statements(doc, document_id=identifier)), meta


cases = st.integers(2, 3).flatmap(
    lambda size: st.builds(
        case,
        st.lists(names, min_size=size, max_size=size),
        st.lists(names | st.just("DATE"), min_size=size, max_size=size),
        st.lists(texts, min_size=1, max_size=2, unique=True),
        texts.map(lambda text: text or "d"),
        st.dictionaries(texts, values, max_size=2),
    )
)


def triples_of(case, provenance):
    document, identifier, found, meta = case
    return list(document_triples(document, identifier, found, base=BASE, meta=meta, provenance=provenance, text=True))


def written(triples, format):
    out = io.BytesIO()
    write(triples, out, format=format, base=BASE)
    return out.getvalue()


def is_read_alike(triples, format, provenance):
    """Whether what is written is what pyoxigraph reads, and rdflib too if it knows that kind of RDF."""
    data = written(triples, format)
    if provenance == "rdf12":
        return set(map(as_tuple, pyoxigraph.parse(data, FORMATS[format]))) == set(map(as_tuple, triples))
    return read_rdf(data, format) == set(map(as_tuple, triples))


@pytest.mark.parametrize("format", FORMATS)
@settings(max_examples=EXAMPLES, derandomize=True, suppress_health_check=list(HealthCheck))
@given(case=cases, data=st.data())
def test_hostile_text_is_read_alike_in_every_format(format, case, data):
    provenance = data.draw(st.sampled_from([name for name, formats in PROVENANCE.items() if format in formats]))
    assert is_read_alike(triples_of(case, provenance), format, provenance)


@pytest.mark.parametrize("provenance", PROVENANCE)
@pytest.mark.parametrize("format", FORMATS)
def test_the_worst_text_is_read_alike_in_every_format_and_shape(format, provenance):
    if format in PROVENANCE[provenance]:
        name = HOSTILE.replace("\ud800", "")
        worst = case([name] * 2, [name] * 2, [HOSTILE], HOSTILE, {HOSTILE: HOSTILE, "list": [HOSTILE]})
        assert is_read_alike(triples_of(worst, provenance), format, provenance)


@pytest.fixture(scope="module")
def long():
    """Triples with a text of a megabyte wherever there can be a text."""
    text = (HOSTILE * 40_000)[:1_000_000]
    name = text.replace("\ud800", "")
    return triples_of(case([name, "x"], [name, "PER"], [text], text, {text: text}), "statements")


@pytest.mark.parametrize("format", FORMATS)
def test_a_megabyte_of_hostile_text_comes_back_from_every_place(long, format):
    assert {quad.triple for quad in pyoxigraph.parse(written(long, format), FORMATS[format])} == set(long)


@pytest.mark.parametrize("format", FORMATS)
def test_a_long_text_is_read_alike_in_every_format(format):
    triples = triples_of(case(["x", "y"], ["A", "B"], ["is"], "doc", {"text": (HOSTILE * 40_000)[:LONG]}), "statements")
    assert is_read_alike(triples, format, "statements")


@pytest.mark.parametrize("predicate", ["urn:x:1", "urn:x:a%20", "urn:x:", "http://example.org/p/", "urn:x:-"])
def test_a_predicate_that_does_not_end_in_a_name_is_refused_in_rdf_xml(predicate):
    node = pyoxigraph.NamedNode("urn:x")
    with pytest.raises(InputError, match=f"<{predicate}> cannot be written as RDF/XML"):
        written([pyoxigraph.Triple(node, pyoxigraph.NamedNode(predicate), node)], "rdfxml")


@pytest.mark.parametrize("format", FORMATS)
def test_triples_are_taken_as_they_are_written(format):
    class Full(io.BytesIO):
        def write(self, data):
            raise OSError("disk full")

    taken = 0

    def endless():
        nonlocal taken
        while True:
            taken += 1
            node = pyoxigraph.NamedNode(f"urn:x:a{taken}")
            yield pyoxigraph.Triple(node, node, node)

    with pytest.raises(OSError, match="disk full"):
        write(endless(), Full(), format=format, base=BASE)
    assert taken < 100_000
