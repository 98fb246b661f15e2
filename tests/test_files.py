import csv
import gzip
import io
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from kgmrca.errors import InputError
from kgmrca.files import check_folder, opened, progress_bar, target_of, utf8, whole_file


def test_a_dash_is_standard_output(monkeypatch):
    out = io.BytesIO()
    monkeypatch.setattr("sys.stdout", SimpleNamespace(buffer=out))
    with opened("-") as stream:
        assert stream is out
    assert not out.closed


def test_a_stream_is_taken_as_it_is_and_stays_open():
    out = io.BytesIO()
    with opened(out) as stream:
        assert stream is out
    assert not out.closed


def test_a_file_is_opened_whole_or_not_at_all(tmp_path):
    with pytest.raises(ValueError), opened(str(tmp_path / "graph.ttl")):
        raise ValueError
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("output", ["-", io.BytesIO()])
def test_what_is_no_file_has_no_target(output):
    assert target_of(output, inputs=["-"]) is None


def test_a_path_is_always_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert target_of(Path("-"), inputs=["-"]) == Path("-")


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("folder", "'folder' is a folder: name a file to write"),
        ("nowhere/out.ttl", "There is no folder 'nowhere' to write 'out.ttl' in"),
        ("folder/../in.ttl", "is a GRAPH and would be overwritten"),
    ],
)
def test_what_cannot_be_written_is_refused_at_once(tmp_path, monkeypatch, output, message):
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    with pytest.raises(InputError, match=message):
        opened(output, inputs=["-", "in.ttl"])


def test_an_input_is_called_by_its_name():
    with pytest.raises(InputError, match="'a' is the DATA and would"):
        target_of("a", inputs=["a"], what="the DATA")


def test_a_folder_must_be_there(tmp_path):
    check_folder(tmp_path / "new")
    with pytest.raises(InputError, match="There is no folder"):
        check_folder(tmp_path / "new" / "newer")


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_an_interrupted_file_leaves_no_trace(tmp_path, error):
    with pytest.raises(error), whole_file(tmp_path / "graph.ttl") as out:  # noqa: PT012
        out.write(b"new")
        raise error
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_file_leaves_the_one_before(tmp_path):
    path = tmp_path / "graph.ttl"
    path.write_bytes(b"old")
    with pytest.raises(ValueError), whole_file(path) as out:  # noqa: PT012
        out.write(b"new")
        raise ValueError
    assert path.read_bytes() == b"old"


def test_a_file_appears_only_when_it_is_whole(tmp_path):
    path = tmp_path / "graph.ttl"
    with whole_file(path) as out:
        out.write(b"new")
        assert not path.exists()
    assert path.read_bytes() == b"new"


def test_a_file_has_the_usual_permissions(tmp_path):
    ordinary, path = tmp_path / "ordinary", tmp_path / "graph.ttl"
    ordinary.touch()
    with whole_file(path):
        pass
    assert path.stat().st_mode == ordinary.stat().st_mode


def test_a_symbolic_link_stays_one(tmp_path):
    link = tmp_path / "link.ttl"
    link.symlink_to(tmp_path / "graph.ttl")
    with whole_file(link) as out:
        out.write(b"new")
    assert link.is_symlink()
    assert (tmp_path / "graph.ttl").read_bytes() == b"new"


def test_a_device_is_not_replaced():
    device = Path(os.devnull)
    with whole_file(device) as out:
        out.write(b"new")
    assert not device.is_file()


def test_a_name_that_ends_in_gz_is_compressed_always_to_the_same_bytes(tmp_path):
    paths = [tmp_path / name for name in ("one.ttl.gz", "other.ttl.GZ")]
    for path in paths:
        with whole_file(path) as out:
            out.write(b"new")
    assert gzip.decompress(paths[0].read_bytes()) == b"new"
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert paths[0].read_bytes()[3:8] == bytes(5)  # neither a name nor a time (RFC 1952, section 2.3)


def test_an_interrupted_compressed_file_leaves_no_trace(tmp_path):
    with pytest.raises(KeyboardInterrupt), whole_file(tmp_path / "graph.ttl.gz"):
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_rows_go_into_a_binary_stream_at_once():
    out = io.BytesIO()
    csv.writer(utf8(out), lineterminator="\n").writerow(["é", 1])
    assert out.getvalue() == "é,1\n".encode()


@pytest.mark.parametrize(("progress", "is_shown"), [(None, False), (False, False), (True, True)])
def test_a_bar_is_shown_if_asked_for_or_on_a_terminal(capsys, progress, is_shown):
    with progress_bar(progress, total=1, unit=" nodes") as bar:
        bar.update()
    captured = capsys.readouterr()
    assert captured.out == ""
    assert ("nodes" in captured.err) == is_shown
