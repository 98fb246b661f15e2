import gzip
import io
import random
from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyoxigraph import Literal, NamedNode, Quad, RdfFormat, parse, serialize
from rdflib import Dataset

from kgmrca.errors import InputError
from kgmrca.terms import DEFAULT_GRAPH
from kgmrca.triples.formats import FORMATS, PROVENANCE, write
from kgmrca.triples.inputs import graph_files
from kgmrca.triples.iris import DEFAULT_BASE, Iris, clean_text, mention_iri, quoted
from kgmrca.triples.read import read_graphs, read_quads, read_rdf
from kgmrca.triples.records import Mention, Statement, Times
from kgmrca.triples.write import document_triples

IRIS = Iris()
DOCUMENT = IRIS.document("d", "0123456789abcdef0123")
KGMRCA = "https://w3id.org/kgmrca#"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
WDT = "http://www.wikidata.org/prop/direct/"
XSD = "http://www.w3.org/2001/XMLSchema#"
SHAPES = [
    (provenance, format) for provenance in PROVENANCE if provenance != "none" for format in PROVENANCE[provenance]
]

texts = st.text(st.characters(codec="utf-8"), max_size=8).map(clean_text)
iris = texts.map(lambda text: IRIS.entity(DOCUMENT, text))
spans = st.tuples(st.integers(0, 99), st.integers(0, 99)).map(
    lambda span: Mention(mention_iri(DOCUMENT, *span), *span, "")
)
objects = (
    st.tuples(iris, st.just(False), st.none())
    | st.tuples(texts, st.just(True), st.none())
    | st.tuples(st.just("1867"), st.just(True), st.just(f"{XSD}gYear"))
)
confidences = st.integers(0, 10000).map(lambda number: Decimal(format((Decimal(number) / 10000).normalize(), "f")))


@st.composite
def statement(draw):
    object_, is_literal, datatype = draw(objects)
    made = Statement(
        iri="",
        subject=draw(iris),
        predicate=draw(st.sampled_from([f"{WDT}P19", "urn:x:p", "http://x.org/ns#p"])),
        object=object_,
        object_is_literal=is_literal,
        object_datatype=datatype,
        label=draw(texts),
        confidence=draw(confidences),
        document=DOCUMENT,
        subject_mention=draw(spans),
        object_mention=draw(spans),
        sentence=(sentence := draw(st.none() | spans)),
        sentence_digest=sentence and draw(st.none() | st.just("0123456789abcdef")),
        run=draw(st.none() | st.just(IRIS.run("r"))),
        times=draw(st.sampled_from([Times(), Times("1990", "1995-05"), Times(point="1992-05-17")])),
    )
    parts = (made.subject, made.predicate, made.object, str(made.object_is_literal), made.subject_mention.iri)
    return replace(made, iri=IRIS.statement(*parts, made.object_mention.iri))


several = st.lists(statement(), max_size=4, unique_by=lambda made: made.iri)

ONE = Statement(
    iri=IRIS.statement("one"),
    subject=IRIS.entity("d", "Curie"),
    predicate=f"{WDT}P19",
    object=IRIS.entity("d", "Warsaw"),
    object_is_literal=False,
    object_datatype=None,
    label="place of birth",
    confidence=Decimal("0.9"),
    document=DOCUMENT,
    subject_mention=Mention(f"{DOCUMENT}#char=0,5", 0, 5, ""),
    object_mention=Mention(f"{DOCUMENT}#char=14,20", 14, 20, ""),
    sentence=Mention(f"{DOCUMENT}#char=0,21", 0, 21, ""),
    sentence_digest="0123456789abcdef",
    run=IRIS.run("r"),
    times=Times(start="1990", end="1995-05"),
)
OTHER = replace(
    ONE, iri=IRIS.statement("other"), predicate="http://x.org/ns#p", object="1867", object_is_literal=True, run=None
)


def triples(statements, provenance="statements", **options):
    return list(document_triples(DOCUMENT, "d", statements, base=DEFAULT_BASE, provenance=provenance, **options))


def written(statements, provenance="statements", format="ntriples"):
    out = io.BytesIO()
    write(triples(statements, provenance), out, format=format, base=DEFAULT_BASE)
    return out.getvalue()


def read(data, format="ntriples"):
    """The statements by their IRIs, and the other triples."""
    found = list(read_rdf(io.BytesIO(data), format=format))
    statements = {one.iri: one for one in found if isinstance(one, Statement)}
    assert len(statements) == sum(isinstance(one, Statement) for one in found)
    return statements, {one for one in found if isinstance(one, Quad)}


def lines(data):
    return [f"{line}\n" for line in data.decode().removesuffix("\n").split("\n")]


def joined(texts):
    return "".join(texts).encode()


@pytest.mark.parametrize(("provenance", "format"), SHAPES)
@settings(max_examples=25)
@given(several)
def test_what_is_written_is_read(provenance, format, statements):
    assert read(written(statements, provenance, format), format)[0] == {one.iri: one for one in statements}


@pytest.mark.parametrize(("provenance", "format"), SHAPES)
def test_all_other_triples_are_given_as_they_are(provenance, format):
    _, others = read(written([ONE, OTHER], provenance, format), format)
    plain = set(parse(written([ONE, OTHER], "none"), RdfFormat.N_TRIPLES))
    document = {quad for quad in others if quad.subject == NamedNode(ONE.document)}
    assert others - document == plain
    assert len(document) == 2


@pytest.mark.parametrize("provenance", [name for name in PROVENANCE if name != "none"])
@settings(max_examples=25)
@given(several)
def test_the_order_of_the_subjects_makes_no_difference(provenance, statements):
    data = joined(sorted(lines(written(statements, provenance, "nquads"))))
    assert read(data, "nquads")[0] == {one.iri: one for one in statements}


@pytest.mark.parametrize("provenance", [name for name in PROVENANCE if name != "none"])
def test_a_file_twice_gives_each_statement_twice(provenance):
    for statements in ([ONE], [ONE, OTHER]):
        data = 2 * written(statements, provenance, "nquads")
        found = [one for one in read_rdf(io.BytesIO(data), format="nquads") if isinstance(one, Statement)]
        assert found == 2 * statements


@pytest.mark.parametrize("provenance", [name for name in PROVENANCE if name != "none"])
@pytest.mark.parametrize("subject", ["urn:a", "urn:z"])  # before and behind the statement
def test_lines_sorted_with_duplicates_change_nothing(provenance, subject):
    data = written([replace(ONE, subject=subject), replace(OTHER, subject=subject)], provenance, "nquads")
    assert read(joined(sorted(2 * lines(data))), "nquads") == read(data, "nquads")


# Not JSON-LD with named graphs, where rdflib writes the default graph as a named one.
@pytest.mark.parametrize(
    ("provenance", "format"),
    [shape for shape in SHAPES if "rdf12" not in shape and shape[1] in ("turtle", "trig", "rdfxml")],
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning:rdflib")
def test_what_rdflib_has_written_anew_is_read(provenance, format):
    dated = replace(OTHER, predicate=f"{WDT}P569")
    dataset = Dataset()
    dataset.parse(data=written([ONE, dated], provenance, "nquads"), format="nquads")
    graph = dataset if format == "trig" else dataset.default_graph
    data = graph.serialize(format="xml" if format == "rdfxml" else format).encode()
    assert read(data, format)[0] == {one.iri: one for one in (ONE, dated)}


def test_a_file_is_read_by_its_name(tmp_path):
    path = tmp_path / "graph.nt"
    path.write_bytes(written([ONE]))
    assert ONE in list(read_rdf(path))


@pytest.mark.parametrize("name", ["graph.nt.gz", "graph.nt"])
def test_gzip_is_recognised(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(gzip.compress(written([ONE])))
    assert ONE in list(read_rdf(path))


def test_a_stream_of_gzip_is_recognised_and_stays_open():
    stream = io.BytesIO(gzip.compress(written([ONE])))
    assert ONE in list(read_rdf(stream, format="ntriples"))
    assert not stream.closed


def test_the_text_of_the_sentence_is_kept_where_it_is():
    told = replace(ONE, sentence=replace(ONE.sentence, text="Curie was born in Warsaw."))
    out = io.BytesIO()
    write(triples([told], text=True), out, format="ntriples", base=DEFAULT_BASE)
    assert read(out.getvalue())[0] == {ONE.iri: told}


def test_a_statement_comes_before_the_rest_of_the_file_is_read():
    data = written([ONE]) + b"this is no RDF"
    stream = read_rdf(
        io.BytesIO(data.replace(b"this", b"<urn:a> <urn:b> <urn:c> .\n" * 5000 + b"this")), format="ntriples"
    )
    assert ONE in (next(stream) for _ in range(20))


def test_each_run_gives_a_statement():
    data = joined(sorted({*lines(written([ONE])), *lines(written([replace(ONE, run=IRIS.run("s"))]))}))
    found = [one for one in read_rdf(io.BytesIO(data), format="ntriples") if isinstance(one, Statement)]
    assert sorted(found, key=lambda one: one.run) == sorted(
        [ONE, replace(ONE, run=IRIS.run("s"))], key=lambda one: one.run
    )


def test_of_several_confidences_the_highest_counts():
    data = joined(sorted({*lines(written([ONE])), *lines(written([replace(ONE, confidence=Decimal("0.1"))]))}))
    assert read(data)[0] == {ONE.iri: ONE}


@pytest.mark.parametrize(
    "form", [f'"0.90"^^<{XSD}decimal>', f'"9.0E-1"^^<{XSD}double>', f'"0.90000001"^^<{XSD}decimal>']
)
def test_a_confidence_becomes_canonical(form):
    data = written([ONE]).replace(f'"0.9"^^<{XSD}decimal>'.encode(), form.encode())
    assert read(data)[0] == {ONE.iri: ONE}


@pytest.mark.parametrize("form", ["high", "NaN", "1.1", "-0.1", "INF"])
def test_a_confidence_that_is_no_number_from_0_to_1_is_an_error(form):
    with pytest.raises(InputError, match=f"the stream: the confidence of the statement <{ONE.iri}>"):
        read(written([ONE]).replace(b'"0.9"', f'"{form}"'.encode()))


def test_another_type_of_a_statement_is_another_triple():
    extra = Quad(NamedNode(ONE.iri), NamedNode(f"{RDF}type"), NamedNode("urn:x:Claim"))
    statements, others = read(written([ONE]) + f"{extra} .\n".encode())
    assert statements == {ONE.iri: ONE}
    assert extra in others


def fact(node="urn:kgmrca:fact/1"):
    """A fact of a merged graph, which has a confidence too."""
    made = {
        "rdf:type": NamedNode(f"{KGMRCA}Fact"),
        "rdf:subject": NamedNode(ONE.subject),
        "rdf:predicate": NamedNode(ONE.predicate),
        "rdf:object": NamedNode(ONE.object),
        "kgmrca:confidence": Literal("0.9", datatype=NamedNode(f"{XSD}decimal")),
        "kgmrca:evidence": NamedNode(ONE.iri),
    }
    names = {name: NamedNode(name.replace("rdf:", RDF).replace("kgmrca:", KGMRCA)) for name in made}
    return [Quad(NamedNode(node), names[name], value) for name, value in made.items()]


STRANGE = {
    "a fact": fact(),
    "a reified triple of others": fact()[1:4],
    "a statement of Wikidata": [
        Quad(NamedNode("urn:q"), NamedNode("http://www.wikidata.org/prop/P19"), NamedNode(node)) for node in ["urn:w"]
    ]
    + [Quad(NamedNode("urn:w"), NamedNode("http://www.wikidata.org/prop/statement/P19"), NamedNode("urn:o"))],
    "a named graph": [
        Quad(NamedNode(f"urn:{name}"), NamedNode("urn:p"), Literal("x"), NamedNode("urn:g")) for name in "abc"
    ],
    "a named graph of one triple": [Quad(NamedNode("urn:a"), NamedNode("urn:p"), Literal("x"), NamedNode("urn:g"))],
    "a derivation": [
        Quad(NamedNode("urn:a"), NamedNode("http://www.w3.org/ns/prov#wasDerivedFrom"), NamedNode("urn:b"))
    ],
}


@pytest.mark.parametrize("quads", STRANGE.values(), ids=STRANGE)
def test_what_is_no_statement_is_given_as_it_is(quads):
    data = written([ONE], "graphs", "nquads") + serialize(quads, format=RdfFormat.N_QUADS)
    statements, others = read(data, "nquads")
    assert statements == {ONE.iri: ONE}
    assert others >= set(quads)


def with_late_digest():
    whole = lines(written([ONE]))
    late = [line for line in whole if "sentenceDigest" in line]
    return joined([*(line for line in whole if line not in late), *lines(written([OTHER])), *late])


def test_a_property_of_a_statement_may_come_late():
    assert read(with_late_digest()) == read(written([ONE, OTHER]))


def test_one_that_comes_late_in_a_large_file_in_our_order_is_an_error(monkeypatch):
    monkeypatch.setattr("kgmrca.triples.read._HEAD", 20)
    with pytest.raises(InputError, match=rf"the statement <{ONE.iri}> has no confidence.*sorting the lines"):
        read(with_late_digest())


@pytest.fixture(params=["in memory", "on disk", "from the middle on"])
def way_to_gather(request, monkeypatch):
    """What is done with triples in another order, however few they are."""
    monkeypatch.setattr("kgmrca.triples.gathering._IN_MEMORY", 1 if request.param == "on disk" else 1000)
    if request.param == "from the middle on":
        monkeypatch.setattr("kgmrca.triples.read._HEAD", 2)


@pytest.mark.parametrize("graph", [None, "urn:x:theirs"], ids=["as it is", "in a named graph"])
@pytest.mark.parametrize("provenance", [name for name in PROVENANCE if name != "none"])
@pytest.mark.usefixtures("way_to_gather")
def test_triples_may_come_in_any_order(provenance, graph):
    others = [replace(OTHER, iri=IRIS.statement(f"{number}"), subject=f"urn:x:{number}") for number in range(9)]
    data = written([ONE, OTHER, *others], provenance, "nquads")
    expected = read(data, "nquads")
    found = list(parse(data, RdfFormat.N_QUADS))
    for number in range(5):
        random.Random(number).shuffle(found)
        put = [quad if graph is None or quad.graph_name != DEFAULT_GRAPH else in_graph(quad, graph) for quad in found]
        # The head of a file in our order, so that it is the middle in which another order begins.
        head = b"<urn:a> <urn:b> <urn:c> .\n" * 5
        statements, rest = read(head + serialize(put, format=RdfFormat.N_QUADS), "nquads")
        assert statements == expected[0]
        assert rest - {Quad(*map(NamedNode, ("urn:a", "urn:b", "urn:c")))} == expected[1]


def in_graph(quad, graph):
    return Quad(*quad.triple, NamedNode(graph))


@pytest.mark.usefixtures("way_to_gather")
@pytest.mark.parametrize("quads", STRANGE.values(), ids=STRANGE)
def test_what_is_no_statement_is_given_as_it_is_in_any_order(quads):
    ours = list(parse(written([ONE, OTHER], "graphs", "nquads"), RdfFormat.N_QUADS))
    for number in range(5):
        found = [*ours, *quads]
        random.Random(number).shuffle(found)
        statements, others = read(serialize(found, format=RdfFormat.N_QUADS), "nquads")
        assert statements == {ONE.iri: ONE, OTHER.iri: OTHER}
        assert others >= set(quads)


@pytest.mark.parametrize(
    ("form", "datatype"), [("1.8670E3", "double"), ("1867", "int"), ("+01867", "integer"), ("1867.0", "decimal")]
)
def test_a_number_has_one_form(form, datatype):
    one = replace(OTHER, object="1867", object_datatype=f"{XSD}integer")
    data = written([one]).replace(f'"1867"^^<{XSD}integer>'.encode(), f'"{form}"^^<{XSD}{datatype}>'.encode())
    assert read(data)[0] == {one.iri: one}


def test_a_statement_that_is_not_whole_is_an_error():
    data = joined(line for line in lines(written([ONE])) if "rdf-syntax-ns#object" not in line)
    with pytest.raises(InputError, match=rf"the stream: the statement <{ONE.iri}> has no object\."):
        read(data)


def test_two_subjects_of_a_statement_are_an_error():
    data = joined([*lines(written([ONE])), f"<{ONE.iri}> <{RDF}subject> <urn:x> .\n"])
    with pytest.raises(InputError, match=f"the statement <{ONE.iri}> has two different values as subject"):
        read(data)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("subject", '"Curie"', "cannot be the subject"),
        ("subject", "_:b", "cannot be the subject"),
        ("object", "_:b", "cannot be the object"),
        ("object", '"Warschau"@de', "has a language"),
    ],
)
def test_a_term_that_a_statement_cannot_have_is_an_error(field, value, message):
    found = [line for line in lines(written([ONE])) if not line.startswith(f"<{ONE.iri}> <{RDF}{field}>")]
    with pytest.raises(InputError, match=message):
        read(joined([*found, f"<{ONE.iri}> <{RDF}{field}> {value} .\n"]))


def test_a_statement_without_an_iri_is_an_error():
    with pytest.raises(InputError, match="blank node"):
        read(written([ONE]).replace(f"<{ONE.iri}>".encode(), b"_:b"))


def test_a_mention_that_is_no_stretch_of_text_is_an_error():
    with pytest.raises(InputError, match=f"a mention of <{ONE.iri}>"):
        read(written([ONE]).replace(b"#char=0,5", b"#p1"))


@pytest.mark.parametrize("format", [name for name in FORMATS if name != "rdfxml"])
def test_a_cut_file_is_an_error_with_file_and_line(tmp_path, format):
    path = tmp_path / "graph"
    path.write_bytes(written([ONE], format=format)[:-20])
    with pytest.raises(InputError, match=rf"graph, line \d+: this is not {format}, or it is cut: "):
        list(read_rdf(path, format=format))


@pytest.mark.parametrize("end", [b"</rdf:RDF>", b"</rdf:Statement>\n</rdf:RDF>"])
def test_rdfxml_that_is_cut_between_two_elements_is_an_error(end):
    data = written([ONE], format="rdfxml").strip()
    assert data.endswith(end)
    with pytest.raises(InputError, match=r"line \d+: this is not rdfxml, or it is cut"):
        read(data.removesuffix(end), "rdfxml")


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-12], lambda data: data + b"junk", lambda data: data[:30] + data[40:]]
)
def test_damaged_gzip_is_an_error(tmp_path, damage):
    path = tmp_path / "graph.nt.gz"
    path.write_bytes(damage(gzip.compress(written([ONE]))))
    with pytest.raises(InputError, match=r"graph\.nt\.gz"):
        list(read_rdf(path))


def test_a_context_of_jsonld_elsewhere_is_not_fetched():
    with pytest.raises(InputError, match="context"):
        read(b'{"@context": "http://localhost/context.jsonld", "@id": "urn:a", "name": "x"}', "jsonld")


@pytest.fixture
def stdin(monkeypatch):
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(written([ONE]))))


def test_a_dash_is_standard_input_as_trig(stdin):
    assert ONE.iri in [getattr(found, "iri", None) for found in read_rdf("-")]


def test_standard_input_is_named_in_an_error(stdin):
    with pytest.raises(InputError, match="standard input, line 1: this is not jsonld"):
        list(read_rdf("-", format="jsonld"))


def test_graphs_are_read_one_after_the_other(stdin, tmp_path):
    path = tmp_path / "other.xyz"
    path.write_bytes(b"<urn:a> <urn:b> <urn:c> .")
    found = list(read_graphs([("-", None), (str(path), "turtle")]))
    assert found[0].subject.value == ONE.document
    assert found[-1].subject.value == "urn:a"


def test_standard_input_can_be_read_twice_from_a_copy(stdin, tmp_path):
    path = tmp_path / "other.nt"
    path.touch()
    with graph_files(["-", path], None) as files:
        assert [format for _, format in files] == ["trig", "ntriples"]
        assert list(read_graphs(files)) == list(read_graphs(files)) != []
        copy = files[0][0]
    assert not copy.exists()


def test_it_is_told_how_many_bytes_are_read(tmp_path):
    path = tmp_path / "graph.ttl"
    path.write_bytes(written([ONE]))
    sizes = []
    list(read_quads(path, on_read=sizes.append))
    assert sum(sizes) == path.stat().st_size


def test_a_stream_needs_a_format():
    with pytest.raises(InputError, match="The format of the stream is not known"):
        list(read_rdf(io.BytesIO(b"")))


def test_an_unknown_format_is_an_error(tmp_path):
    with pytest.raises(InputError, match="no format 'n3'"):
        list(read_rdf(io.BytesIO(b""), format="n3"))
    with pytest.raises(InputError, match="does not say its format"):
        list(read_rdf(tmp_path / "graph.n3"))


def test_a_predicate_of_ones_own_comes_back_from_its_two():
    assert quoted(OTHER.predicate).encode() in written([OTHER], "wikidata")
    assert read(written([OTHER], "wikidata"))[0] == {OTHER.iri: OTHER}
