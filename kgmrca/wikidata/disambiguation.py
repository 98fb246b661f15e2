"""Names -> Wikidata items: which of the items that bear a name is meant, decided together for what stands together.

Each entity of a text is one of the items that bear its name, or none of them. How likely each is, is said by a sum of
`WEIGHTS`: how the item bears the name, in how many wikis it has a page, whether its class agrees with the entity's type
and with the relations it stands in; and, for two entities at once, whether Wikidata connects the two items, by the
property of a relation between them or by any. Belief propagation makes marginal probabilities of that: exact where the
ties between the entities form no circle, a few rounds of approximation where they do.

What decides is pure (`decide`: a `Text` and `Knowledge` in, a `Decision` for each entity out); what asks is `look_up`.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from kgmrca.errors import InputError
from kgmrca.ontology import TYPES, WIKIDATA_DIRECT, Property, load_properties, wikidata_predicate
from kgmrca.types import coarse_type
from kgmrca.wikidata.records import Candidate, Item, NotChecked

if TYPE_CHECKING:
    from kgmrca.wikidata.facts import Facts

__all__ = [
    "LEAST",
    "MARGIN",
    "WEIGHTS",
    "Decision",
    "Entity",
    "Knowledge",
    "Outcome",
    "Text",
    "Tie",
    "Weights",
    "decide",
    "link",
    "look_up",
    "marginals",
    "near",
    "property_of",
    "spellings",
]

Outcome: TypeAlias = Literal["linked", "kept", "abstained", "no candidates", "not looked up"]


class Weights(NamedTuple):
    """What speaks for an item, in units of log odds against "none of these items"; sums of them make the scores.

    `alias`, `any_property` and `same_property` were chosen on sentences of wiki80's training part with the candidates
    of a sample of Wikidata (`benchmarks/linking.py`), which has neither classes nor numbers of pages: `sitelinks`,
    `type_*`, `role_differs` and `value` were set by what they mean.

    Attributes:
        label: the name is the item's label, in the first of the languages or in "mul".
        alias: added where it is an alias only.
        language: added where it is a name in another language only.
        respelled: added where the name is borne in another spelling only (see `spellings`).
        sitelinks: times ln((1 + n) / 6) for an item with a page in n wikis; nothing where n is not known. With 0.5, the
            odds are as the square roots of n + 1.
        type_agrees, type_differs: the item's class is, or is not, of the type of the entity.
        value: added for a date or a number, which is an item only where another one says so ("2014", the World Cup).
        role_differs: it is of no type that a relation of the entity can have there; times the relation's confidence.
        any_property: Wikidata connects two items, either way, whose entities are related or share a sentence.
        same_property: ... by the property of the relation, or by its inverse the other way; with a confidence below
            1 it is as much closer to `any_property`.
    """

    label: float = 2.0
    alias: float = -0.5
    language: float = -1.0
    respelled: float = -1.0
    sitelinks: float = 0.5
    type_agrees: float = 1.0
    type_differs: float = -2.0
    role_differs: float = -1.0
    value: float = -3.0
    any_property: float = 5.0
    same_property: float = 6.0


WEIGHTS = Weights()
LEAST = 0.6
"""An item is linked to from this probability on."""
MARGIN = 0.3
"""An item is linked to if its probability is so much higher than that of the next item."""

_BY_NAME, _BY_TYPE = 50, 16  # how many candidates are kept once names are compared, and once classes are
_NEAR = 3  # to how many entities after it in its sentence an entity is tied
_PAIRS = 64  # how many pairs of items are asked about for a tie

# What the classes of items are to our types; an item whose class is below none of them can be anything. With "" no text
# names it.
_ROOTS = {
    "Q5": "PER",  # human
    "Q95074": "PER",  # fictional character
    "Q43229": "ORG",  # organization
    "Q2221906": "LOC",  # geographic location
    "Q27096213": "LOC",  # geographic entity
    "Q811979": "LOC",  # architectural structure
    "Q41710": "LOC",  # ethnic group: nationalities are LOC here
    "Q386724": "MISC",  # work
    "Q1190554": "MISC",  # occurrence
    "Q618779": "MISC",  # award
    "Q34770": "MISC",  # language
    "Q4167410": "",  # Wikimedia disambiguation page
    "Q17442446": "",  # Wikimedia internal item
    "Q101352": "",  # family name
    "Q202444": "",  # given name
}
_CERTAIN = 100.0  # log odds of what is linked already
_ROUNDS = 100
_VALUES = frozenset({"TIME", "NUM"})

Scores: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Entity:
    """What a text calls by one name: one item, however often it does. `item` is set where it is linked already."""

    name: str
    type: str = ""
    item: str | None = None


@dataclass(frozen=True, slots=True)
class Tie:
    """Two entities of a text (their numbers) that are related; without a `property`, they merely share a sentence."""

    subject: int
    object: int
    property: str | None = None
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class Text:
    """The entities that are decided about together."""

    entities: Sequence[Entity]
    ties: Sequence[Tie] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided about an entity.

    Attributes:
        outcome: "linked"; "kept", it was linked already; "abstained", the best item is not likely enough or not much
            more likely than another; "no candidates"; "not looked up", which says nothing about Wikidata.
        item: what it is linked to, or None.
        candidates: the items it may be with their probabilities, the likeliest first; the rest to 1 is "none of these".
        reason: why it is not linked.
    """

    outcome: Outcome
    item: str | None = None
    candidates: tuple[tuple[str, float], ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What Wikidata says of the names and items of texts, as far as it could be found out.

    Attributes:
        candidates: by name, for every spelling (see `spellings`).
        types: by item, the types of `ontology.TYPES` that its classes stand for; "" if no text names such items.
        connections: by pair of items, the properties that lead from the first to the second.
    """

    candidates: Mapping[str, tuple[Candidate, ...] | NotChecked]
    types: Mapping[str, frozenset[str] | NotChecked]
    connections: Mapping[tuple[str, str], frozenset[str] | NotChecked]


def link(
    texts: Sequence[Text],
    facts: "Facts",
    *,
    languages: Sequence[str] = ("en", "mul"),
    least: float = LEAST,
    margin: float = MARGIN,
) -> list[tuple[Decision, ...]]:
    """Look up the entities of texts and decide about them; few queries if there are many texts.

    Args:
        texts: what to link.
        facts: whom to ask.
        languages: in which languages names are looked for, the text's own first; "mul" is Wikidata's for all.
        least, margin: see `LEAST` and `MARGIN`.
    """
    knowledge = look_up(texts, facts, languages=languages)
    return [decide(text, knowledge, language=languages[0], least=least, margin=margin) for text in texts]


def near(entities: Sequence[int]) -> list[Tie]:
    """The ties of a sentence, by the order of its entities: each with the next few, or lists would tie up too much."""
    pairs = ((one, other) for place, one in enumerate(entities) for other in entities[place + 1 : place + 1 + _NEAR])
    return [Tie(*pair) for pair in dict.fromkeys(pairs) if pair[0] != pair[1]]


def property_of(predicate: str) -> str | None:
    """The Wikidata property, such as "P19", that a predicate's IRI stands for, or that it is; None if it is another."""
    name = predicate.removeprefix(WIKIDATA_DIRECT)
    return name if wikidata_predicate(name) else None


def spellings(name: str) -> tuple[str, ...]:
    """How an item may bear this name: as it stands; without article or genitive; in small letters with capitals."""
    plain = " ".join(name.split())
    bare = re.sub(r"^the (?=\S)|['’]s?$", "", plain, flags=re.IGNORECASE)
    if len(bare) > 3 and bare.isupper():
        bare = " ".join(word if re.search(r"\d", word) else word.capitalize() for word in bare.split())
    return tuple(dict.fromkeys(filter(None, (plain, bare))))


def decide(
    text: Text,
    knowledge: Knowledge,
    *,
    language: str = "en",
    least: float = LEAST,
    margin: float = MARGIN,
    weights: Weights = WEIGHTS,
) -> tuple[Decision, ...]:
    """Decide about each entity of a text; `knowledge` is what `look_up` found with the same language and weights.

    Where a look-up failed, nothing is decided that could have come out otherwise: about the entity itself, and those
    that it is tied to, near or far.
    """
    local = _shortlists(text, knowledge, language=language, weights=weights)
    failed = [(number, found) for number, found in enumerate(local) if isinstance(found, NotChecked)]
    shortlists = [{} if isinstance(found, NotChecked) else found for found in local]
    ties: dict[tuple[int, int], Scores] = {}
    for tie in text.ties:
        worth = _worth(tie, shortlists, knowledge.connections, weights)
        if isinstance(worth, NotChecked):
            failed.append((tie.subject, worth))
        elif worth.any():
            first, second = sorted((tie.subject, tie.object))
            worth = worth if first == tie.subject else worth.T
            # Two relations between the same two say hardly more than one.
            ties[first, second] = np.maximum(ties.get((first, second), 0), worth)
    reasons = _spread(failed, text, shortlists)
    beliefs = marginals([np.array([0.0, *scores.values()]) for scores in shortlists], ties)
    return tuple(
        _decision(entity, shortlist, belief, reason, least=least, margin=margin)
        for entity, shortlist, belief, reason in zip(text.entities, shortlists, beliefs, reasons, strict=True)
    )


def marginals(local: Sequence[Scores], ties: Mapping[tuple[int, int], Scores]) -> list[Scores]:
    """Marginal probabilities of the states of variables, by sum-product belief propagation (Pearl 1988, chapter 4).

    Args:
        local: for each variable the log odds of its states.
        ties: for two variables what is added if each is in one of its states, [states of the first, of the second].
    """
    messages = {edge: np.zeros(len(local[edge[1]])) for one in ties for edge in (one, one[::-1])}
    beliefs = list(map(_log_normal, local))
    for _ in range(_ROUNDS):
        sent = {}
        for (start, end), back in ((edge, messages[edge[::-1]]) for edge in messages):
            tie = ties[start, end] if (start, end) in ties else ties[end, start].T
            said = _log_normal(np.logaddexp.reduce((beliefs[start] - back)[:, None] + tie, axis=0))
            # Damped, or on circles it could swing for ever.
            sent[start, end] = 0.3 * messages[start, end] + 0.7 * said
        change = max((float(abs(sent[edge] - messages[edge]).max()) for edge in messages), default=0.0)
        messages = sent
        totals = [scores.copy() for scores in local]
        for (_, end), message in messages.items():
            totals[end] += message
        beliefs = list(map(_log_normal, totals))
        if change < 1e-7:
            break
    return list(map(np.exp, beliefs))


def look_up(
    texts: Sequence[Text], facts: "Facts", *, languages: Sequence[str], weights: Weights = WEIGHTS
) -> Knowledge:
    """Ask for all that `decide` uses with these weights: names, then the items' classes, then what connects items.

    Raises:
        InputError: there is no language to look for names in, or one is no language tag.
    """
    if not languages:
        raise InputError("There is no language to look for names in: name at least one, such as en.")
    entities = [entity for text in texts for entity in text.entities if entity.item is None]
    names = {spelling for entity in entities for spelling in spellings(entity.name)}
    candidates = facts.candidates(sorted(names), languages=tuple(languages))
    items = {
        item
        for entity in entities
        if not isinstance(found := _by_name(entity, candidates, languages[0], weights), NotChecked)
        for item in found
    }
    knowledge = Knowledge(candidates, _types(items, facts), {})
    pairs: set[tuple[str, str]] = set()
    for text in texts:
        shortlists = [
            {} if isinstance(found, NotChecked) else found
            for found in _shortlists(text, knowledge, language=languages[0], weights=weights)
        ]
        for tie in text.ties:
            for subject, object_ in _pairs(tie, shortlists):
                pairs.update(((subject, object_), (object_, subject)))
    return replace(knowledge, connections=facts.connections(sorted(pairs)))


def _types(items: Iterable[str], facts: "Facts") -> dict[str, frozenset[str] | NotChecked]:
    known = facts.items(sorted(items))
    classes = sorted({one for item in known.values() if isinstance(item, Item) for one in item.types})
    below = facts.subclasses([(one, root) for one in classes for root in _ROOTS if one not in _ROOTS])
    types: dict[str, frozenset[str] | NotChecked] = {}
    for name, item in known.items():
        if isinstance(item, NotChecked):
            types[name] = item
        else:
            types[name] = _types_of(item.types if item else (), below)
    return types


def _types_of(
    classes: Iterable[str], below: Mapping[tuple[str, str], bool | NotChecked]
) -> frozenset[str] | NotChecked:
    found = {_ROOTS[one] for one in classes if one in _ROOTS}
    for one in classes:
        for root, type_ in _ROOTS.items():
            answer = below.get((one, root), False)
            if isinstance(answer, NotChecked):
                return answer
            if answer:
                found.add(type_)
    return frozenset(found)


Role: TypeAlias = tuple[frozenset[str], float]


def _roles(text: Text) -> list[list[Role]]:
    """For each entity what types its relations allow there, each with the relation's confidence."""
    roles: list[list[Role]] = [[] for _ in text.entities]
    for tie in text.ties:
        if known := _property(tie):
            roles[tie.subject].append((known.subject_types, tie.confidence))
            roles[tie.object].append((known.object_types, tie.confidence))
    return roles


def _property(tie: Tie) -> Property | None:
    return load_properties().get(wikidata_predicate(tie.property or "") or "")


def _by_name(
    entity: Entity, candidates: Mapping[str, tuple[Candidate, ...] | NotChecked], language: str, weights: Weights
) -> dict[str, float] | NotChecked:
    """The items that bear an entity's name, the best first, scored by how they bear it and how known they are."""
    scores: dict[str, float] = {}
    for number, spelling in enumerate(spellings(entity.name)):
        found = candidates.get(spelling, ())
        if isinstance(found, NotChecked):
            return found
        for one in found:
            score = weights.label
            score += weights.alias * (not one.is_label)
            score += weights.language * (one.language not in (language, "mul"))
            score += weights.respelled * (number > 0)
            if one.sitelinks is not None:
                score += weights.sitelinks * math.log((1 + one.sitelinks) / 6)
            scores[one.item] = max(score, scores.get(one.item, -math.inf))
    return _best(scores, _BY_NAME)


def _shortlists(
    text: Text, knowledge: Knowledge, *, language: str, weights: Weights
) -> list[dict[str, float] | NotChecked]:
    return [
        _shortlist(entity, roles, knowledge, language=language, weights=weights)
        for entity, roles in zip(text.entities, _roles(text), strict=True)
    ]


def _shortlist(
    entity: Entity, roles: Sequence[Role], knowledge: Knowledge, *, language: str, weights: Weights
) -> dict[str, float] | NotChecked:
    """An entity's candidates, the best first, scored by all but what other entities are."""
    if entity.item is not None:
        return {entity.item: _CERTAIN}
    scores = _by_name(entity, knowledge.candidates, language, weights)
    if isinstance(scores, NotChecked):
        return scores
    type_ = coarse_type(entity.type)
    expected = _comparable(frozenset({type_}) & TYPES - _VALUES)
    allowed = [(_comparable(types), confidence) for types, confidence in roles]
    for item in list(scores):
        types = knowledge.types.get(item, frozenset())
        if isinstance(types, NotChecked):
            return types
        if "" in types:
            del scores[item]
            continue
        scores[item] += weights.value * (type_ in _VALUES)
        if types:
            if expected:
                scores[item] += weights.type_agrees if types & expected else weights.type_differs
            scores[item] += weights.role_differs * max(
                (confidence for role, confidence in allowed if not types & role), default=0.0
            )
    return _best(scores, _BY_TYPE)


def _comparable(types: frozenset[str]) -> frozenset[str]:
    """Terms are not told from other things that are no person, organisation or place."""
    return types | {"MISC"} if "TERM" in types else types


def _best(scores: Mapping[str, float], count: int) -> dict[str, float]:
    return dict(sorted(scores.items(), key=lambda one: (-one[1], int(one[0][1:])))[:count])


def _worth(
    tie: Tie,
    shortlists: Sequence[Mapping[str, float]],
    connections: Mapping[tuple[str, str], frozenset[str] | NotChecked],
    weights: Weights,
) -> Scores | NotChecked:
    """What a tie adds for each two states of its ends; the first state of each is "none of these"."""
    rows, columns = (
        {item: number for number, item in enumerate(shortlists[end], start=1)} for end in (tie.subject, tie.object)
    )
    worth = np.zeros((1 + len(rows), 1 + len(columns)))
    known = _property(tie)
    backwards = {known.inverse, wikidata_predicate(tie.property or "") if known.symmetric else None} if known else set()
    same = weights.any_property + (weights.same_property - weights.any_property) * tie.confidence
    for subject, object_ in _pairs(tie, shortlists):
        there, back = connections[subject, object_], connections[object_, subject]
        if isinstance(there, NotChecked):
            return there
        if isinstance(back, NotChecked):
            return back
        if tie.property in there or not backwards.isdisjoint(map(wikidata_predicate, back)):
            worth[rows[subject], columns[object_]] = same
        elif there or back:
            worth[rows[subject], columns[object_]] = weights.any_property
    return worth


def _pairs(tie: Tie, shortlists: Sequence[Mapping[str, float]]) -> list[tuple[str, str]]:
    """Which items of the two ends are asked about: the likeliest pairs, and none where there is nothing to choose."""
    subjects, objects = shortlists[tie.subject], shortlists[tie.object]
    if tie.subject == tie.object or max(len(subjects), len(objects)) < 2:
        return []
    pairs = [(a, b) for a in subjects for b in objects if a != b]
    return sorted(pairs, key=lambda pair: -subjects[pair[0]] - objects[pair[1]])[:_PAIRS]


def _spread(
    failed: Iterable[tuple[int, NotChecked]], text: Text, shortlists: Sequence[Mapping[str, float]]
) -> list[str]:
    """For each entity the reason why it cannot be decided about, or "".

    What could not be found out about one makes all uncertain that it is tied to, but for those that can only be one
    thing: they have no candidates, or are linked already.
    """
    reasons = [""] * len(text.entities)
    tied: dict[int, list[int]] = {}
    for tie in text.ties:
        tied.setdefault(tie.subject, []).append(tie.object)
        tied.setdefault(tie.object, []).append(tie.subject)
    waiting = [(number, why.reason) for number, why in failed]
    while waiting:
        number, reason = waiting.pop()
        if not reasons[number]:
            reasons[number] = reason
            waiting += [
                (other, reason)
                for other in tied.get(number, ())
                if shortlists[other] and text.entities[other].item is None
            ]
    return reasons


def _decision(
    entity: Entity, shortlist: Mapping[str, float], belief: Scores, reason: str, *, least: float, margin: float
) -> Decision:
    if entity.item is not None:
        return Decision("kept", entity.item)
    if reason:
        return Decision("not looked up", reason=reason)
    if not shortlist:
        return Decision("no candidates", reason="no item bears this name")
    order = np.argsort(-belief[1:], kind="stable")
    items = list(shortlist)
    candidates = tuple((items[number], round(float(belief[1 + number]), 4)) for number in order)
    best, second = candidates[0][1], candidates[1][1] if len(candidates) > 1 else 0.0
    if best < least:
        return Decision("abstained", None, candidates, f"the best has {best:.2f}, less than {least:.2f}")
    if best - second < margin:
        return Decision("abstained", None, candidates, f"the best two have {best:.2f} and {second:.2f}")
    return Decision("linked", candidates[0][0], candidates)


def _log_normal(scores: Scores) -> Scores:
    return scores - np.logaddexp.reduce(scores)
