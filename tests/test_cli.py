import gzip
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import ClassVar

import pytest
import spacy
from helpers import TEXT, make_nlp, read_rdf
from spacy.vocab import Vocab
from thinc.api import Config
from typer.main import get_command

from kgmrca import __version__, cli
from kgmrca.cli import options
from kgmrca.cli.command import RENAMED
from kgmrca.corpora.annotated import exhaustively_annotated, read_gold
from kgmrca.corpora.inputs import INPUT_FORMATS
from kgmrca.triples.formats import FORMATS, PROVENANCE
from kgmrca.triples.sources import SOURCES
from kgmrca.wikidata.cache import Cache

TESTS = Path(__file__).parent
BIRTH = "Marie Curie was born in Warsaw."


@pytest.fixture(scope="session")
def pipeline(tmp_path_factory):
    """A pipeline on disk, for `--pipeline`."""
    path = tmp_path_factory.mktemp("pipeline") / "cues"
    make_nlp().to_disk(path)
    return str(path)


@pytest.fixture
def run(monkeypatch):
    """Run the command line in this process; gives the exit code."""
    before = signal.getsignal(signal.SIGTERM)

    def run_main(*arguments):
        monkeypatch.setattr(sys, "argv", ["kgmrca", *map(str, arguments)])
        with pytest.raises(SystemExit) as exited:
            cli.main()
        return exited.value.code or 0

    yield run_main
    signal.signal(signal.SIGTERM, before)


def start(*arguments, code="import helpers; from kgmrca.cli import main; main()", first=(), **options):
    """Run the command line in a process of its own, with the tests' component at hand."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent)])}
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, [*first, *arguments])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        # Where the tests themselves run in the background, a shell has them ignore this signal.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        **options,
    )


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "lives.txt"
    path.write_text(TEXT)
    return path


def test_the_version_is_printed(run, capsys):
    assert run("--version") == 0
    assert capsys.readouterr().out == f"kgmrca {__version__}\n"


def test_every_command_has_help_with_an_example(run, capsys):
    names = [command.name for command in cli.app.registered_commands]
    for name in names:
        assert run(name, "--help") == 0
        assert f"  kgmrca {name} " in capsys.readouterr().out


def test_help_imports_nothing_slow():
    code = (
        "import sys, kgmrca.cli; print([name for name in ('spacy', 'torch', 'numpy', 'rdflib') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, cwd=TESTS.parent, check=True)
    assert done.stdout == b"[]\n"


def test_the_choices_are_those_of_the_library():
    assert [choice.value for choice in options.OutputFormat] == list(FORMATS)
    assert [choice.value for choice in options.InputFormat] == list(INPUT_FORMATS)
    assert [choice.value for choice in options.Provenance] == list(PROVENANCE)
    assert [choice.value for choice in options.RelationSource] == list(SOURCES)


def test_convert_writes_statements_as_it_is_told(run, pipeline, text, tmp_path):
    options = ["--provenance", "graphs", "--assert-above", "0.85", "--sentence-text", "--pipeline", pipeline]
    assert run("convert", text, "-o", tmp_path / "graph.nq.gz", *options) == 0
    quads = read_rdf(gzip.decompress((tmp_path / "graph.nq.gz").read_bytes()), "nquads")
    facts = [terms for terms in quads if "/prop/direct/" in terms[1]]
    assert sorted(map(len, facts)) == [3, 4, 4, 4, 4, 4]
    assert f'"{BIRTH}"' in {terms[2] for terms in quads if terms[1].endswith("sentenceText>")}


def test_convert_writes_a_file_and_says_so(run, pipeline, text, tmp_path, capsys):
    assert run("convert", text, "-o", tmp_path / "graph.ttl", "--pipeline", pipeline) == 0
    read_rdf((tmp_path / "graph.ttl").read_bytes())
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == f"kgmrca: 1 document, 5 statements -> {tmp_path / 'graph.ttl'}\n"


def test_options_reach_the_job(run, pipeline, text, tmp_path):
    options = ["--format", "ntriples", "--threshold", 0.85, "--base", "https://example.org/", "--batch-size", 1]
    assert run("convert", text, "-o", tmp_path / "graph", "--pipeline", pipeline, *options) == 0
    rdf = read_rdf((tmp_path / "graph").read_bytes(), "ntriples")
    statements = {s for s, _, o in rdf if o == "<http://www.w3.org/1999/02/22-rdf-syntax-ns#Statement>"}
    assert [statement.startswith("<https://example.org/statement/") for statement in statements] == [True]


def leave_relations_as_glirel_does(doc):
    """Leave one relation with a score of 0.4 on a Doc, in the shape that GLiREL's component has."""
    first, second = doc.ents
    relation = {"label": "place of birth", "score": 0.4}
    for role, span in (("head", first), ("tail", second)):
        relation |= {f"{role}_pos": [span.start, span.end], f"{role}_text": [token.text for token in span]}
    doc.user_data["._.", "relations", None, None] = [relation]
    return doc


@pytest.fixture
def foreign_pipeline(tmp_path):
    spacy.Language.component("glirel_stand_in", func=leave_relations_as_glirel_does)
    nlp = make_nlp()
    nlp.replace_pipe("cue_relations", "glirel_stand_in")
    nlp.to_disk(tmp_path / "foreign")
    return tmp_path / "foreign"


@pytest.mark.parametrize(("threshold", "n_statements"), [([], 1), (["--threshold", 0.5], 0)])
def test_relations_of_another_component_are_written(run, foreign_pipeline, tmp_path, capsys, threshold, n_statements):
    (tmp_path / "birth.txt").write_text(BIRTH)
    options = ["--pipeline", foreign_pipeline, "--source", "glirel", *threshold]
    assert run("convert", tmp_path / "birth.txt", "-o", tmp_path / "graph.ttl", *options) == 0
    assert f"1 document, {n_statements} statement" in capsys.readouterr().err
    assert (b"wdt:P19" in (tmp_path / "graph.ttl").read_bytes()) == bool(n_statements)


def test_a_component_that_is_not_in_the_pipeline_is_named(run, pipeline, text, tmp_path, capsys):
    options = ["--pipeline", pipeline, "--source", "rebel"]
    assert run("convert", text, "-o", tmp_path / "graph.ttl", *options) == 2
    assert "REBEL's component has set no doc._.rel here" in capsys.readouterr().err


def test_a_named_threshold_is_ours_alone(run, pipeline, text, tmp_path, capsys):
    options = ["--pipeline", pipeline, "--source", "glirel", "--threshold", "precise"]
    assert run("convert", text, "-o", tmp_path / "graph.ttl", *options) == 2
    assert "the threshold is one number from 0 to 1, not 'precise'" in capsys.readouterr().err


def test_labels_without_a_predicate_in_the_ontology_are_reported(run, pipeline, text, tmp_path, capsys):
    options = ["--pipeline", pipeline, "--ontology", "schema"]
    assert run("convert", text, "-o", tmp_path / "graph.ttl", *options) == 0
    assert "2 statements have a predicate made of their label" in capsys.readouterr().err
    assert b"schema.org/birthPlace" in (tmp_path / "graph.ttl").read_bytes()


def test_records_set_aside_make_exit_code_1(run, pipeline, tmp_path, capsys):
    source = tmp_path / "in.jsonl"
    source.write_text(json.dumps({"text": BIRTH}) + "\n{\n")
    assert run("convert", source, "-o", tmp_path / "graph.ttl", "--pipeline", pipeline) == 1
    aside = tmp_path / "graph.ttl.rejected.jsonl"
    assert f"1 record set aside -> {aside}" in capsys.readouterr().err
    assert json.loads(aside.read_text())["line"] == 2


def test_what_was_found_is_counted_beside_the_output(run, pipeline, text, tmp_path):
    run("convert", text, "-o", tmp_path / "graph.ttl", "--pipeline", pipeline)
    summary = json.loads((tmp_path / "graph.ttl.summary.json").read_text())
    assert (summary["documents"], summary["sentences"], summary["entities"], summary["statements"]) == (1, 4, 5, 5)
    assert summary["predicates"]["http://www.wikidata.org/prop/direct/P19"] == 1
    assert summary["bytes"] == text.stat().st_size
    assert summary["seconds"].keys() == {"loading", "reading", "pipeline", "statements", "writing", "wall"}
    # Neither is it read with the folder that it is in.
    assert run("convert", tmp_path, "-o", tmp_path / "other.ttl", "--pipeline", pipeline) == 0
    assert json.loads((tmp_path / "other.ttl.summary.json").read_text())["documents"] == 1


def test_what_would_be_read_is_printed(run, text, tmp_path, capsys):
    (tmp_path / "picture.png").touch()
    assert run("convert", tmp_path, "-o", tmp_path / "graph.ttl", "--dry-run") == 0
    captured = capsys.readouterr()
    size = text.stat().st_size
    assert captured.out == f"file\tformat\tbytes\n{text}\ttext\t{size}\n"
    assert captured.err == (
        f"kgmrca: 1 file with {size} bytes would be read; 1 file in folders and archives not read (.png 1)\n"
    )
    assert run("convert", tmp_path, "-o", f"{tmp_path}/shards/", "--dry-run") == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lives.txt", "picture.png"]


def test_the_longest_stages_are_printed(run, pipeline, text, tmp_path, capsys):
    assert run("convert", text, "-o", tmp_path / "graph.ttl", "--pipeline", pipeline, "--profile") == 0
    table = capsys.readouterr().err
    assert re.search(r"^wall +\d+\.\d\d +100%$", table, re.MULTILINE)
    assert re.search(r"^pipeline: cue_relations +\d+\.\d\d +\d+%$", table, re.MULTILINE)


def test_messages_can_be_json(run, pipeline, tmp_path, capsys):
    source = tmp_path / "in.jsonl"
    source.write_text(json.dumps({"text": BIRTH}) + "\n{\n")
    assert run("convert", source, "-o", tmp_path / "graph.ttl", "--pipeline", pipeline, "--log-json") == 1
    message, done = map(json.loads, capsys.readouterr().err.splitlines())
    assert message["event"] == "message"
    assert message["text"].startswith("1 document, 1 statement -> ")
    assert (done["event"], done["documents"], done["rejected"]) == ("done", 1, 1)
    assert run("convert", tmp_path / "none", "-o", tmp_path / "graph.ttl", "--log-json") == 2
    (error,) = map(json.loads, capsys.readouterr().err.splitlines())
    assert error == {"event": "message", "text": f"There is no file or folder '{tmp_path / 'none'}'."}


def test_skipped_files_are_reported(run, pipeline, text, tmp_path, capsys):
    (tmp_path / "picture.png").touch()
    run("convert", tmp_path, "-o", tmp_path / "graph.ttl", "--pipeline", pipeline)
    assert "1 file in folders and archives not read (.png 1)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.txt", "-o", "graph.ttl"], "kgmrca: There is no file or folder 'missing.txt'.\n"),
        (["lives.txt", "-o", "graph.xml"], "kgmrca: 'graph.xml' does not say its format"),
        (["lives.txt", "-o", "graph.ttl", "--pipeline", "no_such"], "kgmrca: The pipeline 'no_such' cannot be loaded"),
        (
            ["lives.txt", "-o", "graph.ttl", "--ontology", "no_such"],
            "kgmrca: There is no ontology 'no_such': choose wiki",
        ),
        (["lives.txt"], "--output"),
        (["lives.txt", "-o", "graph.ttl", "--threshold", "2"], "--threshold"),
        (["lives.txt", "-o", "graph.ttl", "--format", "csv"], "--format"),
        (["lives.txt", "-o", "graph.ttl", "--provenance", "some"], "--provenance"),
        (
            ["lives.txt", "-o", "graph.ttl", "--provenance", "graphs"],
            "kgmrca: The provenance 'graphs' needs named graphs",
        ),
        (["lives.txt", "-o", "graph.ttl", "--assert-above", "-1"], "--assert-above"),
    ],
)
def test_what_cannot_be_done_makes_exit_code_2_and_a_message(
    run, text, pipeline, tmp_path, monkeypatch, capsys, arguments, message
):
    monkeypatch.chdir(tmp_path)
    pipeline_option = [] if "--pipeline" in arguments else ["--pipeline", pipeline]
    assert run("convert", *arguments, *pipeline_option) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert "Traceback" not in captured.err
    assert captured.out == ""
    assert list(tmp_path.iterdir()) == [text]


def test_an_error_of_the_system_makes_exit_code_2(run, text, pipeline, tmp_path, monkeypatch, capsys):
    def full(*args, **options):
        raise OSError("No space left on device")

    monkeypatch.setattr("kgmrca.convert.write", full)
    assert run("convert", text, "-o", tmp_path / "graph.ttl", "--pipeline", pipeline) == 2
    assert capsys.readouterr().err == "kgmrca: No space left on device\n"


def test_ctrl_c_makes_exit_code_130(run, text, pipeline, tmp_path, monkeypatch, capsys):
    def interrupted(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("kgmrca.convert.write", interrupted)
    assert run("convert", text, "-o", tmp_path / "graph.ttl", "--pipeline", pipeline) == 130
    assert capsys.readouterr().err == (
        f"kgmrca: Interrupted. '{tmp_path / 'graph.ttl'}' was not written. A second run starts from the beginning.\n"
    )


def test_it_reads_standard_input_and_writes_standard_output(pipeline):
    process = start("convert", "-", "-o", "-", "--input-format", "jsonl", "--pipeline", pipeline)
    out, err = process.communicate((json.dumps({"text": BIRTH}) + "\n{\n").encode())
    rejected, summary = err.decode().splitlines()
    assert b"wdt:P19" in out
    read_rdf(out)
    assert json.loads(rejected)["id"] == "stdin:2"
    assert summary == "kgmrca: 1 document, 1 statement; 1 record set aside -> standard error"
    assert process.returncode == 1


def test_a_reader_that_goes_away_is_no_error(pipeline):
    process = start("convert", "-", "-o", "-", "--input-format", "jsonl", "--pipeline", pipeline)
    process.stdout.close()
    process.stdin.write((json.dumps({"text": BIRTH}) + "\n").encode() * 1000)
    process.stdin.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 141


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_in_mid_write_leaves_no_file(pipeline, tmp_path, number, code):
    out = tmp_path / "graph.ttl"
    process = start("convert", "-", "-o", out, "--input-format", "jsonl", "--batch-size", 1, "--pipeline", pipeline)
    process.stdin.write((json.dumps({"text": BIRTH}) + "\n").encode())
    process.stdin.flush()
    while not list(tmp_path.iterdir()):  # until the file has been begun
        assert process.poll() is None
    process.send_signal(number)
    process.wait(timeout=60)
    process.stdin.close()
    (line,) = process.stderr.read().decode().splitlines()
    assert line.startswith(f"kgmrca: Interrupted. '{out}' was not written.")
    process.stderr.close()
    process.stdout.close()
    assert process.returncode == code
    assert list(tmp_path.iterdir()) == []


INTERRUPTED = """
import os, sys
import helpers
import kgmrca.jobs.shards
from kgmrca.cli import main
from kgmrca.jobs.manifest import Manifest

number = int(sys.argv.pop(1))
kgmrca.jobs.shards._MAX_RECORDS = 8
mark = Manifest.mark

def interrupting(manifest, *shard):
    mark(manifest, *shard)
    if number and len(manifest.done) == 2:
        os.kill(os.getpid(), number)

Manifest.mark = interrupting
main()
"""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)])
@pytest.mark.parametrize("workers", [1, 2])
def test_of_a_job_that_is_interrupted_what_is_done_is_kept(pipeline, tmp_path, number, code, workers):
    source = tmp_path / "in.jsonl"
    source.write_text("".join(json.dumps({"text": f"{BIRTH} {number}"}) + "\n" for number in range(100)))

    def convert(number, out):
        """Run the command; it gets a signal when two shards are done."""
        arguments = ["convert", source, "-o", out, "--pipeline", pipeline, "--workers", str(workers)]
        process = start(*arguments, code=INTERRUPTED, first=[number])
        return process.communicate()[1].decode().splitlines(), process.returncode

    out, job = tmp_path / "graph.ttl", tmp_path / ".graph.ttl.job"
    said, status = convert(int(number), out)
    assert status == code
    assert not out.exists()
    assert sorted(tmp_path.iterdir()) == sorted([source, job])
    assert len((job / "done.jsonl").read_text().split()) > 0
    if number != signal.SIGKILL:
        kept, last = said
        assert kept.startswith(f"kgmrca: 2 shards are done and kept in '{job}'. ")
        assert kept.endswith("Run the same command again to go on; --restart begins anew.")
        assert last == f"kgmrca: Interrupted. '{out}' was not written."
    said, status = convert(0, out)
    assert status == 0
    assert said[0] == f"kgmrca: 2 shards were done before; going on with '{job}'."
    assert sorted(tmp_path.iterdir()) == [out, tmp_path / "graph.ttl.summary.json", source]
    convert(0, tmp_path / "whole.ttl")
    graphs = [path.read_bytes().partition(b" a kgmrca:Run")[0] for path in (out, tmp_path / "whole.ttl")]
    assert graphs[0] == graphs[1]


def write_annotated(path, n_records):
    """Sentences as released data has them, with the relations named by a table beside the file."""
    records = [
        {
            "id": f"s{number}",
            "tokens": ["Curie", "was", "born", "in", "Warsaw", "."],
            "entities": [{"start": 0, "end": 1, "type": "PER"}, {"start": 4, "end": 5, "type": "LOC"}],
            "relations": [{"subject": 0, "object": 1, "predicate": "P19"}],
        }
        for number in range(n_records)
    ]
    path.write_text("\n".join(map(json.dumps, records)), encoding="utf-8")
    table = "relation\twikidata_pid\tlabel\nP19\tP19\tplace of birth\n"
    path.with_name("relations.tsv").write_text(table, encoding="utf-8")


@pytest.fixture
def gold(tmp_path, run):
    """Two gold documents."""
    write_annotated(tmp_path / "data.jsonl", 2)
    assert run("corpus", tmp_path / "data.jsonl", "-o", tmp_path / "gold.spacy") == 0
    return tmp_path / "gold.spacy"


def test_corpus_writes_gold_documents(tmp_path, run, capsys):
    write_annotated(tmp_path / "data.jsonl", 20)
    train, dev = tmp_path / "train.spacy", tmp_path / "dev.spacy"
    assert run("corpus", tmp_path / "data.jsonl", "-o", train, "--dev", dev, "--dev-share", "0.5") == 0
    sizes = [len(list(read_gold(path, Vocab()))) for path in (train, dev)]
    assert sum(sizes) == 20
    assert min(sizes) > 0
    assert f"{sizes[0]} documents, {sizes[0]} relations -> {train}" in capsys.readouterr().err


def test_corpus_says_what_looks_like_a_mistake(tmp_path, run, capsys):
    write_annotated(tmp_path / "data.jsonl", 1)
    (tmp_path / "data.jsonl").write_text(2 * ((tmp_path / "data.jsonl").read_text(encoding="utf-8") + "\n"))
    assert run("corpus", tmp_path / "data.jsonl", "-o", tmp_path / "gold.spacy") == 0
    assert "kgmrca: 1 documents have the name of an earlier one." in capsys.readouterr().err


def test_corpus_names_relations_by_the_table_beside_the_data(gold):
    assert {relation.label for doc in read_gold(gold, Vocab()) for relation in doc._.relations} == {"place of birth"}


def test_corpus_says_which_record_is_broken(tmp_path, run, capsys):
    (tmp_path / "data.jsonl").write_text('{"id": 1, "tokens": ["a"]}', encoding="utf-8")
    assert run("corpus", tmp_path / "data.jsonl", "-o", tmp_path / "train.spacy") == 2
    assert "data.jsonl, record 1: the key 'entities' is missing" in capsys.readouterr().err
    assert not (tmp_path / "train.spacy").exists()


def test_corpus_refuses_a_folder_that_is_not_there(tmp_path, run, capsys):
    write_annotated(tmp_path / "data.jsonl", 1)
    assert run("corpus", tmp_path / "data.jsonl", "-o", tmp_path / "nowhere" / "train.spacy") == 2
    assert "There is no folder" in capsys.readouterr().err


def test_evaluate_prints_a_table(run, capsys, gold):
    assert run("evaluate", "en_kgmrca_sm", gold) == 0
    first, *rest = capsys.readouterr().out.splitlines()
    assert first.split() == ["2", "documents", "P", "R", "F1", "given", "a", "document"]
    names = ["entities", "relations, gold entities", "relations, end to end"]
    assert all(any(line.startswith(f"{name}  ") for line in rest) for name in names)


def test_evaluate_prints_the_sets_of_sentences_at_their_level(run, capsys, gold):
    assert run("evaluate", "en_kgmrca_sm", gold, "--level", "sentence") == 0
    assert any(line.startswith("sentence sets, gold entities  ") for line in capsys.readouterr().out.splitlines())


def test_evaluate_prints_labels_on_request(run, capsys, gold):
    assert run("evaluate", "en_kgmrca_sm", gold, "--per-label") == 0
    assert "\nplace of birth  " in capsys.readouterr().out


def test_evaluate_prints_json_on_request(run, capsys, gold):
    assert run("evaluate", "en_kgmrca_sm", gold, "--json") == 0
    assert json.loads(capsys.readouterr().out)["documents"] == 2


def test_evaluate_writes_json_beside_the_table(tmp_path, run, capsys, gold):
    assert run("evaluate", "en_kgmrca_sm", gold, "-o", tmp_path / "scores.json") == 0
    assert json.loads((tmp_path / "scores.json").read_text(encoding="utf-8"))["documents"] == 2
    assert capsys.readouterr().out.startswith("2 documents ")


def test_evaluate_draws_as_many_samples_as_asked_for(run, capsys, gold, monkeypatch):
    asked = []
    monkeypatch.setattr(
        "kgmrca.extraction.relations.scorer.evaluate", lambda *_, resamples, **__: asked.append(resamples) or {}
    )
    monkeypatch.setattr("kgmrca.extraction.relations.score_table.score_table", lambda *_, labels: "")
    assert run("evaluate", "en_kgmrca_sm", gold, "--resamples", "7") == 0
    assert asked == [7]


@pytest.mark.parametrize(
    ("output", "reason"), [("nowhere/scores.json", "There is no folder"), ("folder", "is a folder")]
)
def test_evaluate_says_first_that_it_cannot_write(tmp_path, run, capsys, output, reason):
    (tmp_path / "folder").mkdir()
    assert run("evaluate", tmp_path / "no pipeline", tmp_path / "no data", "-o", tmp_path / output) == 2
    assert reason in capsys.readouterr().err


def test_evaluate_does_not_overwrite_the_data(run, capsys, gold):
    before = gold.read_bytes()
    assert run("evaluate", "en_kgmrca_sm", gold, "-o", gold) == 2
    assert "would be overwritten" in capsys.readouterr().err
    assert gold.read_bytes() == before


def test_evaluate_by_threshold_has_no_scores_of_labels(run, capsys, gold):
    assert run("evaluate", "en_kgmrca_sm", gold, "--thresholds", "--per-label") == 2
    assert "--per-label and --thresholds exclude each other" in capsys.readouterr().err


def test_evaluate_leaves_no_file_where_it_fails(tmp_path, run):
    assert run("evaluate", tmp_path / "no pipeline", tmp_path / "no data", "-o", tmp_path / "scores.json") == 2
    assert list(tmp_path.iterdir()) == []


def test_thresholds_are_written_as_json_too(tmp_path, run, gold):
    assert run("evaluate", "en_kgmrca_sm", gold, "--thresholds", "-o", tmp_path / "scores.json") == 0
    assert json.loads((tmp_path / "scores.json").read_text(encoding="utf-8"))[0]["threshold"] == 0.05


def test_evaluate_by_threshold(run, capsys, gold):
    assert run("evaluate", "en_kgmrca_sm", gold, "--thresholds") == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()][2:5] == ["0.05", "0.1", "0.15"]


def test_evaluate_refuses_what_is_no_gold_file(tmp_path, run, capsys):
    (tmp_path / "gold.spacy").write_bytes(b"nonsense")
    assert run("evaluate", "en_kgmrca_sm", tmp_path / "gold.spacy") == 2
    assert "gold.spacy cannot be read as a DocBin" in capsys.readouterr().err


def test_evaluate_needs_a_relation_component(tmp_path, run, capsys, gold):
    spacy.blank("en").to_disk(tmp_path / "blank")
    assert run("evaluate", tmp_path / "blank", gold) == 2
    assert "has no component 'mrca_relations'" in capsys.readouterr().err


def test_corpus_of_partial_data_knows_of_no_token_outside_entities(tmp_path, run):
    write_annotated(tmp_path / "data.jsonl", 1)
    assert run("corpus", tmp_path / "data.jsonl", "--partial", "-o", tmp_path / "gold.spacy") == 0
    (doc,) = read_gold(tmp_path / "gold.spacy", Vocab())
    assert exhaustively_annotated(doc) == frozenset()
    assert [token.ent_iob_ for token in doc] == ["B", "", "", "", "B", ""]


class Watched(dict):
    """A JSON object that notes which of its keys are read."""

    read: ClassVar[set[str]] = set()

    def __getitem__(self, key):
        self.read.add(key)
        return super().__getitem__(key)

    def get(self, key, default=None):
        self.read.add(key)
        return super().get(key, default)


def test_corpus_lists_all_keys_that_it_reads(run, tmp_path, monkeypatch, capsys):
    sentence = {
        "id": "1",
        "tokens": ["Ada", "met", "Bob"],
        "entities": [{"start": 0, "end": 1, "type": "PER"}, {"start": 2, "end": 3, "type": "PER"}],
        "relations": [{"subject": 0, "object": 1, "predicate": "knows"}],
        "exhaustive": ["knows"],
    }
    document = {
        "title": "2",
        "sents": [["Ada", "met", "Bob"]],
        "vertexSet": [[{"sent_id": 0, "pos": [0, 1], "type": "PER"}], [{"sent_id": 0, "pos": [2, 3], "type": "PER"}]],
        "labels": [{"r": "knows", "h": 0, "t": 1}],
    }
    (tmp_path / "in.jsonl").write_text("\n".join(map(json.dumps, (sentence, document))))
    loads = json.loads
    monkeypatch.setattr("json.loads", lambda text: loads(text, object_hook=Watched))
    assert run("corpus", tmp_path / "in.jsonl", "-o", tmp_path / "out.spacy") == 0
    monkeypatch.setattr("json.loads", loads)
    assert run("corpus", "--help") == 0
    listed = set(re.findall(r"\w+", capsys.readouterr().out))
    assert Watched.read >= {"qid", "pos", "sent_id", "predicate", "exhaustive"}
    assert Watched.read <= listed


def test_corpus_says_how_to_train_on_what_it_wrote(run, tmp_path, capsys):
    write_annotated(tmp_path / "in.jsonl", 20)
    outputs = ["-o", tmp_path / "a.spacy", "--dev", tmp_path / "b.spacy"]
    assert run("corpus", tmp_path / "in.jsonl", *outputs, "--dev-share", "0.5") == 0
    (config,) = re.findall(
        r"spacy train (\S+) --paths.train \S+a.spacy --paths.dev \S+b.spacy", capsys.readouterr().err
    )
    assert "mrca_relations" in Config().from_disk(config)["nlp"]["pipeline"]


@pytest.mark.parametrize(("share", "empty"), [("0", "b.spacy"), ("1", "a.spacy")])
def test_corpus_recommends_no_training_without_documents(run, tmp_path, capsys, share, empty):
    write_annotated(tmp_path / "in.jsonl", 2)
    outputs = ["-o", tmp_path / "a.spacy", "--dev", tmp_path / "b.spacy"]
    assert run("corpus", tmp_path / "in.jsonl", *outputs, "--dev-share", share) == 0
    said = capsys.readouterr().err
    assert f"{empty} has no documents" in said
    assert f"choose another --dev-share than {share}, or give documents different names" in said
    assert "spacy train" not in said


def test_corpus_does_not_write_over_what_it_reads(run, tmp_path, capsys):
    (tmp_path / "in.jsonl").write_text("{}")
    (tmp_path / "link").hardlink_to(tmp_path / "in.jsonl")
    assert run("corpus", tmp_path / "in.jsonl", "-o", tmp_path / "link") == 2
    assert "is an INPUT and would be overwritten" in capsys.readouterr().err
    assert (tmp_path / "in.jsonl").read_text() == "{}"


def test_evaluate_does_not_write_over_what_it_reads(run, tmp_path, capsys):
    (tmp_path / "test.spacy").touch()
    (tmp_path / "link").symlink_to(tmp_path / "test.spacy")
    assert run("evaluate", tmp_path, tmp_path / "test.spacy", "-o", tmp_path / "link") == 2
    assert "would be overwritten" in capsys.readouterr().err


def test_corpus_of_whole_data_is_annotated_with_its_table(gold):
    assert {exhaustively_annotated(doc) for doc in read_gold(gold, Vocab())} == {frozenset({"place of birth"})}


MAPPING = """#curie_map:
#  owl: "http://www.w3.org/2002/07/owl#"
#  skos: "http://www.w3.org/2004/02/skos/core#"
#  wikidata: "http://www.wikidata.org/entity/"
subject_label\tpredicate_id\tobject_id
P19\t{match}\twikidata:P40
"""


def test_corpus_turns_relations_by_a_mapping(tmp_path, run):
    write_annotated(tmp_path / "data.jsonl", 1)
    (tmp_path / "mapping.tsv").write_text(MAPPING.format(match="owl:inverseOf"), encoding="utf-8")
    gold = tmp_path / "gold.spacy"
    assert run("corpus", tmp_path / "data.jsonl", "--mapping", tmp_path / "mapping.tsv", "-o", gold) == 0
    (doc,) = read_gold(gold, Vocab())
    assert [(r.subject.text, r.label, r.object.text) for r in doc._.relations] == [("Warsaw", "child", "Curie")]


def test_corpus_says_which_relations_a_mapping_leaves_out(tmp_path, run, capsys):
    write_annotated(tmp_path / "data.jsonl", 3)
    (tmp_path / "mapping.tsv").write_text(MAPPING.format(match="skos:narrowMatch"), encoding="utf-8")
    gold = tmp_path / "gold.spacy"
    assert run("corpus", tmp_path / "data.jsonl", "--mapping", tmp_path / "mapping.tsv", "-o", gold) == 0
    message = capsys.readouterr().err
    assert f"3 documents, 0 relations -> {gold}" in message
    assert "3 relations 'P19' were left out, because no label stands for them." in message


def test_corpus_says_that_a_mapping_cannot_be_read(tmp_path, run, capsys):
    write_annotated(tmp_path / "data.jsonl", 1)
    (tmp_path / "mapping.tsv").write_bytes(b"\xff")
    gold = tmp_path / "gold.spacy"
    assert run("corpus", tmp_path / "data.jsonl", "--mapping", tmp_path / "mapping.tsv", "-o", gold) == 2
    assert "mapping.tsv, line 1: this is no table in UTF-8" in capsys.readouterr().err
    assert not gold.exists()


@pytest.mark.parametrize(("before", "after"), [(None, "passive"), ("active", "active")])
def test_torchs_threads_do_not_spin_unless_asked_to(before, after, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["kgmrca", "--version"])
    monkeypatch.setenv("OMP_WAIT_POLICY", before or "")  # which is put back, whatever main() sets
    if before is None:
        monkeypatch.delenv("OMP_WAIT_POLICY")
    with pytest.raises(SystemExit):
        cli.main()
    assert os.environ["OMP_WAIT_POLICY"] == after


@pytest.fixture
def cache(tmp_path):
    """A cache of facts from two endpoints."""
    path = tmp_path / "wikidata.sqlite"
    facts = Cache(path)
    facts.put("https://query.wikidata.org/sparql", "items", {("Q1", ""): None, ("Q2", ""): None}, fetched=0, expires=9)
    facts.put("file:0", "items", {("Q1", ""): None}, fetched=0, expires=1e12)
    facts.close()
    return path


def test_the_cache_shows_what_it_holds(run, cache, capsys):
    assert run("cache", "--cache", cache) == 0
    first, *others = capsys.readouterr().out.splitlines()
    assert first.startswith(f"{cache}  0.0 MB")
    assert others[0].startswith("file:0  1 answer, 0 expired, the oldest from 19")
    assert others[1].startswith("https://query.wikidata.org/sparql  2 answers, 2 expired")


@pytest.mark.parametrize(
    ("what", "left"),
    [("all", 0), ("expired", 1), ("file:0", 1), ("wikidata", 1), ("https://query.wikidata.org/sparql", 1)],
)
def test_the_cache_can_be_cleared(run, cache, capsys, what, left):
    assert run("cache", "--cache", cache, "--clear", what) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1 + left


def test_only_what_is_in_the_cache_can_be_cleared(run, cache, capsys):
    assert run("cache", "--cache", cache, "--clear", "qlever") == 2
    assert "The cache has no answers of 'qlever'. It has answers of: file:0, https" in capsys.readouterr().err


def test_without_a_cache_there_is_nothing_to_show(run, tmp_path, capsys):
    assert run("cache", "--cache", tmp_path / "none.sqlite") == 0
    assert "There is no cache" in capsys.readouterr().err
    assert not (tmp_path / "none.sqlite").exists()


def test_it_runs_as_a_module():
    done = subprocess.run([sys.executable, "-m", "kgmrca", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"kgmrca {__version__}\n"


OLD_SPELLINGS = [(command, old, new) for command, names in RENAMED.items() for old, new in names.items()]


@pytest.mark.parametrize(("command", "old", "new"), OLD_SPELLINGS)
@pytest.mark.parametrize("form", ["{}", "{}=x"])
def test_an_old_spelling_of_an_option_fails_and_names_the_new_one(run, capsys, command, old, new, form):
    assert run(command, "graph.ttl", form.format(old)) == 2
    captured = capsys.readouterr()
    assert f"The option '{old}' is called '{new}' now." in captured.err
    assert captured.out == ""


@pytest.mark.parametrize(("command", "old", "new"), OLD_SPELLINGS)
def test_help_lists_the_new_spelling_only(run, capsys, command, old, new):
    run(command, "--help")
    options = set(re.findall(r"--[a-z0-9-]+", capsys.readouterr().out))
    assert new in options
    assert old not in options


def test_one_option_means_the_same_in_all_commands():
    """Of each name that several commands have, all declarations take a value of the same kind or are all flags."""
    kinds = {}
    for command in get_command(cli.app).commands.values():
        for option in command.params:
            for name in option.opts:
                if name.startswith("--"):
                    kinds.setdefault(name, set()).add((getattr(option, "is_flag", False), str(option.metavar)))
    assert {name: kind for name, kind in kinds.items() if len({is_flag for is_flag, _ in kind}) > 1} == {}
    assert kinds["--json"] == {(True, "None")}


def test_format_is_that_of_what_is_written_and_input_format_that_of_what_is_read():
    helps = {"--format": set(), "--input-format": set()}
    for command in get_command(cli.app).commands.values():
        for option in command.params:
            for name in {*helps} & {*option.opts}:
                helps[name].add(option.help.split(".")[0])
    assert helps["--format"] == {"The format of OUT"}
    assert not any("OUT" in text for text in helps["--input-format"])
