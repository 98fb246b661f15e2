"""Graphs whose entities are linked to Wikidata: what `kgmrca link` does."""

import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from decimal import Decimal
from itertools import chain, groupby
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeAlias, cast, get_args

from pyoxigraph import Literal, NamedNode, Quad, Triple

from kgmrca import __version__
from kgmrca.errors import InputError, OutputError
from kgmrca.files import STANDARD, opened, temporary_folder
from kgmrca.ontology import WIKIDATA_ENTITY
from kgmrca.progress import counted, progress_bar
from kgmrca.terms import (
    CHECKED_AGAINST,
    COMMENT,
    DECIMAL,
    DEFAULT_GRAPH,
    ENTITY_TYPE,
    GENERATED_BY,
    KGMRCA,
    LABEL,
    OTHER_NAME,
    TYPE,
)
from kgmrca.triples.formats import FORMATS, WITH_GRAPHS, WITH_TRIPLE_TERMS, chosen_format, write
from kgmrca.triples.inputs import RdfFile, graph_files
from kgmrca.triples.iris import DEFAULT_BASE, Iris, clean_text
from kgmrca.triples.items import item_of, link_in, other_link, property_id
from kgmrca.triples.read import Node, read_graphs, read_quads
from kgmrca.triples.records import rounded
from kgmrca.triples.write import activity_triples
from kgmrca.wikidata.assertions import in_words
from kgmrca.wikidata.disambiguation import (
    MARGIN,
    MIN_PROBABILITY,
    Entity,
    EntityGroup,
    EntityPair,
    LinkDecision,
    LinkOutcome,
    neighbours,
)
from kgmrca.wikidata.link_lookups import link_entities
from kgmrca.wikidata.outputs import check_writable
from kgmrca.wikidata.wikibase import Wikibase

if TYPE_CHECKING:
    from kgmrca.wikidata.lookups import Lookups

__all__ = ["LinkSummary", "link_graphs"]

_ITEM, _CLUSTER = NamedNode(f"{KGMRCA}item"), NamedNode(f"{KGMRCA}Cluster")
_LINK, _LINK_OF, _OUTCOME, _CHOSEN = (NamedNode(KGMRCA + name) for name in ("Link", "linkOf", "outcome", "chosen"))
_CANDIDATE, _CANDIDATE_ITEM, _PROBABILITY = (
    NamedNode(KGMRCA + name) for name in ("candidate", "candidateItem", "linkScore")
)
_TEXTS = {LABEL: "names", OTHER_NAME: "others", ENTITY_TYPE: "types"}  # the tables that literals go into
_LINK_IRI = re.compile(r".*[:/]link/[0-9a-f]{32}")

_OUTCOMES = get_args(LinkOutcome)
_CHUNK = 2_000  # entities that are linked together, so that queries are full; some MB
_TABLES = """
CREATE TABLE pairs (
    document, subject, property, object, confidence, sentence, object_sentence, subject_start, object_start
);
CREATE INDEX of_document ON pairs (document);
CREATE TABLE sentences (sentence PRIMARY KEY, text) WITHOUT ROWID;
CREATE TABLE names (entity PRIMARY KEY, name) WITHOUT ROWID;
CREATE TABLE others (entity, name, PRIMARY KEY (entity, name)) WITHOUT ROWID;
CREATE TABLE types (entity, type, PRIMARY KEY (entity, type)) WITHOUT ROWID;
CREATE TABLE items (entity, item, PRIMARY KEY (entity, item)) WITHOUT ROWID;
CREATE TABLE clusters (iri PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE links (link PRIMARY KEY, entity) WITHOUT ROWID;
CREATE TABLE chosen (link PRIMARY KEY, item) WITHOUT ROWID;
CREATE TABLE ours (entity, item, PRIMARY KEY (entity, item)) WITHOUT ROWID;
CREATE TABLE entities (entity PRIMARY KEY, is_taken DEFAULT 0, item) WITHOUT ROWID;
"""

_Group: TypeAlias = tuple[list[str | None], EntityGroup]  # the IRIs of those entities that are to be linked, else None


@dataclass(slots=True)
class LinkSummary:
    """What `link_graphs` did.

    Attributes:
        outcomes: the number of entities by outcome (see `disambiguation.LinkDecision`).
        reasons: the number of entities that could not be looked up, by reason.
        other_links: the number of links in the graphs that lead to no item, by host.
        is_in_vain: whether the graphs have triples, but no entity, or the endpoint no labels or no items at all.
        queries: the number of queries that were sent.
        seconds: the time it took.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    other_links: Counter[str] = field(default_factory=Counter)
    is_in_vain: bool = False
    queries: int = 0
    seconds: float = 0.0

    def in_words(self, output: str) -> str:
        """The summary in lines of text; `output` is where the result was written."""
        counts = [f"{self.outcomes[name]:,} {name}" for name in _OUTCOMES if self.outcomes[name]]
        total = f"kgmrca: {counted(self.outcomes.total(), 'entity', 'entities')}" + (
            "" if output == "-" else f" -> {output}"
        )
        lines = [": ".join([total, ", ".join(counts)]) if counts else total]
        if not counts:
            lines.append(
                "kgmrca: nothing to link: the graphs have no entities, which have a name (rdfs:label) and a type "
                "(kgmrca:entityType), as kgmrca convert writes them"
            )
        lines += [f"kgmrca: not looked up, {reason}: {count:,}" for reason, count in self.reasons.most_common()]
        lines += [f"kgmrca: {line}" for line in in_words(self.other_links)]
        return "\n".join([*lines, f"kgmrca: {counted(self.queries, 'query', 'queries')} in {self.seconds:,.0f} s"])


def link_graphs(
    graphs: Sequence[str | Path],
    lookups: "Lookups",
    output: str | Path | IO[bytes],
    *,
    languages: Sequence[str] = ("en", "mul"),
    min_probability: float = MIN_PROBABILITY,
    margin: float = MARGIN,
    input_format: str | None = None,
    format: str | None = None,
    base: str = DEFAULT_BASE,
    progress: bool | None = None,
) -> LinkSummary:
    """Write graphs again, with links from their entities to Wikidata items, and how each link was decided.

    The entities of a document are linked together. An entity that is linked already keeps its item, which helps to link
    the others. The decisions of an earlier run of this function are replaced. The same answers give the same bytes,
    except for the record of the run at the end.

    Graphs are read twice. In between a temporary database beside the output holds what is needed of them, and memory
    some thousands of entities. In a graph without statements of its own (the provenance "none") only names and types
    tell which item is meant.

    Args:
        graphs: RDF files, folders of them, glob patterns, or "-" for standard input.
        lookups: where to look up.
        output: a file, "-" for standard output, or a binary stream.
        languages, min_probability, margin: see `link_lookups.link_entities`.
        input_format: the format of all graphs. With None it is known by the files' extensions; standard input is read
            as TriG, which includes Turtle and N-Triples.
        format: of the output. With None it is known by the file's extension; a stream gets Turtle.
        base: what new IRIs begin with.
        progress: see `kgmrca.progress.progress_bar`.

    Raises:
        InputError: an argument or a graph cannot be used, the output would overwrite what is read, or its format cannot
            hold what is in a graph.
        OSError: something cannot be read or written.
    """
    started, queries = datetime.now(timezone.utc), lookups.endpoint.queries
    iris, summary = Iris(base), LinkSummary()
    format = chosen_format(format, output)
    check_writable([output], graphs, lookups, input_format=input_format)
    with (
        opened(output) as out,
        graph_files(graphs, input_format, beside=output) as files,
        temporary_folder(output) as folder,
        _database_errors(output, folder),
        _Store(folder) as store,
    ):
        lookups.find_wikibase()
        wikibase, endpoint = lookups.wikibase, lookups.endpoint.name
        run = NamedNode(iris.run("link", __version__, endpoint, ",".join(languages), str(min_probability), str(margin)))
        summary.is_in_vain = store.read(wikibase.graphs(read_graphs(files, beside=output)), summary.other_links)
        found = _decisions(
            store,
            lambda groups: link_entities(
                groups, lookups, languages=languages, min_probability=min_probability, margin=margin
            ),
            progress,
        )
        links = (
            triple
            for entity, decision in _counting_outcomes(found, summary)
            for triple in _link_triples(iris, entity, decision, endpoint, run)
        )
        record = activity_triples(run, [(CHECKED_AGAINST, NamedNode(endpoint))], started=started)
        triples: Iterator[Triple | Quad] = chain(
            _copied(files, store, format, wikibase), wikibase.triples(links), record
        )
        write(triples, out, format=format, base=base)
        out.flush()
    if 0 < summary.outcomes.total() == summary.outcomes["no candidates"]:
        summary.is_in_vain = lookups.is_without("labels") or lookups.is_without("items")
    summary.queries = lookups.endpoint.queries - queries
    summary.seconds = (datetime.now(timezone.utc) - started).total_seconds()
    return summary


@contextmanager
def _database_errors(output: str | Path | IO[bytes], folder: Path) -> Iterator[None]:
    """Errors of the temporary database, such as a full disk, are errors of writing the output."""
    try:
        yield
    except sqlite3.Error as error:
        name = f"'{output}'" if isinstance(output, str | Path) and output != STANDARD else "The output"
        raise OutputError(f"{name} cannot be written: temporary database in '{folder.parent}': {error}.") from error


class _Store:
    """What is needed of graphs to link their entities, in a database in a folder for temporary files."""

    def __init__(self, folder: Path) -> None:
        self._database = sqlite3.connect(folder / "graph.sqlite", isolation_level=None)
        # Nothing here sorts much, so that what SQLite itself would put into temporary files elsewhere fits in memory.
        settings = "PRAGMA synchronous = OFF; PRAGMA journal_mode = OFF; PRAGMA temp_store = MEMORY"
        self._database.executescript(f"{settings}; {_TABLES}")
        self.runs: set[str] = set()  # the IRIs of earlier runs

    def __enter__(self) -> "_Store":
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def read(self, graphs: Iterable[Node | Quad], others: Counter[str]) -> bool:
        """Store what the graphs say about entities, and count links that lead to no item by host.

        Returns:
            Whether the graphs have triples, but none of them is part of a statement or about an entity.

        Raises:
            InputError: a graph cannot be used.
            OSError: a graph cannot be read.
        """
        self._database.execute("BEGIN")
        has_triples = has_statements = False
        for found in graphs:
            if isinstance(found, Quad):
                has_triples = True
                self._take(found)
                if host := other_link(found):
                    others[host] += 1
            else:
                has_statements = True
                self._take_statement(found)
        # What is a cluster, and which links an earlier run made, is known only once everything is read.
        self._database.executescript(  # which ends the transaction before
            "BEGIN;"
            "DELETE FROM types WHERE entity IN clusters;"
            "INSERT OR IGNORE INTO ours SELECT entity, item FROM links JOIN chosen USING (link);"
            "DELETE FROM items WHERE (entity, item) IN ours;"
            "INSERT OR IGNORE INTO entities (entity) SELECT entity FROM types;"
            "INSERT OR IGNORE INTO entities (entity) SELECT subject FROM pairs;"
            "INSERT OR IGNORE INTO entities (entity) SELECT object FROM pairs WHERE object IS NOT NULL;"
            "DELETE FROM entities WHERE entity GLOB 'http://www.wikidata.org/entity/Q*';"
            "COMMIT;"
        )
        return has_triples and not has_statements and not self.count()

    def _take(self, quad: Quad) -> None:
        subject, predicate, object_ = quad.subject, quad.predicate, quad.object
        if not isinstance(subject, NamedNode):
            return
        if _LINK_IRI.fullmatch(subject.value):
            if predicate == _LINK_OF and isinstance(object_, NamedNode):
                self._put("links", subject.value, object_.value)
            elif predicate == _CHOSEN and (item := item_of(object_)):
                self._put("chosen", subject.value, item)
            elif predicate == GENERATED_BY and isinstance(object_, NamedNode):
                self.runs.add(object_.value)
        elif predicate in _TEXTS and isinstance(object_, Literal):
            self._put(_TEXTS[predicate], subject.value, object_.value)
        elif link := link_in(quad):
            self._put("items", *link)
        elif predicate == TYPE and object_ == _CLUSTER:
            self._put("clusters", subject.value)

    def _take_statement(self, node: Node) -> None:
        terms = node.terms
        starts = [_start(terms[name].value) for name in ("subject_mention", "object_mention")]
        object_ = terms["object"].value if isinstance(terms["object"], NamedNode) else None
        sentences = [terms[name].value if name in terms else None for name in ("sentence", "object_sentence")]
        property = property_id(terms["predicate"].value)
        document, subject = terms["document"].value, terms["subject"].value
        self._put("pairs", document, subject, property, object_, float(node.confidence), *sentences, *starts)
        for sentence, name in zip(sentences, ("sentence_text", "object_sentence_text"), strict=True):
            if sentence is not None and name in terms:
                self._put("sentences", sentence, terms[name].value)

    def _put(self, table: str, *values: str | float | None) -> None:
        marks = ", ".join("?" * len(values))
        self._database.execute(f"INSERT OR IGNORE INTO {table} VALUES ({marks})", values)  # noqa: S608, of our tables

    def count(self) -> int:
        """How many entities there are."""
        return cast(int, self._database.execute("SELECT count(*) FROM entities").fetchone()[0])

    def chunks(self) -> Iterator[list[_Group]]:
        """The entities of each document as a group, in chunks of some thousands."""
        chunk: list[_Group] = []
        size = 0
        for entities, group in chain(self._of_documents(), self._others()):
            chunk.append((entities, group))
            size += len(entities)
            if size >= _CHUNK:
                yield chunk
                chunk, size = [], 0
        if chunk:
            yield chunk

    def decided(self, entity: str, decision: LinkDecision) -> None:
        """Store the decision about an entity, for later documents that mention it too."""
        self._database.execute("UPDATE entities SET item = ? WHERE entity = ?", (decision.item, entity))

    def is_ours(self, quad: Quad) -> bool:
        """Whether an earlier run of `link_graphs` wrote this triple."""
        subject, object_ = quad.subject, quad.object
        if not isinstance(subject, NamedNode):
            return False
        if quad.predicate == _ITEM:
            query = "SELECT 1 FROM ours WHERE entity = ? AND item = ?"
            return self._database.execute(query, (subject.value, item_of(object_))).fetchone() is not None
        return subject.value in self.runs or _LINK_IRI.fullmatch(subject.value) is not None

    def _of_documents(self) -> Iterator[_Group]:
        rows = self._database.execute(
            "SELECT document, subject, object, property, confidence, sentence, ifnull(object_sentence, sentence),"
            " subject_start, object_start FROM pairs ORDER BY document, rowid"
        )
        for _, of_document in groupby(rows, key=lambda row: row[0]):
            numbers: dict[str, int] = {}
            pairs: list[EntityPair] = []
            sentences: dict[str, set[tuple[int, int]]] = {}
            for _, subject, object_, property, confidence, *places in of_document:
                ends = [numbers.setdefault(iri, len(numbers)) for iri in (subject, object_) if iri is not None]
                if object_ is not None:
                    pairs.append(EntityPair(ends[0], ends[1], property, confidence))
                for sentence, start, end in zip(places[:2], places[2:], ends, strict=False):
                    if sentence is not None:
                        sentences.setdefault(sentence, set()).add((start, end))
            for mentions in sentences.values():
                pairs += neighbours([number for _, number in sorted(mentions)])
            yield self._group(list(numbers), pairs, sentences)

    def _others(self) -> Iterator[_Group]:
        """Entities that are in no statement, each as a group of its own."""
        last = ""
        query = "SELECT entity FROM entities WHERE NOT is_taken AND entity > ? ORDER BY entity LIMIT 1000"
        while found := self._database.execute(query, (last,)).fetchall():
            yield from (self._group([entity], [], {}) for (entity,) in found)
            last = found[-1][0]

    def _group(
        self, entities: Sequence[str], pairs: Sequence[EntityPair], sentences: Mapping[str, set[tuple[int, int]]]
    ) -> _Group:
        """A group of entities, with the IRIs of those that are not in an earlier group.

        Args:
            entities: their IRIs.
            pairs: of them.
            sentences: by IRI, where each mentions which entity.
        """
        texts = {
            sentence: "\n".join(self._all("SELECT text FROM sentences WHERE sentence = ?", sentence))
            for sentence in sentences
        }
        mentioning: dict[int, list[str]] = {}
        for sentence, mentions in sentences.items():
            for number in {number for _, number in mentions}:
                mentioning.setdefault(number, []).append(texts[sentence])
        found = [
            replace(self._entity(iri), sentences="\n".join(mentioning.get(number, ())).strip())
            for number, iri in enumerate(entities)
        ]
        is_new = [
            self._database.execute(
                "UPDATE entities SET is_taken = 1 WHERE entity = ? AND NOT is_taken", (iri,)
            ).rowcount
            for iri in entities
        ]
        return [iri if new else None for iri, new in zip(entities, is_new, strict=True)], EntityGroup(
            found, pairs, "\n".join(texts.values()).strip()
        )

    def _entity(self, iri: str) -> Entity:
        if item := item_of(NamedNode(iri)):
            return Entity("", item=item)
        known = self._all("SELECT item FROM items WHERE entity = ?", iri)
        if known:
            return Entity("", item=known[0])
        taken = self._database.execute("SELECT item FROM entities WHERE entity = ? AND is_taken", (iri,)).fetchone()
        if taken:
            return Entity("", item=taken[0])  # it was linked, or not, in another group; without a name it stays so
        names = self._all("SELECT name FROM names WHERE entity = ?", iri)
        types = self._all("SELECT type FROM types WHERE entity = ?", iri)
        others = self._all("SELECT name FROM others WHERE entity = ? ORDER BY name", iri) if names else []
        return Entity(names[0] if names else "", types[0] if types else "", others=tuple(others))

    def _all(self, query: str, entity: str) -> list[str]:
        return [row[0] for row in self._database.execute(query, (entity,))]


def _decisions(
    store: _Store, choose: Callable[[Sequence[EntityGroup]], list[tuple[LinkDecision, ...]]], progress: bool | None
) -> Iterator[tuple[str, LinkDecision]]:
    """The entities with the decision about each."""
    with progress_bar(progress, total=store.count(), unit=" entities") as bar:
        for chunk in store.chunks():
            found = choose([group for _, group in chunk])
            for (entities, _), decisions in zip(chunk, found, strict=True):
                for entity, decision in zip(entities, decisions, strict=True):
                    if entity is not None:
                        store.decided(entity, decision)
                        yield entity, decision
            bar.update(sum(entity is not None for entities, _ in chunk for entity in entities))


def _counting_outcomes(
    found: Iterable[tuple[str, LinkDecision]], summary: LinkSummary
) -> Iterator[tuple[str, LinkDecision]]:
    for entity, decision in found:
        summary.outcomes[decision.outcome] += 1
        if decision.outcome == "not looked up":
            summary.reasons[decision.reason] += 1
        yield entity, decision


def _link_triples(iris: Iris, entity: str, decision: LinkDecision, endpoint: str, run: NamedNode) -> Iterator[Triple]:
    if decision.outcome == "kept":
        return
    node = NamedNode(iris.link(entity, endpoint))
    if decision.item:
        item = NamedNode(WIKIDATA_ENTITY + decision.item)
        yield Triple(NamedNode(entity), _ITEM, item)
    yield Triple(node, TYPE, _LINK)
    yield Triple(node, _LINK_OF, NamedNode(entity))
    yield Triple(node, _OUTCOME, Literal(decision.outcome))
    if decision.item:
        yield Triple(node, _CHOSEN, item)
        yield Triple(node, _PROBABILITY, _decimal(decision.confidence))
    if decision.reason:
        yield Triple(node, COMMENT, Literal(clean_text(decision.reason)))
    candidates = [
        (NamedNode(iris.link(entity, endpoint, item)), item, probability) for item, probability in decision.candidates
    ]
    for candidate, _, _ in candidates:
        yield Triple(node, _CANDIDATE, candidate)
    yield Triple(node, GENERATED_BY, run)
    for candidate, id, probability in candidates:
        yield Triple(candidate, _CANDIDATE_ITEM, NamedNode(WIKIDATA_ENTITY + id))
        yield Triple(candidate, _PROBABILITY, _decimal(probability))


def _decimal(number: float) -> Literal:
    return Literal(str(rounded(Decimal(str(number)))), datatype=DECIMAL)


def _start(mention: str) -> int:
    """The offset of a mention in its document, by its IRI; 0 if the IRI has none."""
    match = re.search(r"#char=([0-9]+),", mention)
    return int(match[1]) if match else 0


def _copied(files: Sequence[RdfFile], store: _Store, format: str, wikibase: Wikibase) -> Iterator[Quad]:
    """The triples of the graphs, without those that an earlier run of `link_graphs` wrote.

    Raises:
        InputError: the output's format cannot hold it.
    """
    for path, input_format in files:
        # A blank node of one file is never the same as one of another file.
        for quad in read_quads(path, format=input_format, rename_blank_nodes=len(files) > 1):
            if quad.graph_name != DEFAULT_GRAPH and format not in WITH_GRAPHS:
                raise _cannot_hold(path, "named graphs", format, others=WITH_GRAPHS)
            if isinstance(quad.object, Triple) and format not in WITH_TRIPLE_TERMS:
                raise _cannot_hold(path, "triple terms (RDF 1.2)", format, others=WITH_TRIPLE_TERMS)
            if not store.is_ours(next(wikibase.triples([quad]))):
                yield quad


def _cannot_hold(path: str | Path, what: str, format: str, *, others: Collection[str]) -> InputError:
    formats = " or ".join(name for name in FORMATS if name in others)
    return InputError(f"'{path}' has {what}, which the format '{format}' cannot hold: write {formats}.")
