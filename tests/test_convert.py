import gzip
import io
import json
import re

import pytest
import spacy
from helpers import TEXT, make_nlp, read_rdf
from spacy.language import Language
from spacy.tokens import DocBin

from kgmrca.convert import convert
from kgmrca.corpora.formats import ReadOptions
from kgmrca.errors import InputError, ModelError
from kgmrca.resources import resource
from kgmrca.triples.iris import text_digest

BIRTH = "Marie Curie was born in Warsaw."
COUNTRY = "Warsaw is in Poland."
P19, P17 = (f"<http://www.wikidata.org/prop/direct/{name}>" for name in ("P19", "P17"))


@pytest.fixture
def folder(tmp_path):
    """A folder with documents, apart from where the output goes."""
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "lives.txt").write_text(TEXT, encoding="utf-8")
    (folder / "news.jsonl").write_text(
        json.dumps({"text": BIRTH, "id": "birth", "title": "A birth"}) + "\n" + json.dumps({"text": COUNTRY}) + "\n"
    )
    DocBin(docs=[spacy.blank("en")(COUNTRY)]).to_disk(folder / "docs.spacy")
    return folder


@pytest.fixture
def jsonl(tmp_path):
    def write(*texts):
        path = tmp_path / "in.jsonl"
        path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
        return path

    return write


def in_memory(*inputs, nlp, **options):
    out = io.BytesIO()
    summary = convert(inputs, out, nlp=nlp, **options)
    return summary, out.getvalue()


def predicates(data, format="turtle"):
    return {predicate for _, predicate, _ in read_rdf(data, format)}


def without_run(data):
    """The output up to the record of the run, in which the times differ."""
    return data[: data.index(b" a kgmrca:Run")]


@pytest.mark.parametrize(
    ("name", "format"),
    [
        ("graph.ttl", "turtle"),
        ("graph.nt", "ntriples"),
        ("graph.nq", "nquads"),
        ("graph.trig", "trig"),
        ("graph.jsonld", "jsonld"),
        ("graph.rdf", "rdfxml"),
    ],
)
def test_all_kinds_of_input_become_one_graph(folder, tmp_path, nlp, name, format):
    summary = convert(folder, tmp_path / name, nlp=nlp)
    assert (summary.documents, summary.statements, summary.rejected) == (4, 8, 0)
    rdf = read_rdf((tmp_path / name).read_bytes(), format)
    identifiers = {o for _, p, o in rdf if p == "<http://purl.org/dc/terms/identifier>"}
    assert identifiers == {'"lives.txt"', '"birth"', '"news.jsonl:2"', '"docs.spacy:1"'}


def test_the_texts_that_were_read_are_saved(tmp_path, nlp):
    text = f"{BIRTH}\r\nZoë lives."
    (tmp_path / "a.csv").write_bytes(f'name;body\nx;"{text}"\ny;\n'.encode("utf-16"))
    options = ReadOptions(text_column="body", id_column="name")
    summary = convert(
        tmp_path / "a.csv", tmp_path / "graph.nt", nlp=nlp, read_options=options, save_text=tmp_path / "texts"
    )
    assert (summary.documents, summary.rejected) == (1, 1)
    (saved,) = (tmp_path / "texts").iterdir()
    assert saved.read_bytes() == text.encode()
    assert f"document/x@{saved.stem}>" in (tmp_path / "graph.nt").read_text()


def test_a_format_goes_before_the_extension(folder, tmp_path, nlp):
    convert(folder, tmp_path / "graph.ttl", nlp=nlp, format="ntriples")
    assert len(read_rdf((tmp_path / "graph.ttl").read_bytes(), "ntriples")) > 50


def test_an_output_that_ends_in_gz_is_compressed(folder, tmp_path, nlp):
    convert(folder, tmp_path / "graph.ttl.gz", nlp=nlp)
    _, expected = in_memory(folder, nlp=nlp)
    assert without_run(gzip.decompress((tmp_path / "graph.ttl.gz").read_bytes())) == without_run(expected)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["documents", "graph.ttl.gz"]


def test_statements_can_be_named_graphs(folder, tmp_path, nlp):
    convert(folder, tmp_path / "graph.trig", nlp=nlp, provenance="graphs")
    quads = [terms for terms in read_rdf((tmp_path / "graph.trig").read_bytes(), "trig") if len(terms) == 4]
    assert len(quads) == 8
    assert {terms[1] for terms in quads} >= {P19, P17}


def test_without_provenance_there_is_no_run(folder, nlp):
    _, data = in_memory(folder, nlp=nlp, provenance="none")
    subjects = {subject for subject, _, _ in read_rdf(data)}
    assert all(subject.startswith("<urn:kgmrca:entity/") for subject in subjects)


def test_what_is_written_of_it_does_not_change_the_run(folder, nlp):
    _, plain = in_memory(folder, nlp=nlp)
    _, other = in_memory(folder, nlp=nlp, provenance="wikidata", assert_above=0.6, sentence_text=True)
    runs = [{s for s, _, o in read_rdf(data) if o == "<https://w3id.org/kgmrca#Run>"} for data in (plain, other)]
    assert runs[0] == runs[1]


def test_the_unsure_can_be_left_unasserted(folder, nlp):
    _, data = in_memory(folder, nlp=nlp, assert_above=0.6)
    assert P19 in predicates(data)
    assert P17 not in predicates(data)
    assert P17 in {o for _, _, o in read_rdf(data)}


def test_the_sentences_can_be_written_too(folder, nlp):
    _, data = in_memory(folder, nlp=nlp, sentence_text=True)
    assert f'"{BIRTH}"' in {o for _, p, o in read_rdf(data) if p.endswith("sentenceText>")}


def test_a_predicate_that_rdf_xml_cannot_hold_leaves_no_file(jsonl, nlp, tmp_path, monkeypatch):
    monkeypatch.setattr("kgmrca.ontology.Ontology.predicate", lambda ontology, label: "http://example.org/19")
    with pytest.raises(InputError, match=r"<http://example\.org/19> cannot be written as RDF/XML"):
        convert(jsonl(BIRTH), tmp_path / "graph.rdf", nlp=nlp)
    assert [path.name for path in tmp_path.iterdir()] == ["in.jsonl"]


def test_metadata_goes_with_the_document(folder, nlp):
    _, data = in_memory(folder / "news.jsonl", nlp=nlp)
    document = f"<urn:kgmrca:document/birth@{text_digest(BIRTH)}>"
    assert (document, "<http://purl.org/dc/terms/title>", '"A birth"') in read_rdf(data)


def test_the_base_is_in_front_of_all_new_iris(folder, nlp):
    _, data = in_memory(folder, nlp=nlp, base="https://example.org/kg/")
    read_rdf(data)
    assert b"urn:kgmrca:" not in data


def test_the_same_input_gives_the_same_bytes(folder, nlp):
    (_, one), (_, other) = in_memory(folder, nlp=nlp), in_memory(folder, nlp=make_nlp())
    assert without_run(one) == without_run(other)


def test_the_record_of_the_run_comes_last_and_differs_in_its_times_only(folder, nlp):
    (_, one), (_, other) = in_memory(folder, nlp=nlp), in_memory(folder, nlp=nlp)
    times = re.compile(rb"prov:(startedAtTime|endedAtTime) [^;]+ ;")
    assert len(times.findall(one)) == 2
    assert times.sub(b"", one) == times.sub(b"", other)


@pytest.mark.parametrize("batch_size", [1, 2, 3])
def test_the_batch_size_changes_nothing(folder, nlp, batch_size):
    _, expected = in_memory(folder, nlp=nlp)
    _, data = in_memory(folder, nlp=nlp, batch_size=batch_size)
    assert without_run(data) == without_run(expected)


def test_a_long_document_is_not_held_together_with_others(folder, nlp, monkeypatch):
    monkeypatch.setattr("kgmrca.jobs.reading._BATCH_CHARACTERS", 10)
    sizes = []
    pipe = nlp.pipe
    monkeypatch.setattr(
        nlp, "pipe", lambda *args, **options: sizes.append(options["batch_size"]) or pipe(*args, **options)
    )
    in_memory(folder, nlp=nlp)
    assert set(sizes) == {1}


def test_the_vocabulary_does_not_grow_with_the_corpus(jsonl, nlp):
    before = len(nlp.vocab.strings)
    in_memory(jsonl(*(f"{BIRTH} word{number}" for number in range(500))), nlp=nlp)
    assert len(nlp.vocab.strings) - before < 100


def test_it_works_inside_a_memory_zone(folder, nlp):
    with nlp.memory_zone():
        summary, _ = in_memory(folder, nlp=nlp)
    assert summary.documents == 4


def test_the_threshold_holds_for_one_job(folder, nlp):
    summary, data = in_memory(folder, nlp=nlp, threshold=0.85)
    assert P19 in predicates(data)
    assert P17 not in predicates(data)
    assert nlp.get_pipe("cue_relations").threshold == 0.5
    assert summary.statements == 2


def test_nothing_of_the_pipeline_is_set_while_a_job_runs(folder, nlp, monkeypatch):
    def no_setting(pipe, name, value):
        raise AssertionError(f"{name} was set")

    monkeypatch.setattr("helpers.CueRelations.__setattr__", no_setting)
    summary, _ = in_memory(folder, nlp=nlp, threshold=0.85)
    assert summary.statements == 2


def test_a_component_that_takes_no_threshold_for_one_job_is_left_as_it_is(folder, nlp, monkeypatch):
    def call(pipe, doc):
        return doc

    monkeypatch.setattr("helpers.CueRelations.__call__", call)
    with pytest.raises(ModelError, match="set the threshold of the component"):
        in_memory(folder, nlp=nlp, threshold=0.5)


def test_the_run_records_the_threshold_in_force(folder, nlp):
    _, data = in_memory(folder, nlp=nlp, threshold=0.85)
    assert rb"{\"ontology\": \"wikidata\", \"threshold\": {\"cue_relations\": 0.85}}" in data


def test_the_predicates_are_those_of_the_ontology(jsonl, nlp):
    summary, data = in_memory(jsonl(BIRTH), nlp=nlp, ontology="schema")
    assert "<https://schema.org/birthPlace>" in predicates(data)
    assert P19 not in predicates(data)
    assert not summary.unmapped


def test_what_the_ontology_has_no_predicate_for_is_written_and_counted(jsonl, nlp):
    summary, data = in_memory(jsonl(BIRTH, COUNTRY, COUNTRY), nlp=nlp, ontology="schema", base="http://example.org/")
    assert "<http://example.org/relation/country>" in predicates(data)
    assert (summary.statements, summary.unmapped) == (3, {"country": 2})


def test_a_file_can_be_the_ontology(tmp_path, jsonl, nlp):
    path = tmp_path / "own.ttl"
    path.write_text(
        "<urn:x:bornIn> <http://www.w3.org/2004/02/skos/core#exactMatch> <http://www.wikidata.org/entity/P19> ."
    )
    _, data = in_memory(jsonl(BIRTH), nlp=nlp, ontology=path)
    assert "<urn:x:bornIn>" in predicates(data)
    assert rb"{\"ontology\": \"own.ttl\"" in data


def test_a_label_that_two_predicates_stand_for_is_named_before_the_work(tmp_path, jsonl, nlp, monkeypatch):
    monkeypatch.setattr("helpers.CueRelations.labels", ("said to haunt",), raising=False)
    path = tmp_path / "own.ttl"
    rdfs = "http://www.w3.org/2000/01/rdf-schema#"
    for name in "ab":
        with path.open("a") as lines:
            lines.write(f'<urn:x:{name}> <{rdfs}range> <urn:x:P> ; <{rdfs}label> "Said to haunt" .\n')
    with pytest.raises(InputError, match="both 'urn:x:a' and 'urn:x:b' stand for the label 'said to haunt'"):
        in_memory(jsonl(BIRTH), nlp=nlp, ontology=path)


def test_a_threshold_needs_a_component_that_has_one(folder):
    with pytest.raises(ModelError, match="takes a threshold for one job"):
        in_memory(folder, nlp=spacy.blank("en"), threshold=0.5)


def test_a_pipeline_without_relations_is_refused(folder, tmp_path):
    with pytest.raises(ModelError, match="No component set"):
        convert(folder, tmp_path / "graph.ttl", nlp=spacy.blank("en"))
    assert [path.name for path in tmp_path.iterdir()] == ["documents"]


def test_docs_that_have_relations_keep_them_if_the_pipeline_finds_none(tmp_path, nlp):
    DocBin(docs=[nlp(BIRTH)], store_user_data=True).to_disk(tmp_path / "docs.spacy")
    summary, _ = in_memory(tmp_path / "docs.spacy", nlp=spacy.blank("en"))
    assert summary.statements == 1


def test_bad_records_are_set_aside_and_the_job_goes_on(tmp_path, nlp):
    source = tmp_path / "in.jsonl"
    lines = [
        "{",
        json.dumps({"text": BIRTH}),
        json.dumps({"text": "A CRASH.", "id": "x"}),
        json.dumps({"text": COUNTRY}),
    ]
    source.write_text("\n".join(lines))
    summary = convert(source, tmp_path / "graph.ttl", nlp=nlp)
    assert (summary.documents, summary.statements, summary.rejected) == (2, 2, 2)
    assert summary.rejected_to == tmp_path / "graph.ttl.rejected.jsonl"
    broken, crashed = map(json.loads, summary.rejected_to.read_text().splitlines())
    assert broken["reason"].startswith("not JSON")
    assert crashed == {
        "source": str(source),
        "line": 3,
        "id": "x",
        "reason": "ValueError: this document cannot be processed",
        "record": lines[2],
    }


def test_a_bad_document_takes_no_other_with_it(jsonl, nlp):
    nlp.add_pipe("whole_batches", last=True)
    _, expected = in_memory(jsonl(*[BIRTH] * 7), nlp=make_nlp())
    summary, data = in_memory(jsonl(*[BIRTH] * 5, "FAIL", BIRTH), nlp=nlp)
    assert (summary.documents, summary.rejected) == (6, 1)
    assert len(read_rdf(data)) < len(read_rdf(expected))


def test_a_doc_of_a_docbin_is_processed_afresh_after_a_failure(tmp_path, nlp):
    nlp.add_pipe("whole_batches", last=True)
    blank = spacy.blank("en")
    DocBin(docs=[blank(BIRTH), blank("FAIL")]).to_disk(tmp_path / "docs.spacy")
    summary, _ = in_memory(tmp_path, nlp=nlp)
    assert (summary.documents, summary.statements, summary.rejected) == (1, 1, 1)


def test_a_document_that_the_pipeline_drops_is_set_aside(jsonl, nlp, capsys):
    nlp.set_error_handler(lambda name, pipe, docs, error: None)
    summary, _ = in_memory(jsonl("A CRASH.", BIRTH), nlp=nlp)
    assert (summary.documents, summary.rejected) == (1, 1)
    assert "the pipeline gave nothing back" in capsys.readouterr().err


def test_on_a_stream_bad_records_go_to_standard_error(jsonl, nlp, capsys):
    summary, _ = in_memory(jsonl(""), nlp=nlp)
    assert json.loads(capsys.readouterr().err)["reason"] == "the text is empty"
    assert summary.rejected_to is None


def test_bad_records_can_go_elsewhere(jsonl, nlp, tmp_path):
    summary, _ = in_memory(jsonl(""), nlp=nlp, rejected=tmp_path / "bad.jsonl")
    assert summary.rejected_to == tmp_path / "bad.jsonl"
    assert len((tmp_path / "bad.jsonl").read_text().splitlines()) == 1


def test_a_compressed_file_of_no_bad_records_is_not_left(jsonl, nlp, tmp_path):
    in_memory(jsonl(BIRTH), nlp=nlp, rejected=tmp_path / "bad.jsonl.gz")
    assert [path.name for path in tmp_path.iterdir()] == ["in.jsonl"]


def test_bad_records_of_an_earlier_job_are_removed(jsonl, nlp, tmp_path):
    convert(jsonl(""), tmp_path / "graph.ttl", nlp=nlp)
    convert(jsonl(BIRTH), tmp_path / "graph.ttl", nlp=nlp)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["graph.ttl", "in.jsonl"]


def test_an_output_within_the_input_folder_is_not_read_the_next_time(folder, nlp):
    (folder / "bad.txt").write_text("")
    for _ in range(2):
        summary = convert(folder, folder / "graph.ttl", nlp=nlp)
        assert (summary.documents, summary.rejected) == (4, 1)


def test_the_records_set_aside_by_an_earlier_job_are_not_read(folder, nlp):
    (folder / "bad.txt").write_text("")
    for _ in range(2):
        summary = convert(folder, folder / "graph.ttl", nlp=nlp)
        assert (summary.documents, summary.rejected) == (4, 1)
        assert summary.rejected_to.parent == folder


@pytest.mark.parametrize(
    "options",
    [
        {"output": "documents/new.txt", "format": "turtle"},
        {"output": "documents/new.ttl", "input_format": "text"},
        {"output": "new.ttl", "rejected": "documents/bad.jsonl"},
    ],
)
def test_no_output_lies_where_it_would_be_read(folder, nlp, tmp_path, monkeypatch, options):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="lies in the folder 'documents', which this command reads"):
        convert("documents", nlp=nlp, **options)


@pytest.mark.parametrize("link", ["symlink_to", "hardlink_to"])
@pytest.mark.parametrize("given", ["documents", "documents/*.txt", "documents/lives.txt"])
def test_an_input_is_not_overwritten_under_another_name(folder, nlp, tmp_path, monkeypatch, link, given):
    monkeypatch.chdir(tmp_path)
    output = tmp_path / "graph.ttl"
    getattr(output, link)(folder / "lives.txt")
    with pytest.raises(InputError, match=r"'graph\.ttl' is an INPUT and would be overwritten"):
        convert(given, "graph.ttl", nlp=nlp)
    assert (folder / "lives.txt").read_text() == TEXT


@pytest.mark.parametrize("option", ["output", "rejected"])
@pytest.mark.parametrize("link", [None, "symlink_to", "hardlink_to"])
def test_the_ontology_is_not_overwritten(jsonl, nlp, tmp_path, option, link):
    ontology = tmp_path / "ontology.ttl"
    ontology.write_text(text := resource("ontologies/relations.ttl").read_text(encoding="utf-8"), encoding="utf-8")
    place = ontology
    if link:
        getattr(place := tmp_path / "other.ttl", link)(ontology)
    options = {"output": tmp_path / "graph.ttl", "format": "turtle", option: place}
    with pytest.raises(InputError, match="is the ontology and would be overwritten"):
        convert(jsonl(BIRTH), nlp=nlp, ontology=ontology, **options)
    assert ontology.read_text(encoding="utf-8") == text


def test_a_file_of_the_pipeline_is_not_overwritten(jsonl, nlp, tmp_path):
    nlp.to_disk(tmp_path / "pipeline")
    loaded = spacy.load(tmp_path / "pipeline")
    with pytest.raises(InputError, match="is a file of the pipeline and would be overwritten"):
        convert(jsonl(BIRTH), tmp_path / "pipeline" / "meta.json", nlp=loaded, format="turtle")


@pytest.mark.parametrize("option", ["output", "rejected"])
def test_an_input_is_not_overwritten(jsonl, nlp, tmp_path, option):
    source = jsonl(BIRTH)
    options = {"output": tmp_path / "graph.ttl", "format": "turtle", option: tmp_path / "." / "in.jsonl"}
    with pytest.raises(InputError, match="is an INPUT and would be overwritten"):
        convert(source, nlp=nlp, **options)
    assert BIRTH in source.read_text()


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"output": "missing/graph.ttl"}, "There is no folder"),
        ({"output": "documents"}, "is a folder"),
        ({"output": "graph.xml"}, "does not say its format"),
        ({"format": "csv"}, "no format 'csv': choose one of turtle, ntriples"),
        ({"provenance": "some"}, "no provenance 'some': choose one of none, statements"),
        ({"provenance": "graphs"}, "'graphs' needs named graphs"),
        ({"output": "graph.jsonld", "provenance": "rdf12"}, "'rdf12' needs RDF 1.2"),
        ({"assert_above": -0.1}, "must be 0 or more, not -0.1"),
        ({"assert_above": float("nan")}, "must be 0 or more, not nan"),
        ({"base": "here"}, "base 'here'"),
        ({"batch_size": 0}, "batch size"),
        ({"max_record_size": 0}, "size of records"),
        ({"rejected": "graph.ttl"}, "are the same file"),
        ({"input_format": "rtf"}, "no input format 'rtf'"),
    ],
)
def test_an_argument_that_cannot_be_used_is_refused(folder, tmp_path, nlp, monkeypatch, options, reason):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=reason):
        convert(folder, **{"output": "graph.ttl", "nlp": nlp, **options})
    assert [path.name for path in tmp_path.iterdir()] == ["documents"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, OSError])
def test_an_interrupted_job_leaves_nothing_behind(jsonl, nlp, tmp_path, monkeypatch, error):
    calls = []

    def interrupted(*args, **options):
        calls.append(args)
        if len(calls) == 3:
            raise error
        yield from ()

    monkeypatch.setattr("kgmrca.jobs.reading.document_triples", interrupted)
    source = jsonl("", *[BIRTH] * 5)
    with pytest.raises(error):
        convert(source, tmp_path / "graph.ttl", nlp=nlp, batch_size=2)
    assert list(tmp_path.iterdir()) == [source]


# Which document is it?


def named(*records):
    return "".join(json.dumps({"id": name, "text": text}) + "\n" for name, text in records)


def test_documents_that_repeat_something_are_counted(tmp_path, nlp):
    path = tmp_path / "in.jsonl"
    path.write_text(named(("a", BIRTH), ("a", BIRTH), ("a", COUNTRY), ("b", COUNTRY), ("b", COUNTRY), ("c", TEXT)))
    summary, data = in_memory(path, nlp=nlp)
    assert (summary.documents, summary.repeated, summary.repeated_names, summary.repeated_texts) == (4, 2, 1, 1)
    assert data.count(b"dcterms:identifier") == 4


def test_files_of_one_name_in_two_folders_are_two_documents(tmp_path, nlp):
    for folder, text in (("a", BIRTH), ("b", COUNTRY)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "letter.txt").write_text(text)
    summary, _ = in_memory(tmp_path / "a", tmp_path / "b", nlp=nlp)
    assert (summary.documents, summary.statements, summary.repeated_names) == (2, 2, 1)


# Records that are too long.


def test_of_a_long_record_that_is_set_aside_the_beginning_is_kept(tmp_path, nlp):
    path = tmp_path / "in.jsonl"
    path.write_text('{"text": ""}\n' + json.dumps({"id": "long", "text": "", "more": "é" * 5_000}, ensure_ascii=False))
    summary = convert(path, tmp_path / "graph.ttl", nlp=nlp)
    short, long = map(json.loads, summary.rejected_to.read_text().splitlines())
    assert short["record"] == '{"text": ""}'
    assert short.keys() == {"source", "line", "id", "reason", "record"}
    start = '{"id": "long", "text": "", "more": "'
    n_kept = (10_000 - len(start)) // 2
    assert long["record"] == start + "é" * n_kept
    assert (long["bytes_left_out"], long["offset"]) == (len(start) + 2 * 5_000 + 2 - 10_000, 13)


def test_a_record_that_is_too_long_is_set_aside(tmp_path, nlp):
    path = tmp_path / "in.jsonl"
    path.write_text(json.dumps({"text": "x" * 1000}) + "\n" + json.dumps({"text": BIRTH}))
    summary = convert(path, tmp_path / "graph.ttl", nlp=nlp, max_record_size=100)
    (bad,) = map(json.loads, summary.rejected_to.read_text().splitlines())
    assert (summary.documents, summary.statements, summary.rejected) == (1, 1, 1)
    assert bad["reason"] == (
        "the record is longer than 100 bytes: split it, or allow longer ones with --max-record-size (in Python: "
        "max_record_size)"
    )
    assert bad | {"line": 1, "bytes_left_out": 913, "offset": 0} == bad
    assert bad["record"] == '{"text": "' + "x" * 90


# Pipelines that can find nothing.


def test_a_pipeline_that_nothing_gives_entities_to_is_refused(jsonl, tmp_path):
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.add_pipe("cue_relations")
    nlp.add_pipe("entity_ruler")
    with pytest.raises(ModelError, match=r"Nothing gives entities to 'cue_relations'.*before it are: 'sentencizer'\."):
        convert(jsonl(BIRTH), tmp_path / "graph.ttl", nlp=nlp)


def test_a_component_that_does_not_say_what_it_does_may_give_entities(jsonl):
    nlp = spacy.blank("en")
    nlp.add_pipe("whole_batches")
    nlp.add_pipe("cue_relations")
    summary, _ = in_memory(jsonl(BIRTH, COUNTRY), nlp=nlp)
    assert (summary.documents, summary.without_entities) == (2, 2)


def test_the_entities_may_come_with_the_docs(tmp_path, nlp):
    DocBin(docs=[nlp(BIRTH)]).to_disk(tmp_path / "docs.spacy")
    without = spacy.blank("en")
    without.add_pipe("cue_relations")
    summary, _ = in_memory(tmp_path / "docs.spacy", nlp=without)
    assert (summary.statements, summary.without_entities) == (1, 0)


def test_the_progress_bar_counts_bytes_documents_and_statements(folder, tmp_path, nlp, capsys):
    convert(folder, tmp_path / "graph.ttl", nlp=nlp, progress=True)
    shown = capsys.readouterr().err
    assert "100%" in shown
    assert "documents=4, statements=8" in shown


def test_the_progress_bar_is_there_while_the_pipeline_is_loaded(folder, tmp_path, nlp, capsys, monkeypatch):
    shown = []

    def load():
        shown.append(capsys.readouterr().err)
        return nlp

    monkeypatch.setattr("kgmrca.convert._shipped_pipeline", load)
    convert(folder, tmp_path / "graph.ttl", progress=True)
    assert "loading ..." in shown[0]
    assert "0%" in shown[0]
    assert "loading" not in capsys.readouterr().err.split("\r")[-1]


def test_no_progress_bar_is_shown_where_there_is_no_terminal(folder, tmp_path, nlp, capsys):
    convert(folder, tmp_path / "graph.ttl", nlp=nlp)
    assert capsys.readouterr().err == ""


class WholeBatches:
    """Fails as a trainable component would: with all documents of a batch."""

    def __call__(self, doc):
        return next(self.pipe([doc]))

    def pipe(self, stream, *, batch_size=1):
        docs = list(stream)
        if any("FAIL" in doc.text for doc in docs):
            raise RuntimeError("one of these documents is bad")
        yield from docs


@Language.factory("whole_batches")
def make_whole_batches(nlp, name):
    return WholeBatches()
