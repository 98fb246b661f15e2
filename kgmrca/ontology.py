"""What is known about relation labels, from the tables in `ontologies/`.

The predicate that stands for a label in RDF, the types of entities that a label can relate, and the labels that a data
set's own predicates stand for.
"""

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from kgmrca.errors import InputError
from kgmrca.resources import resource

__all__ = [
    "TYPES",
    "WIKIDATA_ENTITY",
    "Mapped",
    "Ontology",
    "load_mapping",
    "load_ontology",
    "load_types",
    "wikidata_predicate",
]

WIKIDATA_ENTITY = "http://www.wikidata.org/entity/"
TYPES = frozenset({"PER", "ORG", "LOC", "TIME", "NUM", "MISC", "TERM"})
"""The types of entities, as `ontologies/types.tsv` explains them."""

_WIKIDATA_DIRECT = "http://www.wikidata.org/prop/direct/"
_RELATIONS = "ontologies/relations.sssom.tsv"
_COLUMNS = ("subject_label", "predicate_id", "object_id")
_USED = frozenset({"skos:exactMatch", "skos:closeMatch", "owl:inverseOf"})
_MATCHES = _USED | {"skos:broadMatch", "skos:narrowMatch", "skos:relatedMatch"}


@dataclass(frozen=True, slots=True)
class Ontology:
    """A set of labels, each with the IRI of its predicate."""

    predicates: Mapping[str, str]

    def predicate(self, label: str) -> str | None:
        """The IRI for a label such as "place of birth", or None for a label that the mapping does not know."""
        return self.predicates.get(label)

    def label_of(self, name: str) -> str | None:
        """The label of a Wikidata property such as "P19"; None if no label stands for it (the first, if several do)."""
        predicate = wikidata_predicate(name)
        return next((label for label, known in self.predicates.items() if known == predicate), None)


@dataclass(frozen=True, slots=True)
class Mapped:
    """The label that a data set's predicate is turned into."""

    label: str
    reversed: bool = False  # the label's subject is the predicate's object, and the other way round


@cache
def load_ontology(path: Path | None = None) -> Ontology:
    """Read a mapping in SSSOM TSV (https://mapping-commons.github.io/sssom/); without a path, the one that ships.

    Used are the rows whose predicate is `skos:exactMatch`. An object that is a Wikidata property stands for its
    "direct" predicate: `wikidata:P19` becomes `http://www.wikidata.org/prop/direct/P19`.

    Raises:
        InputError: the file is not such a mapping, or gives one label two predicates.
    """
    prefixes, rows = _read_table(path or resource(_RELATIONS), _COLUMNS)
    predicates: dict[str, str] = {}
    for where, row in rows:
        if row["predicate_id"] != "skos:exactMatch":
            continue
        predicate = _predicate(row["object_id"], prefixes, where)
        if predicates.setdefault(row["subject_label"], predicate) != predicate:
            raise InputError(f"{where}: the label '{row['subject_label']}' already stands for another predicate.")
    return Ontology(predicates)


def load_mapping(path: Path) -> dict[str, Mapped | None]:
    """Read which of our labels the predicates of a data set stand for, from SSSOM TSV.

    `skos:exactMatch` and `skos:closeMatch` give the label of the object's property in the mapping that ships with the
    package (`load_ontology`), `owl:inverseOf` gives it with subject and object exchanged. A predicate that has only
    properties broader or narrower than itself, or merely related, is known but cannot be turned into one label: None.

    Raises:
        InputError: the file is not such a mapping, gives one predicate two labels, or names a property without a label.
    """
    prefixes, rows = _read_table(path, _COLUMNS)
    labels = {predicate: label for label, predicate in load_ontology().predicates.items()}
    mapping: dict[str, Mapped | None] = {}
    for where, row in rows:
        name, match = row["subject_label"], row["predicate_id"]
        if match not in _MATCHES:
            raise InputError(f"{where}: '{match}' is none of {', '.join(sorted(_MATCHES))}.")
        predicate = _predicate(row["object_id"], prefixes, where)
        known = mapping.setdefault(name, None)
        if match not in _USED:
            continue
        if predicate not in labels:
            raise InputError(f"{where}: no label stands for '{row['object_id']}'; give it a row in {_RELATIONS}.")
        mapped = Mapped(labels[predicate], reversed=match == "owl:inverseOf")
        if known not in (None, mapped):
            raise InputError(f"{where}: the predicate '{name}' already stands for another label.")
        mapping[name] = mapped
    return mapping


@cache
def load_types(path: Path | None = None) -> dict[str, tuple[frozenset[str], frozenset[str]]]:
    """Read which types (of `TYPES`) the subject and the object of each label can have; without a path, what ships.

    The result is read once and shared: do not change it.

    Raises:
        InputError: the file is not such a table, or it has a label twice, without a type, or with an unknown one.
    """
    _, rows = _read_table(path or resource("ontologies/types.tsv"), ("label", "subject_types", "object_types"))
    types: dict[str, tuple[frozenset[str], frozenset[str]]] = {}
    for where, row in rows:
        subject, object_ = (frozenset(row[column].split("|")) for column in ("subject_types", "object_types"))
        if unknown := sorted((subject | object_) - TYPES):
            raise InputError(f"{where}: '{unknown[0]}' is not a type; these are: {', '.join(sorted(TYPES))}.")
        if row["label"] in types:
            raise InputError(f"{where}: the label '{row['label']}' has a row already.")
        types[row["label"]] = subject, object_
    return types


def wikidata_predicate(name: str) -> str | None:
    """The IRI of the direct predicate of a Wikidata property such as "P19"; None if `name` is not one."""
    return _WIKIDATA_DIRECT + name if re.fullmatch(r"P[1-9][0-9]*", name) else None


def _read_prefixes(header: list[str]) -> dict[str, str]:
    # The header is YAML in comments. Its only indented lines of the form `name: IRI` are those of curie_map.
    found = (re.fullmatch(r"""#\s+([\w.-]+):\s+["']?([^\s"']+)["']?\s*""", line) for line in header)
    return {match[1]: match[2] for match in found if match}


def _predicate(curie: str, prefixes: Mapping[str, str], where: str) -> str:
    prefix, _, local = curie.partition(":")
    if prefix not in prefixes:
        raise InputError(f"{where}: the prefix of '{curie}' is not in the header's curie_map.")
    predicate = wikidata_predicate(local) if prefixes[prefix] == WIKIDATA_ENTITY else prefixes[prefix] + local
    if predicate is None:
        raise InputError(f"{where}: '{curie}' is not a Wikidata property (P and a number).")
    return predicate


def _read_table(path: Path, columns: tuple[str, ...]) -> tuple[dict[str, str], list[tuple[str, dict[str, str]]]]:
    """The prefixes of the header (lines that begin with `#`), and the rows, each with the words for where it is."""
    lines = path.read_text(encoding="utf-8").splitlines()
    n_header = next((number for number, line in enumerate(lines) if not line.startswith("#")), len(lines))
    reader = csv.DictReader(lines[n_header:], delimiter="\t")
    if missing := [column for column in columns if column not in (reader.fieldnames or ())]:
        raise InputError(f"{path}, line {n_header + 1}: the columns {', '.join(missing)} are missing.")
    rows = []
    for row in reader:
        where = f"{path}, line {n_header + reader.line_num}"
        if None in row or None in row.values():
            raise InputError(f"{where}: {len(reader.fieldnames or ())} cells are expected, one per column.")
        rows.append((where, row))
    return _read_prefixes(lines[:n_header]), rows
