"""From a relation's label to the predicate that stands for it in RDF, read from `ontologies/relations.sssom.tsv`."""

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from kgmrca.errors import InputError
from kgmrca.resources import resource

__all__ = ["WIKIDATA_ENTITY", "Ontology", "load_ontology", "wikidata_predicate"]

WIKIDATA_ENTITY = "http://www.wikidata.org/entity/"
_WIKIDATA_DIRECT = "http://www.wikidata.org/prop/direct/"
_COLUMNS = ("subject_label", "predicate_id", "object_id")


@dataclass(frozen=True, slots=True)
class Ontology:
    """A set of labels, each with the IRI of its predicate."""

    predicates: Mapping[str, str]

    def predicate(self, label: str) -> str | None:
        """The IRI for a label such as "place of birth", or None for a label that the mapping does not know."""
        return self.predicates.get(label)


@cache
def load_ontology(path: Path | None = None) -> Ontology:
    """Read a mapping in SSSOM TSV (https://mapping-commons.github.io/sssom/); without a path, the one that ships.

    Used are the rows whose predicate is `skos:exactMatch`. An object that is a Wikidata property stands for its
    "direct" predicate: `wikidata:P19` becomes `http://www.wikidata.org/prop/direct/P19`.

    Raises:
        InputError: the file is not such a mapping, or gives one label two predicates.
    """
    path = path or resource("ontologies/relations.sssom.tsv")
    lines = path.read_text(encoding="utf-8").splitlines()
    n_header = next((number for number, line in enumerate(lines) if not line.startswith("#")), len(lines))
    prefixes = _read_prefixes(lines[:n_header])
    rows = csv.DictReader(lines[n_header:], delimiter="\t")
    if missing := [column for column in _COLUMNS if column not in (rows.fieldnames or ())]:
        raise InputError(f"{path}, line {n_header + 1}: the columns {', '.join(missing)} are missing.")
    predicates: dict[str, str] = {}
    for row in rows:
        where = f"{path}, line {n_header + rows.line_num}"
        if None in row or None in row.values():
            raise InputError(f"{where}: {len(rows.fieldnames or ())} cells are expected, one per column.")
        if row["predicate_id"] != "skos:exactMatch":
            continue
        prefix, _, local = row["object_id"].partition(":")
        if prefix not in prefixes:
            raise InputError(f"{where}: the prefix of '{row['object_id']}' is not in the header's curie_map.")
        predicate = wikidata_predicate(local) if prefixes[prefix] == WIKIDATA_ENTITY else prefixes[prefix] + local
        if predicate is None:
            raise InputError(f"{where}: '{row['object_id']}' is not a Wikidata property (P and a number).")
        if predicates.setdefault(row["subject_label"], predicate) != predicate:
            raise InputError(f"{where}: the label '{row['subject_label']}' already stands for another predicate.")
    return Ontology(predicates)


def wikidata_predicate(name: str) -> str | None:
    """The IRI of the direct predicate of a Wikidata property such as "P19"; None if `name` is not one."""
    return _WIKIDATA_DIRECT + name if re.fullmatch(r"P[1-9][0-9]*", name) else None


def _read_prefixes(header: list[str]) -> dict[str, str]:
    # The header is YAML in comments. Its only indented lines of the form `name: IRI` are those of curie_map.
    found = (re.fullmatch(r"""#\s+([\w.-]+):\s+["']?([^\s"']+)["']?\s*""", line) for line in header)
    return {match[1]: match[2] for match in found if match}
