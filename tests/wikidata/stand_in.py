"""Lookups told in short sentences, in the place of `kgmrca.wikidata.lookups.Lookups`."""

from dataclasses import replace
from types import SimpleNamespace

from kgmrca.wikidata.records import Claim, Item, NotChecked, Value, WikidataProperty
from kgmrca.wikidata.wikibase import WIKIDATA

ITEMS = {
    **{"Curie": "Q7186", "Pierre": "Q37463", "Irène": "Q7504", "Sorbonne": "Q209842", "Radium": "Q1128"},
    **{"Wola": "Q1", "Warsaw": "Q270", "Poland": "Q36", "Paris": "Q90"},
    **{"human": "Q5", "person": "Q215627", "city": "Q515", "place": "Q17334923", "film": "Q11424"},
}
PROPERTIES = {
    **{"born": "P19", "born-on": "P569", "spouse": "P26", "child": "P40", "mother": "P25", "father": "P22"},
    **{"parent": "P8810", "relative": "P1038", "located": "P131", "employer": "P108", "position": "P39"},
    **{"replaces": "P1365", "population": "P1082", "in-year": "P585", "ended": "P582"},
}
_RANKS = ("preferred", "normal", "deprecated")


def value(word: str) -> Value:
    """An item by name, a year, or "somevalue" or "novalue"."""
    if word in ITEMS:
        return Value("item", ITEMS[word])
    return Value("time", word, precision=9) if word.isdigit() else Value(word)


class StandIn:
    """What it is told, and nothing else is so; but there are all items and properties.

    Sentences end in a full stop. The number of a sentence is that of the statement that it tells.

        Curie born Warsaw. Curie born Paris preferred. Curie employer Sorbonne | ended 1934. Curie child novalue.
        Curie is human. human below person. Warsaw in Poland. Paris country Poland. Pierre redirects-to Curie.
        No Paris. No born.
        born single. population separator in-year. born excepts Curie. born takes Time.
        mother inverse child. spouse symmetric. mother below parent.
        born subject person. born subject-relation subclass. born value place. born value-relation either.

    Attributes:
        failing: the look-ups (name of the method, key) that fail, because they are timed out.
        asked: all that was asked, call by call.
    """

    def __init__(self, told: str = "", *, failing=()):
        self.said, self.described, self.about = {}, {}, {}
        self.below, self.inside, self.countries, self.absent = set(), set(), set(), set()
        self.failing = set(failing)
        self.asked = []
        self.inputs = ()
        self.wikibase = WIKIDATA
        self.endpoint = SimpleNamespace(name="http://127.0.0.1:7878/query", queries=0, inputs=())
        for number, sentence in enumerate(told.split(".")[:-1]):
            self._learn(number, *(part.split() for part in sentence.split("|")))

    def say(self, item, property, value, *, rank="normal", qualifiers=(), number=0):
        iri = f"http://www.wikidata.org/entity/statement/{item}-{number}"
        statement = Claim(iri, property, value, rank, tuple(qualifiers))
        self.said.setdefault((item, property), []).append(statement)

    def describe(self, property, *, constraints=(), **known):
        found = self.about.get(property, WikidataProperty(property))
        found = replace(found, **known, constraints=replace(found.constraints, **dict(constraints)))
        self.about[property] = found

    def _learn(self, number, main, *qualifiers):
        match main:
            case ["No", name]:
                self.absent.add((ITEMS | PROPERTIES)[name])
            case [item, "is", class_]:
                self.described[ITEMS[item]] = Item(ITEMS[item], frozenset({ITEMS[class_]}))
            case [item, "redirects-to", target]:
                self.described[ITEMS[item]] = Item(ITEMS[target])
            case [place, "in", area]:
                self.inside.add((ITEMS[place], ITEMS[area]))
            case [place, "country", area]:
                self.countries.add((ITEMS[place], ITEMS[area]))
            case [class_, "below", other] if class_ in ITEMS:
                self.below.add((ITEMS[class_], ITEMS[other]))
            case [item, property, object_, *rank] if item in ITEMS:
                told = [(PROPERTIES[name], value(word)) for name, word in qualifiers]
                rank = rank[0] if rank else "normal"
                self.say(ITEMS[item], PROPERTIES[property], value(object_), rank=rank, qualifiers=told, number=number)
            case [property, *rest]:
                self._learn_of_property(PROPERTIES[property], *rest)

    def _learn_of_property(self, property, what, *words):
        found = self.about.get(property, WikidataProperty(property))
        ids = frozenset((ITEMS | PROPERTIES).get(word, "") for word in words)
        known = {
            "single": {"constraints": {"single_value": True}},
            "separator": {"constraints": {"separators": ids}},
            "excepts": {"constraints": {"exceptions": ids}},
            "subject": {"constraints": {"subject_types": ids}},
            "subject-relation": {"constraints": {"subject_relation": "".join(words)}},
            "value": {"constraints": {"value_types": ids}},
            "value-relation": {"constraints": {"value_relation": "".join(words)}},
            "takes": {"datatype": "".join(words)},
            "inverse": {"inverses": found.inverses | ids},
            "below": {"subproperty_of": found.subproperty_of | ids},
            "symmetric": {"symmetric": True},
        }
        self.describe(property, **known[what])

    def _look_up(self, kind, keys, answer):
        keys = list(keys)
        self.asked.append((kind, keys))
        self.endpoint.queries += 1
        return {key: NotChecked("timed out") if (kind, key) in self.failing else answer(key) for key in keys}

    def claims(self, pairs):
        return self._look_up("claims", pairs, lambda pair: tuple(self.said.get(pair, ())))

    def qualified(self, pairs):
        return self._look_up("qualified", pairs, self._qualified)

    def _qualified(self, pair):
        item, qualifier = pair
        return frozenset(
            property
            for (subject, property), statements in self.said.items()
            if subject == item and any(qualifier in dict(statement.qualifiers) for statement in statements)
        )

    def items(self, ids):
        return self._look_up("items", ids, lambda id: None if id in self.absent else self.described.get(id, Item(id)))

    def properties(self, ids):
        return self._look_up(
            "properties", ids, lambda id: None if id in self.absent else self.about.get(id, WikidataProperty(id))
        )

    def connections(self, pairs):
        return self._look_up("connections", pairs, self._connections)

    def _connections(self, pair):
        subject, object_ = pair
        return frozenset(
            property
            for (item, property), statements in self.said.items()
            if item == subject and any(statement.value.text == object_ for statement in statements)
        )

    def located_in(self, pairs):
        return self._look_up("located_in", pairs, lambda pair: pair in self.inside)

    def surrounded_by(self, pairs):
        return self._look_up("surrounded_by", pairs, lambda pair: pair in self.inside | self.countries)

    def subclasses(self, pairs):
        return self._look_up("subclasses", pairs, lambda pair: pair[0] == pair[1] or pair in self.below)

    def lacks(self, part):
        return False

    def find_wikibase(self, graphs=None):
        return False
