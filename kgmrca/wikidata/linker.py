"""The spaCy component `wikidata_linker`, which links entities to Wikidata items (`ent.kb_id_`).

`span._.wikidata_link` is the decision about an entity. It is stored as plain data, like relations (see
`kgmrca.relations`): `doc.user_data["kgmrca.links"]` is a list of `[start, end, outcome, item, candidates, reason]` with
character offsets, "" where there is no `item`, and a list of `[item, probability]` as `candidates`. A checksum of the
words of each entity lies beside it, under a key that spaCy moves along when it makes a Doc of a span. So the entities
of `span.as_doc(copy_user_data=True)` have their decisions, and other words at the same offsets have none.
"""

import contextlib
import os
import threading
import weakref
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import KW_ONLY, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, List, Literal, NamedTuple, Optional  # noqa: UP035, spaCy reads them from the signature of the factory

from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.util import minibatch

from kgmrca.entities import get_entities
from kgmrca.errors import ExtensionError, InputError, ModelError
from kgmrca.ontology import load_ontology
from kgmrca.relations import get_plain_relations
from kgmrca.triples.items import is_item_id, property_id
from kgmrca.wikidata.disambiguation import (
    MARGIN,
    MIN_PROBABILITY,
    Entity,
    EntityGroup,
    EntityPair,
    LinkDecision,
    neighbours,
)
from kgmrca.wikidata.link_lookups import link_entities

if TYPE_CHECKING:
    from kgmrca.wikidata.lookups import Lookups

__all__ = ["WikidataLinker", "get_link", "make_wikidata_linker"]

KEY = "kgmrca.links"

_CHECKS = ("._.", "kgmrca.links.checks", 0, None)
"""spaCy's form of a key with a place in the text: `Span.as_doc` moves the place, which is then not 0 any more."""
_BATCH_SIZE = 128  # Docs, by default


@dataclass(eq=False)
class WikidataLinker:
    """Links entities to Wikidata. Made by `nlp.add_pipe("wikidata_linker")`, after `mrca_relations` if there is one.

    An entity that has a `kb_id_` keeps it. An entity for which spacyfishing found an item (`span._.kb_qid`) gets that
    item. The mentions of an entity (`doc._.entities`) are linked together, by its most telling name; a pronoun is not
    linked, but its relations count as those of the name that it means. Relations on the Doc help to choose the item,
    and so do the entities near an entity in its sentence. An entity that could not be looked up stays unlinked, and its
    decision has the reason.

    Several threads may use one component: the endpoint and the cache are shared, and one request is sent at a time.
    With `n_process=2` each process opens the endpoint for itself. Then two requests may be sent at a time, a local file
    is read twice, and only the cache on disk is shared.

    Attributes:
        name: of the component in its pipeline.
        endpoint: "wikidata", "qlever", a URL, or a local RDF file or folder (see `sparql.open_endpoint`).
        contact: your mail address or URL, by which those who run a public endpoint can reach you. A public endpoint
            needs it.
        cache: the file in which answers are kept; ":memory:" for no file. None: the cache of the commands, or no file
            if the endpoint is a local file.
        offline: whether to use only what is in the cache.
        languages: the languages of names, that of the texts first. "mul" is Wikidata's tag for all languages.
        min_probability: an entity is linked to its most probable item if that has at least this probability.
        margin: an entity is linked only if the probability of its best item exceeds that of the second by this.
        batch_size: how many Docs are looked up together. None: as many as `nlp.pipe` has in a batch.
    """

    name: str = "wikidata_linker"
    _: KW_ONLY
    endpoint: str = "wikidata"
    contact: str | None = None
    cache: str | None = None
    offline: bool = False
    languages: Sequence[str] = ("en", "mul")
    min_probability: float = MIN_PROBABILITY
    margin: float = MARGIN
    batch_size: int | None = None

    def __post_init__(self) -> None:
        register_extension()
        if not self.languages:
            raise InputError("languages: name at least one, such as 'en'.")
        for setting, value in (("min_probability", self.min_probability), ("margin", self.margin)):
            if not 0 <= value <= 1:
                raise InputError(f"{setting} is a number from 0 to 1, not {value!r}.")
        self._lookups: Lookups | None = None
        self._process = 0
        self._opening = threading.Lock()

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_opening"} | {"_lookups": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__ = state | {"_opening": threading.Lock()}

    @property
    def lookups(self) -> "Lookups":
        """The look-ups, which the first call in each process opens.

        Raises:
            ModelError: the endpoint cannot be opened as it is configured.
        """
        with self._opening:
            return self._open()

    def _open(self) -> "Lookups":
        if self._lookups is None or self._process != os.getpid():
            # Imported here, because spaCy imports the module of every installed factory with any pipeline.
            from kgmrca.wikidata.lookups import Lookups
            from kgmrca.wikidata.sparql import open_endpoint

            cache: Path | Literal["default"] | None = "default"
            if self.cache is not None:
                cache = None if self.cache == ":memory:" else Path(self.cache)
            try:
                endpoint = open_endpoint(self.endpoint, contact=self.contact, offline=self.offline)
                self._lookups = Lookups(endpoint, cache=cache, offline=self.offline)
            except InputError as error:  # a ModelError, because no document is at fault
                raise ModelError(f"'{self.name}' cannot ask '{self.endpoint}': {error}") from error
            weakref.finalize(self, self._lookups.close)
            self._process = os.getpid()
        return self._lookups

    def __call__(self, doc: Doc) -> Doc:
        """Link the entities of one Doc. `pipe` needs fewer queries, because it looks up those of many Docs together."""
        self._link([doc])
        return doc

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = _BATCH_SIZE) -> Iterator[Doc]:
        """Process a stream of Docs in batches of the configured size, else of `batch_size`."""
        for batch in minibatch(stream, self.batch_size or batch_size):
            docs = list(batch)
            self._link(docs)
            yield from docs

    def _link(self, docs: Sequence[Doc]) -> None:
        groups = [list(_mentions_by_entity(doc)) for doc in docs]
        entity_groups = [_entity_group(doc, found) for doc, found in zip(docs, groups, strict=True)]
        found = link_entities(
            entity_groups,
            self.lookups,
            languages=self.languages,
            min_probability=self.min_probability,
            margin=self.margin,
        )
        for doc, entities, decisions in zip(docs, groups, found, strict=True):
            records = [
                [span.start_char, span.end_char, *_as_data(decision)]
                for mentions, decision in zip(entities, decisions, strict=True)
                for span in mentions.names
            ]
            for mentions, decision in zip(entities, decisions, strict=True):
                for span in mentions.names:
                    if decision.item:
                        for token in span:
                            token.ent_kb_id_ = decision.item
            _store(doc, sorted(records))


@Language.factory(
    "wikidata_linker",
    requires=["doc.ents"],
    assigns=["doc.ents", "token.ent_kb_id", "span._.wikidata_link"],
    default_config={field.name: field.default for field in fields(WikidataLinker) if field.name != "name"}
    | {"languages": list(WikidataLinker.languages), "least": None},
)
def make_wikidata_linker(
    nlp: Language,
    name: str,
    endpoint: str,
    contact: Optional[str],  # noqa: UP045
    cache: Optional[str],  # noqa: UP045
    offline: bool,
    languages: List[str],  # noqa: UP006
    min_probability: float,
    margin: float,
    batch_size: Optional[int],  # noqa: UP045
    least: Optional[float],  # noqa: UP045
) -> "WikidataLinker":
    """Make the component `wikidata_linker`, which sets `ent.kb_id_` and `span._.wikidata_link`.

    The settings are stored in the configuration of the pipeline, and so is the contact.

    `least` is the former name of `min_probability`, for configurations that have it. The other settings are the
    attributes of `WikidataLinker`.
    """
    return WikidataLinker(
        name,
        endpoint=endpoint,
        contact=contact,
        cache=cache,
        offline=offline,
        languages=languages,
        min_probability=min_probability if least is None else least,
        margin=margin,
        batch_size=batch_size,
    )


def get_link(span: Span) -> LinkDecision | None:
    """Read `span._.wikidata_link`: the decision about an entity; None if the span was no entity when linking ran."""
    data = span.doc.user_data
    records = data.get(KEY, ())
    key = _CHECKS if _CHECKS in data else next(filter(_is_checks, data), None)
    moved = 0 if key is None else key[2]
    checks: Sequence[int | None] = [None] * len(records)  # of data that was stored without
    if key is not None:
        if len(data[key]) == len(records):
            checks = data[key]
        elif moved:  # changed by hand, and it is not known what was at these places
            return None
    for (start, end, outcome, item, candidates, reason), check in zip(records, checks, strict=True):
        if (start + moved, end + moved) == (span.start_char, span.end_char) and check in (None, _check(span.text)):
            return LinkDecision(
                outcome, item or None, tuple((one, probability) for one, probability in candidates), reason
            )
    return None


def _store(doc: Doc, records: list[list[Any]]) -> None:
    """Store the decisions about the entities of a Doc, in place of earlier ones."""
    for key in [key for key in doc.user_data if key == KEY or _is_checks(key)]:
        del doc.user_data[key]
    text = doc.text
    doc.user_data[KEY] = records
    doc.user_data[_CHECKS] = [_check(text[start:end]) for start, end, *_ in records]


def _is_checks(key: Any) -> bool:
    return isinstance(key, tuple) and key[:2] == _CHECKS[:2]


def _check(words: str) -> int:
    return zlib.crc32(words.encode("utf-8", "surrogatepass"))


def register_extension() -> None:
    """Register `span._.wikidata_link`, unless it is registered.

    Raises:
        ExtensionError: another package has registered this name.
    """
    if not Span.has_extension("wikidata_link"):
        Span.set_extension("wikidata_link", getter=get_link)
    elif Span.get_extension("wikidata_link")[2] is not get_link:
        raise ExtensionError("Span already has an extension 'wikidata_link', and kgmrca does not overwrite it.")


class _Mentions(NamedTuple):
    """The mentions of one entity of a Doc."""

    item: str | None
    """The item that it is linked to already."""

    names: list[Span]
    """Those in `doc.ents`, the most telling one first: they are linked."""

    others: list[Span]
    """Pronouns and descriptions: they are not, but relations of theirs tell which item is meant."""


def _mentions_by_entity(doc: Doc) -> Iterator[_Mentions]:
    """The mentions of each entity of a Doc (see `kgmrca.entities`).

    Mentions that are linked to another knowledge base than Wikidata are left out.
    """
    ents = {(span.start, span.end) for span in doc.ents}
    for entity in get_entities(doc):
        named, others = [], []
        for span in entity.mentions:
            if (span.start, span.end) not in ents:
                others.append(span)
            elif not (linked := _linked(span)) or is_item_id(linked):
                named.append((linked, span))
        items = sorted({item for item, _ in named})
        if len(items) == 2 and not items[0]:  # one, and names without
            yield _Mentions(items[1], [span for _, span in named], others)
        else:
            for item in items:
                spans = [span for linked, span in named if linked == item]
                yield _Mentions(item or None, spans, others if len(items) == 1 else [])


def _linked(span: Span) -> str:
    """What a mention is linked to already: its `kb_id_`, or what spacyfishing found; "" if neither.

    spacyopentapioca and spaCy's own entity linker set `kb_id_`; the latter sets "NIL" where it found nothing.
    spacyfishing sets `span._.kb_qid` (github.com/Lucaterre/spacyfishing, entity_fishing_linker.py). It is read where
    spaCy stores it, because the extension need not be registered in another process.
    """
    if span.kb_id_ and span.kb_id_ != "NIL":
        return span.kb_id_
    found = span.doc.user_data.get(("._.", "kb_qid", span.start_char, span.end_char))
    return found if isinstance(found, str) and is_item_id(found) else ""


def _entity_group(doc: Doc, groups: Sequence[_Mentions]) -> EntityGroup:
    has_sentences = doc.has_annotation("SENT_START")
    entities = [
        Entity(
            found.names[0].text,
            Counter(span.label_ for span in found.names).most_common(1)[0][0],
            found.item,
            "\n".join(dict.fromkeys(span.sent.text for span in found.names + found.others)) if has_sentences else "",
            tuple(dict.fromkeys(span.text for span in found.names[1:] if span.text != found.names[0].text)),
        )
        for found in groups
    ]
    number = {
        (span.start_char, span.end_char): one for one, found in enumerate(groups) for span in found.names + found.others
    }
    ontology = load_ontology()
    pairs = [
        EntityPair(number[a, b], number[c, d], property_id(ontology.predicate(label) or label), score)
        for a, b, c, d, label, score in get_plain_relations(doc) or ()
        if (a, b) in number and (c, d) in number
    ]
    sentences = doc.sents if has_sentences else [doc[:]]
    for sentence in sentences:
        pairs += neighbours(
            [number[key] for span in sentence.ents if (key := (span.start_char, span.end_char)) in number]
        )
    return EntityGroup(entities, pairs, doc.text)


def _as_data(decision: LinkDecision) -> list[Any]:
    return [decision.outcome, decision.item or "", [list(one) for one in decision.candidates], decision.reason]


# As with `kgmrca.relations`: importing must not fail where another package owns the name; adding the component does.
with contextlib.suppress(ExtensionError):
    register_extension()
