"""`Entity` and `doc._.entities`: what a document is about, each with all its mentions.

Nothing is stored for it. Entities are made of what is on the Doc when they are asked for: the named entities of
`doc.ents`, and the clusters in the span groups `coref_clusters_1`, `coref_clusters_2`, ..., as the component
`coreference` writes them, and spaCy's own experimental one. So they are right after `doc.ents` has changed, and they
survive whatever `doc.ents` and `doc.spans` survive.

- A cluster that holds a named entity is one entity, with all mentions of the cluster. A cluster without one is none.
- Names in no cluster are one entity if their texts are equal. Case and white space make no difference. If there are
  clusters, their types must be equal too, and they belong to the cluster that has such a name, if only one has.
- Names that are linked to the same item (`kb_id_`) are one entity, and names linked to different ones never are.

Importing this module registers `doc._.entities`, a tuple of `Entity`, and `span._.entity`, the one that has this very
span among its mentions, or None.
"""

import contextlib
import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from spacy.attrs import IDX, LENGTH
from spacy.tokens import Doc, Span

from kgmrca.errors import ExtensionError
from kgmrca.names import is_pronoun, normal_name, shown_name
from kgmrca.terms import is_item_id
from kgmrca.types import VALUE_TYPES, coarse_type

__all__ = [
    "CLUSTERS",
    "Entity",
    "PlainEntities",
    "cluster_keys",
    "get_entities",
    "get_plain_entities",
    "is_cluster",
    "known_spans",
    "register_entities",
    "register_extension",
    "spans_of",
]

CLUSTERS = "coref_clusters"
"""The span groups with clusters are named `coref_clusters_1` and so on, as those of spacy-experimental."""

_CLUSTER = re.compile(rf"{CLUSTERS}_(\d+)")
_NAMED = frozenset({"PER", "ORG", "LOC"})  # a "She" of these types is no name, but there are works called "It"
_NOT_LINKED = frozenset({"", "NIL"})  # "NIL" is what spaCy's entity linker says of a name that it does not know
_BEFORE, _AFTER = re.compile(r"(?:\s|\b(?:the|an?)(?=\s))+", re.IGNORECASE), re.compile(r"(?:\s|['’]s?)+$")


class Entity(NamedTuple):
    """What some mentions of a document stand for.

    >>> import spacy
    >>> doc = spacy.blank("en")("Marie Curie was born in Warsaw. She moved to Paris.")
    >>> doc.set_ents([Span(doc, 0, 2, "PERSON"), Span(doc, 5, 6, "GPE"), Span(doc, 10, 11, "GPE")])
    >>> doc.spans["coref_clusters_1"] = [doc[0:2], doc[7:8]]
    >>> doc._.entities[0]
    Entity(mentions=(Marie Curie, She), type='PER', name='Marie Curie', item=None)
    >>> [entity.name for entity in doc._.entities]
    ['Marie Curie', 'Warsaw', 'Paris']
    """

    mentions: tuple[Span, ...]
    """The most telling name first, then all others in the order of the text, pronouns too."""

    type: str
    """PER, ORG, LOC, MISC, TIME, NUM or TERM; a label of the recognizer that is none of these as it is."""

    name: str
    """The most telling name, which is the longest, as one sees it (see `kgmrca.names.shown_name`)."""

    item: str | None = None
    """The item of Wikidata that the names are linked to (`kb_id_`)."""


@dataclass(frozen=True, slots=True)
class PlainEntities:
    """The entities of a Doc as arrays, for bulk. M mentions in the order of the text, E entities by first mention."""

    mentions: NDArray[np.int64]  # [M, 2] start, end (tokens of the Doc, end exclusive)
    characters: NDArray[np.int64]  # [M, 2] start, end (characters of the Doc's text, end exclusive)
    entity: NDArray[np.int64]  # [M] which entity it is a mention of
    is_name: NDArray[np.bool_]  # [M] whether it is a named entity; otherwise a pronoun or a description
    labels: list[str]  # [M] as the recognizer calls the type of a name; "" for other mentions
    types: list[str]  # [E] coarse types (see `types.coarse_type`)
    telling: NDArray[np.int64]  # [E] the mention that is the most telling name
    items: list[str | None]  # [E]


def is_cluster(key: str) -> bool:
    """Whether a span group of this name is a cluster: `coref_clusters_1`, ..."""
    return _CLUSTER.fullmatch(key) is not None


def cluster_keys(keys: Iterable[str]) -> list[str]:
    """Those of the names of span groups that are names of clusters, by their numbers.

    >>> cluster_keys(["sc", "coref_clusters_10", "coref_clusters_2", "coref_head_clusters_1"])
    ['coref_clusters_2', 'coref_clusters_10']
    """
    numbered = [(int(found[1]), key) for key in keys if (found := _CLUSTER.fullmatch(key))]
    return [key for _, key in sorted(numbered)]


def get_entities(doc: Doc, *, spans_key: str | None = None) -> tuple[Entity, ...]:
    """The entities of a Doc, in the order of their first mentions, as `doc._.entities` gives them.

    Args:
        spans_key: the span group with the named entities; None: those of `doc.ents`.
    """
    plain = get_plain_entities(doc, spans_key=spans_key)
    known = known_spans(doc)
    spans = [
        known.get(place) or doc[start:end]
        for place, (start, end) in zip(map(tuple, plain.characters.tolist()), plain.mentions.tolist(), strict=True)
    ]
    mentions: list[list[Span]] = [[spans[row]] for row in plain.telling.tolist()]
    telling = set(plain.telling.tolist())
    for row, entity in enumerate(plain.entity.tolist()):
        if row not in telling:
            mentions[entity].append(spans[row])
    return tuple(
        Entity(tuple(here), type_, shown_name(here[0].text), item)
        for here, type_, item in zip(mentions, plain.types, plain.items, strict=True)
    )


def spans_of(doc: Doc, key: str) -> list[Span]:
    """The spans of a group; none if there is no such group.

    Those that lie behind the end of the Doc are left out: spaCy leaves them there where tokens were merged.
    """
    group, found = doc.spans.get(key, ()), []
    for number in range(len(group)):
        with contextlib.suppress(IndexError):
            found.append(group[number])
    return found


def known_spans(doc: Doc) -> dict[tuple[int, int], Span]:
    """The spans of a Doc by start and end (characters). Of several, that of `doc.ents` counts, a cluster's last.

    A span of a group is left out where tokens were merged or split after the group was written: spaCy leaves the
    tokens of groups as they were, so such a span has other words.
    """
    starts, ends = _token_bounds(doc)
    known: dict[tuple[int, int], Span] = {}
    for key in sorted(doc.spans, key=is_cluster, reverse=True):
        for span in spans_of(doc, key):
            place = span.start_char, span.end_char
            if 0 <= span.start < span.end <= len(starts) and place == (starts[span.start], ends[span.end - 1]):
                known[place] = span
    known.update(((span.start_char, span.end_char), span) for span in doc.ents)
    return known


def _token_bounds(doc: Doc) -> tuple[list[int], list[int]]:
    """The first character of each token, and the one behind its last."""
    bounds = doc.to_array([IDX, LENGTH]).astype(np.int64).reshape(-1, 2)
    return bounds[:, 0].tolist(), bounds.sum(1).tolist()


def get_plain_entities(
    doc: Doc, *, spans_key: str | None = None, type_map: Mapping[str, str] | None = None
) -> PlainEntities:
    """The entities of a Doc as arrays.

    Args:
        spans_key: the span group with the named entities; None: those of `doc.ents`.
        type_map: more types of labels (see `types.coarse_type`).
    """
    names = {
        (span.start_char, span.end_char): _Name(span.text, span.label_, span.kb_id_)
        for span in (doc.ents if spans_key is None else spans_of(doc, spans_key))
        if span.text.strip()
    }
    coarse = {label: coarse_type(label, type_map) for label in {name.label for name in names.values()}}
    names = {
        place: name for place, name in names.items() if coarse[name.label] not in _NAMED or not is_pronoun(name.text)
    }
    rows = _by_item(sorted(_grouped(names, coarse, _clustered(doc, names)).items()), names)
    places = _without_overlaps(rows, names)

    numbers: dict[Any, int] = {}
    entity = [numbers.setdefault(group, len(numbers)) for _, group in places]
    of_entity: list[list[tuple[int, _Name]]] = [[] for _ in numbers]
    for row, ((place, _), number) in enumerate(zip(places, entity, strict=True)):
        if place in names:
            of_entity[number].append((row, names[place]))
    telling = [max(some, key=lambda one: (len(one[1].text.strip()), -one[0]))[0] for some in of_entity]
    characters = np.array([place for place, _ in places], np.int64).reshape(-1, 2)
    return PlainEntities(
        mentions=_tokens(doc, characters),
        characters=characters,
        entity=np.array(entity, np.int64),
        is_name=np.array([place in names for place, _ in places], bool),
        labels=[names[place].label if place in names else "" for place, _ in places],
        types=[
            _most_frequent([coarse[name.label] for _, name in some], first=coarse[names[places[row][0]].label])
            for some, row in zip(of_entity, telling, strict=True)
        ],
        telling=np.array(telling, np.int64),
        items=[next((name.link for _, name in some if is_item_id(name.link)), None) for some in of_entity],
    )


class _Name(NamedTuple):
    text: str
    label: str
    link: str


_Place = tuple[int, int]
"""Start and end (characters) of a mention."""


def _clustered(doc: Doc, names: Mapping[_Place, _Name]) -> dict[_Place, str]:
    """The cluster of each mention that is in one. Of a cluster without a name that no other has, there are none."""
    text = doc.text
    cores = {_core(text, place): place for place in reversed(list(names))}
    groups: dict[_Place, str] = {}
    for key in cluster_keys(doc.spans):
        places = [(span.start_char, span.end_char) for span in spans_of(doc, key)]
        # What a cluster has as "the Vistula's" may be the name "Vistula".
        places = [place if place in names else cores.get(_core(text, place), place) for place in places]
        new = [place for place in places if place not in groups and text[place[0] : place[1]].strip()]
        if any(place in names for place in new):
            groups.update(dict.fromkeys(new, key))
    return groups


def _grouped(
    names: Mapping[_Place, _Name], types: Mapping[str, str], groups: Mapping[_Place, str]
) -> dict[_Place, Any]:
    """A group for each mention: its cluster, or that of the names of equal text.

    Args:
        types: the coarse type of each label.
        groups: the mentions that are in a cluster.
    """

    def key(name: _Name) -> tuple[str, str]:
        type_ = types[name.label]
        kind = "value" if type_ in VALUE_TYPES else "PER" if type_ == "PER" else "name"
        return type_ if groups else kind, normal_name(name.text)

    having: defaultdict[tuple[str, str], set[str]] = defaultdict(set)  # the clusters that have an equal name
    for place, group in groups.items():
        if place in names:
            having[key(names[place])].add(group)
    found: dict[_Place, Any] = dict(groups)
    for place, name in names.items():
        if place not in groups:
            clusters = having.get(key(name), ())
            found[place] = min(clusters) if len(clusters) == 1 else key(name)
    return found


def _core(text: str, place: _Place) -> _Place:
    """Where a mention is without white space, articles and a possessive ending."""
    start, end = place
    before = _BEFORE.match(text, start, end)
    start = before.end() if before else start
    after = _AFTER.search(text[start:end])
    return start, start + after.start() if after else end


def _by_item(rows: list[tuple[_Place, Any]], names: Mapping[_Place, _Name]) -> list[tuple[_Place, Any]]:
    """The rows with groups such that each item has one group, and a group one item at most.

    In a cluster with several items, a mention without one belongs to the linked name before it, else to the first.
    Among names of equal text with several items, those without one are an entity of their own.
    """
    links: defaultdict[Any, list[str]] = defaultdict(list)
    for place, group in rows:
        if place in names and names[place].link not in _NOT_LINKED:
            links[group].append(names[place].link)
    found = []
    now = {group: here[0] for group, here in links.items()}
    for place, group in rows:
        linked = place in names and names[place].link not in _NOT_LINKED
        if group in now and (linked or isinstance(group, str) or len(set(links[group])) == 1):
            if linked:
                now[group] = names[place].link
            group = ("item", now[group])
        found.append((place, group))
    return found


def _without_overlaps(rows: list[tuple[_Place, Any]], names: Mapping[_Place, _Name]) -> list[tuple[_Place, Any]]:
    """The rows without the mentions that overlap a name of their group, as "Marie Curie, the physicist," does."""
    of_group: defaultdict[Any, list[_Place]] = defaultdict(list)
    for place, group in rows:
        if place in names:
            of_group[group].append(place)
    ends = {group: np.maximum.accumulate([end for _, end in here]) for group, here in of_group.items()}

    def overlaps(place: _Place, group: Any) -> bool:
        before = bisect_left(of_group[group], (place[1], -1))  # names that begin before the mention ends
        return before > 0 and bool(ends[group][before - 1] > place[0])

    return [(place, group) for place, group in rows if place in names or not overlaps(place, group)]


def _most_frequent(values: list[str], *, first: str) -> str:
    """The most frequent value; of several the one given as `first`, if it is one of them."""
    counts = Counter(values)
    return max(counts, key=lambda value: (counts[value], value == first))


def _tokens(doc: Doc, characters: NDArray[np.int64]) -> NDArray[np.int64]:
    """The tokens that cover stretches of characters, start and end (exclusive), [stretches, 2]."""
    starts, ends = (np.array(bounds, np.int64) for bounds in _token_bounds(doc))
    first = np.searchsorted(ends, characters[:, 0], side="right")
    last = np.searchsorted(starts, characters[:, 1], side="left")
    return np.stack([first, last], 1)


def _entity_of(span: Span) -> Entity | None:
    """The entity with this span among its mentions. It reads the whole Doc: for many spans, go by `doc._.entities`."""
    place = span.start_char, span.end_char
    return next((entity for entity in get_entities(span.doc) if place in set(_places(entity))), None)


def _places(entity: Entity) -> Iterator[_Place]:
    return ((mention.start_char, mention.end_char) for mention in entity.mentions)


def register_entities() -> None:
    """Register `doc._.entities` and `span._.entity`; no harm in doing it again.

    Raises:
        ExtensionError: another package has one of these names.
    """
    register_extension(Doc, "entities", getter=get_entities)
    register_extension(Span, "entity", getter=_entity_of)


def register_extension(owner: type[Doc] | type[Span], name: str, **hooks: Any) -> None:
    """Register an extension of ours, unless it is registered already.

    Raises:
        ExtensionError: another package has this name.
    """
    if owner.has_extension(name):
        getter = owner.get_extension(name)[2]
        if getattr(getter, "__module__", None) == hooks["getter"].__module__:
            return
        held_by = getattr(getter, "__module__", None) or "other code, as a plain attribute"
        raise ExtensionError(
            f"{owner.__name__} already has an extension '{name}' (set by {held_by}), and kgmrca does not overwrite it. "
            f"Use one of the two in a process, or call {owner.__name__}.remove_extension('{name}') before adding "
            "kgmrca's component."
        )
    owner.set_extension(name, **hooks)


# See `relations`: this must not fail here.
with contextlib.suppress(ExtensionError):
    register_entities()
