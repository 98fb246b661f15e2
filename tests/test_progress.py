import json
import os
from types import SimpleNamespace

import pytest

from kgmrca.progress import loading_shown, progress_bar


@pytest.mark.parametrize(("progress", "is_shown"), [(None, False), (False, False), (True, True)])
def test_a_bar_is_shown_if_asked_for_or_on_a_terminal(capsys, progress, is_shown):
    with progress_bar(progress, total=1, unit=" nodes") as bar:
        bar.update()
    captured = capsys.readouterr()
    assert captured.out == ""
    assert ("nodes" in captured.err) == is_shown


def advance(progress, monkeypatch, seconds, **options):
    """Let a job of so many seconds count one thing in each."""
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr("kgmrca.progress._now", lambda: clock.now)
    with progress_bar(progress, **options) as bar:
        for clock.now in range(1, seconds + 1):
            bar.update()


def test_a_log_gets_a_line_after_ten_seconds_and_then_up_to_every_minute(capsys, monkeypatch):
    advance(None, monkeypatch, 300, total=600, desc="reading", unit="B")
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(" of ")[0] for line in lines] == [
        f"kgmrca: reading: {percent} %, {n}"
        for percent, n in [(2, 10), (5, 30), (12, 70), (22, 130), (32, 190), (42, 250)]
    ]
    assert all("left" in line and "/s" in line for line in lines)


def test_the_rate_in_a_log_is_that_of_the_whole_job(capsys):
    bar = progress_bar(None, total=100, unit="B")
    bar.update(50)
    assert bar.format_dict["rate"] is None  # tqdm then divides what is done by the time that has passed
    bar.close()


def test_a_terminal_that_says_no_width_gets_a_bar(capsys, monkeypatch):
    monkeypatch.setattr("os.get_terminal_size", lambda *stream: os.terminal_size((0, 0)))
    with progress_bar(True, total=2, unit=" nodes") as bar:
        bar.update()
    assert "1/2" in capsys.readouterr().err


def test_a_log_is_not_told_what_is_left_where_the_total_is_unknown(capsys, monkeypatch):
    advance(None, monkeypatch, 10, unit=" nodes")
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("kgmrca: 10 nodes, ")
    assert "left" not in line


def test_a_log_stays_empty_where_no_progress_is_wanted(capsys, monkeypatch):
    advance(False, monkeypatch, 100)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_terminal_is_told_that_something_is_loading(capsys, monkeypatch, is_terminal):
    monkeypatch.setattr("sys.stderr.isatty", lambda: is_terminal)
    with loading_shown():
        assert ("loading ..." in capsys.readouterr().err) == is_terminal
    assert capsys.readouterr().err.strip() == ""


def test_lines_can_be_json(capsys, monkeypatch):
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr("kgmrca.progress._now", lambda: clock.now)
    with progress_bar("json", total=40, unit="B") as bar:
        for clock.now in range(1, 31):
            bar.set_postfix({"documents": clock.now}, refresh=False)
            bar.update()
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(line["event"], line["done"], line["total"], line["documents"]) for line in lines] == [
        ("progress", 10, 40, 10),
        ("progress", 30, 40, 30),
    ]
    assert all(line.keys() >= {"seconds", "per_second", "seconds_left"} for line in lines)
