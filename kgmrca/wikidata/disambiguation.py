"""Entity disambiguation: which of the Wikidata items with an entity's name is meant, decided for a group of entities.

Each entity is one of the items that have its name, or none of them. The log odds of an item are a sum of `WEIGHTS`:
for how the item has the name, in how many wikis it has a page, and whether its class agrees with the entity's type and
with the relations of the entity. For two entities at once there is a weight for whether Wikidata connects the two
items, by the property of a relation between them or by any other property. Belief propagation turns the log odds into
marginal probabilities. They are exact where the pairs of entities form no cycle, and approximate where they do.

Nothing is looked up here: `choose_items` takes an `EntityGroup` and `LinkKnowledge`, and returns a `LinkDecision` for
each entity. `link_lookups` asks the endpoint for that knowledge.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from kgmrca.ontology import TYPES, Property, load_properties, wikidata_predicate
from kgmrca.types import coarse_type
from kgmrca.wikidata.records import Candidate, NotChecked

__all__ = [
    "MARGIN",
    "MIN_PROBABILITY",
    "WEIGHTS",
    "Entity",
    "EntityGroup",
    "EntityPair",
    "LinkDecision",
    "LinkKnowledge",
    "LinkOutcome",
    "Weights",
    "choose_items",
    "item_pairs",
    "items_by_name",
    "marginals",
    "neighbours",
    "shortlists_of",
]

LinkOutcome: TypeAlias = Literal["linked", "kept", "abstained", "no candidates", "not looked up"]


class Weights(NamedTuple):
    """Log odds for an item against "none of these items". Those of an item are a sum of these weights.

    `alias`, `any_property` and `same_property` were chosen on sentences of wiki80's training part with the candidates
    of a sample of Wikidata (`benchmarks/linking.py`). The sample has neither classes nor numbers of pages, so
    `sitelinks`, `type_*`, `role_differs` and `value` were chosen by hand.

    Attributes:
        label: the name is the item's label, in the first of the languages or in "mul".
        alias: added where it is an alias only.
        language: added where it is a name in another language only.
        respelled: added where the item has the name in other letters only (see `names.spellings`).
        sitelinks: times ln((1 + n) / 6) for an item with a page in n wikis; 0 where n is unknown. With 0.5, the odds
            grow with the square root of n + 1.
        type_agrees, type_differs: added where the item's class does, or does not, agree with the entity's type.
        value: added for a date or a number. Such a name rarely stands for an item, so a connection to another entity's
            item must outweigh this ("2014" for a World Cup, beside the country that held it).
        role_differs: added where no relation of the entity allows the item's type, times the relation's confidence.
        any_property: added where any property connects the items of two related or neighbouring entities, in either
            direction.
        same_property: added instead where that property is the relation's, or its inverse in the other direction. With
            a confidence below 1 the weight moves in proportion towards `any_property`.
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
MIN_PROBABILITY = 0.6
"""An entity is linked to its most probable item if that has at least this probability."""
MARGIN = 0.3
"""An entity is linked only if the probability of its best item exceeds that of the second by at least this."""

_BY_NAME, _BY_TYPE = 50, 16  # how many candidates are kept once names are compared, and once classes are
_NEAR = 3  # how many of the entities after it in its sentence are an entity's neighbours
_PAIRS = 64  # how many pairs of items are looked up for one pair of entities

_LINKED_BEFORE = 100.0  # log odds of what is linked already
_ROUNDS = 100
_VALUES = frozenset({"TIME", "NUM"})

LogOdds: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Entity:
    """An entity of a group, with one name however often it is mentioned.

    Attributes:
        name: as the text has it.
        type: the entity type, such as "PERSON"; "" if unknown.
        item: the id of the item that it is linked to already, or None.
    """

    name: str
    type: str = ""
    item: str | None = None


@dataclass(frozen=True, slots=True)
class EntityPair:
    """Two entities of a group that are related or stand near each other in a sentence.

    Attributes:
        subject, object: their places in `EntityGroup.entities`.
        property: the Wikidata property of the relation, such as "P19"; None for another relation, or for none.
        confidence: of the relation, from 0 to 1.
    """

    subject: int
    object: int
    property: str | None = None
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class EntityGroup:
    """The entities that are linked together, such as those of one document, and the pairs among them."""

    entities: Sequence[Entity]
    pairs: Sequence[EntityPair] = ()


@dataclass(frozen=True, slots=True)
class LinkDecision:
    """Which item an entity is linked to, or why it is not linked.

    Attributes:
        outcome: "linked"; "kept" if it was linked before; "abstained" if no item is probable enough, or two are about
            as probable; "no candidates" if no item has the name; "not looked up" if a look-up failed.
        item: the id of the item, or None.
        candidates: ids of items with their probabilities, the most probable first. What is missing to 1 is the
            probability that it is none of them.
        reason: why it is not linked; "" if it is.
    """

    outcome: LinkOutcome
    item: str | None = None
    candidates: tuple[tuple[str, float], ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class LinkKnowledge:
    """What Wikidata has about the names and items of groups; `NotChecked` where a look-up failed.

    Attributes:
        candidates: by name.
        types: by item, the types of `ontology.TYPES` that its classes stand for. "" is among them for an item that no
            text speaks of, such as a disambiguation page.
        connections: by pair of items, the properties from the first to the second.
    """

    candidates: Mapping[str, tuple[Candidate, ...] | NotChecked]
    types: Mapping[str, frozenset[str] | NotChecked]
    connections: Mapping[tuple[str, str], frozenset[str] | NotChecked]


def neighbours(entities: Sequence[int]) -> list[EntityPair]:
    """Pair each entity of a sentence with the next few, so that a long list does not make pairs without number.

    Args:
        entities: the entities of a sentence by their numbers, in the order of the text.

    >>> [(pair.subject, pair.object) for pair in neighbours([4, 7, 4])]
    [(4, 7), (7, 4)]
    """
    pairs = ((one, other) for place, one in enumerate(entities) for other in entities[place + 1 : place + 1 + _NEAR])
    return [EntityPair(*pair) for pair in dict.fromkeys(pairs) if pair[0] != pair[1]]


def choose_items(
    group: EntityGroup,
    knowledge: LinkKnowledge,
    *,
    language: str = "en",
    min_probability: float = MIN_PROBABILITY,
    margin: float = MARGIN,
) -> tuple[LinkDecision, ...]:
    """Decide for each entity of a group which item it is.

    Where a look-up failed, the outcome is "not looked up" for the entity itself and for all entities that pairs connect
    with it, directly or over others, because the answer could have changed them.

    Args:
        group: the entities.
        knowledge: what `link_lookups.look_up` found for the same language.
        language: the language of the text.
        min_probability, margin: see `MIN_PROBABILITY` and `MARGIN`.

    >>> known = LinkKnowledge({"Paris": (Candidate("Q90", "Paris", True, "en", 300),)}, {}, {})
    >>> choose_items(EntityGroup([Entity("Paris")]), known)[0].item
    'Q90'
    """
    local = shortlists_of(group, knowledge, language=language)
    failed = [(number, found) for number, found in enumerate(local) if isinstance(found, NotChecked)]
    shortlists = [{} if isinstance(found, NotChecked) else found for found in local]
    pairs: dict[tuple[int, int], LogOdds] = {}
    for pair in group.pairs:
        odds = _pair_log_odds(pair, shortlists, knowledge.connections)
        if isinstance(odds, NotChecked):
            failed.append((pair.subject, odds))
        elif odds.any():
            first, second = sorted((pair.subject, pair.object))
            odds = odds if first == pair.subject else odds.T
            # Two relations between the same two say hardly more than one.
            pairs[first, second] = np.maximum(pairs.get((first, second), 0), odds)
    reasons = _failure_reasons(failed, group, shortlists)
    beliefs = marginals([np.array([0.0, *log_odds.values()]) for log_odds in shortlists], pairs)
    return tuple(
        _decision(entity, shortlist, belief, reason, min_probability=min_probability, margin=margin)
        for entity, shortlist, belief, reason in zip(group.entities, shortlists, beliefs, reasons, strict=True)
    )


def marginals(local: Sequence[LogOdds], pairs: Mapping[tuple[int, int], LogOdds]) -> list[LogOdds]:
    """Marginal probabilities of the states of variables, by sum-product belief propagation (Pearl 1988, chapter 4).

    Args:
        local: for each variable the log odds of its states.
        pairs: for two variables the log odds that are added for each pair of their states: an array of shape (states of
            the first, states of the second).

    Returns:
        For each variable the probabilities of its states, which sum to 1.

    >>> [float(one) for one in marginals([np.array([0.0, 0.0])], {})[0].round(2)]
    [0.5, 0.5]
    """
    messages = {edge: np.zeros(len(local[edge[1]])) for one in pairs for edge in (one, one[::-1])}
    beliefs = list(map(_log_normal, local))
    for _ in range(_ROUNDS):
        sent = {}
        for (start, end), back in ((edge, messages[edge[::-1]]) for edge in messages):
            pair = pairs[start, end] if (start, end) in pairs else pairs[end, start].T
            message = _log_normal(np.logaddexp.reduce((beliefs[start] - back)[:, None] + pair, axis=0))
            # Damped, because undamped messages can oscillate where the pairs form cycles.
            sent[start, end] = 0.3 * messages[start, end] + 0.7 * message
        change = max((float(abs(sent[edge] - messages[edge]).max()) for edge in messages), default=0.0)
        messages = sent
        totals = [log_odds.copy() for log_odds in local]
        for (_, end), message in messages.items():
            totals[end] += message
        beliefs = list(map(_log_normal, totals))
        if change < 1e-7:
            break
    return list(map(np.exp, beliefs))


Role: TypeAlias = tuple[frozenset[str], float]


def _roles(group: EntityGroup) -> list[list[Role]]:
    """For each entity the types that each of its relations allows, with the relation's confidence."""
    roles: list[list[Role]] = [[] for _ in group.entities]
    for pair in group.pairs:
        if known := _property(pair):
            roles[pair.subject].append((known.subject_types, pair.confidence))
            roles[pair.object].append((known.object_types, pair.confidence))
    return roles


def _property(pair: EntityPair) -> Property | None:
    return load_properties().get(wikidata_predicate(pair.property or "") or "")


def items_by_name(
    entity: Entity, candidates: Mapping[str, tuple[Candidate, ...] | NotChecked], language: str
) -> dict[str, float] | NotChecked:
    """The items with an entity's name, the best first, scored by how they have the name and how known they are."""
    found = candidates.get(entity.name, ())
    if isinstance(found, NotChecked):
        return found
    log_odds: dict[str, float] = {}
    for one in found:
        value = WEIGHTS.label
        value += WEIGHTS.alias * (not one.is_label)
        value += WEIGHTS.language * (one.language not in (language, "mul"))
        value += WEIGHTS.respelled * one.respelled
        if one.sitelinks is not None:
            value += WEIGHTS.sitelinks * math.log((1 + one.sitelinks) / 6)
        log_odds[one.item] = max(value, log_odds.get(one.item, -math.inf))
    return _best(log_odds, _BY_NAME)


def shortlists_of(
    group: EntityGroup, knowledge: LinkKnowledge, *, language: str
) -> list[dict[str, float] | NotChecked]:
    """For each entity of a group its candidates, the best first, with their log odds apart from other entities."""
    return [
        _shortlist(entity, roles, knowledge, language=language)
        for entity, roles in zip(group.entities, _roles(group), strict=True)
    ]


def _shortlist(
    entity: Entity, roles: Sequence[Role], knowledge: LinkKnowledge, *, language: str
) -> dict[str, float] | NotChecked:
    """An entity's candidates, the best first, scored by all evidence except other entities."""
    if entity.item is not None:
        return {entity.item: _LINKED_BEFORE}
    log_odds = items_by_name(entity, knowledge.candidates, language)
    if isinstance(log_odds, NotChecked):
        return log_odds
    type_ = coarse_type(entity.type)
    expected = _comparable(frozenset({type_}) & TYPES - _VALUES)
    allowed = [(_comparable(types), confidence) for types, confidence in roles]
    for item in list(log_odds):
        types = knowledge.types.get(item, frozenset())
        if isinstance(types, NotChecked):
            return types
        if "" in types:
            del log_odds[item]
            continue
        log_odds[item] += WEIGHTS.value * (type_ in _VALUES)
        if types:
            if expected:
                log_odds[item] += WEIGHTS.type_agrees if types & expected else WEIGHTS.type_differs
            log_odds[item] += WEIGHTS.role_differs * max(
                (confidence for role, confidence in allowed if not types & role), default=0.0
            )
    return _best(log_odds, _BY_TYPE)


def _comparable(types: frozenset[str]) -> frozenset[str]:
    """Types to compare with an item's. No class tells terms (TERM) from other things (MISC), so TERM allows both."""
    return types | {"MISC"} if "TERM" in types else types


def _best(log_odds: Mapping[str, float], count: int) -> dict[str, float]:
    return dict(sorted(log_odds.items(), key=lambda one: (-one[1], int(one[0][1:])))[:count])


def _pair_log_odds(
    pair: EntityPair,
    shortlists: Sequence[Mapping[str, float]],
    connections: Mapping[tuple[str, str], frozenset[str] | NotChecked],
) -> LogOdds | NotChecked:
    """What a pair of entities adds for each pair of states; the first state of each entity is "none of these"."""
    rows, columns = (
        {item: number for number, item in enumerate(shortlists[end], start=1)} for end in (pair.subject, pair.object)
    )
    odds = np.zeros((1 + len(rows), 1 + len(columns)))
    known = _property(pair)
    backwards = (
        {known.inverse, wikidata_predicate(pair.property or "") if known.symmetric else None} if known else set()
    )
    same = WEIGHTS.any_property + (WEIGHTS.same_property - WEIGHTS.any_property) * pair.confidence
    for subject, object_ in item_pairs(pair, shortlists):
        there, back = connections[subject, object_], connections[object_, subject]
        if isinstance(there, NotChecked):
            return there
        if isinstance(back, NotChecked):
            return back
        if pair.property in there or not backwards.isdisjoint(map(wikidata_predicate, back)):
            odds[rows[subject], columns[object_]] = same
        elif there or back:
            odds[rows[subject], columns[object_]] = WEIGHTS.any_property
    return odds


def item_pairs(pair: EntityPair, shortlists: Sequence[Mapping[str, float]]) -> list[tuple[str, str]]:
    """The pairs of items to look up for two entities, the most probable first; none if neither has a choice."""
    subjects, objects = shortlists[pair.subject], shortlists[pair.object]
    if pair.subject == pair.object or max(len(subjects), len(objects)) < 2:
        return []
    pairs = [(a, b) for a in subjects for b in objects if a != b]
    return sorted(pairs, key=lambda pair: -subjects[pair[0]] - objects[pair[1]])[:_PAIRS]


def _failure_reasons(
    failed: Iterable[tuple[int, NotChecked]], group: EntityGroup, shortlists: Sequence[Mapping[str, float]]
) -> list[str]:
    """For each entity the reason why it cannot be decided, or "".

    A failed look-up spreads over pairs of entities to all that have candidates. Entities that are linked already, or
    have no candidates, have only one possible outcome and are not affected.
    """
    reasons = [""] * len(group.entities)
    connected: dict[int, list[int]] = {}
    for pair in group.pairs:
        connected.setdefault(pair.subject, []).append(pair.object)
        connected.setdefault(pair.object, []).append(pair.subject)
    waiting = [(number, why.reason) for number, why in failed]
    while waiting:
        number, reason = waiting.pop()
        if not reasons[number]:
            reasons[number] = reason
            waiting += [
                (other, reason)
                for other in connected.get(number, ())
                if shortlists[other] and group.entities[other].item is None
            ]
    return reasons


def _decision(
    entity: Entity,
    shortlist: Mapping[str, float],
    belief: LogOdds,
    reason: str,
    *,
    min_probability: float,
    margin: float,
) -> LinkDecision:
    if entity.item is not None:
        return LinkDecision("kept", entity.item)
    if reason:
        return LinkDecision("not looked up", reason=reason)
    if not shortlist:
        return LinkDecision("no candidates", reason="No item has this name.")
    order = np.argsort(-belief[1:], kind="stable")
    items = list(shortlist)
    candidates = tuple((items[number], round(float(belief[1 + number]), 4)) for number in order)
    best, second = candidates[0][1], candidates[1][1] if len(candidates) > 1 else 0.0
    if best < min_probability:
        reason = f"The best candidate has a probability of {best:.2f}, below {min_probability:.2f}."
        return LinkDecision("abstained", None, candidates, reason)
    if best - second < margin:
        reason = f"The best two candidates have probabilities of {best:.2f} and {second:.2f}."
        return LinkDecision("abstained", None, candidates, reason)
    return LinkDecision("linked", candidates[0][0], candidates)


def _log_normal(log_odds: LogOdds) -> LogOdds:
    return log_odds - np.logaddexp.reduce(log_odds)
