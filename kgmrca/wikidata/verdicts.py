"""Verdicts: a statement compared with what Wikidata has. Nothing is looked up here.

`judge` takes these steps and stops at the first one that gives a verdict:

1. unmapped, unlinked: the statement cannot be expressed in Wikidata's terms.
2. confirmed, or confirmed by other rank: a claim of the subject with the property has the value.
3. confirmed by inverse or by symmetry: a claim of the object has the subject as its value.
4. unlinked, if Wikidata has no such item. If an item redirects, the steps so far are repeated with its target.
5. confirmed by sub-property, by transitivity (P131+), by qualifier.
6. deprecated, soft conflict, conflict, unknown value, type violation, new.

If a look-up of a step failed, the verdict is "not checked", and no later step is taken. So a failure never turns one
verdict into another. The caller looks up what a judgement `needs` and calls `judge` again (see `CheckKnowledge`), so
that only what decides is looked up. That Wikidata lacks a statement does not make it false, so no verdict says "wrong".
Wikidata's constraints count as hints only.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import partial
from itertools import chain
from typing import Any, NamedTuple, TypeAlias, TypeVar

from kgmrca.ontology import load_properties, wikidata_predicate
from kgmrca.wikidata.records import Claim, Constraints, Item, NotChecked, Value, WikidataProperty
from kgmrca.wikidata.values import compare, in_words, is_link, point_of

__all__ = ["Assertion", "CheckKnowledge", "Judgement", "Question", "Verdict", "judge"]

Question: TypeAlias = tuple[str, Any]
"""A look-up: the name of a method of `Lookups`, and one of its keys."""

_T = TypeVar("_T")
_Claims: TypeAlias = tuple[Claim, ...]

_LOCATED_IN = "P131"
_END_TIME = "P582"
_RANKS = ("preferred", "normal", "deprecated")
# The kind of value that a property of this datatype takes, and its name. Other datatypes take any literal.
_KINDS = {"WikibaseItem": ("item", "an item"), "Time": ("time", "a date"), "Quantity": ("quantity", "a number")}
_BELONGING = {"instance": "an instance", "subclass": "a subclass", "either": "an instance or a subclass"}


class Verdict(str, Enum):
    """What Wikidata says about a statement. Tables list the verdicts in this order, which is nearly that of `judge`."""

    confirmed = "confirmed"
    other_rank = "confirmed by other rank"
    inverse = "confirmed by inverse"
    symmetry = "confirmed by symmetry"
    subproperty = "confirmed by sub-property"
    transitivity = "confirmed by transitivity"
    qualifier = "confirmed by qualifier"
    deprecated = "deprecated"
    soft_conflict = "soft conflict"
    conflict = "conflict"
    unknown_value = "unknown value"
    type_violation = "type violation"
    new = "new"
    unlinked = "unlinked"
    unmapped = "unmapped"
    not_checked = "not checked"


@dataclass(frozen=True, slots=True)
class Assertion:
    """A statement of ours in Wikidata's terms.

    Attributes:
        subject: the id of an item; None if the subject is not linked to one.
        property: the id of a property; None if the predicate is not a property of Wikidata.
        object: an item or a literal; None if the object is an entity that is not linked to an item.
    """

    subject: str | None
    property: str | None
    object: Value | None


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict with its reason.

    Attributes:
        verdict: see `Verdict`.
        basis: the claim that decided; None if none did.
        reason: a sentence.
        needs: what must be looked up before there is a verdict. Until then the verdict is "not checked".
        others: the same verdict by other claims with the same value, which may have other qualifiers.
        is_absent: whether it is so because the endpoint does not have an item or the property of the statement.
    """

    verdict: Verdict
    basis: Claim | None = None
    reason: str = ""
    needs: frozenset[Question] = frozenset()
    others: tuple["Judgement", ...] = ()
    is_absent: bool = False


@dataclass(slots=True)
class CheckKnowledge:
    """What has been looked up. Each field has the answers, by key, of the method of `Lookups` with the same name."""

    properties: dict[str, WikidataProperty | NotChecked | None] = field(default_factory=dict)
    claims: dict[tuple[str, str], _Claims | NotChecked] = field(default_factory=dict)
    qualified: dict[tuple[str, str], frozenset[str] | NotChecked] = field(default_factory=dict)
    items: dict[str, Item | NotChecked | None] = field(default_factory=dict)
    connections: dict[tuple[str, str], frozenset[str] | NotChecked] = field(default_factory=dict)
    located_in: dict[tuple[str, str], bool | NotChecked] = field(default_factory=dict)
    surrounded_by: dict[tuple[str, str], bool | NotChecked] = field(default_factory=dict)
    subclasses: dict[tuple[str, str], bool | NotChecked] = field(default_factory=dict)


class _Answers:
    """Knowledge as one judgement uses it. It collects what is missing, and the first look-up that failed."""

    def __init__(self, known: CheckKnowledge) -> None:
        self.known = known
        self.needs: set[Question] = set()
        self.failed: NotChecked | None = None

    def property(self, id: str) -> WikidataProperty | None:
        return self._answer("properties", self.known.properties, id, WikidataProperty(id))

    def claims(self, item: str, property: str) -> _Claims:
        return self._answer("claims", self.known.claims, (item, property), ())

    def qualified(self, item: str, property: str) -> frozenset[str]:
        return self._answer("qualified", self.known.qualified, (item, property), frozenset())

    def item(self, id: str) -> Item | None:
        return self._answer("items", self.known.items, id, Item(id))

    def connections(self, subject: str, object_: str) -> frozenset[str]:
        return self._answer("connections", self.known.connections, (subject, object_), frozenset())

    def located_in(self, place: str, area: str) -> bool:
        return self._answer("located_in", self.known.located_in, (place, area), False)

    def surrounded_by(self, place: str, other: str) -> bool:
        return self._answer("surrounded_by", self.known.surrounded_by, (place, other), False)

    def subclass(self, class_: str, ancestor: str) -> bool:
        return class_ == ancestor or self._answer("subclasses", self.known.subclasses, (class_, ancestor), False)

    def unclear(self) -> Judgement | None:
        """The judgement "not checked" if a look-up failed or is still to be made; else None."""
        if self.failed:
            return Judgement(Verdict.not_checked, reason=f"A look-up failed: {self.failed.reason}.")
        if self.needs:
            return Judgement(Verdict.not_checked, reason="It has not been looked up.", needs=frozenset(self.needs))
        return None

    def _answer(self, kind: str, answers: Mapping[Any, _T | NotChecked], key: Any, otherwise: _T) -> _T:
        if key not in answers:
            self.needs.add((kind, key))
            return otherwise
        answer = answers[key]
        if isinstance(answer, NotChecked):
            self.failed = self.failed or answer
            return otherwise
        return answer


class _Triple(NamedTuple):
    """An assertion whose parts are all known."""

    subject: str
    property: str
    object: Value


def judge(assertion: Assertion, known: CheckKnowledge) -> Judgement:
    """Compare an assertion with what is known of Wikidata.

    >>> judge(Assertion("Q7186", None, None), CheckKnowledge()).verdict.value
    'unmapped'
    >>> born = Assertion("Q7186", "P19", Value("item", "Q270"))
    >>> judge(born, CheckKnowledge()).needs
    frozenset({('claims', ('Q7186', 'P19'))})
    >>> claim = Claim("http://www.wikidata.org/entity/statement/Q7186-1", "P19", Value("item", "Q270"))
    >>> judge(born, CheckKnowledge(claims={("Q7186", "P19"): (claim,)})).verdict.value
    'confirmed'
    """
    if assertion.property is None:
        return Judgement(Verdict.unmapped, reason="The predicate is not a property of Wikidata.")
    if assertion.subject is None or assertion.object is None:
        which = "subject" if assertion.subject is None else "object"
        return Judgement(Verdict.unlinked, reason=f"The {which} is not linked to an item.")
    return _judge(_Triple(assertion.subject, assertion.property, assertion.object), _Answers(known), resolved=False)


def _judge(triple: _Triple, answers: _Answers, *, resolved: bool) -> Judgement:
    theirs = answers.claims(triple.subject, triple.property)
    if found := answers.unclear() or _by_claims(triple.object, theirs):
        return found
    about = answers.property(triple.property) or WikidataProperty(triple.property)
    if found := answers.unclear() or _wrong_literal(about, triple.object) or _by_reverse(triple, about, answers):
        return found
    if not resolved:  # only here, because most statements are confirmed before
        targets = {id: answers.item(id) for id in (triple.subject, *_ids(triple.object))}
        if unclear := answers.unclear():
            return unclear
        moved = {id: item.id for id, item in targets.items() if item}
        if absent := targets.keys() - moved.keys():
            return Judgement(Verdict.unlinked, reason=f"There is no item {min(absent)}.", is_absent=True)
        if any(id != target for id, target in moved.items()):
            object_ = replace(triple.object, text=moved[triple.object.text]) if _ids(triple.object) else triple.object
            return _judge(_Triple(moved[triple.subject], triple.property, object_), answers, resolved=True)
    return _by_rarer_ways(triple, answers) or _unconfirmed(triple, about, theirs, answers)


def _by_claims(ours: Value, theirs: _Claims) -> Judgement | None:
    same = _same(ours, theirs)
    is_best = any(claim.rank == _best_rank(theirs) for claim in same)
    rank = "" if is_best else ", but another value has a better rank"

    def reason(claim: Claim) -> str:
        unit = f" in the unit {claim.value.unit}" if claim.value.unit and not ours.unit else ""
        ended = " with an end date" if _has(claim, {_END_TIME}) else ""
        return f"Wikidata has the same statement{unit}{ended}{rank}."

    return _by_each(Verdict.confirmed if is_best else Verdict.other_rank, same, reason)


def _by_each(verdict: Verdict, claims: Sequence[Claim], reason: Callable[[Claim], str]) -> Judgement | None:
    """The judgement by the first of the claims, with those by the others; None if there are none."""
    judgements = [Judgement(verdict, claim, reason(claim)) for claim in claims]
    return replace(judgements[0], others=tuple(judgements[1:])) if judgements else None


def _by_reverse(triple: _Triple, about: WikidataProperty, answers: _Answers) -> Judgement | None:
    """Confirmed by a claim of the object."""
    if triple.object.kind != "item":
        return None
    ways = [(Verdict.inverse, inverse) for inverse in sorted(about.inverses - {triple.property})]
    if about.symmetric:
        ways.append((Verdict.symmetry, triple.property))
    reverse = [(verdict, answers.claims(triple.object.text, way)) for verdict, way in ways]
    if unclear := answers.unclear():
        return unclear
    for verdict, claims in reverse:
        which = "inverse" if verdict is Verdict.inverse else "symmetric"
        same = _same(Value("item", triple.subject), claims)
        words = f"Wikidata states it of {triple.object.text} with the {which} property"
        if found := _by_each(verdict, same, partial(_by_property, words)):
            return found
    return None


def _by_rarer_ways(triple: _Triple, answers: _Answers) -> Judgement | None:
    """Confirmed in one of the rarer ways, which are looked up last."""
    if triple.object.kind == "item" and (found := _by_other_properties(triple, answers)):
        return found
    ways = answers.qualified(triple.subject, triple.property)
    if unclear := answers.unclear():
        return unclear
    qualified = [answers.claims(triple.subject, way) for way in sorted(ways)]
    if unclear := answers.unclear():
        return unclear
    for claim in sorted(chain.from_iterable(qualified), key=_by_rank):
        values = [value for name, value in claim.qualifiers if name == triple.property]
        if claim.rank != "deprecated" and any(compare(triple.object, value) == "same" for value in values):
            reason = f"Wikidata has it as a qualifier of a {claim.property} statement."
            return Judgement(Verdict.qualifier, claim, reason)
    return None


def _by_other_properties(triple: _Triple, answers: _Answers) -> Judgement | None:
    subject, property, object_ = triple
    ways = answers.connections(subject, object_.text)
    is_inside = property == _LOCATED_IN and answers.located_in(subject, object_.text)
    if unclear := answers.unclear():
        return unclear
    below = [way for way in sorted(ways) if _is_below(way, property, answers)]
    if unclear := answers.unclear():
        return unclear
    narrower = [answers.claims(subject, way) for way in below]
    if unclear := answers.unclear():
        return unclear
    words = partial(_by_property, "Wikidata has it with the sub-property")
    for claims in narrower:
        if found := _by_each(Verdict.subproperty, _same(object_, claims), words):
            return found
    if is_inside:
        return Judgement(Verdict.transitivity, reason=f"Wikidata has it in several {property} steps.")
    return None


def _by_property(words: str, claim: Claim) -> str:
    return f"{words} {claim.property}."


def _is_below(property: str, ancestor: str, answers: _Answers) -> bool:
    """Whether one property is a sub-property of the other over any number of steps."""
    seen: set[str] = set()
    upwards = {property}
    while upwards and ancestor not in upwards:
        seen |= upwards
        known = [answers.property(one) for one in sorted(upwards)]
        upwards = {above for one in known if one for above in one.subproperty_of} - seen
    return ancestor in upwards


def _unconfirmed(triple: _Triple, about: WikidataProperty, theirs: _Claims, answers: _Answers) -> Judgement:
    """The judgement of an assertion that nothing confirms."""
    agreements = [(claim, compare(triple.object, claim.value)) for claim in sorted(theirs, key=_by_rank)]
    for claim, agreement in agreements:
        if agreement == "same":
            return Judgement(Verdict.deprecated, claim, "Wikidata has the same statement with the deprecated rank.")
    valid = [(claim, agreement) for claim, agreement in agreements if claim.rank != "deprecated"]
    near = [claim for claim, agreement in valid if agreement == "near"]
    if _may_be_place(triple):
        near += [claim for claim, _ in valid if _overlap(triple.object, claim.value, answers)]
    if unclear := answers.unclear():
        return unclear
    if near:
        reason = f"Wikidata has {in_words(near[0].value)}, which does not exclude this value."
        return Judgement(Verdict.soft_conflict, near[0], reason)
    best = [(claim, agreement) for claim, agreement in valid if claim.rank == _best_rank(theirs)]
    for claim, agreement in best:
        if agreement == "different" and _excludes_others(claim, triple.subject, about.constraints):
            has = f"has {in_words(claim.value)}" if claim.value.text else "states that there is no value"
            return Judgement(Verdict.conflict, claim, f"Wikidata {has}.")
    for claim, _ in best:
        if claim.value.kind == "somevalue":
            reason = "Wikidata states that there is a value, but that it is unknown."
            return Judgement(Verdict.unknown_value, claim, reason)
    if not theirs and answers.property(triple.property) is None:
        return Judgement(Verdict.unmapped, reason=f"There is no property {triple.property}.", is_absent=True)
    reason = "Wikidata has other values, and there may be more." if valid else "Wikidata has nothing about it."
    return _type_violation(triple, about, answers) or Judgement(Verdict.new, reason=reason)


def _excludes_others(claim: Claim, subject: str, constraints: Constraints) -> bool:
    """Whether a claim excludes other values.

    It does if it says that there is no value, or if the property has a single value. A claim that has ended, or has a
    qualifier that separates values, excludes none.
    """
    if claim.value.kind == "novalue":
        return True
    is_single = constraints.single_value and subject not in constraints.exceptions
    return is_single and not _has(claim, constraints.separators | {_END_TIME})


def _type_violation(triple: _Triple, about: WikidataProperty, answers: _Answers) -> Judgement | None:
    """A type violation, if subject or value violate a constraint of the property that has no exception for it."""
    rules = about.constraints
    if triple.object.kind == "item" and about.datatype not in ("", "WikibaseItem"):
        return Judgement(Verdict.type_violation, reason=f"{triple.property} does not take an item.")
    if triple.subject in rules.exceptions:
        return None
    ends = [("subject", triple.subject, rules.subject_types, rules.subject_relation)]
    ends += [("value", id, rules.value_types, rules.value_relation) for id in _ids(triple.object)]
    wrong = [end for end in ends if not _belongs(*end[1:], answers)]
    if unclear := answers.unclear():
        return unclear
    for what, id, classes, relation in wrong:
        classes_named = f"any class that {triple.property} requires of its {what} ({', '.join(sorted(classes))})"
        reason = f"{id} is not {_BELONGING[relation]} of {classes_named}."
        return Judgement(Verdict.type_violation, reason=reason)
    return None


def _belongs(id: str, classes: frozenset[str], relation: str, answers: _Answers) -> bool:
    """Whether an item belongs to one of the classes. An item without classes in Wikidata counts as belonging."""
    item = answers.item(id)
    members = set(item.types if item and relation != "subclass" else ())
    if not classes or not (members or relation == "subclass"):
        return True
    if relation != "instance":
        members.add(id)
    return any(answers.subclass(member, class_) for member in sorted(members) for class_ in sorted(classes))


def _wrong_literal(about: WikidataProperty, object_: Value) -> Judgement | None:
    """The judgement "unlinked" for a literal that cannot be a value of the property; else None."""
    kind, name = _KINDS.get(about.datatype, (object_.kind, ""))
    if object_.kind == "somevalue":
        return Judgement(Verdict.unlinked, reason="The object is a blank node, which stands for an unknown value.")
    if object_.kind == "other" and about.datatype in ("", "WikibaseItem") and not point_of(object_.text):
        return Judgement(Verdict.unlinked, reason="The object is not linked to an item.")
    if about.datatype == "GlobeCoordinate" and object_.kind != "item":
        kind, name = ("other" if point_of(object_.text) else ""), "a place"
    if about.datatype == "ExternalId":
        kind, name = "text", "an identifier as a text"
    if about.datatype == "Url" and object_.kind in ("text", "other"):
        kind, name = (object_.kind if is_link(object_.text) else ""), "a link that begins with its scheme (https://)"
    if about.datatype in ("WikibaseProperty", "WikibaseLexeme", "WikibaseSense", "WikibaseForm"):
        kind, name = "", "no item, text or link"
    if object_.kind in (kind, "item"):
        return None
    return Judgement(Verdict.unlinked, reason=f"{about.id} takes {name}, and the object is not one.")


def _may_be_place(triple: _Triple) -> bool:
    """Whether the object can be a place, by our table of relations; of a property that is not in it, any can be."""
    known = load_properties().get(wikidata_predicate(triple.property) or "")
    return triple.object.kind == "item" and (known is None or "LOC" in known.object_types)


def _overlap(ours: Value, theirs: Value, answers: _Answers) -> bool:
    """Whether one of two places lies in the other, also where Wikidata only has its country or what it is part of."""
    if theirs.kind != "item":
        return False
    pairs = (ours.text, theirs.text), (theirs.text, ours.text)
    within, around = (answers.surrounded_by(*pair) for pair in pairs)  # both, so that both are looked up at once
    return within or around


def _ids(value: Value) -> list[str]:
    return [value.text] if value.kind == "item" else []


def _same(ours: Value, theirs: _Claims) -> list[Claim]:
    """The claims with this value, those with the best rank first; never a deprecated one."""
    valid = sorted((claim for claim in theirs if claim.rank != "deprecated"), key=_by_rank)
    return [claim for claim in valid if compare(ours, claim.value) == "same"]


def _by_rank(claim: Claim) -> tuple[int, str]:
    return _RANKS.index(claim.rank), claim.iri


def _best_rank(claims: _Claims) -> str:
    return min((claim.rank for claim in claims), key=_RANKS.index, default="normal")


def _has(claim: Claim, qualifiers: Iterable[str]) -> bool:
    return not set(qualifiers).isdisjoint(name for name, _ in claim.qualifiers)
