"""Entity types: one scheme for all pipelines, and which types a relation can hold between."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from kgmrca.errors import InputError
from kgmrca.ontology import TYPES, load_types

__all__ = [
    "VALUE_LABELS",
    "VALUE_TYPES",
    "Combinations",
    "allowed",
    "check_type_map",
    "coarse_type",
    "find_rules",
    "type_numbers",
]

_COARSE = {
    **{name: name for name in TYPES},  # CoNLL-2003, Wikigold, Universal NER and DocRED have no others
    "PERSON": "PER",
    "GPE": "LOC",
    "FAC": "LOC",
    "FACILITY": "LOC",
    "LOCATION": "LOC",
    "NORP": "LOC",  # the training data has "German" and "French" as LOC
    "ORGANIZATION": "ORG",
    "EVENT": "MISC",
    "WORK_OF_ART": "MISC",
    "PRODUCT": "MISC",
    "LANGUAGE": "MISC",
    "LAW": "MISC",
    "OTH": "MISC",  # Universal NER's, where it is kept
    "DATE": "TIME",
    "CARDINAL": "NUM",
    "ORDINAL": "NUM",
    "QUANTITY": "NUM",
    "PERCENT": "NUM",
    "MONEY": "NUM",
    # WNUT17
    **dict.fromkeys(("CORPORATION", "GROUP"), "ORG"),
    "CREATIVE-WORK": "MISC",
    # CrossNER
    **dict.fromkeys(("MUSICALARTIST", "POLITICIAN", "RESEARCHER", "SCIENTIST", "WRITER"), "PER"),
    **dict.fromkeys(("BAND", "ORGANISATION", "POLITICALPARTY", "UNIVERSITY"), "ORG"),
    "COUNTRY": "LOC",
    **dict.fromkeys(("ACADEMICJOURNAL", "ALBUM", "ASTRONOMICALOBJECT", "AWARD", "BOOK", "CONFERENCE"), "MISC"),
    **dict.fromkeys(("ELECTION", "MAGAZINE", "POEM", "PROGRAMLANG", "SONG", "THEORY"), "MISC"),
    **dict.fromkeys(("ALGORITHM", "CHEMICALCOMPOUND", "CHEMICALELEMENT", "DISCIPLINE", "ENZYME", "FIELD"), "TERM"),
    **dict.fromkeys(("LITERARYGENRE", "METRICS", "MUSICALINSTRUMENT", "MUSICGENRE", "PROTEIN", "TASK"), "TERM"),
}
VALUE_TYPES = frozenset({"TIME", "NUM"})
"""The types whose mentions are values: dates, times and numbers."""

VALUE_LABELS = frozenset(label for label, type_ in _COARSE.items() if type_ in VALUE_TYPES)
"""The labels of these types in all schemes. Mentions with these labels become literals, if they are objects."""

_NUMBERS = {name: number for number, name in enumerate(sorted(TYPES), start=1)}  # 0: not known

_MIN_OF_COMBINATION = 2  # a single one may be a mistake
_MIN_OF_LABEL = 5  # fewer examples do not show all combinations that a label can have

Combinations = Mapping[str, Mapping[tuple[str, str], float]]
"""For each label how often it relates a subject of one type to an object of another (coarse types)."""


def coarse_type(label: str, type_map: Mapping[str, str] | None = None) -> str:
    """The type of an entity whose label is of OntoNotes, CoNLL-2003, Wikigold, Universal NER, WNUT17, CrossNER or
    DocRED.

    The types are PER, ORG, LOC (nationalities too), TIME, NUM, MISC (named works, events, products, languages) and
    TERM (common nouns such as genres, professions, sports, ranks). A label of none of these schemes is given back as it
    is, and so is that of mentions without a type (`corpora.annotated.UNTYPED`): the type is not known. Upper and lower
    case are the same.

    >>> coarse_type("PERSON"), coarse_type("gpe"), coarse_type("GENE")
    ('PER', 'LOC', 'GENE')

    Args:
        label: the entity's label.
        type_map: more labels, or other types for these, as `check_type_map` gives it.
    """
    name = label.upper()
    return (type_map or {}).get(name) or _COARSE.get(name, label)


def check_type_map(type_map: Mapping[str, str]) -> dict[str, str]:
    """A user's `label -> type` with the labels in upper case.

    Raises:
        InputError: a type is none of the scheme.

    >>> check_type_map({"gene": "TERM"})
    {'GENE': 'TERM'}
    """
    for label, name in type_map.items():
        if name not in TYPES:
            raise InputError(
                f"type_map: '{name}' (for '{label}') is not a type; these are: {', '.join(sorted(TYPES))}."
            )
    return {label.upper(): name for label, name in type_map.items()}


def type_numbers(types: Sequence[str]) -> NDArray[np.int64]:
    """The numbers of coarse types, which are places in the table that `allowed` makes; 0: not known.

    >>> type_numbers(["", "LOC"]).tolist()
    [0, 1]
    """
    return np.array([_NUMBERS.get(name, 0) for name in types], np.int64)


def find_rules(combinations: Combinations, labels: Iterable[str]) -> dict[str, list[str]]:
    """Which combinations of types a label can have: `label -> ["PER LOC", ...]`, subject first.

    These are the combinations that it has at least twice in the data, and those of the ontology
    (`ontology.load_types`). A label that is not in the ontology gets no rule if it has fewer than five examples with
    known types, or no combination twice.

    >>> find_rules({"haunts": {("MISC", "LOC"): 9.0, ("PER", "LOC"): 1.0}}, ["haunts"])
    {'haunts': ['MISC LOC']}
    """
    rules = {}
    for label in labels:
        known = {pair: count for pair, count in combinations.get(label, {}).items() if set(pair) <= TYPES}
        found = {pair for pair, count in known.items() if count >= _MIN_OF_COMBINATION}
        if label in load_types():
            subjects, objects = load_types()[label]
            found |= {(subject, object_) for subject in subjects for object_ in objects}
        elif sum(known.values()) < _MIN_OF_LABEL:
            continue
        if found:
            rules[label] = sorted(map(" ".join, found))
    return rules


def allowed(rules: Mapping[str, Sequence[str]], labels: Sequence[str]) -> NDArray[np.bool_]:
    """Rules as a table [types + 1, types + 1, labels], by `type_numbers` of subject and object.

    A label without a rule is allowed between all types. Where a type is not known, all labels are allowed.

    >>> table = allowed({"place of birth": ["PER LOC"]}, ["place of birth"])
    >>> person, place = type_numbers(["PER", "LOC"])
    >>> bool(table[person, place, 0]), bool(table[place, person, 0])
    (True, False)
    """
    table = np.ones((len(_NUMBERS) + 1, len(_NUMBERS) + 1, len(labels)), bool)
    for column, label in enumerate(labels):
        if label in rules:
            table[1:, 1:, column] = False
            pairs = np.array([type_numbers(pair.split()) for pair in rules[label]])
            table[pairs[:, 0], pairs[:, 1], column] = True
    return table
