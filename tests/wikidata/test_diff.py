import csv
import signal
import sys
from dataclasses import replace
from decimal import Decimal

import pytest
from graphs import DOCUMENT, KGMRCA, WD, WDT, link, statement, write_graph
from pyoxigraph import Literal, NamedNode, Triple

from kgmrca import cli
from kgmrca.errors import InputError
from kgmrca.graph.merging.merge import merge
from kgmrca.triples.records import Mention, Times
from kgmrca.wikidata.check import check
from kgmrca.wikidata.diff import (
    DIFF_COLUMNS,
    DiffSummary,
    Row,
    accepted,
    diff,
    differences,
)
from kgmrca.wikidata.lookups import Lookups
from kgmrca.wikidata.sparql import open_endpoint

LABEL = "http://www.w3.org/2000/01/rdf-schema#label"
IDENTIFIER = "http://purl.org/dc/terms/identifier"
SOURCE = "http://purl.org/dc/terms/source"
ENTITY = "urn:kgmrca:entity/curie"
CURIE = "Q7186"


def said(subject, predicate, text):
    return Triple(NamedNode(subject), NamedNode(predicate), Literal(text))


def checks(*verdicts, number=0, reason="Because."):
    """A check of the statement with this number."""
    node = NamedNode(f"urn:kgmrca:check/{number}")
    triples = [Triple(node, NamedNode(f"{KGMRCA}checked"), NamedNode(f"urn:kgmrca:statement/{number}"))]
    triples += [Triple(node, NamedNode(f"{KGMRCA}verdict"), Literal(verdict)) for verdict in verdicts]
    return [*triples, said(node.value, LABEL.replace("label", "comment"), reason)]


def graph_of(path, *parts):
    flat = [one for part in parts for one in (part if isinstance(part, list) else [part])]
    return write_graph(path, *flat)


def listed(*graphs, **options):
    return differences(graphs, DiffSummary(), **options)


def table(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def mark(path, marks, values=None):
    """Give the rows of a table these marks, as a spreadsheet would, and other values, by their numbers."""
    rows = table(path)
    for number, (row, one) in enumerate(zip(rows, marks, strict=True)):
        row["accept"] = one
        row["value"] = (values or {}).get(number, row["value"])
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, DIFF_COLUMNS, delimiter="\t")
        writer.writeheader()
        writer.writerows(rows)


def copy_first_row(path, mark_of_first, mark_of_copy):
    """Let the first row stand twice, with these marks."""
    names, first, *others = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([names, mark_of_first + first, mark_of_copy + first, *others]) + "\n", encoding="utf-8")


@pytest.fixture
def graph(tmp_path):
    """Three facts that are new, one of them read twice, one conflict, and one that is confirmed."""
    again = replace(statement(CURIE, "P800", "Q1128", number=4), confidence=Decimal("0.95"))
    sentence = Mention(f"{DOCUMENT}#char=0,9", 0, 9, "She found radium.")
    return graph_of(
        tmp_path / "graph.ttl",
        [
            statement(ENTITY, "P800", "Q1128"),
            replace(again, sentence=sentence),
            *checks("new"),
            *checks("new", number=4),
        ],
        [statement(CURIE, "P569", "1867", datatype="gYear", number=1), *checks("confirmed", number=1)],
        [statement(CURIE, "P19", "Q36", number=2), *checks("conflict", number=2, reason="Wikidata has Q270.")],
        [statement(CURIE, "P571", "1903-05", datatype="gYearMonth", number=3), *checks("new", number=3)],
        [statement(CURIE, "P1082", "42", datatype="integer", number=5), *checks("new", number=5)],
        [link(ENTITY, CURIE), said(ENTITY, LABEL, "Marie\tCurie"), said(f"{WD}Q1128", LABEL, "radium")],
        said(DOCUMENT, IDENTIFIER, "lives.txt"),
        said(DOCUMENT, SOURCE, "https://example.org/lives"),
    )


def test_each_new_fact_is_listed_once_the_most_certain_first(graph):
    rows = listed(graph)
    assert [(row.property_id, row.value, row.readings, row.confidence) for row in rows] == [
        ("P800", "Q1128", 2, "0.95"),
        ("P571", "+1903-05-00T00:00:00Z/10", 1, "0.9"),
        ("P1082", "42", 1, "0.9"),
    ]


def test_a_row_has_what_a_person_needs_to_judge_it(graph):
    row = listed(graph)[0]
    assert row == Row(
        accept="",
        verdict="new",
        confidence="0.95",
        subject=CURIE,
        subject_item=CURIE,
        property="notable work",
        property_id="P800",
        object="radium",
        value="Q1128",
        sentence=f"{DOCUMENT}#char=0,9",
        document="lives.txt",
        url="https://example.org/lives",
        readings=2,
        reason="Because.",
        statement="urn:kgmrca:statement/4",
    )


def test_names_come_from_the_graph(tmp_path):
    graph = graph_of(
        tmp_path / "g.ttl", statement(ENTITY, "P26", "urn:e"), checks("new"), link(ENTITY, CURIE), link("urn:e", "Q5"),
        said(ENTITY, LABEL, "Marie"), said("urn:e", LABEL, "Pierre"),
    )  # fmt: skip
    assert [(row.subject, row.object, row.property) for row in listed(graph)] == [("Marie", "Pierre", "spouse")]


def test_conflicts_are_listed_if_asked_for(graph):
    rows = [row for row in listed(graph, conflicts=True) if row.verdict != "new"]
    assert [(row.verdict, row.value, row.reason) for row in rows] == [("conflict", "Q36", "Wikidata has Q270.")]


@pytest.mark.parametrize("verdicts", [["new", "confirmed"], ["conflict", "new"], ["not checked"], ["unlinked"]])
def test_what_is_not_only_new_is_not_listed(tmp_path, verdicts):
    assert listed(graph_of(tmp_path / "g.ttl", statement(CURIE, "P26", "Q5"), checks(*verdicts))) == []


def test_what_was_linked_to_another_item_since_or_to_none_is_not_listed(tmp_path):
    assert listed(graph_of(tmp_path / "g.ttl", statement(ENTITY, "P26", "Q5"), checks("new"))) == []


@pytest.mark.parametrize("provenance", ["statements", "graphs", "rdf12", "wikidata"])
def test_graphs_of_every_shape_and_merged_ones_are_read(tmp_path, provenance):
    parts = [statement(CURIE, "P26", "Q5"), *checks("new")]
    path = write_graph(tmp_path / "g.trig", *parts, provenance=provenance)
    assert [row.value for row in listed(path)] == ["Q5"]
    merge([path], tmp_path / "merged.ttl")
    assert [row.value for row in listed(tmp_path / "merged.ttl")] == ["Q5"]


def test_verdicts_about_plain_triples_are_listed_too(tmp_path, wikidata_file):
    triple = Triple(NamedNode(f"{WD}{CURIE}"), NamedNode(f"{WDT}P8810"), NamedNode(f"{WD}Q37463"))
    graph, output = write_graph(tmp_path / "g.ttl", triple), tmp_path / "checks.ttl"
    with Lookups(open_endpoint(wikidata_file), cache=None) as lookups:
        check([graph], lookups, output)
    assert [(row.subject_item, row.property_id, row.value) for row in listed(graph, output)] == [
        (CURIE, "P8810", "Q37463")
    ]


def test_statements_without_verdict_are_counted(graph, tmp_path):
    other = write_graph(tmp_path / "other.ttl", statement(CURIE, "P26", "Q5", number=9))
    summary = DiffSummary()
    differences([graph, other], summary)
    assert summary.unchecked == 1
    assert "1 statement without a verdict: see kgmrca check" in summary.in_words("-")


def test_a_graph_without_any_verdict_is_refused(tmp_path):
    with pytest.raises(InputError, match="no verdicts: name what kgmrca check wrote"):
        listed(write_graph(tmp_path / "g.ttl", statement(CURIE, "P26", "Q5")))


def test_the_table_has_a_line_a_row_and_nothing_that_a_spreadsheet_takes_for_a_formula(tmp_path):
    evil = '=HYPERLINK("http://x")\r\n"quoted"\tand\u2028more'
    graph = graph_of(tmp_path / "g.nt", statement(ENTITY, "P26", "Q5"), checks("new"), link(ENTITY, CURIE))
    with graph.open("a") as file:
        file.write(f"{said(ENTITY, LABEL, evil)} .\n")
    diff([graph], tmp_path / "new.tsv")
    text = (tmp_path / "new.tsv").read_text(encoding="utf-8")
    assert len(text.splitlines()) == 2
    row = table(tmp_path / "new.tsv")[0]
    assert row["subject"] == '\'=HYPERLINK("http://x") "quoted" and more'
    assert row["accept"] == ""


def test_a_table_with_commas(graph, tmp_path):
    diff([graph], tmp_path / "new.csv")
    with (tmp_path / "new.csv").open(encoding="utf-8", newline="") as file:
        assert next(csv.DictReader(file))["value"] == "Q1128"


def export(graph, tmp_path, marks, **options):
    diff([graph], tmp_path / "new.tsv", conflicts=options.pop("conflicts", False))
    mark(tmp_path / "new.tsv", marks)
    summary = diff([graph], accept=tmp_path / "new.tsv", quickstatements=tmp_path / "new.qs", **options)
    return summary, (tmp_path / "new.qs").read_text(encoding="utf-8")


def test_what_was_accepted_is_exported_and_nothing_else(graph, tmp_path):
    summary, text = export(graph, tmp_path, ["x", "", "Yes "])
    assert text == (
        'Q7186\tP800\tQ1128\tS854\t"https://example.org/lives"\nQ7186\tP1082\t42\tS854\t"https://example.org/lives"\n'
    )
    assert summary.verdicts == {"new": 2}


def test_the_times_of_a_statement_are_its_qualifiers(tmp_path):
    times = Times(start="1903-05-01", end="1906")
    graph = graph_of(tmp_path / "graph.ttl", replace(statement(CURIE, "P108", "Q209842"), times=times), checks("new"))
    assert export(graph, tmp_path, ["x"])[1] == (
        "Q7186\tP108\tQ209842\tP580\t+1903-05-01T00:00:00Z/11\tP582\t+1906-00-00T00:00:00Z/9\n"
    )


def test_a_time_that_has_no_form_is_listed_and_its_fact_exported(tmp_path):
    times = Times(start="1903-02-30", end="1906")
    graph = graph_of(tmp_path / "graph.ttl", replace(statement(CURIE, "P108", "Q209842"), times=times), checks("new"))
    summary, text = export(graph, tmp_path, ["x"])
    assert text == "Q7186\tP108\tQ209842\tP582\t+1906-00-00T00:00:00Z/9\n"
    (why,) = summary.left_out
    assert why.startswith("line 2: its qualifier P580: ")
    assert summary.verdicts == {"new": 1}


def test_another_wikibase_that_was_found_is_named(tmp_path):
    graph = graph_of(tmp_path / "graph.nt", statement(CURIE, "P108", "Q209842"), checks("new"))
    assert not diff([graph], tmp_path / "new.tsv").wikibase
    graph.write_text(graph.read_text().replace("http://www.wikidata.org/", "https://kb.example/"))
    summary = diff([graph], tmp_path / "of_kb.tsv")
    assert "the items are those of https://kb.example/entity/ (--wikibase names another" in summary.in_words(
        "of_kb.tsv"
    )


def test_nothing_accepted_nothing_exported(graph, tmp_path):
    assert export(graph, tmp_path, ["no", "", "0"])[1] == ""


def test_conflicts_can_be_accepted_and_a_source_be_named(graph, tmp_path):
    _, text = export(graph, tmp_path, ["", "x", "", ""], conflicts=True, stated_in="Q328")
    assert text == 'Q7186\tP19\tQ36\tS248\tQ328\tS854\t"https://example.org/lives"\n'


def test_a_mark_that_is_neither_yes_nor_no_is_refused(graph, tmp_path):
    with pytest.raises(InputError, match="line 3: accept is 'maybe'"):
        export(graph, tmp_path, ["x", "maybe", ""])


def test_a_fact_that_one_row_accepts_and_another_rejects_is_refused(graph, tmp_path):
    diff([graph], tmp_path / "new.tsv")
    copy_first_row(tmp_path / "new.tsv", "x", "no")
    with pytest.raises(InputError, match="lines 2 and 3: they are about the same fact, and one accepts it"):
        diff([graph], accept=tmp_path / "new.tsv", quickstatements=tmp_path / "new.qs")
    assert not (tmp_path / "new.qs").exists()


@pytest.mark.parametrize("marks", [("x", "x"), ("x", ""), ("", "x")])
def test_a_fact_that_stands_in_two_rows_is_exported_and_counted_once(graph, tmp_path, marks):
    diff([graph], tmp_path / "new.tsv")
    copy_first_row(tmp_path / "new.tsv", *marks)
    summary = diff([graph], accept=tmp_path / "new.tsv", quickstatements=tmp_path / "new.qs")
    assert (tmp_path / "new.qs").read_text().count("Q7186\tP800\tQ1128") == 1
    assert summary.in_words("new.qs") == "kgmrca: 1 fact -> new.qs: 1 new"


def test_rows_that_were_changed_or_are_new_no_more_are_left_out_and_listed(graph, tmp_path):
    diff([graph], tmp_path / "new.tsv")
    mark(tmp_path / "new.tsv", ["x", "x", "x"], {0: "Q36", 2: ""})
    summary = diff([graph], accept=tmp_path / "new.tsv", quickstatements=tmp_path / "new.qs")
    assert (tmp_path / "new.qs").read_text().startswith("Q7186\tP571\t+1903-05-00T00:00:00Z/10\t")
    assert len(summary.left_out) == 2
    assert "line 2: 'Q7186 P800 Q36' is not among what is new in these graphs" in summary.in_words("-")
    assert "line 4: it has no value that P1082 can have" in summary.in_words("-")


def test_parts_never_replace_a_file_that_nobody_named(graph, tmp_path, monkeypatch):
    monkeypatch.setattr("kgmrca.wikidata.diff.MOST_COMMANDS", 1)
    own = tmp_path / "new-2.qs"
    own.write_text("mine\n")
    with pytest.raises(InputError, match=r"take several files, and .*new-2\.qs exists with other text"):
        export(graph, tmp_path, ["x", "x", ""])
    assert own.read_text() == "mine\n"
    assert not (tmp_path / "new.qs").exists()


def test_parts_are_written_again_and_those_of_a_longer_export_are_told(graph, tmp_path, monkeypatch):
    monkeypatch.setattr("kgmrca.wikidata.diff.MOST_COMMANDS", 1)
    for _ in range(2):
        summary, _ = export(graph, tmp_path, ["x", "x", ""])
        assert summary.files == [str(tmp_path / "new.qs"), str(tmp_path / "new-2.qs")]
        assert not summary.leftover
    summary, _ = export(graph, tmp_path, ["x", "no", ""])
    assert f"{tmp_path / 'new-2.qs'} was there before, and no part of this export" in summary.in_words("new.qs")
    (tmp_path / "new-3.qs").write_text("x")
    summary, _ = export(graph, tmp_path, ["x", "no", ""])
    assert summary.leftover == [str(tmp_path / "new-2.qs"), str(tmp_path / "new-3.qs")]
    assert f"{tmp_path / 'new-2.qs'}, {tmp_path / 'new-3.qs'} were there before" in summary.in_words("new.qs")


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_table_that_a_spreadsheet_has_saved_is_read(tmp_path, delimiter):
    path = tmp_path / "saved.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter, lineterminator="\r\n")
        writer.writerows([["accept", *DIFF_COLUMNS[1:]], ["X", *(f"{name}, {name};" for name in DIFF_COLUMNS[1:])]])
    assert accepted(path)[0][1]["value"] == "value, value;"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"accept\tvalue\nx\tQ1\n", "the columns subject_item, property_id are missing"),
        (b"", "are missing"),
        (b"accept\tsubject_item\tproperty_id\tvalue\nx\t\xe9\n", "no table in UTF-8"),
    ],
)
def test_what_is_no_such_table_is_refused(tmp_path, content, message):
    path = tmp_path / "table.tsv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        accepted(path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "There is nothing to do: name either --output"),
        ({"output": "a.tsv", "accept": "b.tsv", "quickstatements": "c.qs"}, "not both"),
        ({"accept": "b.tsv"}, "--accept names the reviewed table: name the file"),
        ({"quickstatements": "c.qs"}, "No new fact was accepted by kgmrca apply-review"),
        ({"output": "a.tsv", "stated_in": "P1"}, "'P1' is not an id"),
        ({"output": "nowhere/a.tsv"}, "no folder"),
        ({"output": "graph.ttl"}, "would be overwritten"),
        ({"accept": "new.tsv", "quickstatements": "new.tsv"}, "would be overwritten"),
    ],
)
def test_what_makes_no_sense_is_refused(graph, tmp_path, options, message):
    places = {key: value if key == "stated_in" else tmp_path / value for key, value in options.items()}
    with pytest.raises(InputError, match=message):
        diff([graph], **places)


def test_what_quickstatements_cannot_hold_is_listed_with_its_reason(tmp_path):
    graph = graph_of(
        tmp_path / "g.ttl",
        [statement(CURIE, "P742", "a | b", datatype=""), *checks("new")],
        [statement(CURIE, "P2130", "5", datatype="integer", number=1), *checks("new", number=1)],
    )
    assert [row.reason for row in listed(graph)] == [
        "Because. It cannot be exported: its text contains |, which QuickStatements takes for the end of a cell.",
        "Because. It cannot be exported: its number has no unit.",
    ]
    summary, text = export(graph, tmp_path, ["x", "x"])
    assert text == ""
    assert "not exported, line 2: its text contains |" in summary.in_words("new.qs")
    assert "not exported, line 3: its number has no unit" in summary.in_words("new.qs")


def test_a_large_export_is_split_into_files(tmp_path, monkeypatch):
    monkeypatch.setattr("kgmrca.wikidata.diff.MOST_COMMANDS", 2)
    facts = [[statement(CURIE, "P800", f"Q{n + 1}", number=n), *checks("new", number=n)] for n in range(5)]
    graph = graph_of(tmp_path / "g.ttl", *facts)
    summary, text = export(graph, tmp_path, ["x"] * 5)
    parts = [text, *((tmp_path / f"new-{number}.qs").read_text() for number in (2, 3))]
    assert [len(part.splitlines()) for part in parts] == [2, 2, 1]
    assert sorted("".join(parts).split()[2::3]) == ["Q1", "Q2", "Q3", "Q4", "Q5"]
    names = ", ".join(str(tmp_path / name) for name in ("new.qs", "new-2.qs", "new-3.qs"))
    assert summary.in_words("new.qs") == f"kgmrca: 5 facts -> {names}: 5 new"


@pytest.fixture
def run(monkeypatch):
    """Run `kgmrca diff` in this process; gives the exit code."""
    before = signal.getsignal(signal.SIGTERM)

    def run_main(*arguments):
        monkeypatch.setattr(sys, "argv", ["kgmrca", "diff", *map(str, arguments)])
        with pytest.raises(SystemExit) as exited:
            cli.main()
        return exited.value.code or 0

    yield run_main
    signal.signal(signal.SIGTERM, before)


def test_the_command_lists_and_exports(run, graph, tmp_path, capsys):
    new = tmp_path / "new.tsv"
    assert run(graph, "-o", new, "--conflicts") == 0
    assert f"4 facts -> {new}: 1 conflict, 3 new" in capsys.readouterr().err
    mark(new, ["x", "", "", ""])
    assert run(graph, "--accept", new, "--quickstatements", "-", "--stated-in", "Q328") == 0
    captured = capsys.readouterr()
    assert captured.out == 'Q7186\tP800\tQ1128\tS248\tQ328\tS854\t"https://example.org/lives"\n'
    assert "1 fact: 1 new" in captured.err


def test_the_command_says_with_1_that_something_accepted_was_left_out(run, graph, tmp_path, capsys):
    new = tmp_path / "new.tsv"
    run(graph, "-o", new, "--conflicts")
    mark(new, ["x", "x", "x", "x"], {0: "Q90"})
    assert run(graph, "--accept", new, "--quickstatements", tmp_path / "new.qs") == 1
    assert "not exported, line" in capsys.readouterr().err


def test_the_command_needs_a_table(run, graph, capsys):
    assert run(graph) == 2
    assert "There is nothing to do" in capsys.readouterr().err
