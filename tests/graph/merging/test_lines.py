from dataclasses import replace
from decimal import Decimal

import pytest
from helpers import as_tuple
from pyoxigraph import parse

from kgmrca.graph.merging.lines import prefix_lines, statement_text
from kgmrca.graph.merging.rows import Cells
from kgmrca.triples.formats import FORMATS, PROVENANCE
from kgmrca.triples.iris import Iris, mention_iri
from kgmrca.triples.records import Mention, Statement, Times
from kgmrca.triples.write import statement_triples

XSD = "http://www.w3.org/2001/XMLSchema#"
FORMATS_OF_LINES = ("nquads", "turtle", "trig")
SHAPES = [
    (provenance, format)
    for provenance in PROVENANCE
    if provenance != "none"
    for format in FORMATS_OF_LINES
    if format in PROVENANCE[provenance]
]
BASES = [
    "urn:kgmrca:",
    "http://example.org/0.5/",
    "http://example.org/0.50/v0.5/",
    "http://example.org/2024/7/",
    "http://example.org/50%25s/",
    "urn:kgmrca-cell-3:",
]


def make(base, **changes):
    iris = Iris(base)
    document = iris.document("0.5", "0123456789abcdef0123")
    spans = [Mention(mention_iri(document, start, start + 5), start, start + 5, "") for start in (0, 5, 50)]
    made = Statement(
        iri=iris.statement(document),
        subject=iris.entity(document, "a"),
        predicate=iris.relation("at 0.5"),
        object=iris.entity(document, "b"),
        object_is_literal=False,
        object_datatype=None,
        label='0.5 % of "kgmrca-cell-3"',
        confidence=Decimal("0.5"),
        document=document,
        subject_mention=spans[0],
        object_mention=spans[1],
        sentence=replace(spans[2], text='Pays 0.5 %s, "kgmrca-cell-7"\n.'),
        sentence_digest="0.5",
        run=iris.run("0.5"),
    )
    return replace(made, **changes)


def triples(statement, provenance):
    return [*map(as_tuple, statement_triples(statement, provenance=provenance, text=True))]


def cells_of(statement, runs):
    """The cells as the terms of its triples, which the shape "statements" has all."""
    found = {predicate.rpartition("#")[2][:-1]: object_ for _, predicate, object_ in triples(statement, "statements")}
    names = ("subject", "predicate", "object", "subjectMention", "objectMention", "wasDerivedFrom")
    told = ("sentenceText", "sentence", "sentenceDigest", "objectSentence", "objectSentenceText")
    told += ("startTime", "endTime", "pointInTime", "decision")
    texts = [found.get(name, "") for name in ("relationLabel", *told)]
    confidence = str(statement.confidence)
    return Cells(f"<{statement.iri}>", *(found[name] for name in names), confidence, *texts, " ".join(runs))


def read(statement, provenance, format, base, *, runs=None):
    """The triples of the text, with the prefixes before it."""
    runs = [f"<{statement.run}>"] if runs is None else runs
    text = statement_text(cells_of(statement, runs), format=format, base=base, provenance=provenance)
    before = prefix_lines(format, base) if format != "nquads" else b""
    return [as_tuple(quad) for quad in parse(before + text.encode(), FORMATS[format])]


@pytest.mark.parametrize(("provenance", "format"), SHAPES)
@pytest.mark.parametrize("base", BASES)
def test_a_text_has_the_triples_of_the_statement_whatever_its_base_and_texts_are(base, provenance, format):
    statement = make(base)
    assert read(statement, provenance, format, base) == triples(statement, provenance)


@pytest.mark.parametrize(("provenance", "format"), SHAPES)
@pytest.mark.parametrize(
    "changes",
    [
        {"sentence": None, "sentence_digest": None},
        {"sentence_digest": None},
        {"object_sentence": Mention("urn:x:document#char=9,12", 9, 12, "")},
        {"object_sentence": Mention("urn:x:document#char=9,12", 9, 12, "kgmrca-cell-9 %s")},
        {"sentence": Mention("urn:x:document#char=0,9", 0, 9, "")},
        {"times": Times("1990", "1995-05", "1992-05-17")},
        {"times": Times(end="1995")},
        {"decision": "rejected"},
        {"decision": "kgmrca-cell-17", "times": Times("1990")},
        {"confidence": Decimal(1)},
        {"confidence": Decimal(0)},
        {"predicate": "http://www.wikidata.org/prop/direct/P19"},
        {"predicate": "http://example.org/ns#100%25"},
        {"object": "0.5", "object_is_literal": True, "object_datatype": f"{XSD}decimal"},
        {"object": "0.5 %s\n", "object_is_literal": True},
        {"subject": "http://www.wikidata.org/entity/Q7186"},
        {"subject": "http://www.wikidata.org/entity/"},
        {"subject": "http://www.wikidata.org/entity/\u00e9"},
        {"subject": "http://www.wikidata.org/entity/statement/x-y"},
    ],
)
def test_a_text_has_the_triples_of_any_statement(changes, provenance, format):
    statement = make("urn:kgmrca:", **changes)
    assert read(statement, provenance, format, "urn:kgmrca:") == triples(statement, provenance)


@pytest.mark.parametrize(("provenance", "format"), SHAPES)
@pytest.mark.parametrize("runs", [[], ["<urn:run:0.5>", "<urn:run:1>", "<urn:run:2>"]])
def test_a_text_has_all_runs(runs, provenance, format):
    statement = make("urn:kgmrca:", run=None)
    generated = "<http://www.w3.org/ns/prov#wasGeneratedBy>"
    by_runs = [(f"<{statement.iri}>", generated, run) for run in runs]
    assert read(statement, provenance, format, "urn:kgmrca:", runs=runs) == triples(statement, provenance) + by_runs


def test_turtle_is_short():
    statement = make("urn:kgmrca:", object="http://www.wikidata.org/entity/Q270")
    cells = cells_of(statement, [f"<{statement.run}>", "<urn:r>"])
    text = statement_text(cells, format="turtle", base="urn:kgmrca:", provenance="statements")
    assert text.startswith(f"statement:{statement.iri.rpartition('/')[2]} a rdf:Statement ;\n\trdf:subject entity:")
    assert "\n\trdf:object wd:Q270 ;" in text
    assert "\n\tkgmrca:confidence 0.5 ;" in text
    assert text.endswith(f"\n\tprov:wasGeneratedBy run:{statement.run.rpartition('/')[2]} , <urn:r> .\n")
    assert text.count(" .\n") == 1
