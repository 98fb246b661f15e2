"""Linking entities with an endpoint: what `disambiguation` needs to know is looked up, and each entity decided."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from kgmrca.errors import InputError
from kgmrca.wikidata.disambiguation import (
    MARGIN,
    MIN_PROBABILITY,
    EntityGroup,
    LinkDecision,
    LinkKnowledge,
    choose_items,
    item_pairs,
    items_by_name,
    shortlists_of,
)
from kgmrca.wikidata.records import NotChecked, Profile

if TYPE_CHECKING:
    from kgmrca.wikidata.lookups import Lookups

__all__ = ["link_entities", "look_up"]

# Pages of the wikis themselves, and names as such. All are named, because an endpoint may lack the classes above them.
_NEVER_MEANT = (
    "Q17442446",  # Wikimedia internal item
    "Q17379835",  # Wikimedia page outside the main knowledge tree
    "Q4167410",  # Wikimedia disambiguation page
    "Q22808320",  # Wikimedia human name disambiguation page
    "Q15407973",  # Wikimedia disambiguation category
    "Q66480449",  # Wikimedia surname disambiguation page
    "Q15623926",  # Wikimedia set index article
    "Q13406463",  # Wikimedia list article
    "Q4167836",  # Wikimedia category
    "Q15647814",  # Wikimedia administration category
    "Q11266439",  # Wikimedia template
    "Q11753321",  # Wikimedia navigational template
    "Q19887878",  # Wikimedia infobox template
    "Q15184295",  # Wikimedia module
    "Q4663903",  # Wikimedia portal
    "Q14204246",  # Wikimedia project page
    "Q17362920",  # Wikimedia duplicated page
    "Q21286738",  # Wikimedia permanent duplicate item
    "Q82799",  # name
    "Q101352",  # family name
    "Q29042997",  # double family name
    "Q60558422",  # compound surname
    "Q66480858",  # affixed family name
    "Q110874",  # patronymic
    "Q202444",  # given name
    "Q12308941",  # male given name
    "Q11879590",  # female given name
    "Q3409032",  # unisex given name
    "Q245025",  # middle name
)
# The entity type of each of these classes and its subclasses. An item of no such class may be of any type. Items of the
# classes with "" are never what a text speaks of.
_TYPE_OF_CLASS = {
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
    **dict.fromkeys(_NEVER_MEANT, ""),
}


def link_entities(
    groups: Sequence[EntityGroup],
    lookups: "Lookups",
    *,
    languages: Sequence[str] = ("en", "mul"),
    min_probability: float = MIN_PROBABILITY,
    margin: float = MARGIN,
) -> list[tuple[LinkDecision, ...]]:
    """Link the entities of groups. Groups are decided independently; their look-ups are sent together.

    Args:
        groups: the entities to link.
        lookups: where to look up.
        languages: the languages of names, that of the texts first. "mul" is Wikidata's tag for all languages.
        min_probability, margin: see `MIN_PROBABILITY` and `MARGIN`.

    Returns:
        For each group a decision for each of its entities, in their order.

    Raises:
        InputError: there is no language, one is no language tag, or the cache cannot be used.
    """
    knowledge = look_up(groups, lookups, languages=languages)
    return [
        choose_items(group, knowledge, language=languages[0], min_probability=min_probability, margin=margin)
        for group in groups
    ]


def look_up(groups: Sequence[EntityGroup], lookups: "Lookups", *, languages: Sequence[str]) -> LinkKnowledge:
    """Look up what `choose_items` needs: names, then classes of items, then what connects items.

    Raises:
        InputError: there is no language, one is no language tag, or the cache cannot be used.
    """
    if not languages:
        raise InputError("There is no language to look for names in: name at least one, such as en.")
    entities = [entity for group in groups for entity in group.entities if entity.item is None]
    names = {name for entity in entities for name in (entity.name, *entity.others)}
    candidates = lookups.candidates(sorted(names), languages=languages)
    items = {
        item
        for entity in entities
        if not isinstance(found := items_by_name(entity, candidates, languages[0]), NotChecked)
        for item in found
    }
    profiles = lookups.profiles(sorted(items), languages=tuple(languages))
    knowledge = LinkKnowledge(candidates, _types(profiles, lookups), {}, profiles)
    pairs: set[tuple[str, str]] = set()
    for group in groups:
        shortlists = [
            {} if isinstance(found, NotChecked) else found
            for found in shortlists_of(group, knowledge, language=languages[0])
        ]
        for pair in group.pairs:
            for subject, object_ in item_pairs(pair, shortlists):
                pairs.update(((subject, object_), (object_, subject)))
    return replace(knowledge, connections=lookups.connections(sorted(pairs)))


def _types(profiles: Mapping[str, Profile | NotChecked], lookups: "Lookups") -> dict[str, frozenset[str] | NotChecked]:
    classes = sorted({one for found in profiles.values() if isinstance(found, Profile) for one in found.types})
    below = lookups.subclasses([(one, root) for one in classes for root in _TYPE_OF_CLASS if one not in _TYPE_OF_CLASS])
    return {
        item: found if isinstance(found, NotChecked) else _types_of(found.types, below)
        for item, found in profiles.items()
    }


def _types_of(
    classes: Iterable[str], below: Mapping[tuple[str, str], bool | NotChecked]
) -> frozenset[str] | NotChecked:
    found = {_TYPE_OF_CLASS[one] for one in classes if one in _TYPE_OF_CLASS}
    for one in classes:
        for root, type_ in _TYPE_OF_CLASS.items():
            answer = below.get((one, root), False)
            if isinstance(answer, NotChecked):
                return answer
            if answer:
                found.add(type_)
    return frozenset(found)
