"""The statement that a person wants instead of one that was read."""

import re
from collections import defaultdict
from dataclasses import replace
from decimal import Decimal

from pyoxigraph import Literal, NamedNode, Quad

from kgmrca.errors import InputError
from kgmrca.names import normal_name
from kgmrca.ontology import load_ontology, wikidata_predicate
from kgmrca.review.decisions import Decision, End
from kgmrca.terms import ENTITY_TYPE, LABEL, MENTION, OTHER_NAME
from kgmrca.triples.iris import Iris, mention_iri
from kgmrca.triples.items import named_item
from kgmrca.triples.literals import NUMBERS, typed_literal
from kgmrca.triples.records import Mention, Statement, Times

__all__ = ["Names"]


class Names:
    """What a graph calls its entities, and where it mentions them, as far as corrections need it.

    Attributes:
        labels: names by the IRIs of entities.
        types: types likewise.
        new: the names of entities that corrections brought into the graph, by their IRIs.
    """

    def __init__(self) -> None:
        self.labels: defaultdict[str, list[str]] = defaultdict(list)
        self.types: dict[str, str] = {}
        self.new: dict[str, str] = {}
        self._mentions: defaultdict[str, set[str]] = defaultdict(set)
        self._predicates: defaultdict[str, dict[str, None]] = defaultdict(dict)  # by label
        self._of_document: defaultdict[str, dict[str, None]] = defaultdict(dict)  # entities

    def add(self, found: Statement | Quad) -> None:
        """Take in what `read_rdf` gives."""
        if isinstance(found, Statement):
            self._predicates[found.label][found.predicate] = None
            self._mention(found.subject, found.subject_mention.iri)
            if not found.object_is_literal:
                self._mention(found.object, found.object_mention.iri)
        elif isinstance(found.subject, NamedNode) and isinstance(found.object, NamedNode | Literal):
            if found.predicate in (LABEL, OTHER_NAME):
                self.labels[found.subject.value].append(found.object.value)
            elif found.predicate == ENTITY_TYPE:
                self.types[found.subject.value] = found.object.value
            elif found.predicate == MENTION:
                self._mention(found.subject.value, found.object.value)

    def _mention(self, entity: str, mention: str) -> None:
        self._mentions[entity].add(mention)
        self._of_document[mention.rpartition("#")[0]][entity] = None

    def corrected(self, old: Statement, decision: Decision, iris: Iris) -> Statement:
        """The statement that stands instead of another one.

        The mention of another entity is that in the sentences of the statement, if there is one, or else the place of
        its name there. Otherwise the words stay, and mean the other entity: a person has read them so.

        Raises:
            InputError: there is no such entity, or nothing is corrected.
        """
        label = decision.label or old.label
        predicate = old.predicate if label == old.label else self._predicate(label, iris)
        subject, subject_mention = old.subject, old.subject_mention
        object_, datatype, is_literal, object_mention = (
            *(old.object, old.object_datatype, old.object_is_literal),
            old.object_mention,
        )
        if decision.subject:
            subject = self._entity(decision.subject, old, iris)
            subject_mention = self._place(decision.subject, subject, old, old.subject_mention)
        if decision.object and decision.object.kind == "value":
            object_, datatype = typed_literal(
                decision.object.text, "CARDINAL" if old.object_datatype in NUMBERS else "DATE"
            )
            is_literal = True
            object_mention = self._place(decision.object, "", old, old.object_mention)
        elif decision.object:
            object_, datatype, is_literal = self._entity(decision.object, old, iris), None, False
            object_mention = self._place(decision.object, object_, old, old.object_mention)
        what = (subject, predicate, datatype or ("literal" if is_literal else "iri"), object_, label)
        before = old.object_datatype or ("literal" if old.object_is_literal else "iri")
        if what == (old.subject, old.predicate, before, old.object, old.label):
            raise InputError(f"The correction of <{old.iri}> says the same as the statement: accept it instead.")
        return replace(
            old,
            iri=iris.statement("correction", old.iri, *what, subject_mention.iri, object_mention.iri),
            subject=subject,
            predicate=predicate,
            object=object_,
            object_is_literal=is_literal,
            object_datatype=datatype,
            label=label,
            confidence=Decimal(1),
            subject_mention=subject_mention,
            object_mention=object_mention,
            run=None,
            times=Times(),
            decision="accepted",
        )

    def is_read(self, new: Statement, old: Statement) -> bool:
        """Whether the sentences say what stands instead of a statement.

        They do not if the mention is still that of the old end, and is a name of that and not of the new one: then a
        person knows from elsewhere what is true.
        """
        subject = new.subject == old.subject or self._means(new.subject, new.subject_mention, old.subject, old)
        if new.object_mention != old.object_mention:
            return subject
        if new.object_is_literal or old.object_is_literal:
            return subject and new.object == old.object
        return subject and (new.object == old.object or self._means(new.object, new.object_mention, old.object, old))

    def _means(self, entity: str, mention: Mention, before: str, old: Statement) -> bool:
        for sentence in filter(None, (old.sentence, old.object_sentence)):
            words = normal_name(sentence.text[max(mention.start - sentence.start, 0) : mention.end - sentence.start])
            if words and sentence.start <= mention.start and mention.end <= sentence.end:
                own = [*self.labels[entity], self.new.get(entity, "")]
                return words in map(normal_name, own) or words not in map(normal_name, self.labels[before])
        return False

    def _predicate(self, label: str, iris: Iris) -> str:
        known = self._predicates.get(label, {})
        if len(known) == 1:
            return next(iter(known))
        return load_ontology().predicate(label) or wikidata_predicate(label) or iris.relation(label)

    def _entity(self, end: End, old: Statement, iris: Iris) -> str:
        if end.kind == "iri":
            if end.text in self._mentions or end.text in self.labels or named_item(end.text):
                return end.text
            raise InputError(f"The correction of <{old.iri}> names <{end.text}>, which the graph does not have.")
        name = normal_name(end.text)
        for entity in self._of_document[old.document]:
            if any(normal_name(label) == name for label in self.labels[entity]):
                return entity
        entity = iris.entity(old.document, end.text)
        self.new[entity] = end.text
        return entity

    def _place(self, end: End, entity: str, old: Statement, otherwise: Mention) -> Mention:
        sentences = [one for one in (old.sentence, old.object_sentence) if one]
        for mention in sorted(self._mentions.get(entity, ())):
            document, start, stop = _parts(mention)
            if document == old.document and any(one.start <= start and stop <= one.end for one in sentences):
                return Mention(mention, start, stop, "")
        names = [end.text] if end.kind != "iri" else self.labels[entity]
        for sentence in sentences:
            for name in names:
                at = re.search(rf"(?<!\w){re.escape(name)}(?!\w)", sentence.text)
                if at:
                    start, stop = sentence.start + at.start(), sentence.start + at.end()
                    return Mention(mention_iri(old.document, start, stop), start, stop, "")
        return otherwise


def _parts(mention: str) -> tuple[str, int, int]:
    document, _, place = mention.rpartition("#char=")
    start, _, stop = place.partition(",")
    return (document, int(start), int(stop)) if start.isdecimal() and stop.isdecimal() else ("", -1, -1)
