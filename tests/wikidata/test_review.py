"""The table of `kgmrca diff`, written a second time over one that a person has worked on."""

import csv
import gzip
import io
from dataclasses import replace
from decimal import Decimal

import pytest
from graphs import KGMRCA, statement, write_graph
from hypothesis import given
from hypothesis import strategies as st
from pyoxigraph import Literal, NamedNode, Triple
from server import WIKIDATA

from kgmrca.errors import InputError
from kgmrca.wikidata.check import check
from kgmrca.wikidata.diff import DIFF_COLUMNS, diff
from kgmrca.wikidata.lookups import Lookups
from kgmrca.wikidata.review import (
    CHECKSUMS,
    Table,
    carry_over,
    delimiter_of,
    read_review,
    write_table,
)
from kgmrca.wikidata.sparql import open_endpoint

CURIE = "Q7186"
SAID = {"P26": "Q5", "P800": "Q1128", "P742": "Marya"}  # by property what is new

DATATYPES = {"P742": ""}


def graph(path, *properties, verdict="new", confidence="0.9"):
    """A graph that says these things of Marie Curie, which are all new."""
    parts = []
    for name in properties:
        number = list(SAID).index(name)
        one = statement(CURIE, name, SAID[name], number=number, datatype=DATATYPES.get(name))
        node = NamedNode(f"urn:kgmrca:check/{number}")
        parts += [
            replace(one, confidence=Decimal(confidence) - number * Decimal("0.1")),
            Triple(node, NamedNode(f"{KGMRCA}checked"), NamedNode(one.iri)),
            Triple(node, NamedNode(f"{KGMRCA}verdict"), Literal(verdict)),
        ]
    return write_graph(path, *parts)


@pytest.fixture
def new(tmp_path):
    """A table of three facts."""
    diff([graph(tmp_path / "graph.ttl", *SAID)], tmp_path / "new.tsv")
    return tmp_path / "new.tsv"


def rows(path, delimiter="\t"):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, delimiter=delimiter))


def edit(path, *changes, columns=DIFF_COLUMNS, delimiter="\t", encoding="utf-8"):
    """Change cells, by row, as a spreadsheet would save them."""
    table = rows(path)
    for row, change in zip(table, changes, strict=False):
        row.update(change)
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, columns, delimiter=delimiter, extrasaction="ignore", lineterminator="\r\n")
        writer.writeheader()
        writer.writerows(table)


def again(path, *properties, **options):
    return diff([graph(path.parent / "again.ttl", *properties, **options)], path)


def column(path, name, **options):
    return [row[name] for row in rows(path, **options)]


def test_answers_are_kept(new):
    edit(new, {"accept": "x"}, {"accept": "no"}, {})
    summary = again(new, *SAID)
    assert column(new, "accept") == ["x", "no", ""]
    assert (summary.n_kept, summary.n_not_listed) == (2, 0)
    assert "2 rows that you worked on before: kept as they were" in summary.in_words("new.tsv")


def test_an_unedited_table_is_written_again_as_it_was(new):
    before = new.read_bytes()
    assert again(new, *SAID).n_kept == 0
    assert new.read_bytes() == before


def test_answers_are_kept_as_often_as_it_is_written(new):
    edit(new, {"accept": "x", "reason": "mine"}, {}, {"subject": "Maria"})
    for _ in range(3):
        again(new, *SAID)
        assert column(new, "accept") == ["x", "", ""]
        assert column(new, "reason") == ["mine", "", ""]
        assert column(new, "subject") == [CURIE, CURIE, "Maria"]


def test_answers_stand_at_their_facts_in_another_order(new):
    edit(new, {"accept": "x"}, {}, {"accept": "y"})
    diff(
        [graph(new.parent / "a.ttl", "P742", confidence="1"), graph(new.parent / "b.ttl", "P26", confidence="0.5")], new
    )
    assert [(row["property_id"], row["accept"]) for row in rows(new)] == [("P742", "y"), ("P26", "x")]


def test_the_rest_of_a_row_is_as_the_graph_has_it_now(new):
    edit(new, {"accept": "x"}, {}, {})
    again(new, *SAID, confidence="0.7")
    assert column(new, "confidence") == ["0.7", "0.6", "0.5"]
    assert column(new, "accept") == ["x", "", ""]


def test_notes_in_columns_of_their_own_are_kept(new):
    edit(new, {"note": "ask Anna"}, {}, {"note": "=SUM(A1)"}, columns=["note", *DIFF_COLUMNS, "", "owner"])
    summary = again(new, *SAID)
    assert summary.n_kept == 2
    assert column(new, "note") == ["ask Anna", "", "'=SUM(A1)"]
    assert new.read_text().splitlines()[0].split("\t") == [*DIFF_COLUMNS, "note", "", "owner"]
    assert again(new, *SAID).n_kept == 2
    assert column(new, "note") == ["ask Anna", "", "'=SUM(A1)"]


def test_cells_beyond_the_last_column_are_kept(new):
    lines = new.read_text().splitlines()
    lines[2] += "\tbeyond"
    new.write_text("\n".join(lines) + "\n")
    again(new, *SAID)
    again(new, *SAID)
    assert [line.split("\t")[len(DIFF_COLUMNS) :] for line in new.read_text().splitlines()] == [
        [""],
        [""],
        ["beyond"],
        [""],
    ]


def test_an_edited_cell_is_kept_and_others_are_not(new):
    edit(new, {"sentence": "She said so.", "object": "human being"}, {}, {})
    again(new, *SAID, confidence="0.8")
    first = rows(new)[0]
    assert (first["sentence"], first["object"], first["confidence"]) == ("She said so.", "human being", "0.8")


def test_a_spreadsheets_decimal_comma_is_no_edit(new):
    edit(new, {"confidence": "0,9"}, {}, {})
    assert again(new, *SAID).n_kept == 0
    assert column(new, "confidence") == ["0.9", "0.8", "0.7"]


def test_a_comma_for_a_point_in_a_text_is_an_edit(new, monkeypatch):
    monkeypatch.setitem(SAID, "P742", "Marya. Maria")
    again(new, *SAID)
    edit(new, {}, {}, {"object": "Marya, Maria"})
    again(new, *SAID)
    assert column(new, "object")[-1] == "Marya, Maria"


@pytest.mark.parametrize("saved", ["12,5", "12.5", "12.50", " 12,50"])
def test_a_number_is_found_again_however_a_spreadsheet_writes_it(tmp_path, monkeypatch, saved):
    monkeypatch.setitem(SAID, "P1082", "12.50")
    monkeypatch.setitem(DATATYPES, "P1082", "decimal")
    first, new = graph(tmp_path / "graph.ttl", "P1082"), tmp_path / "new.tsv"
    diff([first], new)
    edit(new, {"accept": "x", "value": saved})
    assert diff([first], new).n_not_listed == 0
    assert [(row["accept"], row["value"]) for row in rows(new)] == [("x", "12.5")]
    edit(new, {"value": saved})
    assert diff([first], accept=new, quickstatements=tmp_path / "new.qs").left_out == []
    assert (tmp_path / "new.qs").read_text() == f"{CURIE}\tP1082\t12.5\n"


@pytest.mark.parametrize("change", [{"accept": "x"}, {"accept": "no"}, {"note": "mine"}, {"sentence": "edited"}])
def test_what_was_written_in_a_row_that_is_not_listed_any_more_is_kept_at_the_end(new, change):
    edit(new, change, columns=[*DIFF_COLUMNS, "note"])
    for _ in range(2):
        summary = again(new, "P742")
        assert summary.n_not_listed == 1
        assert "1 row that you worked on, no longer listed" in summary.in_words("new.tsv")
        last = rows(new)[-1]
        assert [row["property_id"] for row in rows(new)] == ["P742", "P26"]
        assert last["verdict"] == "no longer listed (was: new)"
        assert {name: last[name] for name in change} == change


def test_a_row_that_is_listed_again_is_where_it_belongs(new):
    edit(new, {"accept": "x", "reason": "mine"})
    again(new, "P742")
    again(new, *SAID)
    assert [(row["property_id"], row["accept"], row["verdict"], row["reason"]) for row in rows(new)] == [
        ("P26", "x", "new", "mine"),
        ("P800", "", "new", ""),
        ("P742", "", "new", ""),
    ]


def test_an_unedited_row_that_is_not_listed_is_left_out(new):
    again(new, "P742")
    assert column(new, "property_id") == ["P742"]


def test_an_answer_to_another_value_is_not_moved_to_the_one_that_is_listed(new):
    edit(new, {"accept": "x", "value": "Q6"})
    again(new, *SAID)
    assert [(row["value"], row["accept"]) for row in rows(new)] == [
        ("Q5", ""),
        ("Q1128", ""),
        ('"Marya"', ""),
        ("Q6", "x"),
    ]


def test_rows_that_a_person_has_copied_are_all_kept(new):
    lines = new.read_text().splitlines()
    new.write_text("\n".join([*lines, "x" + lines[1], "y" + lines[1]]) + "\n")
    again(new, *SAID)
    assert sorted(column(new, "accept")) == ["", "", "", "x", "y"]


def test_a_table_without_checksums_loses_nothing(new):
    edit(new, {"accept": "x", "sentence": "mine"}, {}, {"subject": "Maria"}, columns=DIFF_COLUMNS[:-1])
    again(new, "P742", "P26")
    assert [(row["property_id"], row["accept"], row["sentence"], row["subject"]) for row in rows(new)] == [
        ("P26", "x", "mine", CURIE),
        ("P742", "", rows(new)[1]["sentence"], "Maria"),
        ("P800", "", rows(new)[2]["sentence"], CURIE),
    ]


@pytest.mark.parametrize(("delimiter", "encoding"), [(";", "utf-8-sig"), (",", "utf-8"), ("\t", "utf-8-sig")])
def test_a_table_stays_in_the_form_in_which_it_was_saved(new, delimiter, encoding):
    edit(new, {"accept": "x"}, delimiter=delimiter, encoding=encoding)
    again(new, *SAID)
    assert new.read_bytes().startswith(b"\xef\xbb\xbf") == (encoding == "utf-8-sig")
    assert column(new, "accept", delimiter=delimiter) == ["x", "", ""]


@pytest.mark.parametrize(("name", "delimiter"), [("new.csv.gz", ","), ("new.tsv.gz", "\t")])
def test_a_compressed_table_keeps_its_answers(tmp_path, name, delimiter):
    first, path = graph(tmp_path / "graph.ttl", *SAID), tmp_path / name
    diff([first], path)
    text = gzip.decompress(path.read_bytes()).decode()
    path.write_bytes(gzip.compress(text.replace("\n", "\nx", 1).encode()))
    diff([first], path)
    written = io.StringIO(gzip.decompress(path.read_bytes()).decode())
    assert next(csv.DictReader(written, delimiter=delimiter))["accept"] == "x"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"name,answer\nCurie,x\n", "the columns accept, subject_item, property_id, value are missing"),
        ("accept\tsubject_item\tproperty_id\tvalue\nx\tQ1\tP1\tQ2\n".encode("utf-16"), "no table in UTF-8"),
        (b"PK\x03\x04\xff\xfe", "no table in UTF-8"),
        (b"\x1f\x8b\x08\x00cut", "damaged or cut"),
    ],
)
def test_a_file_that_is_no_such_table_is_not_written_over(tmp_path, content, message):
    path = tmp_path / "new.tsv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        diff([graph(tmp_path / "graph.ttl", *SAID)], path)
    assert "not written over" in str(caught.value)
    assert path.read_bytes() == content


def test_an_empty_file_is_no_table_yet(tmp_path):
    (tmp_path / "new.tsv").touch()
    diff([graph(tmp_path / "graph.ttl", *SAID)], tmp_path / "new.tsv")
    assert len(rows(tmp_path / "new.tsv")) == 3


def test_a_graph_that_cannot_be_read_leaves_the_table(new):
    edit(new, {"accept": "x"})
    before = new.read_bytes()
    (new.parent / "cut.ttl").write_text("<urn:a> <urn:b")
    with pytest.raises(InputError):
        diff([new.parent / "cut.ttl"], new)
    assert new.read_bytes() == before


def test_accepted_rows_that_are_no_longer_listed_are_counted_and_not_exported(new):
    edit(new, {"accept": "x"}, {"accept": "x"}, {})
    again(new, "P800")
    quickstatements = new.parent / "new.qs"
    summary = diff([new.parent / "again.ttl"], accept=new, quickstatements=quickstatements)
    assert quickstatements.read_text() == f"{CURIE}\tP800\tQ1128\n"
    assert (summary.left_out, summary.n_not_listed) == ([], 1)


### Names of tables


@pytest.mark.parametrize("name", ["new.xlsx", "new.ods", "new.XLS", "new.xlsx.gz", "new.json", "new.ttl"])
def test_what_is_no_table_in_plain_text_is_refused(tmp_path, name):
    with pytest.raises(InputError, match=r"end its name in .tsv"):
        diff([graph(tmp_path / "graph.ttl", *SAID)], tmp_path / name)
    assert not (tmp_path / name).exists()


@pytest.mark.parametrize("name", ["checks.xlsx", "checks.ods"])
def test_a_table_of_a_check_is_no_workbook_either(tmp_path, name):
    with Lookups(open_endpoint(WIKIDATA), cache=None) as lookups, pytest.raises(InputError, match=r"end its name in"):
        check([graph(tmp_path / "graph.ttl", *SAID)], lookups, csv=tmp_path / name)


@pytest.mark.parametrize(
    ("name", "delimiter"),
    [("a.tsv", "\t"), ("a.TAB", "\t"), ("a.csv", ","), ("a.csv.gz", ","), ("a.txt", ";"), ("a", ";")],
)
def test_the_name_says_what_parts_cells(name, delimiter):
    assert delimiter_of(name, default=";") == delimiter


def test_tabs_in_a_table_of_a_check_if_its_name_says_so(tmp_path):
    with Lookups(open_endpoint(WIKIDATA), cache=None) as lookups:
        check([graph(tmp_path / "graph.ttl", "P742")], lookups, csv=tmp_path / "checks.tsv")
    assert rows(tmp_path / "checks.tsv")[0]["subject_item"] == CURIE


### Cells


def test_a_formula_in_a_table_of_a_check_is_made_harmless(tmp_path, monkeypatch):
    monkeypatch.setitem(SAID, "P742", "=1+1")
    with Lookups(open_endpoint(WIKIDATA), cache=None) as lookups:
        check([graph(tmp_path / "graph.ttl", "P742")], lookups, csv=tmp_path / "checks.csv")
    assert rows(tmp_path / "checks.csv", ",")[0]["object"] == "'=1+1"


characters = st.characters(exclude_categories=["Cs"], exclude_characters="\0")  # Python 3.10 reads no NUL in a table
cells = st.text(characters) | st.text(alphabet="'=+-@1,. \t\r\n\"xä")


@given(st.lists(st.tuples(cells, cells, cells), min_size=1), st.sampled_from(["\t", ",", ";"]), st.booleans())
def test_what_is_written_is_read_back(tmp_path_factory, table, delimiter, has_mark):
    path = tmp_path_factory.mktemp("table") / "new.tsv"
    ours = ("accept", "value", "object")
    review = carry_over([dict(zip(ours, row, strict=True)) for row in table], None, ours)
    with path.open("wb") as file:
        write_table(review, file, ours, delimiter=delimiter, has_mark=has_mark)
    read = read_review(path, ours)
    assert [tuple(row[:3]) for _, row in read.rows] == table
    assert read.delimiter == delimiter
    again = carry_over([dict(zip(ours, row, strict=True)) for row in table], read, ours)
    assert (again.n_kept, again.n_not_listed) == (0, 0)


def test_a_row_is_found_again_whatever_parts_its_cells():
    table = Table(["accept", "subject_item", "property_id", "value", CHECKSUMS], [(2, ["x", "Q1", "P1", "Q2"])])
    cells = {"accept": "", "subject_item": "Q1", "property_id": "P1", "value": "Q2"}
    review = carry_over([cells], table, list(cells))
    assert [row for row, _, _ in review.rows] == [cells | {"accept": "x"}]
