"""`Relation` and `doc._.relations`: the one record that all parts of the package share.

What is kept on a Doc is plain data, `doc.user_data["kgmrca.relations"]`: a list of
`[subject start, subject end, object start, object end, label, score]` with character offsets into `doc.text`. It
survives `to_bytes`, `DocBin(store_user_data=True)`, pickling, `n_process > 1` and retokenising, and means the same for
two tokenisations of one text. Spans are made when the relations are read.

Importing this module registers three extensions:

- `doc._.relations`: None if nobody asked, () if nothing was found, else a tuple of `Relation`; can be assigned to.
- `span._.relations`: those of them whose both arguments lie in the span.
- `doc._.relations_json`: the same as plain dicts, for `doc.to_json(underscore=["relations_json"])`.
"""

import contextlib
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, TypeAlias

from spacy.tokens import Doc, Span

from kgmrca.errors import ExtensionError, InputError

__all__ = [
    "Record",
    "Relation",
    "get_records",
    "get_relations",
    "make_relations",
    "register_extensions",
    "set_records",
    "set_relations",
]

KEY = "kgmrca.relations"

Record: TypeAlias = tuple[int, int, int, int, str, float]
"""Subject start and end, object start and end (characters; ends exclusive), label, score."""


class Relation(NamedTuple):
    """One label of one ordered pair of spans; a pair with several labels has several of these."""

    subject: Span
    object: Span
    label: str
    score: float = 1.0


def get_records(doc: Doc) -> list[Record] | None:
    """The relations of a Doc as plain data, or None where nobody asked. No Span is made: use this in bulk."""
    stored = doc.user_data.get(KEY)
    # JSON and msgpack turn tuples into lists, DocBin lists into tuples: read both, give one.
    return None if stored is None else [tuple(record) for record in stored]


def set_records(doc: Doc, records: Iterable[Sequence[Any]] | None) -> None:
    """Store relations given as plain data; numbers become plain Python ones, which every format can hold."""
    if records is None:
        doc.user_data.pop(KEY, None)
    else:
        doc.user_data[KEY] = [
            [int(a), int(b), int(c), int(d), str(label), float(score)] for a, b, c, d, label, score in records
        ]


def get_relations(doc: Doc) -> tuple[Relation, ...] | None:
    """Read `doc._.relations` (see `make_relations`)."""
    records = get_records(doc)
    return None if records is None else make_relations(doc, records)


def make_relations(doc: Doc, records: Iterable[Record]) -> tuple[Relation, ...]:
    """Records with their spans. A span that is an entity, or is in a span group, keeps that label and `kb_id_`.

    Raises:
        InputError: the records belong to another text.
    """
    known: dict[tuple[int, int], Span] = {}
    for group in doc.spans.values():
        known.update(((span.start_char, span.end_char), span) for span in group)
    known.update(((span.start_char, span.end_char), span) for span in doc.ents)

    def span_at(start: int, end: int) -> Span:
        if (start, end) not in known:
            # After retokenising, a boundary may lie inside a token: the smallest span that covers it is meant.
            span = doc.char_span(start, end, alignment_mode="expand")
            if span is None:
                raise InputError(
                    f"doc._.relations names the characters {start} to {end}, but the text has {len(doc.text)}: "
                    "the relations belong to another text."
                )
            known[start, end] = span
        return known[start, end]

    return tuple(Relation(span_at(a, b), span_at(c, d), label, score) for a, b, c, d, label, score in records)


def set_relations(doc: Doc, relations: Iterable[Relation] | None) -> None:
    """Write `doc._.relations`: any iterable of `Relation` or of (subject, object, label[, score]); None forgets them.

    Raises:
        InputError: an item is not of that form, or its spans belong to another text.
    """
    if relations is None:
        set_records(doc, None)
        return
    records: list[Record] = []
    for item in relations:
        if not (isinstance(item, tuple) and 3 <= len(item) <= 4 and all(isinstance(end, Span) for end in item[:2])):
            raise InputError(f"doc._.relations takes (subject span, object span, label, score) tuples, not {item!r}.")
        relation = Relation(*item)
        for span in relation[:2]:
            if doc.text[span.start_char : span.end_char] != span.text:
                raise InputError(f"The span {span.text!r} is not in this Doc: relations need spans of the same text.")
        records.append(
            (
                relation.subject.start_char,
                relation.subject.end_char,
                relation.object.start_char,
                relation.object.end_char,
                relation.label,
                relation.score,
            )
        )
    set_records(doc, records)


def _span_relations(span: Span) -> tuple[Relation, ...] | None:
    relations = get_relations(span.doc)
    if relations is None:
        return None
    first, last = span.start_char, span.end_char
    return tuple(
        relation
        for relation in relations
        if all(first <= end.start_char and end.end_char <= last for end in relation[:2])
    )


def _relations_json(doc: Doc) -> list[dict[str, Any]] | None:
    records = get_records(doc)
    if records is None:
        return None
    return [
        {"subject": [a, b], "object": [c, d], "label": label, "score": score} for a, b, c, d, label, score in records
    ]


def register_extensions() -> None:
    """Register `doc._.relations`, `doc._.relations_json` and `span._.relations`; no harm in doing it again.

    Raises:
        ExtensionError: another package has one of these names.
    """
    _register(Doc, "relations", getter=get_relations, setter=set_relations)
    _register(Doc, "relations_json", getter=_relations_json)
    _register(Span, "relations", getter=_span_relations)


def _register(owner: type[Doc] | type[Span], name: str, **hooks: Any) -> None:
    if owner.has_extension(name):
        getter = owner.get_extension(name)[2]
        if getattr(getter, "__module__", None) == __name__:
            return
        held_by = getattr(getter, "__module__", None) or "other code, as a plain attribute"
        raise ExtensionError(
            f"{owner.__name__} already has an extension '{name}' (set by {held_by}), and kgmrca does not overwrite it. "
            f"Use one of the two in a process, or call {owner.__name__}.remove_extension('{name}') before adding "
            "kgmrca's component."
        )
    owner.set_extension(name, **hooks)


# spaCy imports every installed factory whenever a pipeline is made. Whoever merely has this package beside another
# owner of the name must not be stopped by that; the component, once asked for, says who owns it.
with contextlib.suppress(ExtensionError):
    register_extensions()
