"""A small Wikidata in memory, in the place of `kgmrca.wikidata.lookups.Lookups`, for whoever links names."""

from dataclasses import dataclass, field, replace
from types import SimpleNamespace

from kgmrca.names import plain_name, spellings
from kgmrca.wikidata.records import Candidate, NotChecked, Profile
from kgmrca.wikidata.wikibase import WIKIDATA


@dataclass
class Known:
    """What is not told here is not so.

    Attributes:
        names: by name the items that have it, as ids, or as candidates where it matters how.
        classes: by item.
        described: profiles by item.
        below: pairs of a class and one above it.
        facts: triples of an item, a property and an item.
        failing: look-ups (name of the method, key) that get no answer.
        asked: all that was asked, call by call.
    """

    names: dict = field(default_factory=dict)
    classes: dict = field(default_factory=dict)
    described: dict = field(default_factory=dict)
    below: set = field(default_factory=set)
    facts: set = field(default_factory=set)
    failing: set = field(default_factory=set)
    asked: list = field(default_factory=list)
    inputs = ()
    wikibase = WIKIDATA
    endpoint: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(name="urn:known", queries=0, inputs=()))

    def is_without(self, part):
        return False

    def _look_up(self, kind, keys, answer):
        keys = list(keys)
        self.asked.append((kind, keys))
        return {key: NotChecked("timed out") if (kind, key) in self.failing else answer(key) for key in keys}

    def candidates(self, names, *, languages=("en", "mul")):
        def of(name):
            found = [
                replace(one, name=name, respelled=plain_name(spelling) != plain_name(name))
                if isinstance(one, Candidate)
                else Candidate(one, name, True, "en", respelled=plain_name(spelling) != plain_name(name))
                for spelling in spellings(name)
                for one in self.names.get(spelling, ())
            ]
            return tuple(one for one in found if one.language in languages)

        return self._look_up("candidates", names, of)

    def profiles(self, ids, *, languages=("en", "mul")):
        def of(id):
            told = self.described.get(id, Profile())
            return Profile(frozenset(self.classes.get(id, ())), told.description, told.facts)

        return self._look_up("profiles", ids, of)

    def subclasses(self, pairs):
        return self._look_up("subclasses", pairs, lambda pair: pair in self.below)

    def connections(self, pairs):
        return self._look_up(
            "connections",
            pairs,
            lambda pair: frozenset(name for subject, name, object_ in self.facts if (subject, object_) == pair),
        )

    def find_wikibase(self, graphs=None):
        return False
