"""Entity disambiguation: which of the Wikidata items with an entity's name is meant, decided for a group of entities.

Each entity is one of the items that have its name, or none of them. The log odds of an item are a sum of `WEIGHTS`:
for how the item has the name, in how many wikis it has a page, whether its class agrees with the entity's type and with
the relations of the entity, whether it has another name of the entity in the text, and for what its profile and the
text have in common (see `evidence`). For two entities at once there is a weight for whether Wikidata connects the two
items, by the property of a relation between them or by any other property. Belief propagation turns the log odds into
marginal probabilities. They are exact where the pairs of entities form no cycle, and approximate where they do.

Nothing is looked up here: `choose_items` takes an `EntityGroup` and `LinkKnowledge`, and returns a `LinkDecision` for
each entity. `link_lookups` asks the endpoint for that knowledge.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from kgmrca.names import spellings
from kgmrca.ontology import TYPES, Property, load_properties, wikidata_predicate
from kgmrca.types import coarse_type
from kgmrca.wikidata.evidence import DATES, EVIDENCE, TOPIC, TextWords, evidence, text_words, topic
from kgmrca.wikidata.records import Candidate, NotChecked, Profile

__all__ = [
    "COLUMNS",
    "MARGIN",
    "MIN_PROBABILITY",
    "WEIGHTS",
    "Compared",
    "Entity",
    "EntityGroup",
    "EntityPair",
    "LinkDecision",
    "LinkKnowledge",
    "LinkOutcome",
    "Weights",
    "choose_items",
    "compare",
    "item_pairs",
    "items_by_name",
    "marginals",
    "neighbours",
    "shortlists_of",
]

LinkOutcome: TypeAlias = Literal["linked", "kept", "abstained", "no candidates", "not looked up"]


class Weights(NamedTuple):
    """Log odds for an item against "none of these items". Those of an item are a sum of these weights.

    Those of `COLUMNS` were fitted to a sample that has dozens of items for each name (`benchmarks/linking_weights.py`,
    which prints them). The others were chosen on sentences of wiki80's training part with the candidates of a sample of
    Wikidata (`alias`, `any_property`, `same_property`; `benchmarks/linking.py`) or by hand.

    Attributes:
        label: the name is the item's label, in the first of the languages or in "mul".
        alias: added where it is an alias only.
        language: added where it is a name in another language only.
        respelled: added where the item has the name in other letters only (see `names.spellings`).
        known: added where it is known in how many wikis the item has a page. Where it is not, neither are `namesakes`
            and `sitelinks` added.
        namesakes: times ln(m) if m items have the name: the more there are, the sooner one of them seems right that is
            not.
        sitelinks: times ln((1 + n) / 6) for an item with a page in n wikis.
        type_agrees, type_differs: added where the item's class does, or does not, agree with the entity's type.
        also_named: added where the item has another name of the entity, too.
        sentence, document, beside, place_beside, place_differs, names_found, names_missing, place_missing, years_found,
            too_late, name_kind, name_place, kind_missing: times the columns of `evidence.EVIDENCE`.
        topic, topic_best, topic_text: times the columns of `evidence.TOPIC`.
        dates_agree, dates_differ: times the columns of `evidence.DATES`. By hand: few texts say such dates, but where
            they contradict an item, not even the best known one is meant.
        role_differs: added where no relation of the entity allows the item's type, times the relation's confidence.
        value: added for a date or a number. Such a name rarely stands for an item, so a connection to another entity's
            item must outweigh this ("2014" for a World Cup, beside the country that held it).
        any_property: added where any property connects the items of two related or neighbouring entities, in either
            direction.
        same_property: added instead where that property is the relation's, or its inverse in the other direction. With
            a confidence below 1 the weight moves in proportion towards `any_property`.
    """

    label: float = 2.0
    alias: float = -0.5
    language: float = -1.0
    respelled: float = -1.0
    known: float = -1.11
    namesakes: float = -1.43
    sitelinks: float = 1.70
    type_agrees: float = 0.39
    type_differs: float = -1.31
    also_named: float = 4.14
    sentence: float = 1.15
    document: float = -0.29
    beside: float = 1.22
    place_beside: float = 1.06
    place_differs: float = -1.60
    names_found: float = 0.16
    names_missing: float = -0.52
    place_missing: float = -0.29
    years_found: float = 1.08
    too_late: float = -1.00
    name_kind: float = 4.16
    name_place: float = 1.52
    kind_missing: float = -1.09
    topic: float = 1.18
    topic_best: float = 0.17
    topic_text: float = 0.32
    dates_agree: float = 2.0
    dates_differ: float = -10.0
    role_differs: float = -1.0
    value: float = -3.0
    any_property: float = 5.0
    same_property: float = 6.0


WEIGHTS = Weights()
MIN_PROBABILITY = 0.65
"""An entity is linked to its most probable item if that has at least this probability. With it, 95 of 100 links were
right on documents that the weights were not fitted on (`benchmarks/linking_weights.py`)."""
MARGIN = 0.3
"""An entity is linked only if the probability of its best item exceeds that of the second by at least this."""

SHARPNESS, NONE_OF_THESE = 0.92, 0.17
"""How sure a link is: probabilities are raised to the power `SHARPNESS`, that of "none of these items" is multiplied by
the exponential of `NONE_OF_THESE`, and then all are divided by their sum. Both were fitted with the weights."""

_BY_NAME, _BY_TYPE = 50, 16  # how many candidates are kept once names are compared, and once classes are
_NEAR = 3  # how many of the entities after it in its sentence are an entity's neighbours
_PAIRS = 64  # how many pairs of items are looked up for one pair of entities

_TOPIC_ROUNDS = 2

_LINKED_BEFORE = 100.0  # log odds of what is linked already
_ROUNDS = 100
_VALUES = frozenset({"TIME", "NUM"})

COLUMNS = ("known", "namesakes", "sitelinks", "type_agrees", "type_differs", "also_named", *EVIDENCE, *TOPIC)
"""The weights of what speaks for a candidate apart from its name and from relations."""

_NOTHING = Profile()

LogOdds: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Entity:
    """An entity of a group, with one name however often it is mentioned.

    Attributes:
        name: as the text has it.
        type: the entity type, such as "PERSON"; "" if unknown.
        item: the id of the item that it is linked to already, or None.
        sentences: the text of the sentences that mention it, as far as it is known.
        others: other names that the text has for it.
    """

    name: str
    type: str = ""
    item: str | None = None
    sentences: str = ""
    others: tuple[str, ...] = ()


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
    """The entities that are linked together, such as those of one document.

    Attributes:
        entities: of the group.
        pairs: among them.
        text: of the document, as far as it is known. The names and sentences of the entities need not be in it.
    """

    entities: Sequence[Entity]
    pairs: Sequence[EntityPair] = ()
    text: str = ""


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

    @property
    def confidence(self) -> float:
        """The probability that the item is the right one; 0 if the entity is not linked here.

        >>> LinkDecision("linked", "Q90", (("Q90", 0.97), ("Q830149", 0.01))).confidence
        0.97
        """
        return dict(self.candidates).get(self.item or "", 0.0)

    @property
    def probability(self) -> float:
        """The probability of the most probable item, whether the entity is linked to it or not; 0 if there is none.

        >>> LinkDecision("abstained", None, (("Q90", 0.55), ("Q830149", 0.21))).probability
        0.55
        """
        return self.candidates[0][1] if self.candidates else 0.0


@dataclass(frozen=True, slots=True)
class LinkKnowledge:
    """What Wikidata has about the names and items of groups; `NotChecked` where a look-up failed.

    Attributes:
        candidates: by name.
        types: by item, the types of `ontology.TYPES` that its classes stand for. "" is among them for an item that no
            text speaks of, such as a disambiguation page.
        connections: by pair of items, the properties from the first to the second.
        profiles: by item.
    """

    candidates: Mapping[str, tuple[Candidate, ...] | NotChecked]
    types: Mapping[str, frozenset[str] | NotChecked]
    connections: Mapping[tuple[str, str], frozenset[str] | NotChecked]
    profiles: Mapping[str, Profile | NotChecked] = field(default_factory=dict)


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
    found = _found_by_name(entity, candidates, language)
    return found if isinstance(found, NotChecked) else _best_known(found)


def _best_known(found: Mapping[str, tuple[float, int | None]]) -> dict[str, float]:
    odds = {
        item: by_name + (0.0 if sitelinks is None else WEIGHTS.sitelinks * _fame(sitelinks))
        for item, (by_name, sitelinks) in found.items()
    }
    return _best(odds, _BY_NAME)


def _found_by_name(
    entity: Entity, candidates: Mapping[str, tuple[Candidate, ...] | NotChecked], language: str
) -> dict[str, tuple[float, int | None]] | NotChecked:
    """By item with an entity's name, the log odds for how it has the name, and in how many wikis it has a page."""
    found = candidates.get(entity.name, ())
    if isinstance(found, NotChecked):
        return found
    items: dict[str, tuple[float, int | None]] = {}
    for one in found:
        odds = WEIGHTS.label
        odds += WEIGHTS.alias * (not one.is_label)
        odds += WEIGHTS.language * (one.language not in (language, "mul"))
        odds += WEIGHTS.respelled * one.respelled
        if one.item not in items or odds > items[one.item][0]:
            items[one.item] = odds, one.sitelinks
    return items


def _also_named(
    entity: Entity, candidates: Mapping[str, tuple[Candidate, ...] | NotChecked]
) -> frozenset[str] | NotChecked:
    """The items that have another of an entity's names, which is not but another spelling of the name."""
    items: set[str] = set()
    own = set(spellings(entity.name)) if entity.others else set()
    for name in entity.others:
        if own.isdisjoint(spellings(name)):
            found = candidates.get(name, ())
            if isinstance(found, NotChecked):
                return found
            items |= {one.item for one in found}
    return frozenset(items)


def _fame(sitelinks: int) -> float:
    return math.log((1 + sitelinks) / 6)


def shortlists_of(
    group: EntityGroup, knowledge: LinkKnowledge, *, language: str
) -> list[dict[str, float] | NotChecked]:
    """For each entity of a group its candidates, the best first, with their log odds apart from what connects items."""
    return [
        found
        if isinstance(found, NotChecked)
        else {entity.item: _LINKED_BEFORE}
        if entity.item is not None
        else _best(dict(zip(found.items, found.log_odds().tolist(), strict=True)), _BY_TYPE)
        for entity, found in zip(group.entities, compare(group, knowledge, language=language), strict=True)
    ]


@dataclass(frozen=True, slots=True)
class Compared:
    """The candidates of an entity, and what speaks for each.

    Attributes:
        items: their ids.
        fixed: log odds that no column has: [items].
        columns: what `COLUMNS` names: [items, columns].
        profiles: of the items.
    """

    items: tuple[str, ...]
    fixed: LogOdds
    columns: NDArray[np.float64]
    profiles: tuple[Profile, ...]

    def log_odds(self) -> LogOdds:
        """The log odds of each item, by `WEIGHTS`."""
        return self.fixed + self.columns @ np.array([getattr(WEIGHTS, name) for name in COLUMNS])


def compare(group: EntityGroup, knowledge: LinkKnowledge, *, language: str) -> list[Compared | NotChecked]:
    """Compare the candidates of each entity of a group with the text and with one another.

    An entity that is linked already has none. What entities are that could not be looked up is left out of the topic.
    """
    all_words = text_words("\n".join([group.text, *(f"{one.name}\n{one.sentences}" for one in group.entities)]))
    found = [
        _compared(entity, roles, knowledge, all_words, has_text=bool(group.text or entity.sentences), language=language)
        for entity, roles in zip(group.entities, _roles(group), strict=True)
    ]
    names = [entity.name for entity in group.entities]
    for _ in range(_TOPIC_ROUNDS):  # what is likely depends on the topic, and the topic on what is likely
        likely = [
            []
            if isinstance(one, NotChecked)
            else list(zip(one.profiles, np.exp(_log_normal(np.append(one.log_odds(), 0.0)))[:-1].tolist(), strict=True))
            for one in found
        ]
        for one, columns in zip(found, topic(likely, names, all_words), strict=True):
            if not isinstance(one, NotChecked):
                one.columns[:, -len(TOPIC) :] = columns
    return found


def _compared(
    entity: Entity,
    roles: Sequence[Role],
    knowledge: LinkKnowledge,
    all_words: TextWords,
    *,
    has_text: bool,
    language: str,
) -> Compared | NotChecked:
    """The candidates of an entity, compared with the text, but not yet with the other entities."""
    if entity.item is not None:
        return Compared((), np.zeros(0), np.zeros((0, len(COLUMNS))), ())
    found = _found_by_name(entity, knowledge.candidates, language)
    if isinstance(found, NotChecked):
        return found
    also_named = _also_named(entity, knowledge.candidates)
    if isinstance(also_named, NotChecked):
        return also_named
    by_name = _best_known(found)
    type_ = coarse_type(entity.type)
    expected = _comparable(frozenset({type_}) & TYPES - _VALUES)
    allowed = [(_comparable(types), confidence) for types, confidence in roles]
    items, fixed, columns, profiles = [], [], [], []
    for item in by_name:
        types, profile = knowledge.types.get(item, frozenset()), knowledge.profiles.get(item, _NOTHING)
        if isinstance(types, NotChecked):
            return types
        if isinstance(profile, NotChecked):
            return profile
        if "" in types:
            continue
        odds, sitelinks = found[item]
        odds += WEIGHTS.value * (type_ in _VALUES)
        if types:
            odds += WEIGHTS.role_differs * max(
                (confidence for role, confidence in allowed if not types & role), default=0.0
            )
        fame = [0.0] * 3 if sitelinks is None else [1.0, math.log(len(by_name)), _fame(sitelinks)]
        agrees = bool(types & expected)
        items.append(item)
        fixed.append(odds)
        columns.append((*fame, agrees, bool(types and expected) and not agrees, item in also_named))
        profiles.append(profile)
    said, dates = np.hsplit(evidence(entity.name, profiles, entity.sentences, all_words), [len(EVIDENCE)])
    if not has_text:  # then what is missing says nothing
        said[:, [EVIDENCE.index("names_missing"), EVIDENCE.index("place_missing")]] = 0.0
    table = np.array(columns, np.float64).reshape(len(items), len(COLUMNS) - len(EVIDENCE) - len(TOPIC))
    return Compared(
        tuple(items),
        np.array(fixed) + dates @ np.array([getattr(WEIGHTS, name) for name in DATES]),
        np.hstack([table, said, np.zeros((len(items), len(TOPIC)))]),
        tuple(profiles),
    )


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
    calibrated = np.log(np.maximum(belief, 1e-300)) * SHARPNESS
    calibrated[0] += NONE_OF_THESE
    belief = np.exp(_log_normal(calibrated))
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
