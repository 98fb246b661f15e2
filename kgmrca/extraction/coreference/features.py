"""What the ranker is told of the pronouns of a document and of the names that each may mean. No spaCy and no torch.

A candidate of a pronoun is a name near it, before or behind, or an earlier pronoun of its kind: what that one means,
this one may mean. So a long chain of pronouns leads back to its name, while each one looks at its neighbours only.
"""

from bisect import bisect_left
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from kgmrca.extraction.coreference.beside import MEN, WOMEN, gender_of_title, is_title

__all__ = [
    "FEATURES",
    "FINAL",
    "GROUPS",
    "KINDS",
    "PRONOUNS",
    "Mentions",
    "Pairs",
    "find_mentions",
    "joined",
    "make_pairs",
    "opening_words",
    "pronoun_group",
]

PRONOUNS = {
    **dict.fromkeys(("he", "him", "his", "himself"), "he"),
    **dict.fromkeys(("she", "her", "hers", "herself"), "she"),
    **dict.fromkeys(("it", "its", "itself"), "it"),
    **dict.fromkeys(("they", "them", "their", "theirs", "themselves"), "they"),
}
"""The pronouns that are looked at, and their kinds."""

TYPES = ("PER", "ORG", "LOC", "MISC", "TERM", "")
"""Types of names that a pronoun may mean; "" is any that is not known. Times and numbers are none of them."""

_WORDS = sorted(PRONOUNS)
_GROUPS = ("he", "she", "it", "they")
GROUPS = len(_GROUPS)
"""How many kinds of pronouns there are."""
KINDS = len(_WORDS) + len(TYPES)
"""Kinds of mentions: each pronoun is one, each type of names is one."""

_GROUP_OF_KIND = np.array([_GROUPS.index(PRONOUNS[word]) for word in _WORDS] + [-1] * len(TYPES))

NAMES_BEFORE, NAMES_BEHIND, PRONOUNS_BEFORE = 20, 4, 6
"""How many of the nearest mentions are candidates."""

_MARKS = ("<edge>", "<name>", "<word>", "<capital>", "<number>", "<pronoun>", "<ed>", "<ing>", "<s>")
_PLAIN = (
    *(",", ".", ";", ":", "(", ")", '"', "-", "'s", "and", "or", "but", "of", "in", "on", "at", "to", "for", "from"),
    *("by", "with", "as", "that", "which", "who", "whom", "whose", "when", "while", "after", "before", "because", "if"),
    *("was", "is", "were", "had", "has", "have", "be", "been", "would", "said", "says", "the", "a", "not", "against"),
    *("about", "than", "into", "over"),
)
_NEIGHBOURS = (*_MARKS, *_PLAIN)
"""What stands before or behind a mention: words that tell much, and kinds of all others."""
_NEIGHBOUR = {word: number for number, word in enumerate(_NEIGHBOURS)}
FINAL = frozenset({".", "!", "?", "...", "!!", "??", "!!!", "???", "?!", "。"})


@dataclass(frozen=True, slots=True)
class Mentions:
    """The M mentions of one document that count for its pronouns, in the order of the text."""

    first: NDArray[np.int64]  # [M] the first word of each
    last: NDArray[np.int64]  # [M] the last one
    kind: NDArray[np.int64]  # [M] see `KINDS`
    name: NDArray[np.int64]  # [M] its place among the names that were given; -1: a pronoun
    entity: NDArray[np.int64]  # [M] equal where rules have found that two names mean the same; -1: a pronoun
    sentence: NDArray[np.int64]  # [M]
    neighbours: NDArray[np.int64]  # [M, 2] the words before and behind
    role: NDArray[np.int64]  # [M] what it may be in its clause: see `_role`
    clause: NDArray[np.int64]  # [M] how many words that may begin a clause stand before it
    opened: NDArray[np.int64]  # [M] whether it stands in a clause that its sentence opens with: see `opening_words`
    gender: NDArray[np.int64]  # [M] of a title in or before one of the entity's names: 0 none, 1 female, 2 male
    call: NDArray[np.int64]  # [M, 2] first and last word of the entity's longest name

    @property
    def is_pronoun(self) -> NDArray[np.bool_]:
        """[M]."""
        return self.name < 0

    @property
    def is_person(self) -> NDArray[np.bool_]:
        """[M]."""
        return self.kind == len(_WORDS) + TYPES.index("PER")

    @property
    def group(self) -> NDArray[np.int64]:
        """[M] the kind of a pronoun, -1 for names."""
        return _GROUP_OF_KIND[self.kind]


@dataclass(frozen=True, slots=True)
class Pairs:
    """The P pairs of a pronoun and one of its candidates, sorted by pronoun; numbers are places in `Mentions`."""

    pronoun: NDArray[np.int64]
    candidate: NDArray[np.int64]
    features: NDArray[np.int64]  # [P, F] rows of a table of `FEATURES` rows


def pronoun_group(word: str) -> str:
    """The kind of a pronoun: "he", "she", "it" or "they"; "" if it is none of the list."""
    return PRONOUNS.get(word.lower(), "")


def find_mentions(
    words: Sequence[str],
    names: Sequence[tuple[int, int]],
    types: Sequence[str],
    entities: Sequence[int],
    pronouns: Sequence[int] | None = None,
) -> Mentions:
    """The names that a pronoun may mean, and the pronouns.

    Args:
        words: the clean words of a document (`encoder.windows.read_tokens`).
        names: start and end (exclusive) of each name, sorted; they do not overlap.
        types: coarse type of each.
        entities: which names mean the same (`names.group_names`).
        pronouns: the words that are looked at. None: all pronouns outside names.
    """
    inside = {word for start, end in names for word in range(start, end)}
    if pronouns is None:
        pronouns = [
            at
            for at, word in enumerate(words)
            if word.lower() in PRONOUNS and at not in inside and not (word == "IT" and not _shouts(words, at))
        ]
    wanted = [number for number, kind in enumerate(types) if kind not in ("TIME", "NUM")]
    spans = [(at, at + 1, _WORDS.index(words[at].lower()), -1, -1) for at in pronouns]
    for number in wanted:
        kind = len(_WORDS) + TYPES.index(types[number] if types[number] in TYPES else "")
        spans.append((*names[number], kind, number, entities[number]))
    spans.sort()
    table = np.array(spans, np.int64).reshape(-1, 5)
    stops = np.cumsum([word in FINAL for word in words]) if len(words) else np.zeros(0, np.int64)
    sentence = np.append(0, stops)[table[:, 0]]
    edges = ["<edge>", *words, "<edge>"]
    breaks = np.cumsum([word.lower() in _CLAUSE for word in words]) if len(words) else np.zeros(0, np.int64)
    opening = opening_words(words)
    neighbours = [
        (_neighbour(edges, start, start - 1 in inside), _neighbour(edges, end + 1, end in inside))
        for start, end, *_ in spans
    ]
    gender, call = _calls(words, names, types, entities)
    return Mentions(
        first=table[:, 0],
        last=table[:, 1] - 1,
        kind=table[:, 2],
        name=table[:, 3],
        entity=table[:, 4],
        sentence=sentence.astype(np.int64),
        neighbours=np.array(neighbours, np.int64).reshape(-1, 2),
        role=np.array([_role(words, start, end, inside) for start, end, *_ in spans], np.int64),
        clause=np.append(0, breaks)[table[:, 0]].astype(np.int64),
        opened=np.array([opening[start] for start, *_ in spans], np.int64),
        gender=np.array([gender.get(entity, 0) for *_, entity in spans], np.int64),
        call=np.array([call.get(entity, (0, 0)) for *_, entity in spans], np.int64).reshape(-1, 2),
    )


_PREPOSITIONS = frozenset(
    {"of", "in", "on", "at", "to", "for", "from", "by", "with", "against", "about", "than", "into", "over", "under"}
    | {"between", "among", "through", "during", "without", "toward", "towards", "upon", "like", "near"}
)
_CLAUSE = frozenset(
    {".", ",", ";", ":", "!", "?", "(", ")", '"', "''", "``", "-", "and", "but", "or", "that", "who", "which", "when"}
    | {"while", "because", "if", "as", "after", "before", "since", "until", "though", "although", "where", "whom", "so"}
)
_ROLES = 5
_LOOK_BACK = 4  # words


def _role(words: Sequence[str], start: int, end: int, inside: AbstractSet[int]) -> int:
    """A guess, from the words before it, of what a mention is in its clause; `inside` are the words of names.

    Returns:
        0 the subject, 1 behind a preposition, 2 a possessor, 3 something else, 4 reflexive.
    """
    word = words[start].lower()
    behind = words[end].lower() if end < len(words) else "."
    if end == start + 1 and word in PRONOUNS:
        if word.endswith(("self", "selves")):
            return 4
        if word in ("his", "its", "their"):
            return 2
        if word in ("he", "she", "they"):
            return 0
        if word == "her" and behind not in _CLAUSE and behind not in _PREPOSITIONS:
            return 2
        if word != "it":
            return 1 if start and words[start - 1].lower() in _PREPOSITIONS else 3
    elif behind in ("'s", "'"):
        return 2
    for at in range(start - 1, max(-1, start - 1 - _LOOK_BACK), -1):
        before = words[at].lower()
        if before in _CLAUSE:
            return 0
        if before in _PREPOSITIONS:
            return 1
        if at in inside or before in PRONOUNS:
            return 3
    return 0 if start < _LOOK_BACK else 3


_OPENING = frozenset(
    {"although", "though", "while", "when", "after", "before", "during", "despite", "since", "because", "if", "as"}
    | {
        "once",
        "until",
        "unless",
        "upon",
        "in",
        "at",
        "on",
        "with",
        "for",
        "following",
        "besides",
        "like",
        "by",
        "where",
    }
    | {"throughout", "whenever", "prior", "even", "from", "under", "without", "given", "due"}
)
"""Words that a sentence begins with whose subject may come later: "When she was ten, Ann ..."."""


def opening_words(words: Sequence[str]) -> list[int]:
    """For each word whether it stands before the first comma of a sentence that begins with one of `_OPENING`."""
    found = []
    here, starts = 0, True
    for word in words:
        if starts and word not in ('"', "``", "`"):
            here, starts = int(word.lower() in _OPENING), False
        if word == ",":
            here = 0
        if word in FINAL:
            here, starts = 0, True
        found.append(here)
    return found


def _shouts(words: Sequence[str], at: int) -> bool:
    """Whether the words around are in capitals as well."""
    around = [word for word in (*words[max(0, at - 2) : at], *words[at + 1 : at + 3]) if word.isalpha()]
    return bool(around) and all(map(str.isupper, around))


def _neighbour(edges: Sequence[str], at: int, in_name: bool) -> int:
    if in_name:
        return _NEIGHBOUR["<name>"]
    word = edges[at].lower()
    if word in _NEIGHBOUR:
        return _NEIGHBOUR[word]
    if word in FINAL:
        return _NEIGHBOUR["."]
    if word in PRONOUNS:
        return _NEIGHBOUR["<pronoun>"]
    for ending in ("ing", "ed", "s"):
        if word.endswith(ending) and word == edges[at] and len(word) > len(ending) + 1:
            return _NEIGHBOUR[f"<{ending}>"]
    first = edges[at][:1]
    return _NEIGHBOUR["<number>" if first.isdigit() else "<capital>" if first.isupper() else "<word>"]


def _calls(
    words: Sequence[str], names: Sequence[tuple[int, int]], types: Sequence[str], entities: Sequence[int]
) -> tuple[dict[int, int], dict[int, tuple[int, int]]]:
    """For each entity the gender of its titles, and the first and last word of its longest name (its first such)."""
    gender: dict[int, int] = {}
    longest: dict[int, int] = {}
    call: dict[int, tuple[int, int]] = {}
    for (start, end), kind, entity in zip(names, types, entities, strict=True):
        length = end - start
        if kind == "PER":
            # The title may stand in the name or, in other schemes, before it.
            said = gender_of_title(words[start:end]) or gender_of_title(words[max(0, start - 1) : end])
            before = words[start - 1].lower() if start else ""
            if said or before in WOMEN or before in MEN:
                gender.setdefault(entity, 1 if said == "f" or (not said and before in WOMEN) else 2)
        if length > longest.get(entity, 0):
            longest[entity] = length
            at = start
            while at < end - 1 and (words[at].lower() == "the" or is_title(words[at])):
                at += 1
            call[entity] = (at, end - 1)
    return gender, call


# Pairs.


def make_pairs(mentions: Mentions) -> Pairs:
    """The candidates of each pronoun, and how the two stand to each other."""
    is_pronoun = mentions.is_pronoun
    names, pronouns = np.flatnonzero(~is_pronoun), np.flatnonzero(is_pronoun)
    group = mentions.group
    at = np.searchsorted(names, pronouns)  # names before each pronoun
    steps = np.concatenate([np.arange(-NAMES_BEFORE, 0), np.arange(NAMES_BEHIND)])
    place = at[:, None] + steps
    there = (place >= 0) & (place < len(names))
    who = np.broadcast_to(np.arange(len(pronouns))[:, None], place.shape)[there]
    parts = [(pronouns[who], names[place[there]], np.broadcast_to(steps, place.shape)[there])]
    for number in range(len(_GROUPS)):
        same = pronouns[group[pronouns] == number]
        back = np.arange(len(same))[:, None] + np.arange(-PRONOUNS_BEFORE, 0)
        there = back >= 0
        who = np.broadcast_to(np.arange(len(same))[:, None], back.shape)[there]
        order = np.broadcast_to(np.arange(-PRONOUNS_BEFORE, 0), back.shape)[there]
        parts.append((same[who], same[back[there]], order))
    pronoun, candidate, order = (np.concatenate(part).astype(np.int64) for part in zip(*parts, strict=True))
    sort = np.lexsort((candidate, pronoun))
    pronoun, candidate, order = pronoun[sort], candidate[sort], order[sort]
    return Pairs(pronoun, candidate, _features(mentions, pronoun, candidate, order, group))


def _log_bucket(values: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """0, 1, 2, 3, 4, then a bucket for each further half doubling."""
    small = values <= 4
    large = 4 + np.ceil(2 * np.log2(np.maximum(values, 4) / 4)).astype(np.int64)
    return np.minimum(np.where(small, values, large), most - 1)


_N, _G = len(_NEIGHBOURS), len(_GROUPS)
_SIZES = (
    2 * 2 * 18,  # distance in words, direction, whether it is a name
    2 * 8 * 2,  # distance in sentences, direction, whether it is a name
    32 * 2,  # order among the names or pronouns
    KINDS * len(_WORDS),  # which kind of mention for which pronoun
    2 * 4 * 4 * 3,  # place among the mentions of its sentence, of both; whether it is the same sentence, or the next
    2 * 2 * 3 * _ROLES * _ROLES,  # the roles of both; direction; whether it is the same sentence, or the next
    6 * 2 * 2 * _G,  # how often the entity was named before; whether no other was as often; whether it is the first
    2 * _N,  # word before the candidate; same sentence
    2 * _N,  # word behind it
    _N,  # word before the pronoun
    _N,  # word behind it
    4 * 4 * 2,  # names and pronouns of the kind between
    3 * _G,  # gender of titles, and of words as "wife"
    2 * 2 * _G,  # whether the entity is named behind the pronoun in the same sentence; direction
    8 * _G,  # sentences since the entity was named last
    3 * 2 * _ROLES * _ROLES,  # clauses between them, the roles of both; direction
    2 * 2 * 3 * 2,  # pronoun in an opening clause; direction; persons between; whether it is a name
    5 * 3 * 2 * _G,  # different persons between; same sentence, or the next; direction
    4 * 3 * 2 * _G,  # place among the persons of its sentence; same sentence, or the next; whether it is a name
    6 * 2 * _G,  # how often the entity is named in all; whether no other is as often
    4 * 2 * _G,  # of which of the last sentences the entity was the first person; the same in this sentence
)
_STARTS = np.cumsum((0, *_SIZES))
FEATURES = int(_STARTS[-1])
"""Rows of the table of features of pairs."""


def _features(
    mentions: Mentions,
    pronoun: NDArray[np.int64],
    candidate: NDArray[np.int64],
    order: NDArray[np.int64],
    group: NDArray[np.int64],
) -> NDArray[np.int64]:
    is_name = ~mentions.is_pronoun
    named = is_name[candidate].astype(np.int64)
    behind = (candidate > pronoun).astype(np.int64)
    words = np.where(
        behind == 1,
        mentions.first[candidate] - mentions.last[pronoun],
        mentions.first[pronoun] - mentions.last[candidate],
    )
    apart = mentions.sentence[candidate] - mentions.sentence[pronoun]
    same = (apart == 0).astype(np.int64)
    near = np.minimum(np.abs(apart), 2)
    rank = np.minimum(_rank_in_sentence(mentions), 3)
    before, leads, starts, behind_too, since = _history(mentions, pronoun, candidate)
    names_before = np.cumsum(is_name)
    low, high = np.minimum(pronoun, candidate), np.maximum(pronoun, candidate)
    names_between = names_before[high - 1] - names_before[low]
    ours = group[pronoun]
    clauses = np.minimum(np.abs(mentions.clause[candidate] - mentions.clause[pronoun]), 2)
    person, persons, named_ever, most, led, leads_here = _persons(mentions, pronoun, candidate)
    counts = np.stack([np.cumsum(group == number) for number in range(_G)])
    pronouns_between = counts[ours, high - 1] - counts[ours, low]
    columns = (
        (_log_bucket(np.maximum(words, 0), 18) * 2 + behind) * 2 + named,
        (np.minimum(np.abs(apart), 7) * 2 + behind) * 2 + named,
        (np.where(order < 0, -order - 1, 24 + order)) * 2 + named,
        mentions.kind[candidate] * len(_WORDS) + mentions.kind[pronoun],
        ((rank[candidate] * 4 + rank[pronoun]) * 3 + near) * 2 + named,
        (((mentions.role[candidate] * _ROLES + mentions.role[pronoun]) * 3 + near) * 2 + behind) * 2 + named,
        ((np.minimum(before, 5) * 2 + leads) * 2 + starts) * _G + ours,
        mentions.neighbours[candidate, 0] * 2 + same,
        mentions.neighbours[candidate, 1] * 2 + same,
        mentions.neighbours[pronoun, 0],
        mentions.neighbours[pronoun, 1],
        (np.minimum(names_between, 3) * 4 + np.minimum(pronouns_between, 3)) * 2 + named,
        mentions.gender[candidate] * _G + ours,
        (behind_too * 2 + behind) * _G + ours,
        np.minimum(since, 7) * _G + ours,
        ((clauses * 2 + behind) * _ROLES + mentions.role[candidate]) * _ROLES + mentions.role[pronoun],
        ((mentions.opened[pronoun] * 2 + behind) * 3 + np.minimum(persons, 2)) * 2 + named,
        ((np.minimum(persons, 4) * 3 + near) * 2 + behind) * _G + ours,
        ((np.minimum(person, 3) * 3 + near) * 2 + named) * _G + ours,
        (np.minimum(named_ever, 5) * 2 + most) * _G + ours,
        (led * 2 + leads_here) * _G + ours,
    )
    table = np.stack(columns, 1)
    table += _STARTS[:-1]
    return table


def _persons(
    mentions: Mentions, pronoun: NDArray[np.int64], candidate: NDArray[np.int64]
) -> tuple[NDArray[np.int64], ...]:
    """How the candidates stand to the persons of the text.

    Returns:
        How many persons its sentence names before the candidate; how many other persons are named between the two; how
        often the candidate's entity is named in all; whether no other person is as often; how many sentences before
        the pronoun's its entity is the first person that a sentence names (3: in none of the last two); the same of the
        pronoun's own sentence. For pronouns the last four are 0, 0, 3 and 0.
    """
    is_person = mentions.is_person
    before = np.append(0, np.cumsum(is_person))
    person = before[:-1] - before[np.searchsorted(mentions.sentence, mentions.sentence, side="left")]
    entity, sentence = mentions.entity.tolist(), mentions.sentence.tolist()
    counts: dict[int, int] = {}
    first: dict[int, int] = {}
    for place in np.flatnonzero(is_person).tolist():
        counts[entity[place]] = counts.get(entity[place], 0) + 1
        first.setdefault(sentence[place], entity[place])
    highest = max(counts.values(), default=0)
    who = np.where(is_person, mentions.entity, -1).tolist()
    rows = []
    between: set[int] = set()
    reached, before_that = 0, (-1, False)
    for at, whom in sorted(zip(pronoun.tolist(), candidate.tolist(), strict=True), key=_outwards):
        if (at, whom > at) != before_that:
            between, reached, before_that = set(), at, (at, whom > at)
        passed = slice(reached + 1, whom) if whom > at else slice(whom + 1, reached)
        between.update(who[passed])
        reached = whom - 1 if whom > at else whom + 1
        said = entity[whom]
        others = len(between - {said, -1})
        if said < 0:
            rows.append((at, whom, others, 0, 0, 3, 0))
            continue
        led = next((back for back in (1, 2) if first.get(sentence[at] - back, -2) == said), 3)
        count = counts.get(said, 0)
        rows.append((at, whom, others, count, count > 0 and count == highest, led, first.get(sentence[at], -2) == said))
    rows.sort()
    table = np.array(rows, np.int64).reshape(-1, 7)
    return (person[candidate], *table[:, 2:].T)


def _outwards(pair: tuple[int, int]) -> tuple[int, bool, int]:
    """Sorts the candidates of each pronoun: those before it, then those behind it, the nearest first."""
    pronoun, candidate = pair
    return pronoun, candidate > pronoun, abs(candidate - pronoun)


def _rank_in_sentence(mentions: Mentions) -> NDArray[np.int64]:
    """How many mentions of its sentence stand before each."""
    starts = np.searchsorted(mentions.sentence, mentions.sentence, side="left")
    return np.arange(len(starts)) - starts


def _history(
    mentions: Mentions, pronoun: NDArray[np.int64], candidate: NDArray[np.int64]
) -> tuple[NDArray[np.int64], ...]:
    """What is known of the candidate's entity where the pronoun stands; of pronouns nothing.

    Returns:
        How often it was named before; whether no other was named as often; whether it is the first of the document;
        whether it is named behind the pronoun in the same sentence; sentences since it was named last.
    """
    seen: dict[int, list[int]] = {}
    for place, entity in enumerate(mentions.entity.tolist()):
        if entity >= 0:
            seen.setdefault(entity, []).append(place)
    first = min((places[0] for places in seen.values()), default=-1)
    most: dict[int, int] = {}
    counts: dict[int, int] = {}
    highest = 0
    for place, entity in enumerate(mentions.entity.tolist()):
        most[place] = highest
        if entity >= 0:
            counts[entity] = counts.get(entity, 0) + 1
            highest = max(highest, counts[entity])
    sentence, entities = mentions.sentence.tolist(), mentions.entity[candidate].tolist()
    known: dict[tuple[int, int], tuple[int, ...]] = {}
    rows: list[tuple[int, ...]] = []
    for where, entity in zip(pronoun.tolist(), entities, strict=True):
        if entity < 0:
            rows.append((0, 0, 0, 0, 0))
            continue
        if (where, entity) not in known:
            places = seen[entity]
            before = bisect_left(places, where)
            behind = places[before] if before < len(places) else -1
            known[where, entity] = (
                before,
                before > 0 and before >= most[where],
                places[0] == first,
                behind >= 0 and sentence[behind] == sentence[where],
                sentence[where] - sentence[places[before - 1]] if before else 7,
            )
        rows.append(known[where, entity])
    return tuple(np.array(rows, np.int64).reshape(-1, 5).T)


def joined(parts: Sequence[Mentions], offsets: Sequence[int]) -> Mentions:
    """The mentions of several documents as those of one; `offsets` are the words before each document."""
    moved = {"first", "last", "call"}
    columns = {
        field.name: np.concatenate(
            [
                getattr(part, field.name) + (offset if field.name in moved else 0)
                for part, offset in zip(parts, offsets, strict=True)
            ]
        )
        for field in fields(Mentions)
    }
    return Mentions(**columns)
