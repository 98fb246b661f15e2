import json
import signal
import sys
import tempfile

import pytest
import rdflib
from test_validation import VALID, changed

from kgmrca import cli

BROKEN = changed("confidence 0.93", "confidence 1.5", VALID)


@pytest.fixture
def run(monkeypatch, capsys):
    """Run the command line in this process; gives the exit code, standard output and standard error."""
    before = signal.getsignal(signal.SIGTERM)

    def run_main(*arguments):
        monkeypatch.setattr(sys, "argv", ["kgmrca", "validate", *map(str, arguments)])
        with pytest.raises(SystemExit) as exited:
            cli.main()
        return (exited.value.code or 0, *capsys.readouterr())

    yield run_main
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def valid(tmp_path):
    path = tmp_path / "valid.ttl"
    path.write_text(VALID)
    return path


@pytest.fixture
def broken(tmp_path):
    path = tmp_path / "broken.ttl"
    path.write_text(BROKEN)
    return path


def test_a_graph_that_conforms_is_exit_code_0(run, valid):
    code, out, err = run(valid)
    assert (code, err) == (0, "")
    assert out.startswith("conforms: nothing found; ")


def test_a_violation_is_exit_code_1(run, broken):
    code, out, err = run(broken)
    assert (code, err) == (1, "")
    assert "violation shapes:confidence-value: 1\n" in out


def test_a_warning_alone_is_exit_code_0(run, valid):
    valid.write_text(changed('"PERSON"', '"ORG"'))
    code, out, _ = run(valid)
    assert code == 0
    assert "warning shapes:P19-subject: 1\n" in out


@pytest.mark.parametrize(
    ("content", "message"), [("<urn:x:a> <urn:", "valid.ttl, line 1"), (None, "There is no file or folder")]
)
def test_what_cannot_be_read_is_exit_code_2(run, valid, content, message):
    valid.unlink()
    if content:
        valid.write_text(content)
    code, out, err = run(valid)
    assert (code, out) == (2, "")
    assert err.startswith("kgmrca: ")
    assert message in err


def test_standard_input_is_read(run, broken, monkeypatch):
    with broken.open() as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        assert run("-")[0] == 1


def test_standard_input_of_another_format_is_named(run, tmp_path, monkeypatch):
    path = tmp_path / "graph"
    path.write_text('{"@id": "urn:x:a", "https://w3id.org/kgmrca#confidence": 5}')
    with path.open() as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        code, out, _ = run("-", "--input-format", "jsonld")
    assert code == 1
    assert "shapes:confidence-value" in out


def test_json_goes_to_a_file(run, broken, tmp_path):
    assert run(broken, "--report-format", "json", "-o", tmp_path / "report.json") == (1, "", "")
    assert json.loads((tmp_path / "report.json").read_text())["conforms"] is False


def test_the_shacl_report_is_turtle(run, broken):
    code, out, _ = run(broken, "--report-format", "shacl")
    graph = rdflib.Graph().parse(data=out, format="turtle")
    assert code == 1
    assert len(list(graph.subjects(rdflib.RDF.type, rdflib.SH.ValidationResult))) == 1


def test_text_lists_ten_findings_of_a_shape_and_json_all(run, valid):
    valid.write_text(VALID + "".join(f"<urn:x:e{number}> kgmrca:entityType 'PER' ." for number in range(12)))
    assert "    and 2 more\n" in run(valid)[1]
    assert "    and 11 more\n" in run(valid, "--limit", 1)[1]
    assert len(json.loads(run(valid, "--report-format", "json")[1])["findings"]) == 12


def test_shapes_of_the_user(run, valid, tmp_path):
    shapes = tmp_path / "shapes.ttl"
    shapes.write_text(
        "@prefix sh: <http://www.w3.org/ns/shacl#> . <urn:x:shape> sh:targetNode <urn:x:doc> ; "
        "sh:property [ sh:path <urn:x:missing> ; sh:minCount 1 ] ."
    )
    code, out, _ = run(valid, "--shapes", shapes)
    assert code == 1
    assert "violation <urn:x:shape>: 1\n" in out


@pytest.mark.parametrize("name", ["broken.ttl", "nowhere/report.txt"])
def test_a_report_that_cannot_be_written_is_refused(run, broken, tmp_path, name):
    code, _, err = run(broken, "-o", tmp_path / name)
    assert code == 2
    assert name.partition("/")[0] in err
    assert broken.read_text() == BROKEN


def test_a_folder_gives_its_graphs(run, valid, broken):
    assert run(valid.parent)[0] == 1
    assert run(valid.parent / "v*.ttl")[0] == 0


def test_a_report_may_lie_in_the_folder_that_is_checked(run, valid):
    report = valid.parent / "report.txt"
    assert run(valid.parent, "-o", report) == (0, "", "")
    assert report.read_text().startswith("conforms: ")


@pytest.mark.parametrize("name", ["valid.ttl", "hard.ttl", "symbolic.ttl", "new.ttl"])
def test_a_report_is_not_written_over_a_graph_under_any_name(run, valid, name):
    (valid.parent / "hard.ttl").hardlink_to(valid)
    (valid.parent / "symbolic.ttl").symlink_to(valid)
    code, _, err = run(valid.parent, "-o", valid.parent / name)
    assert code == 2
    assert f"{name}' " in err
    assert valid.read_text() == VALID


def test_a_report_is_not_written_over_the_shapes(run, valid, tmp_path):
    shapes = tmp_path / "shapes.nt"
    shapes.write_text("<urn:x:shape> <http://www.w3.org/ns/shacl#targetNode> <urn:x:doc> .")
    code, _, err = run(valid, "--shapes", shapes, "-o", shapes)
    assert code == 2
    assert "shapes.nt' is read and would be overwritten" in err


@pytest.mark.parametrize("content", ["x" * 2**24, "\\n" * 2**24])
def test_a_literal_that_is_too_long_is_an_error_with_the_name_of_the_file(run, valid, content):
    valid.write_text(f'<urn:a> <urn:b> "{content}" .')
    code, out, err = run(valid)
    assert (code, out) == (2, "")
    assert "valid.ttl: a literal or an IRI is longer than 16 MiB" in err


def test_a_literal_that_is_too_long_only_once_it_is_escaped_is_an_error_too(run, valid):
    valid.write_text('<urn:a> <urn:b> """{}""" .'.format("\n" * (2**23 + 2**22)))
    code, _, err = run(valid)
    assert code == 2
    assert "valid.ttl: a literal or an IRI is longer than 16 MiB" in err


@pytest.mark.parametrize("size", [0, 4096, 20_000])
def test_a_full_disk_is_exit_code_2_and_leaves_the_old_report(run, valid, size):
    resource = pytest.importorskip("resource")
    out = valid.with_name("report.txt")
    out.write_text("old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        code, _, err = run(valid, "-o", out)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert code == 2
    assert err.startswith(f"kgmrca: '{out}' cannot be written: ")
    assert err.count("\n") == 1
    assert sorted(valid.parent.iterdir()) == [out, valid]
    assert out.read_text() == "old"


def test_a_small_folder_for_temporary_files_is_named(run, valid, tmp_path, monkeypatch):
    resource = pytest.importorskip("resource")
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        code, _, err = run(valid)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert code == 2
    assert err.startswith(f"kgmrca: '{folder}/kgmrca-")
    assert list(folder.iterdir()) == []


def test_temporary_files_lie_beside_the_report(run, valid, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    assert run(valid, "-o", tmp_path / "report.txt") == (0, "", "")
    assert sorted(tmp_path.iterdir()) == [tmp_path / "report.txt", valid]
