"""Graphs whose entities are linked to Wikidata: what `kgmrca link` does."""

import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from decimal import Decimal
from itertools import chain, groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, TYPE_CHECKING, TypeAlias, cast, get_args

from pyoxigraph import Literal, NamedNode, Quad, Triple

from kgmrca import __version__
from kgmrca.errors import InputError
from kgmrca.files import opened, progress_bar
from kgmrca.ontology import WIKIDATA_ENTITY
from kgmrca.terms import (
    CHECKED_AGAINST,
    COMMENT,
    DECIMAL,
    DEFAULT_GRAPH,
    ENTITY_TYPE,
    GENERATED_BY,
    KGMRCA,
    LABEL,
    TYPE,
)
from kgmrca.triples.formats import FORMATS, WITH_GRAPHS, WITH_TRIPLE_TERMS, chosen_format, write
from kgmrca.triples.inputs import RdfFile, graph_files
from kgmrca.triples.iris import DEFAULT_BASE, Iris, clean_text
from kgmrca.triples.read import Graphs, Node, read_graphs, read_quads
from kgmrca.triples.records import rounded
from kgmrca.triples.write import activity_triples
from kgmrca.wikidata.disambiguation import (
    MARGIN,
    MIN_PROBABILITY,
    Entity,
    EntityGroup,
    EntityPair,
    LinkDecision,
    LinkOutcome,
    link,
    neighbours,
    property_of,
)
from kgmrca.wikidata.links import item_of, link_in

if TYPE_CHECKING:
    from kgmrca.wikidata.lookups import Lookups

__all__ = ["LinkSummary", "link_graphs"]

_ITEM, _CLUSTER = NamedNode(f"{KGMRCA}item"), NamedNode(f"{KGMRCA}Cluster")
_LINK, _LINK_OF, _OUTCOME, _CHOSEN = (NamedNode(KGMRCA + name) for name in ("Link", "linkOf", "outcome", "chosen"))
_CANDIDATE, _CANDIDATE_ITEM, _SCORE = (NamedNode(KGMRCA + name) for name in ("candidate", "candidateItem", "linkScore"))
_TEXTS = {LABEL: "names", ENTITY_TYPE: "types"}  # the tables that literals go into
_OURS = re.compile(r".*[:/]link/[0-9a-f]{32}")

_OUTCOMES = get_args(LinkOutcome)
# So that batches of look-ups are full, whatever is asked; some MB.
_CHUNK = 2_000
_TABLES = """
CREATE TABLE pairs (document, subject, property, object, confidence, sentence, subject_start, object_start);
CREATE TABLE names (entity PRIMARY KEY, name) WITHOUT ROWID;
CREATE TABLE types (entity, type, PRIMARY KEY (entity, type)) WITHOUT ROWID;
CREATE TABLE items (entity, item, PRIMARY KEY (entity, item)) WITHOUT ROWID;
CREATE TABLE clusters (iri PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE links (link PRIMARY KEY, entity) WITHOUT ROWID;
CREATE TABLE chosen (link PRIMARY KEY, item) WITHOUT ROWID;
CREATE TABLE ours (entity, item, PRIMARY KEY (entity, item)) WITHOUT ROWID;
CREATE TABLE entities (entity PRIMARY KEY, is_taken DEFAULT 0, item) WITHOUT ROWID;
"""

_Group: TypeAlias = tuple[list[str | None], EntityGroup]  # with the IRIs of the entities to be decided about


@dataclass(slots=True)
class LinkSummary:
    """What a job did.

    Attributes:
        outcomes: how many entities it came out for in which way (see `link.LinkDecision`).
        reasons: how many could not be looked up, by reason.
        queries: how many were sent.
        seconds: how long it took.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    queries: int = 0
    seconds: float = 0.0

    def in_words(self, output: str) -> str:
        """The same for a person, in some lines."""
        counts = [f"{self.outcomes[name]:,} {name}" for name in _OUTCOMES if self.outcomes[name]]
        total = f"kgmrca: {self.outcomes.total():,} entities" + ("" if output == "-" else f" -> {output}")
        lines = [": ".join([total, ", ".join(counts)]) if counts else total]
        lines += [f"kgmrca: not looked up, {reason}: {count:,}" for reason, count in self.reasons.most_common()]
        return "\n".join([*lines, f"kgmrca: {self.queries:,} queries in {self.seconds:,.0f} s"])


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
    """Link the entities of graphs to Wikidata's items: all that the graphs say is written, and what was decided.

    Entities of one document are decided about together. What is linked already stays so and helps to decide; what an
    earlier job decided is decided anew. The same facts give the same bytes, but for the record of the run at the end.

    Graphs are read twice. What is needed of them is kept on disk in between, of entities some thousands at a time in
    memory. In a graph without statements of their own (the provenance "none"), names and types alone decide.

    Args:
        graphs: RDF files, or "-" for standard input.
        facts: where to look up.
        output: a file, "-" for standard output, or a binary stream.
        languages, min_probability, margin: see `link.link`.
        input_format: the format of all graphs; None: by the files' extensions, TriG on standard input, of which Turtle
            and N-Triples are parts.
        format: of the output; None: by the file's extension, Turtle on a stream.
        base: with what the IRIs begin that are made here.
        progress: whether to show a progress bar on standard error; None: if that is a terminal.

    Raises:
        InputError: an argument or a graph cannot be used, or the format cannot hold what is in it.
        OSError: something cannot be read or written.
    """
    started, queries = datetime.now(timezone.utc), lookups.endpoint.queries
    iris, summary = Iris(base), LinkSummary()
    format = chosen_format(format, output)
    endpoint = lookups.endpoint.name
    run = NamedNode(iris.run("link", __version__, endpoint, ",".join(languages), str(min_probability), str(margin)))
    with opened(output, inputs=graphs) as out, graph_files(graphs, input_format) as sources, _Store() as store:
        store.read(sources)
        found = _decisions(
            store,
            lambda groups: link(groups, lookups, languages=languages, min_probability=min_probability, margin=margin),
            progress,
        )
        links = (
            triple
            for entity, decision in _counted(found, summary)
            for triple in _link_triples(iris, entity, decision, endpoint, run)
        )
        record = activity_triples(run, [(CHECKED_AGAINST, NamedNode(endpoint))], started=started)
        triples: Iterator[Triple | Quad] = chain(_copied(sources, store, format), links, record)
        write(triples, out, format=format, base=base)
        out.flush()
    summary.queries = lookups.endpoint.queries - queries
    summary.seconds = (datetime.now(timezone.utc) - started).total_seconds()
    return summary


class _Store:
    """What is needed of graphs to link their entities, in a database that is gone at the end."""

    def __init__(self) -> None:
        self._folder = TemporaryDirectory(prefix="kgmrca-")
        self._database = sqlite3.connect(Path(self._folder.name, "graph.sqlite"), isolation_level=None)
        self._database.executescript(f"PRAGMA synchronous = OFF; PRAGMA journal_mode = OFF; {_TABLES}")
        self.runs: set[str] = set()  # of earlier jobs

    def __enter__(self) -> "_Store":
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()
        self._folder.cleanup()

    def read(self, graphs: Graphs) -> None:
        """Take what the graphs say of entities.

        Raises:
            InputError: a graph cannot be used.
            OSError: a graph cannot be read.
        """
        self._database.execute("BEGIN")
        for found in read_graphs(graphs):
            if isinstance(found, Quad):
                self._take(found)
            else:
                self._tie(found)
        # Only once all is read is it known what is a cluster, and which links are an earlier job's.
        self._database.executescript(  # which ends the transaction before
            "BEGIN;"
            "DELETE FROM types WHERE entity IN clusters;"
            "INSERT OR IGNORE INTO ours SELECT entity, item FROM links JOIN chosen USING (link);"
            "DELETE FROM items WHERE (entity, item) IN ours;"
            "CREATE INDEX of_document ON pairs (document);"
            "INSERT INTO entities (entity) SELECT entity FROM types UNION SELECT subject FROM pairs"
            " UNION SELECT object FROM pairs WHERE object IS NOT NULL;"
            "DELETE FROM entities WHERE entity GLOB 'http://www.wikidata.org/entity/Q*';"
            "COMMIT;"
        )

    def _take(self, quad: Quad) -> None:
        subject, predicate, object_ = quad.subject, quad.predicate, quad.object
        if not isinstance(subject, NamedNode):
            return
        if _OURS.fullmatch(subject.value):
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

    def _tie(self, node: Node) -> None:
        terms = node.terms
        starts = [_start(terms[name].value) for name in ("subject_mention", "object_mention")]
        object_ = terms["object"].value if isinstance(terms["object"], NamedNode) else None
        sentence = terms["sentence"].value if "sentence" in terms else None
        property = property_of(terms["predicate"].value)
        document, subject = terms["document"].value, terms["subject"].value
        self._put("pairs", document, subject, property, object_, float(node.confidence), sentence, *starts)

    def _put(self, table: str, *values: str | float | None) -> None:
        marks = ", ".join("?" * len(values))
        self._database.execute(f"INSERT OR IGNORE INTO {table} VALUES ({marks})", values)  # noqa: S608, of our tables

    def count(self) -> int:
        """How many entities there are."""
        return cast(int, self._database.execute("SELECT count(*) FROM entities").fetchone()[0])

    def chunks(self) -> Iterator[list[_Group]]:
        """All entities, those of a document as one group, some thousands at a time."""
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
        """Keep what was decided, for documents still to come that have the same entity."""
        self._database.execute("UPDATE entities SET item = ? WHERE entity = ?", (decision.item, entity))

    def is_ours(self, quad: Quad) -> bool:
        """Whether an earlier job has written this."""
        subject, object_ = quad.subject, quad.object
        if not isinstance(subject, NamedNode):
            return False
        if quad.predicate == _ITEM:
            query = "SELECT 1 FROM ours WHERE entity = ? AND item = ?"
            return self._database.execute(query, (subject.value, item_of(object_))).fetchone() is not None
        return subject.value in self.runs or _OURS.fullmatch(subject.value) is not None

    def _of_documents(self) -> Iterator[_Group]:
        rows = self._database.execute(
            "SELECT document, subject, object, property, confidence, sentence, subject_start, object_start FROM pairs"
            " ORDER BY document, rowid"
        )
        for _, of_document in groupby(rows, key=lambda row: row[0]):
            numbers: dict[str, int] = {}
            pairs: list[EntityPair] = []
            sentences: dict[str, set[tuple[int, int]]] = {}
            for _, subject, object_, property, confidence, sentence, *starts in of_document:
                ends = [numbers.setdefault(iri, len(numbers)) for iri in (subject, object_) if iri is not None]
                if object_ is not None:
                    pairs.append(EntityPair(ends[0], ends[1], property, confidence))
                if sentence is not None:
                    sentences.setdefault(sentence, set()).update(zip(starts, ends, strict=False))
            for mentions in sentences.values():
                pairs += neighbours([number for _, number in sorted(mentions)])
            yield self._group(list(numbers), pairs)

    def _others(self) -> Iterator[_Group]:
        """Entities that no statement names."""
        last = ""
        query = "SELECT entity FROM entities WHERE NOT is_taken AND entity > ? ORDER BY entity LIMIT 1000"
        while found := self._database.execute(query, (last,)).fetchall():
            yield from (self._group([entity], []) for (entity,) in found)
            last = found[-1][0]

    def _group(self, entities: Sequence[str], pairs: Sequence[EntityPair]) -> _Group:
        """Entities as they are to be linked; None for those that need not be, or are in another group already."""
        found = [self._entity(iri) for iri in entities]
        is_new = [
            self._database.execute(
                "UPDATE entities SET is_taken = 1 WHERE entity = ? AND NOT is_taken", (iri,)
            ).rowcount
            for iri in entities
        ]
        return [iri if new else None for iri, new in zip(entities, is_new, strict=True)], EntityGroup(found, pairs)

    def _entity(self, iri: str) -> Entity:
        if item := item_of(NamedNode(iri)):
            return Entity("", item=item)
        known = self._all("SELECT item FROM items WHERE entity = ?", iri)
        if known:
            return Entity("", item=known[0])
        taken = self._database.execute("SELECT item FROM entities WHERE entity = ? AND is_taken", (iri,)).fetchone()
        if taken:
            return Entity("", item=taken[0])  # one decision is enough, and without a name there is no other
        names = self._all("SELECT name FROM names WHERE entity = ?", iri)
        types = self._all("SELECT type FROM types WHERE entity = ?", iri)
        return Entity(names[0] if names else "", types[0] if types else "")

    def _all(self, query: str, entity: str) -> list[str]:
        return [row[0] for row in self._database.execute(query, (entity,))]


def _decisions(
    store: _Store, choose: Callable[[Sequence[EntityGroup]], list[tuple[LinkDecision, ...]]], progress: bool | None
) -> Iterator[tuple[str, LinkDecision]]:
    """Every entity with what was decided about it."""
    with progress_bar(progress, total=store.count(), unit=" entities") as bar:
        for chunk in store.chunks():
            found = choose([group for _, group in chunk])
            for (entities, _), decisions in zip(chunk, found, strict=True):
                for entity, decision in zip(entities, decisions, strict=True):
                    if entity is not None:
                        store.decided(entity, decision)
                        yield entity, decision
            bar.update(sum(entity is not None for entities, _ in chunk for entity in entities))


def _counted(found: Iterable[tuple[str, LinkDecision]], summary: LinkSummary) -> Iterator[tuple[str, LinkDecision]]:
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
    if decision.reason:
        yield Triple(node, COMMENT, Literal(clean_text(decision.reason)))
    candidates = [(NamedNode(iris.link(entity, endpoint, item)), item, score) for item, score in decision.candidates]
    for candidate, _, _ in candidates:
        yield Triple(node, _CANDIDATE, candidate)
    yield Triple(node, GENERATED_BY, run)
    for candidate, id, score in candidates:
        yield Triple(candidate, _CANDIDATE_ITEM, NamedNode(WIKIDATA_ENTITY + id))
        yield Triple(candidate, _SCORE, Literal(str(rounded(Decimal(str(score)))), datatype=DECIMAL))


def _start(mention: str) -> int:
    """Where in its document a mention is, by its IRI; 0 where that does not say so."""
    match = re.search(r"#char=([0-9]+),", mention)
    return int(match[1]) if match else 0


def _copied(sources: Sequence[RdfFile], store: _Store, format: str) -> Iterator[Quad]:
    """All that the graphs say, but for what an earlier job has written.

    Raises:
        InputError: the output's format cannot hold it.
    """
    for path, input_format in sources:
        # Blank nodes of two files are two, whatever they are called.
        for quad in read_quads(path, format=input_format, rename_blank_nodes=len(sources) > 1):
            if quad.graph_name != DEFAULT_GRAPH and format not in WITH_GRAPHS:
                raise _cannot_hold(path, "named graphs", format, able=WITH_GRAPHS)
            if isinstance(quad.object, Triple) and format not in WITH_TRIPLE_TERMS:
                raise _cannot_hold(path, "triple terms (RDF 1.2)", format, able=WITH_TRIPLE_TERMS)
            if not store.is_ours(quad):
                yield quad


def _cannot_hold(path: str | Path, what: str, format: str, *, able: Collection[str]) -> InputError:
    formats = " or ".join(name for name in FORMATS if name in able)
    return InputError(f"'{path}' has {what}, which the format '{format}' cannot hold: write {formats}.")
