"""`Relation` and `doc._.relations`, which all parts of the package share.

A Doc holds its relations as plain data, `doc.user_data["kgmrca.relations"]`: a list of
`[subject start, subject end, object start, object end, label, score]` with character offsets into `doc.text`. It
survives `to_bytes`, `DocBin(store_user_data=True)`, pickling, `n_process > 1` and retokenising, and means the same for
two tokenisations of one text. Spans are made when the relations are read.

Beside it lies a checksum of the words of each relation, under a key that spaCy moves along when it makes a Doc of a
span. So a Doc of `span.as_doc(copy_user_data=True)` has the relations that lie in it, and a Doc that got the data of
another text has none. `Doc.from_docs` leaves the relations out; `from_docs` of this module brings them along.

Importing this module registers three extensions:

- `doc._.relations`: a tuple of `Relation`, () if none was found, None if no component has looked; can be assigned to.
- `span._.relations`: those of them whose subject and object lie in the span.
- `doc._.relations_json`: all that are stored, as plain dicts with characters in place of spans, for
  `doc.to_json(underscore=["relations_json"])`.
"""

import contextlib
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from spacy.tokens import Doc, Span

from kgmrca.entities import CLUSTERS, cluster_keys, known_spans, register_entities, register_extension
from kgmrca.errors import ExtensionError, InputError
from kgmrca.ontology import load_ontology, wikidata_predicate

__all__ = [
    "PlainRelation",
    "Relation",
    "Threshold",
    "as_dict",
    "entity_numbers",
    "from_docs",
    "get_plain_relations",
    "get_relations",
    "make_relations",
    "register_extensions",
    "set_plain_relations",
    "set_relations",
]

KEY = "kgmrca.relations"

_CHECKS = ("._.", "kgmrca.relations.checks", 0, None)
"""spaCy's form of a key with a place in the text: `Span.as_doc` moves the place, which is then not 0 any more."""

PlainRelation: TypeAlias = tuple[int, int, int, int, str, float]
"""Subject start and end, object start and end (characters; ends exclusive), label, score."""

Threshold: TypeAlias = float | str | Mapping[str, float]
"""The score from which a label is given: one number, one per label, or the name of an operating point."""


class Relation(NamedTuple):
    """One label of one ordered pair of spans; a pair with several labels has several of these.

    Where entities of a document are related, subject and object are the mentions that the score rests on, and may
    stand in different sentences. `relation.subject._.entity` is the entity, with its name and all its mentions.

    >>> import spacy
    >>> doc = spacy.blank("en")("Curie was born in Warsaw.")
    >>> Relation(doc[0:1], doc[4:5], "place of birth", 0.9).predicate
    'http://www.wikidata.org/prop/direct/P19'
    """

    subject: Span
    object: Span
    label: str
    score: float = 1.0

    @property
    def predicate(self) -> str | None:
        """The IRI of the Wikidata predicate that stands for the label; None if none does.

        A label that is itself a Wikidata property, such as "P6553", stands for that. A label for which there is none
        gets a predicate of its own where it is written as RDF, under the base of that graph (see `statements`).

        `load_ontology("dbpedia").predicate(relation.label)` gives the predicate of another ontology, whose name or file
        `load_ontology` takes. Some predicates of other ontologies run from the object to the subject (`is_reversed`);
        none of Wikidata's does.
        """
        return load_ontology().predicate(self.label) or wikidata_predicate(self.label)

    @property
    def evidence(self) -> tuple[Span, ...]:
        """The sentence that subject and object stand in, or both sentences in the order of the text.

        () where no component has set sentence boundaries. `nlp.add_pipe("sentencizer", first=True)` sets them.

        >>> import spacy
        >>> nlp = spacy.blank("en")
        >>> pipe = nlp.add_pipe("sentencizer")
        >>> doc = nlp("This is Curie. Snow fell. She was born in Warsaw.")
        >>> Relation(doc[2:3], doc[11:12], "place of birth").evidence
        (This is Curie., She was born in Warsaw.)
        """
        try:
            sentences = {span.sent.start: span.sent for span in self[:2]}
        except ValueError:  # spaCy's, where there are no boundaries
            return ()
        return tuple(sentences[start] for start in sorted(sentences))


def get_plain_relations(doc: Doc) -> list[PlainRelation] | None:
    """The relations of a Doc as plain data, or None if no component has looked for any.

    No Span is made, so this is for bulk.

    >>> import spacy
    >>> doc = spacy.blank("en")("Curie was born in Warsaw.")
    >>> set_plain_relations(doc, [(0, 5, 18, 24, "place of birth", 0.9)])
    >>> get_plain_relations(doc)
    [(0, 5, 18, 24, 'place of birth', 0.9)]
    """
    stored = doc.user_data.get(KEY)
    if stored is None:
        return None
    # JSON and msgpack turn tuples into lists, DocBin lists into tuples: read both, give one.
    plain: list[PlainRelation] = [tuple(relation) for relation in stored]
    key = _CHECKS if _CHECKS in doc.user_data else next(filter(_is_checks, doc.user_data), None)
    if key is None:  # written by hand or by an earlier version, and therefore without checksums
        return plain
    return _within(doc.text, plain, doc.user_data[key], moved=key[2])


def _is_checks(key: Any) -> bool:
    return isinstance(key, tuple) and key[:2] == _CHECKS[:2]


def _within(
    text: str, relations: Sequence[PlainRelation], checks: Sequence[int], *, moved: int
) -> list[PlainRelation] | None:
    """The relations whose words lie in the text, at their places there; None where the text has other words there.

    Args:
        checks: the checksum of each relation (see `_check`).
        moved: where the text begins that the relations were made for; at or before the start of this one.
    """
    if len(checks) != len(relations):  # changed by hand
        return None if moved else list(relations)
    found = []
    for (a, b, c, d, label, score), check in zip(relations, checks, strict=True):
        place = a + moved, b + moved, c + moved, d + moved
        if min(place) < 0 or max(place) > len(text):
            continue
        if _check(text, *place) != check:
            return None
        found.append((*place, label, score))
    return found


def _check(text: str, a: int, b: int, c: int, d: int) -> int:
    """A checksum of the words of the subject and the object."""
    return zlib.crc32(f"{text[a:b]}\n{text[c:d]}".encode("utf-8", "surrogatepass"))


def set_plain_relations(doc: Doc, relations: Iterable[Sequence[Any]] | None) -> None:
    """Store relations given as plain data; numbers become plain Python ones, which every format can hold.

    >>> import spacy
    >>> doc = spacy.blank("en")("Curie was born in Warsaw.")
    >>> set_plain_relations(doc, [(0, 5, 18, 24, "place of birth", 0.9)])
    >>> doc._.relations[0].object
    Warsaw
    """
    for key in [key for key in doc.user_data if key == KEY or _is_checks(key)]:
        del doc.user_data[key]
    if relations is not None:
        stored: list[Any] = [
            [int(a), int(b), int(c), int(d), str(label), float(score)] for a, b, c, d, label, score in relations
        ]
        text = doc.text
        doc.user_data[KEY] = stored
        doc.user_data[_CHECKS] = [_check(text, a, b, c, d) for a, b, c, d, *_ in stored]


def from_docs(
    docs: Iterable[Doc],
    ensure_whitespace: bool = True,
    attrs: Sequence[int | str] | None = None,
    *,
    exclude: Iterable[str] = (),
) -> Doc | None:
    """One Doc of several, as `Doc.from_docs` makes it, with their relations, and with the clusters of each as its own.

    spaCy's function would make one cluster of all those that have the same number, `coref_clusters_1` of every Doc.

    >>> import spacy, kgmrca
    >>> nlp = spacy.blank("en")
    >>> one, two = nlp("Marie Curie lived in Paris."), nlp("Orson Welles directed Citizen Kane.")
    >>> two._.relations = [(two[3:5], two[0:2], "director")]
    >>> kgmrca.from_docs([one, two])._.relations
    (Relation(subject=Citizen Kane, object=Orson Welles, label='director', score=1.0),)

    Args:
        docs: Docs of one vocabulary. Some may have no relations set.
        ensure_whitespace: put a space between two Docs where there is none.
        attrs: the attributes of tokens to keep, as numbers or names. None: all.
        exclude: parts to leave out, of "spans", "tensor" and "user_data". Relations are user data.

    Returns:
        The Doc, or None if there are no Docs; `doc._.relations` is None where it is None in all of them.

    Raises:
        InputError: `docs` is one Doc, or has something else in it than Docs.
    """
    copies, found = [], []
    n_tokens = n_clusters = 0
    for doc in _checked_docs(docs):
        copy = doc.copy()
        clusters = [list(copy.spans.pop(key)) for key in cluster_keys(copy.spans)]
        for number, cluster in enumerate(clusters, start=n_clusters + 1):
            copy.spans[f"{CLUSTERS}_{number}"] = cluster
        n_clusters += len(clusters)
        set_plain_relations(copy, None)  # because spaCy warns of user data that it does not know how to merge
        copies.append(copy)
        found.append((n_tokens, get_plain_relations(doc)))
        n_tokens += len(doc)
    exclude = tuple(exclude)
    merged = Doc.from_docs(copies, ensure_whitespace, attrs, exclude=exclude)
    if merged is None or "user_data" in exclude or all(relations is None for _, relations in found):
        return merged
    set_plain_relations(
        merged,
        [
            (a + start, b + start, c + start, d + start, label, score)
            for start, relations in ((merged[first].idx, relations) for first, relations in found if relations)
            for a, b, c, d, label, score in relations
        ],
    )
    return merged


def _checked_docs(docs: Any) -> list[Doc]:
    """The Docs as a list.

    Raises:
        InputError: it is one Doc, or not Docs.
    """
    if isinstance(docs, Doc):
        raise InputError("from_docs takes several Docs, not one: give it a list, as in from_docs([doc, other]).")
    if not isinstance(docs, Iterable):
        raise InputError(f"from_docs takes an iterable of Docs, not {docs!r}.")
    checked = []
    for doc in docs:
        if not isinstance(doc, Doc):
            raise InputError(f"from_docs takes Docs, not {doc!r}. `nlp(text)` makes a Doc of a text.")
        checked.append(doc)
    return checked


def get_relations(doc: Doc) -> tuple[Relation, ...] | None:
    """The relations of a Doc, as `doc._.relations` gives them (see `make_relations`).

    >>> import spacy
    >>> doc = spacy.blank("en")("Curie was born in Warsaw.")
    >>> doc._.relations = [(doc[0:1], doc[4:5], "place of birth")]
    >>> [(relation.subject, relation.label, relation.object) for relation in get_relations(doc)]
    [(Curie, 'place of birth', Warsaw)]
    """
    plain = get_plain_relations(doc)
    return None if plain is None else make_relations(doc, plain)


def make_relations(doc: Doc, plain: Iterable[PlainRelation]) -> tuple[Relation, ...]:
    """Relations with spans, from plain data. A span of `doc.ents` or of a span group keeps its label and `kb_id_`.

    After retokenising, a boundary may lie inside a token. The smallest span that covers the characters is meant then.
    A relation is left out where such a span reaches into the other one of the pair, because it is not what was found.

    Raises:
        InputError: the relations belong to another text.
    """
    known = known_spans(doc)

    def span_at(start: int, end: int) -> Span:
        if (start, end) not in known:
            span = doc.char_span(start, end, alignment_mode="expand")
            if span is None:
                raise InputError(
                    f"doc._.relations names the characters {start} to {end}, but the text has {len(doc.text)}: "
                    "the relations belong to another text."
                )
            known[start, end] = span
        return known[start, end]

    found = []
    for a, b, c, d, label, score in plain:
        relation = Relation(span_at(a, b), span_at(c, d), label, score)
        if _overlap(a, b, c, d) or not _overlap(
            relation.subject.start_char, relation.subject.end_char, relation.object.start_char, relation.object.end_char
        ):
            found.append(relation)
    return tuple(found)


def _overlap(a: int, b: int, c: int, d: int) -> bool:
    return max(a, c) < min(b, d)


def set_relations(doc: Doc, relations: Iterable[Relation] | None) -> None:
    """Write `doc._.relations`: any iterable of `Relation` or of (subject, object, label[, score]); None removes them.

    Raises:
        InputError: an item is not of that form, or its spans belong to another text.

    >>> import spacy
    >>> doc = spacy.blank("en")("Curie was born in Warsaw.")
    >>> set_relations(doc, [(doc[0:1], doc[4:5], "place of birth")])
    >>> doc._.relations
    (Relation(subject=Curie, object=Warsaw, label='place of birth', score=1.0),)
    """
    if relations is None:
        set_plain_relations(doc, None)
        return
    plain: list[PlainRelation] = []
    for item in relations:
        if not (isinstance(item, tuple) and 3 <= len(item) <= 4 and all(isinstance(end, Span) for end in item[:2])):
            raise InputError(f"doc._.relations takes (subject span, object span, label, score) tuples, not {item!r}.")
        relation = Relation(*item)
        for span in relation[:2]:
            if doc.text[span.start_char : span.end_char] != span.text:
                raise InputError(f"The span {span.text!r} is not in this Doc: relations need spans of the same text.")
        plain.append(
            (
                relation.subject.start_char,
                relation.subject.end_char,
                relation.object.start_char,
                relation.object.end_char,
                relation.label,
                relation.score,
            )
        )
    set_plain_relations(doc, plain)


def as_dict(doc: Doc) -> dict[str, Any]:
    """The entities and relations of a Doc as plain data for JSON. Places are characters; ends are exclusive.

    >>> import spacy
    >>> nlp = spacy.blank("en")
    >>> nlp.add_pipe("entity_ruler").add_patterns([{"label": "PERSON", "pattern": "Curie"}])
    >>> doc = nlp("Curie was born in Warsaw.")
    >>> doc._.relations = [(doc[0:1], doc[4:5], "place of birth", 0.9)]
    >>> as_dict(doc)["relations"][0]["subject"]
    {'text': 'Curie', 'start': 0, 'end': 5, 'type': 'PERSON', 'entity': 0}
    """
    entities, numbers = doc._.entities, entity_numbers(doc)

    def end(span: Span) -> dict[str, Any]:
        number = numbers.get((span.start_char, span.end_char))
        type_ = span.label_ if number is None else entities[number].mentions[0].label_
        return {**_place(span), "type": type_, "entity": number}

    return {
        "text": doc.text,
        "entities": [
            {
                "name": entity.name,
                "type": entity.mentions[0].label_,
                "item": entity.item,
                "mentions": [_place(span) for span in sorted(entity.mentions)],
            }
            for entity in entities
        ],
        "relations": [
            {
                "subject": end(relation.subject),
                "label": relation.label,
                "predicate": relation.predicate,
                "object": end(relation.object),
                "score": relation.score,
            }
            for relation in doc._.relations
        ],
    }


def entity_numbers(doc: Doc) -> dict[tuple[int, int], int]:
    """The number of the entity that each mention (characters) is one of."""
    return {
        (span.start_char, span.end_char): number
        for number, entity in enumerate(doc._.entities)
        for span in entity.mentions
    }


def _place(span: Span) -> dict[str, Any]:
    return {"text": span.text, "start": span.start_char, "end": span.end_char}


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
    plain = get_plain_relations(doc)
    if plain is None:
        return None
    return [{"subject": [a, b], "object": [c, d], "label": label, "score": score} for a, b, c, d, label, score in plain]


def register_extensions() -> None:
    """Register `doc._.relations`, `doc._.relations_json`, `span._.relations`, and what `entities` has.

    There is no harm in doing it again.

    Raises:
        ExtensionError: another package has one of these names.
    """
    register_entities()
    register_extension(Doc, "relations", getter=get_relations, setter=set_relations)
    register_extension(Doc, "relations_json", getter=_relations_json)
    register_extension(Span, "relations", getter=_span_relations)


# spaCy imports every installed factory whenever a pipeline is made. That must not fail where another package has one of
# these names. The component, once it is added, says which package that is.
with contextlib.suppress(ExtensionError):
    register_extensions()
