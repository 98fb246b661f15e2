"""Tables that no spreadsheet runs, and that are read back as they were."""

import csv
import gzip
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kgmrca.errors import InputError
from kgmrca.ontology import load_mapping, load_ontology
from kgmrca.tables import guarded, plain_line, read_table, table_line, text_lines, unguarded

HOSTILE = [
    "=1+1",
    "+1+cmd|' /C calc'!A0",
    "-1+1",
    "@SUM(A1:A9)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "\tplain",
    "\rplain",
    " =1+1",
    "\u00a0=1+1",
    '"=1+1"',
    "' =1+1",
    "'=1+1",
    "''=1+1",
    "\ufeff=1+1",
    "\uff1d1+1",
    "-",
    "+48 22 123",
]
HARMLESS = ["", "Q90", "-4.2", "+7", "-0,5", "a=b", "'s-Hertogenbosch", "''", "'", '"said"', "x\ty", "0.9"]

cells = st.text(st.sampled_from("=+-@'\" \t\r\n,;xQ1.\ufeff\u00a0\uff1d"), max_size=8)


@pytest.mark.parametrize("cell", HOSTILE)
def test_a_cell_that_a_spreadsheet_would_run_is_made_harmless(cell):
    assert guarded(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", HARMLESS)
def test_any_other_cell_stays_as_it_is(cell):
    assert guarded(cell) == cell


@settings(max_examples=500, derandomize=True)
@given(cells)
def test_each_cell_is_read_back_as_it_was(cell):
    assert unguarded(guarded(cell)) == cell
    assert guarded(cell)[:1] not in ("=", "@", "\t", "\r", "\uff1d")


@settings(max_examples=200, derandomize=True)
@given(cells, cells)
def test_two_cells_are_never_written_alike(one, other):
    assert (guarded(one) == guarded(other)) == (one == other)


@settings(max_examples=200, derandomize=True)
@given(rows=st.lists(st.lists(cells, min_size=2, max_size=2), max_size=4), delimiter=st.sampled_from("\t,;"))
def test_a_table_is_read_back_as_it_was(rows, delimiter, tmp_path_factory):
    path = tmp_path_factory.mktemp("tables") / "table.csv"
    path.write_bytes(b"".join(table_line(row, delimiter=delimiter) for row in [["one", "two"], *rows]))
    found = read_table(path)
    assert found[0] == delimiter
    assert [row for _, row in found[1]] == [["one", "two"], *rows]


def test_others_read_the_same_cells_but_for_the_apostrophe():
    line = table_line(["=1", 'say "x"', "a,b", "two\r\nlines"]).decode()
    assert next(csv.reader(io.StringIO(line, newline=""))) == ["'=1", 'say "x"', "a,b", "two\r\nlines"]


def test_a_line_for_a_program_has_cells_as_they_are():
    assert plain_line(["=1", -5]) == b"=1,-5\n"


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_table_may_be_compressed_and_have_a_mark_and_any_line_ends(tmp_path, pack):
    path = tmp_path / "table.csv"
    path.write_bytes(pack("\ufeffa;b\r\né;2\r3;4\n".encode()))
    assert read_table(path) == (";", [(1, ["a", "b"]), (2, ["é", "2"]), (3, ["3", "4"])])


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b"a,b\nx,\xe9\n", "line 2.* byte 3 of the line is 0xe9"),
        ("a,b\n".encode("utf-16"), "line 1.* byte 1 of the line is 0xff"),
        (b"PK\x03\x04\xff", "line 1.* byte 5"),
    ],
)
def test_what_is_not_utf8_is_refused_with_its_place(tmp_path, content, place):
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=rf"table\.csv, {place}.*CSV UTF-8"):
        read_table(path)


def test_damaged_data_and_long_cells_are_refused_in_words(tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes(gzip.compress(b"a,b\n" * 100)[:-9])
    with pytest.raises(InputError, match=r"table\.csv: the compressed data are damaged or cut"):
        list(text_lines(path))
    path.write_bytes(b"a,b\n" + b"x" * 200_000 + b",y\n")
    with pytest.raises(InputError, match=r"table\.csv, line 2: this is no table"):
        read_table(path)


@pytest.mark.parametrize("load", [load_ontology, load_mapping])
def test_a_mapping_that_is_not_utf8_is_refused_with_its_place(tmp_path, load):
    path = tmp_path / "mapping.tsv"
    path.write_bytes(b"subject_label\tpredicate_id\tobject_id\nn\xe9\tskos:exactMatch\twikidata:P19\n")
    with pytest.raises(InputError, match=r"mapping\.tsv, line 2: .*byte 2 of the line is 0xe9"):
        load(path)
