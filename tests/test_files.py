import errno
import gzip
import io
import os
import signal
import stat
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from kgmrca.errors import InputError, KgmrcaError, OutputError
from kgmrca.files import (
    _ignores_case,
    _part_prefix,
    check_folder,
    check_outputs,
    opened,
    target_of,
    temporary_folder,
    whole_file,
    whole_folder,
)


def test_a_dash_is_standard_output(monkeypatch):
    out = io.BytesIO()
    monkeypatch.setattr("sys.stdout", SimpleNamespace(buffer=out))
    with opened("-") as stream:
        stream.write(b"data")
    assert out.getvalue() == b"data"


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


# What is read is not written over.


@pytest.fixture
def graph(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("g.ttl").write_bytes(b"the graph")
    return Path("g.ttl")


def spelled_otherwise(path):
    return f"../{path.resolve().parent.name}/{path}"


def linked_to(path):
    Path("link").symlink_to(path)
    return "link"


def linked_hard(path):
    Path("hard").hardlink_to(path)
    return "hard"


@pytest.mark.parametrize("named", [str, Path.resolve, spelled_otherwise, linked_to, linked_hard])
@pytest.mark.parametrize("is_input_named_so", [False, True])
def test_an_input_is_no_output_under_any_name(graph, named, is_input_named_so):
    output, given = (graph, named(graph)) if is_input_named_so else (named(graph), graph)
    with pytest.raises(InputError, match="is a GRAPH and would be overwritten"):
        check_outputs([None, output], ["other", "-", given])


@pytest.mark.parametrize("named", [str, Path.resolve, spelled_otherwise, linked_to, linked_hard])
def test_two_outputs_are_two_files(graph, named):
    with pytest.raises(InputError, match="are the same file"):
        check_outputs([graph, named(graph)])


def test_two_outputs_that_do_not_exist_yet_are_two_files(graph):
    with pytest.raises(InputError, match=r"'a' and '\./a' are the same file"):
        check_outputs(["a", "./a"])


def test_two_outputs_cannot_both_be_standard_output():
    with pytest.raises(InputError, match="'-' and '-' are the same file"):
        check_outputs(["-", "-"])


def test_case_counts_only_where_the_file_system_heeds_it(graph, monkeypatch):
    check_outputs(["new", "New"])
    monkeypatch.setattr("kgmrca.files._ignores_case", lambda folder: True)
    with pytest.raises(InputError, match="'new' and 'New' are the same file"):
        check_outputs(["new", "New"])


def test_a_file_system_that_heeds_case_is_known_as_one(tmp_path):
    (tmp_path / "folder").mkdir()
    is_one = (tmp_path / "FOLDER").exists()
    assert _ignores_case(tmp_path / "folder") == is_one


def test_no_output_lies_where_it_would_be_read(graph):
    Path("in").mkdir()
    with pytest.raises(InputError, match=r"'in/new\.ttl' lies in the folder 'in', which this command reads"):
        check_outputs(["in/new.ttl"], ["in"])
    check_outputs(["in/new.json"], ["in"], takes=lambda path: path.suffix == ".ttl")


@pytest.mark.parametrize("given", ["in", "in/*.ttl"])
def test_a_file_of_a_folder_is_no_output_under_another_name(graph, given):
    Path("in").mkdir()
    Path("in/a.ttl").hardlink_to(graph)
    with pytest.raises(InputError, match=r"'g.ttl' is a GRAPH and would be overwritten \(it is 'in/a.ttl'\)"):
        check_outputs(["g.ttl"], [given], takes=lambda path: path.suffix == ".ttl")


def test_what_has_no_content_can_be_read_and_written(tmp_path):
    check_outputs([os.devnull], [os.devnull])


@pytest.mark.parametrize(("output", "given", "stream"), [("g.ttl", "-", "stdin"), ("-", "g.ttl", "stdout")])
def test_standard_input_and_output_may_be_files(graph, monkeypatch, output, given, stream):
    with graph.open("a") as file:
        monkeypatch.setattr(f"sys.{stream}", file)
        with pytest.raises(InputError, match="would be overwritten"):
            check_outputs([output], [given])


# What cannot be written is said by its name.


def in_a_folder_that_does_not_exist(path, monkeypatch):
    path.parent.rmdir()


def in_a_folder_where_nothing_may_be_written(path, monkeypatch):
    monkeypatch.setattr("os.access", lambda name, mode: Path(name) != path.parent.resolve())


def a_file_that_may_not_be_written(path, monkeypatch):
    path.touch()
    monkeypatch.setattr("os.access", lambda name, mode: Path(name) != path)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (in_a_folder_that_does_not_exist, "There is no folder '{folder}' to write 'a' in: make it first."),
        (
            in_a_folder_where_nothing_may_be_written,
            "'{folder}/a' cannot be written: nothing may be written in the folder '{folder}'.",
        ),
        (a_file_that_may_not_be_written, "'{folder}/a' cannot be written: Permission denied."),
    ],
)
def test_what_cannot_be_written_is_refused_before_the_work(tmp_path, monkeypatch, fault, message):
    path = tmp_path / "folder" / "a"
    path.parent.mkdir()
    fault(path, monkeypatch)
    with pytest.raises(KgmrcaError) as caught:
        opened(path)
    assert str(caught.value) == message.format(folder=path.parent)


@contextmanager
def room_for(size):
    """Files cannot become larger than that, which is as near to a full disk as a test can come."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("name", ["a.ttl", "a.ttl.gz"])
@pytest.mark.parametrize("size", [5_000, 1_000_000])
def test_a_full_disk_is_said_by_the_name_of_the_output(tmp_path, name, size):
    path = tmp_path / name
    path.write_bytes(b"old")
    with pytest.raises(OutputError) as caught, room_for(3_000), whole_file(path) as out:
        out.write(os.urandom(size))
    assert str(caught.value) == f"'{path}' cannot be written: File too large."
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_disk_that_is_full_only_at_the_end_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a"
    path.write_bytes(b"old")
    monkeypatch.setattr("os.fsync", raising(OSError(errno.EDQUOT, "Disk quota exceeded")))
    with pytest.raises(OutputError, match=f"'{path}' cannot be written: Disk quota exceeded"), whole_file(path) as out:
        out.write(b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def raising(error):
    def fail(*args):
        raise error

    return fail


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
def test_a_device_is_said_by_its_name():
    with (
        pytest.raises(OutputError, match="'/dev/full' cannot be written: No space left"),
        whole_file(Path("/dev/full")) as out,
    ):
        out.write(b"data")


def test_an_error_of_another_file_stays_what_it_is(tmp_path):
    with pytest.raises(FileNotFoundError, match="missing"), whole_file(tmp_path / "a"):
        (tmp_path / "missing").read_bytes()


def test_a_name_may_be_as_long_as_the_system_allows(tmp_path):
    path = tmp_path / ("ü" * 127)
    with whole_file(path) as out:
        out.write(b"new")
    assert path.read_bytes() == b"new"


def test_a_file_keeps_the_permissions_of_the_one_before(tmp_path):
    path = tmp_path / "a"
    path.touch(mode=0o600)
    with whole_file(path):
        pass
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_pipe_that_nobody_reads_is_no_full_disk(monkeypatch):
    def write(data):
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    monkeypatch.setattr("sys.stdout", SimpleNamespace(buffer=SimpleNamespace(write=write)))
    with pytest.raises(BrokenPipeError), opened("-") as out:
        out.write(b"data")


def test_a_full_disk_behind_standard_output_is_said(monkeypatch):
    write = raising(OSError(errno.ENOSPC, "No space left on device"))
    monkeypatch.setattr("sys.stdout", SimpleNamespace(buffer=SimpleNamespace(write=write)))
    with pytest.raises(OutputError, match="Standard output cannot be written: No space"), opened("-") as out:
        out.write(b"data")


# Temporary files of processes that were killed go, those of others stay.


def killed_while_writing(path, what="whole_file"):
    """A process that writes to `path`, killed in the midst of it."""
    code = f"import pathlib, kgmrca.files as f\nwith f.{what}(pathlib.Path({str(path)!r})): print(flush=True); input()"
    with running(code) as process:
        pass
    assert process.returncode == -signal.SIGKILL


@contextmanager
def running(code):
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with process:
        process.stdout.readline()
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("what", ["whole_file", "whole_folder", "temporary_folder"])
def test_what_a_killed_process_left_is_removed_at_the_next_start(tmp_path, what):
    path = tmp_path / "a"
    killed_while_writing(path, what)
    assert len(list(tmp_path.glob(".a.*.part"))) == 1
    with whole_file(path):
        assert len(list(tmp_path.iterdir())) == 1
    assert list(tmp_path.iterdir()) == [path]


def test_what_another_process_is_writing_stays(tmp_path):
    path = tmp_path / "a"
    code = (
        f"import pathlib, kgmrca.files as f\nwith f.whole_file(pathlib.Path({str(path)!r})): print(flush=True); input()"
    )
    with running(code):
        (part,) = tmp_path.iterdir()
        with whole_file(path):
            pass
        assert sorted(tmp_path.iterdir()) == [part, path]


def test_what_is_of_another_output_user_or_machine_stays(tmp_path, monkeypatch):
    names = (".b.{}-01234567.part", ".a.000000-01234567.part", ".a.{}-0123456.part", ".a.part", "a.{}-01234567.part")
    paths = [tmp_path / name.format(_part_prefix(Path("a"))[3:-1]) for name in names]
    for path in paths:
        path.touch()
    with whole_file(tmp_path / "a"):
        pass
    assert sorted(tmp_path.iterdir()) == sorted([*paths, tmp_path / "a"])
    of_another_user = tmp_path / f"{_part_prefix(Path('a'))}01234567.part"
    of_another_user.touch()
    monkeypatch.setattr("os.geteuid", lambda: os.getuid() + 1)
    with whole_file(tmp_path / "a"):
        pass
    assert of_another_user.exists()


def test_a_folder_takes_its_place_when_it_is_whole(tmp_path):
    path = tmp_path / "a"
    for content in ("old", "new"):
        with whole_folder(path) as folder:
            (folder / "file").write_text(content)
            (folder / "folder").mkdir()
            (folder / "folder" / content).touch()
            (folder / content).touch()
    assert (path / "file").read_text() == "new"
    assert sorted(one.name for one in path.iterdir()) == ["file", "folder", "new", "old"]
    assert [one.name for one in (path / "folder").iterdir()] == ["new"]
    assert list(tmp_path.iterdir()) == [path]


def test_an_interrupted_folder_leaves_the_one_before(tmp_path):
    path = tmp_path / "a"
    path.mkdir()
    with pytest.raises(KeyboardInterrupt), whole_folder(path) as folder:  # noqa: PT012
        (folder / "file").touch()
        raise KeyboardInterrupt
    assert list(path.iterdir()) == []
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("make", [temporary_folder, whole_folder])
def test_no_room_for_temporary_files_is_said_by_the_name_of_the_output(tmp_path, make):
    path = tmp_path / "a"
    with pytest.raises(OutputError) as caught, make(path):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert str(caught.value) == f"'{path}' cannot be written: No space left on device."
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("output", ["-", io.BytesIO(), None, Path(os.devnull)])
def test_what_is_no_file_has_its_temporary_files_elsewhere(output, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with temporary_folder(output) as folder:
        assert folder.parent == tmp_path
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("writing", [whole_file, whole_folder])
def test_an_interrupt_just_after_the_temporary_file_was_made_leaves_nothing(tmp_path, monkeypatch, writing):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("kgmrca.files.fcntl.flock", interrupted)
    with pytest.raises(KeyboardInterrupt), writing(tmp_path / "graph.ttl"):
        pass
    assert list(tmp_path.iterdir()) == []
