"""Graphs put together: the same statement once, the same fact once with all its evidence, names that mean one thing.

All that was said stays: statements, documents, entities, runs, plain triples and the triples of others are a union.
Facts, clusters and conflicts are derived from that union every time, and left out where they are read. So it does not
matter in which order graphs are merged, in how many steps, or whether one is merged twice: the bytes are the same.

The work is a partitioned hash join, as databases do it, because the graphs may be far larger than memory: rows are
dealt out to files by the hash of what they are joined by (`buckets.py`), and each file fits into memory. Cells of rows
are terms as N-Triples has them, where a tab or a line break is always escaped.
"""

import io
import multiprocessing
import os
import re
import shutil
import signal
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cache, lru_cache, reduce
from itertools import chain, groupby, pairwise
from operator import itemgetter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any, NamedTuple, cast

from pyoxigraph import BlankNode, Literal, NamedNode, Quad, RdfFormat, Triple, parse
from tqdm import tqdm

from kgmrca.corpora.documents import STDIN, paths_of
from kgmrca.errors import InputError, KgmrcaError
from kgmrca.files import opened, progress_bar, target_of
from kgmrca.graph.merging.buckets import Buckets, read_groups, stream_bucket
from kgmrca.graph.merging.clusters import Named, Outcome, decide, name_key, parts_of
from kgmrca.graph.merging.evidence import combined, disagreeing
from kgmrca.ontology import WIKIDATA_ENTITY, load_properties
from kgmrca.terms import DECIMAL, DEFAULT_GRAPH, ENTITY_TYPE, KGMRCA, LABEL, RDF, RDFS, SAME, TYPE
from kgmrca.triples.iris import DEFAULT_BASE, Iris, clean_text
from kgmrca.triples.read import Node, read_nodes
from kgmrca.triples.records import Mention, Statement
from kgmrca.triples.write import FORMATS, PROVENANCE, chosen_format, format_of, prefixes, statement_triples, write
from kgmrca.types import coarse_type

__all__ = ["Summary", "merge"]

_TYPE, _LABEL, _ENTITY_TYPE, _DECIMAL = map(str, (TYPE, LABEL, ENTITY_TYPE, DECIMAL))
_LINKS = tuple(map(str, SAME))
_ITEM = f"<{WIKIDATA_ENTITY}Q"
_DERIVED = frozenset(f"{_TYPE} <{KGMRCA}{name}> ." for name in ("Fact", "Cluster", "Conflict"))
# What the triples begin with, after the subject, that say what we need to know of it.
_CLUES = tuple(f"{clue} ".encode() for clue in (_TYPE, _LABEL, _ENTITY_TYPE, *_LINKS))

_WITH_GRAPHS = PROVENANCE["graphs"]
_WITH_TRIPLE_TERMS = PROVENANCE["rdf12"]

_WITH_PREFIXES = frozenset({"turtle", "trig"})
_SOME_TRIPLE = Triple(NamedNode("urn:s"), NamedNode("urn:p"), NamedNode("urn:o"))

_SMALL = 4_000_000  # bytes of input for which no processes are started
_BYTES_A_BUCKET = 8_000_000  # of input
_MOST_BITS = 12
_PACKED = 15  # how many times larger the content of gzip may be
_SIZE_OF_STREAM = 1_000_000_000  # a guess
_TASKS_A_WORKER = 4


@dataclass(slots=True)
class Summary:
    """What a merge did.

    Attributes:
        files: how many were read.
        read: how many statements they have; one that is in two of them counts twice.
        statements: how many different ones.
        facts: how many different facts these state.
        attested: how many facts were read in several documents.
        clusters: how many things have several entities, or an entity and an item.
        conflicts: how many there are, by kind.
    """

    files: int = 0
    read: int = 0
    statements: int = 0
    facts: int = 0
    attested: int = 0
    clusters: int = 0
    conflicts: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class _Job:
    """What every task needs to know; the number of buckets is 2 to the power of `bits`."""

    folder: Path
    bits: int
    base: str
    format: str
    provenance: str
    max_cluster: int


@dataclass(frozen=True, slots=True)
class _Source:
    path: Path | None  # None: standard input
    format: str
    size: int  # in bytes, about

    @property
    def name(self) -> str:
        return str(self.path or "standard input")


@dataclass(slots=True)
class _Result:
    """What a task gives back: a part of the output, and counts for the summary."""

    fragment: Path
    counts: Counter[str] = field(default_factory=Counter)
    conflicts: Counter[str] = field(default_factory=Counter)
    shared_names: set[str] = field(default_factory=set)


def merge(
    inputs: str | Path | Iterable[str | Path],
    output: str | Path | IO[bytes],
    *,
    format: str | None = None,
    input_format: str | None = None,
    base: str = DEFAULT_BASE,
    provenance: str = "statements",
    max_cluster: int = 1000,
    workers: int | None = None,
    progress: bool | None = None,
) -> Summary:
    """Merge graphs that `kgmrca convert` wrote, and any other RDF that has no blank nodes.

    A statement that is found again keeps its highest confidence and all its runs. Statements with the same subject,
    predicate and object are evidence of one `kgmrca:Fact` (`evidence.combined` says how sure it is), where entities in
    one `kgmrca:Cluster` count as the same (`clusters.decide`). What does not go together is listed as a
    `kgmrca:Conflict`: several objects of a predicate that has one, an entity or a name of several items, a name that
    too many entities bear. Nothing is dropped.

    It needs room on the disk beside `output` (for a stream, in the system's folder for temporary files), at most about
    twice that of the inputs as N-Triples. If anything goes wrong, nothing is left there or of `output`, and a file that
    was there before stays as it was.

    Args:
        inputs: files, folders, glob patterns, or "-" for standard input, in any format and provenance. Folders give
            those files whose name says their format.
        output: a file, "-" for standard output, or a binary stream.
        format: one of `FORMATS`; None: by the file's extension, Turtle on a stream.
        input_format: the format of all inputs; None: by extension, TriG on standard input.
        base: with what the IRIs begin of what is derived: an absolute IRI ending in "/" or ":".
        provenance: the shape in which statements are written (see `PROVENANCE`), any but "none".
        max_cluster: how many entities a name joins at most.
        workers: how many processes to use; None: as many as there are processors and files, or none but this if the
            inputs are small. They are started anew, so with more than one the calling script needs
            `if __name__ == "__main__":`.
        progress: whether to show a progress bar on standard error; None: if that is a terminal.

    Raises:
        InputError: an argument or an input cannot be used; it names the input.
        OSError: a file cannot be read or written.
    """
    Iris(base)  # refuse a bad base before the work
    target = target_of(output)
    format = chosen_format(format, output, provenance=provenance)
    if provenance == "none":
        raise InputError("Facts need their evidence: choose a provenance that keeps the statements.")
    if max_cluster < 1 or (workers is not None and workers < 1):
        raise InputError("The largest cluster and the number of workers must be at least 1.")
    sources = _find([inputs] if isinstance(inputs, str | Path) else inputs, input_format, target)
    size = sum(source.size for source in sources)
    workers = workers or (1 if size < _SMALL else min(len(sources), os.cpu_count() or 1))
    bits = min(max(size // _BYTES_A_BUCKET, 1).bit_length() - 1, _MOST_BITS)
    with ExitStack() as stack:
        out = stack.enter_context(opened(output))
        folder = stack.enter_context(_temporary_folder(target))
        job = _Job(folder, bits, base, format, provenance, max_cluster)
        steps = stack.enter_context(_steps(workers, 2**bits, progress))
        summary, fragments = _merge(job, sources, steps)
        _put_together(job, fragments, out)
        out.flush()
    return summary


def _merge(job: _Job, sources: Sequence[_Source], steps: "_Steps") -> tuple[Summary, list[Path]]:
    read = [_read(job, "stdin", source) for source in sources if not source.path]  # other processes do not have it
    files = sorted((source for source in sources if source.path), key=lambda source: -source.size)
    read += steps.over("reading", _read, [(job, f"file{number}", source) for number, source in enumerate(files)])
    results: list[_Result] = [
        *steps.over_buckets("triples", _write_triples, job),
        *steps.over_buckets("named graphs", _write_quads, job),
        *steps.over_buckets("statements", _write_statements, job),
    ]
    shared: frozenset[str] = frozenset().union(*(result.shared_names for result in results))
    results += steps.over_buckets("names", _join_names, job, shared)
    results += steps.over("shared names", _join_shared_names, [(job, range(2**job.bits))])
    results += steps.over_buckets("clusters", _write_clusters, job)
    steps.over_buckets("objects", _join_entities, job, "objects", "subjects")
    steps.over_buckets("subjects", _join_entities, job, "subjects", "facts")
    results += steps.over_buckets("facts", _write_facts, job)
    counts = sum((result.counts for result in results), Counter[str]())
    conflicts = sum((result.conflicts for result in results), Counter[str]())
    summary = Summary(files=len(sources), read=sum(read), conflicts=conflicts, **counts)
    return summary, [result.fragment for result in results]


# Reading


def _read(job: _Job, name: str, source: _Source) -> int:
    """Deal out what is in a file, and count its statements."""
    buckets = Buckets(job.folder, name, job.bits)
    count = 0
    for found in read_nodes(source.path or STDIN, format=source.format):
        if isinstance(found, Node):
            row = _row(found)
            buckets.put("statements", row[: row.index(b"\t")], row)
            count += 1
            continue
        text = str(found)
        if "_:" in text or "<<(" in text:
            _refuse(job, found, source)
        row = f"{text} .".replace(" ", "\t", 1).encode()
        is_plain = source.format not in _WITH_GRAPHS or found.graph_name == DEFAULT_GRAPH
        if not is_plain and job.format not in _WITH_GRAPHS:
            raise InputError(
                f"{source.name}: a triple is in the graph {found.graph_name}, and the format '{job.format}' has no "
                f"named graphs: choose {' or '.join(sorted(_WITH_GRAPHS))}."
            )
        buckets.put("triples" if is_plain else "quads", row[: row.index(b"\t")], row)
    buckets.flush()
    return count


def _refuse(job: _Job, quad: Quad, source: _Source) -> None:
    if any(isinstance(term, BlankNode) for term in quad):
        raise InputError(
            f"{source.name}: '{quad}' has a blank node, and nothing says which of those in other files are the same: "
            "give it an IRI."
        )
    if isinstance(quad.object, Triple) and job.format not in _WITH_TRIPLE_TERMS:
        raise InputError(
            f"{source.name}: '{quad}' is RDF 1.2, which the format '{job.format}' does not have: choose "
            f"{' or '.join(sorted(_WITH_TRIPLE_TERMS))}."
        )


class _Cells(NamedTuple):
    """A statement as a row: what makes it this statement, and from `confidence` on how it was found.

    The last four may be "".
    """

    iri: str
    subject: str
    predicate: str
    object: str
    subject_mention: str
    object_mention: str
    document: str
    confidence: str  # the number alone
    label: str
    sentence_text: str
    sentence: str
    sentence_digest: str
    runs: str  # with spaces between them


_SAID = _Cells._fields.index("confidence")


def _row(node: Node) -> bytes:
    terms = node.terms
    cells = (
        f"<{node.iri}>",
        f"<{terms['subject'].value}>",
        f"<{terms['predicate'].value}>",
        str(terms["object"]),
        f"<{terms['subject_mention'].value}>",
        f"<{terms['object_mention'].value}>",
        f"<{terms['document'].value}>",
        str(node.confidence),
        str(terms["label"]),
        str(terms.get("sentence_text", "")),
        str(terms.get("sentence", "")),
        str(terms.get("sentence_digest", "")),
        " ".join(f"<{run}>" for run in sorted(node.runs)),
    )
    return "\t".join(cells).encode()


# Statements


def _write_statements(job: _Job, numbers: range) -> _Result:
    """Write each statement once, and deal out what its fact needs."""
    with _fragment(job, "statements", numbers, at_once=True) as (result, buckets, out):
        for number in numbers:
            for iri, rows in read_groups(job.folder, "statements", number):
                cells = reduce(_joined, (_Cells(iri.decode(), *row.decode().split("\t")) for row in rows))
                result.counts["statements"] += 1
                out.write(_lines(cells, job).encode())
                ends = (cells.object, cells.subject) if cells.object.startswith("<") else (cells.subject, cells.object)
                rest = (cells.predicate, cells.iri, cells.document, cells.sentence_digest, cells.confidence)
                kind = "subjects" if cells.object is ends[1] else "objects"
                buckets.put(kind, ends[0].encode(), "\t".join((*ends, *rest)).encode())
    return result


def _joined(one: _Cells, other: _Cells) -> _Cells:
    """A statement that was found twice: the same comes out in any order, and however often it was found."""
    if one[:_SAID] != other[:_SAID]:
        raise InputError(
            f"The inputs use {one.iri} for two statements: {' '.join(one[1:_SAID])} and {' '.join(other[1:_SAID])}. "
            "Give one of them another IRI."
        )
    text, sentence, digest = max(cells[9:12] for cells in (one, other))  # together, or they would not belong together
    confidence = max(one.confidence, other.confidence, key=Decimal)
    runs = " ".join(sorted({*one.runs.split(), *other.runs.split()}))
    said = one[:_SAID]
    return _Cells._make((*said, confidence, max(one.label, other.label), text, sentence, digest, runs))


def _lines(cells: _Cells, job: _Job) -> str:
    """A statement in the format that it can be written in at once."""
    runs = cells.runs.split()
    made_for = None
    if job.provenance == "wikidata":
        base = cells.iri[1:].rpartition("statement/")[0]
        # The IRI of a statement of others need not tell.
        made_for = (base if base.endswith(("/", ":")) else DEFAULT_BASE, cells.predicate[1:-1])
    has = tuple(map(bool, cells[9:12]))
    format = _at_once(job)
    pattern, holes = _pattern(format, job.base, job.provenance, made_for, has, len(runs))
    terms = [*cells[:7], f'"{cells.confidence}"^^{_DECIMAL}', *cells[8:12], *runs]
    if format in _WITH_PREFIXES:
        by_namespace = _by_namespace(job.base)
        for number in (*range(4), *range(12, len(terms))):  # mentions and documents have no short form
            terms[number] = _short(terms[number], by_namespace)
        if "." in cells.confidence:  # else it would be an integer
            terms[7] = cells.confidence
    return pattern % holes(terms)


def _at_once(job: _Job) -> str:
    """The format in which statements are written; N-Quads if it is made into another one afterwards."""
    return job.format if job.format in _WITH_PREFIXES else "nquads"


@cache
def _by_namespace(base: str) -> dict[str, str]:
    return {iri.removesuffix("/"): prefix for prefix, iri in prefixes(base).items()}


def _short(term: str, by_namespace: Mapping[str, str]) -> str:
    """A term of N-Triples as Turtle has it, with its prefix if there is one and what follows is a simple name."""
    if term.startswith("<"):
        namespace, _, name = term[1:-1].rpartition("/")
        if namespace in by_namespace and name.isascii() and name.isalnum():
            return f"{by_namespace[namespace]}:{name}"
    return term


@cache
def _prefixes_of_file(format: str, base: str) -> bytes:
    out = io.BytesIO()
    write([_SOME_TRIPLE], out, format=format, base=base)
    return b"".join(line for line in out.getvalue().splitlines(keepends=True) if line.startswith(b"@prefix "))


@lru_cache(maxsize=4096)
def _pattern(
    format: str,
    base: str,
    provenance: str,
    made_for: tuple[str, str] | None,
    has: tuple[bool, ...],
    n_runs: int,
) -> tuple[str, Callable[[Sequence[str]], tuple[str, ...]]]:
    """A statement in a format, with holes, and what takes the terms that fill them out of all its terms.

    So the shapes are known to `write.py` alone, but triples need not be made one by one, which is several times slower.

    Args:
        format: that of the text, without the prefixes at its beginning.
        base: that of the prefixes.
        provenance: the shape.
        made_for: base and predicate of the statement, if the shape depends on them.
        has: whether there are a text of the sentence, a sentence, a digest.
        n_runs: how many runs found it.
    """
    start, predicate = made_for or ("urn:", "urn:kgmrca-cell-2")
    has_text, has_sentence, has_digest = has
    statement = Statement(
        iri=f"{start}statement/kgmrca-cell-0",
        subject="urn:kgmrca-cell-1",
        predicate=predicate,
        object="urn:kgmrca-cell-3",
        object_is_literal=False,
        object_datatype=None,
        label="kgmrca-cell-8",
        confidence=Decimal("0.5"),
        document="urn:kgmrca-cell-6",
        subject_mention=Mention("urn:kgmrca-cell-4", 0, 0, ""),
        object_mention=Mention("urn:kgmrca-cell-5", 0, 0, ""),
        sentence=Mention("urn:kgmrca-cell-10", 0, 0, "kgmrca-cell-9" if has_text else "") if has_sentence else None,
        sentence_digest="kgmrca-cell-11" if has_digest else None,
        run=None,
    )
    triples = list(statement_triples(statement, provenance=provenance, text=True))
    for number in range(n_runs):
        *_, by_run = statement_triples(replace(statement, run=f"urn:kgmrca-cell-{12 + number}"), provenance=provenance)
        triples.append(by_run)
    out = io.BytesIO()
    write(triples, out, format=format, base=base)
    text = out.getvalue().removeprefix(_prefixes_of_file(format, base)).decode().replace("%", "%%")
    # The confidence is the one cell that a name cannot stand for.
    text = re.sub(r'"0\.5"\^\^<[^>]*>|\b0\.5\b', '"kgmrca-cell-7"', text)
    cell = re.compile(r'<[^<>"]*kgmrca-cell-(\d+)>|\w+:kgmrca-cell-(\d+)|"kgmrca-cell-(\d+)"')
    numbers = [int(next(filter(None, match.groups()))) for match in cell.finditer(text)]
    return cell.sub("%s", text), itemgetter(*numbers)


# All other triples, and what they say of entities


def _write_triples(job: _Job, numbers: range) -> _Result:
    """Write the triples of each subject, unless it was derived, and deal out the names and links of entities."""
    with _fragment(job, "triples", numbers) as (result, buckets, out):
        for number in numbers:
            for subject, lines in read_groups(job.folder, "triples", number):
                clues = [line.decode() for line in lines if line.startswith(_CLUES)]
                if not _DERIVED.isdisjoint(clues):
                    continue
                out.writelines(b"%b %b\n" % (subject, line) for line in lines)
                if not clues:
                    continue
                entity = subject.decode()
                items = _deal_entity(entity, clues, buckets, result.shared_names)
                if len(items) > 1:
                    comment = f"{entity[1:-1]} is linked to {len(items)} items, and so joined with nothing."
                    _write_conflict(job, result, out, "several items", [entity], comment, [entity, *items])
    return result


def _deal_entity(entity: str, clues: Iterable[str], buckets: Buckets, shared: set[str]) -> list[str]:
    """Deal out an entity's names and its link to an item. Gives the items; if there are several, it deals out nothing.

    Names that lead to one another, because an entity without an item has them both, are put into `shared`.
    """
    said: dict[str, list[str]] = {}
    for clue in clues:
        predicate, _, value = clue.partition(" ")
        said.setdefault(predicate, []).append(value.removesuffix(" ."))
    items = {entity} if entity.startswith(_ITEM) else set()
    items.update(value for link in _LINKS for value in said.get(link, ()) if value.startswith(_ITEM))
    if len(items) > 1:
        return sorted(items)
    item = next(iter(items), "")
    types = frozenset(map(_text, said.get(_ENTITY_TYPE, ())))
    labels = sorted(said.get(_LABEL, ()), reverse=True)
    names = {name: label for label in labels if (name := name_key(_text(label), types))}
    for name, label in names.items():
        buckets.put("names", name.encode(), f"{name}\t{entity}\t{item}\t{label}".encode())
    if item and item != entity:
        for type_ in {coarse_type(type_) for type_ in types} or {""}:
            _deal_member(buckets, entity, item, labels[-1] if labels else "", type_)
    elif not item and len(names) > 1:
        shared.update(names)
    return sorted(items)


def _deal_member(buckets: Buckets, entity: str, thing: str, label: str, type_: str) -> None:
    """Deal out that `entity` is one with what is called `thing`."""
    buckets.put("things", entity.encode(), f"{entity}\t{thing}".encode())
    row = f"{thing}\t{entity}\t{label}\t{Literal(type_) if type_ else ''}"
    buckets.put("members", thing.encode(), row.encode())


def _text(literal: str) -> str:
    """The text of a literal that is written as in N-Triples."""
    if "\\" in literal:
        (triple,) = parse(f"<urn:s> <urn:p> {literal} .", RdfFormat.N_TRIPLES)
        return cast(Literal, triple.object).value
    return literal[1 : literal.rindex('"')]


def _write_quads(job: _Job, numbers: range) -> _Result:
    """Write what is in the named graphs of others."""
    with _fragment(job, "quads", numbers) as (result, _, out):
        for number in numbers:
            for subject, lines in read_groups(job.folder, "quads", number):
                out.writelines(b"%b %b\n" % (subject, line) for line in lines)
    return result


# Names and clusters


def _join_names(job: _Job, shared: frozenset[str], numbers: range) -> _Result:
    """Decide which entities are one by a name that has nothing to do with other names."""
    with _fragment(job, "names", numbers) as (result, buckets, out):
        for number in numbers:
            for key, rows in read_groups(job.folder, "names", number):
                name = key.decode()
                if name in shared:
                    for row in rows:
                        buckets.put("shared", key, b"%b\t%b" % (key, row))
                elif len(rows) > 1:
                    having = [Named._make(row.decode().split("\t")) for row in rows]
                    _join(job, result, buckets, out, decide({name: having}, largest=job.max_cluster))
    return result


def _join_shared_names(job: _Job, numbers: range) -> _Result:
    """The same for names that lead to one another. They are all held in memory, for they are few."""
    by_name = {
        name.decode(): [Named._make(row.decode().split("\t")) for row in rows]
        for number in numbers
        for name, rows in read_groups(job.folder, "shared", number)
    }
    with _fragment(job, "shared", numbers) as (result, buckets, out):
        _join(job, result, buckets, out, decide(by_name, largest=job.max_cluster))
    return result


def _join(job: _Job, result: _Result, buckets: Buckets, out: IO[bytes], outcomes: Iterable[Outcome]) -> None:
    for names, entities, items, conflict in outcomes:
        type_, name = parts_of(names[0])
        if conflict:
            comment = (
                f"'{name}' ({type_}) is the name of {len(items):,} items and of {len(entities):,} entities linked to "
                "none: no entities were joined by it."
            )
            whose = [*items, *sorted(named.entity for named in entities)]
            _write_conflict(job, result, out, conflict, names, comment, whose)
        elif items or len(entities) > 1:
            thing = items[0] if items else f"<{Iris(job.base).cluster(type_, name)}>"
            for named in entities:
                _deal_member(buckets, named.entity, thing, named.label, type_)


def _write_clusters(job: _Job, numbers: range) -> _Result:
    with _fragment(job, "clusters", numbers) as (result, _, out):
        for number in numbers:
            for key, rows in read_groups(job.folder, "members", number):
                thing = key.decode()
                members = [row.decode().split("\t") for row in rows]
                labels = Counter(label for _, label, _ in members if label)
                is_item = thing.startswith(_ITEM)
                cluster = f"<{Iris(job.base).cluster(thing[1:-1])}>" if is_item else thing
                lines = [f"{_TYPE} <{KGMRCA}Cluster>"]
                lines += [f"{_LABEL} {label}" for label, _ in labels.most_common(1)]
                lines += [f"{_ENTITY_TYPE} {type_}" for type_ in sorted({type_ for *_, type_ in members if type_})]
                lines += [f"<{KGMRCA}member> {entity}" for entity in sorted({entity for entity, *_ in members})]
                lines += [f"<{KGMRCA}item> {thing}"] if is_item else []
                _write(out, cluster, lines)
                result.counts["clusters"] += 1
    return result


# Facts


def _join_entities(job: _Job, kind: str, then: str, numbers: range) -> None:
    """Put what an entity is one with in its place, which is the first cell of the rows of a kind.

    For the next kind of rows, an object and the subject change places, or a subject stays where it is.
    """
    buckets = Buckets(job.folder, f"{kind}-{numbers.start}", job.bits)
    for number in numbers:
        rows = stream_bucket(job.folder, "things", number, keep=kind == "objects")
        things = dict(cast("tuple[bytes, bytes]", row.split(b"\t")) for row in rows)
        for row in stream_bucket(job.folder, kind, number):
            first, second, rest = row.split(b"\t", 2)
            first = things.get(first, first)
            if kind == "objects":
                first, second = second, first
            buckets.put(then, first, b"\t".join((first, second, rest)))
    buckets.flush()


def _write_facts(job: _Job, numbers: range) -> _Result:
    """Write the facts of each subject with their evidence, and where they contradict one another."""
    iris = Iris(job.base)
    single = {f"<{predicate}>" for predicate, known in load_properties().items() if known.single_valued}
    with _fragment(job, "facts", numbers) as (result, _, out):
        for number in numbers:
            for key, rows in read_groups(job.folder, "facts", number):
                subject = key.decode()
                facts: dict[str, dict[str, str]] = defaultdict(dict)  # by predicate and object
                readings = (row.decode().split("\t") for row in rows)
                for (object_, predicate), same in groupby(readings, itemgetter(0, 1)):
                    fact = facts[predicate][object_] = f"<{iris.fact(subject, predicate, object_)}>"
                    evidence = [_Reading._make(cells) for _, _, *cells in same]
                    _write_fact(out, fact, subject, predicate, object_, evidence)
                    result.counts["facts"] += 1
                    result.counts["attested"] += len({reading.document for reading in evidence}) > 1
                for predicate in sorted(single & facts.keys()):
                    if objects := disagreeing(list(facts[predicate])):
                        comment = (
                            f"{subject[1:-1]} has {len(objects)} different objects of {predicate[1:-1]}, of which a "
                            "subject has one."
                        )
                        whose = [facts[predicate][object_] for object_ in objects]
                        _write_conflict(job, result, out, "several objects", [subject, predicate], comment, whose)
    return result


class _Reading(NamedTuple):
    """What a fact needs to know of a statement."""

    statement: str
    document: str
    digest: str
    confidence: str


def _write_fact(
    out: IO[bytes], fact: str, subject: str, predicate: str, object_: str, evidence: Sequence[_Reading]
) -> None:
    confidence: str | Decimal = evidence[0].confidence
    if len(evidence) > 1:
        confidence = combined((one.document, one.digest, Decimal(one.confidence)) for one in evidence)
    lines = [
        f"{_TYPE} <{KGMRCA}Fact>",
        f"<{RDF}subject> {subject}",
        f"<{RDF}predicate> {predicate}",
        f"<{RDF}object> {object_}",
        f'<{KGMRCA}confidence> "{confidence}"^^{_DECIMAL}',
    ]
    _write(out, fact, [*lines, *(f"<{KGMRCA}evidence> {one.statement}" for one in evidence)])


def _write_conflict(
    job: _Job, result: _Result, out: IO[bytes], kind: str, about: Iterable[str], comment: str, whose: Iterable[str]
) -> None:
    result.conflicts[kind] += 1
    lines = [
        f"{_TYPE} <{KGMRCA}Conflict>",
        f"<{RDFS}comment> {Literal(clean_text(comment))}",
        f'<{KGMRCA}conflictKind> "{kind}"',
    ]
    conflict = f"<{Iris(job.base).conflict(kind, *about)}>"
    _write(out, conflict, [*lines, *(f"<{KGMRCA}conflicting> {one}" for one in whose)])


def _write(out: IO[bytes], node: str, lines: Iterable[str]) -> None:
    out.write("".join(f"{node} {line} .\n" for line in lines).encode())


# Parts of the output


@contextmanager
def _fragment(
    job: _Job, step: str, numbers: range, *, at_once: bool = False
) -> Iterator[tuple[_Result, Buckets, IO[bytes]]]:
    """A file for N-Quads, which become a part of the output, and buckets for what later steps need.

    With `at_once`, what is put into the file is in the format of `_at_once`.
    """
    part = f"{step}-{numbers.start}"
    buckets = Buckets(job.folder, part, job.bits)
    result = _Result(job.folder / f"{part}.nq")
    with result.fragment.open("wb") as out:
        if at_once and job.format in _WITH_PREFIXES:
            out.write(_prefixes_of_file(job.format, job.base))
        yield result, buckets, out
    buckets.flush()
    if job.format in _WITH_PREFIXES and not at_once:
        lines, result.fragment = result.fragment, job.folder / part
        with result.fragment.open("wb") as out:
            write(_quads(lines), out, format=job.format, base=job.base)


def _quads(fragment: Path) -> Iterator[Quad]:
    yield from cast("Iterator[Quad]", parse(path=fragment, format=RdfFormat.N_QUADS))
    fragment.unlink()


def _put_together(job: _Job, fragments: Sequence[Path], out: IO[bytes]) -> None:
    if job.format in ("rdfxml", "jsonld"):  # one after the other they would be no file
        write(chain.from_iterable(map(_quads, fragments)), out, format=job.format, base=job.base)
        return
    has_prefixes = False
    for fragment in fragments:
        with fragment.open("rb") as part:
            position = 0
            while has_prefixes and part.readline().startswith(b"@prefix "):
                position = part.tell()
            part.seek(position)
            shutil.copyfileobj(part, out)
            has_prefixes = has_prefixes or part.tell() > 0
        fragment.unlink()


# Files and processes


def _find(inputs: Iterable[str | Path], format: str | None, target: Path | None) -> list[_Source]:
    """The files that the inputs name, each once. Folders and patterns do not give the output of the last time."""
    if format is not None and format not in FORMATS:
        raise InputError(f"There is no format '{format}': choose one of {', '.join(FORMATS)}.")
    written = target and target.resolve()
    found: dict[Path, _Source] = {}
    for given in map(str, inputs):
        if given == STDIN:
            found[Path(STDIN)] = _Source(None, format or "trig", _SIZE_OF_STREAM)
            continue
        paths, _ = paths_of(given)
        sources = {path.resolve(): source for path in paths if (source := _source(path, format, given))}
        if written in sources and given == str(sources[written].path):
            raise InputError(f"'{given}' is an INPUT and would be overwritten: write to another file.")
        sources.pop(cast(Path, written), None)
        if not sources:
            raise InputError(f"There is nothing to read in '{given}': is there RDF ({', '.join(FORMATS)})?")
        found.update(sources)
    if not found:
        raise InputError("There is nothing to read: give at least one INPUT.")
    return list(found.values())


def _source(path: Path, format: str | None, given: str) -> _Source | None:
    if format is None:
        try:
            format = format_of(path)
        except InputError:
            if Path(given).is_dir():
                return None  # something else that lies there
            raise
    size = path.stat().st_size * (_PACKED if path.suffix.lower() == ".gz" else 1)
    return _Source(path, format, size if path.is_file() else _SIZE_OF_STREAM)


@contextmanager
def _temporary_folder(target: Path | None) -> Iterator[Path]:
    beside = target.resolve().parent if target and (target.is_file() or not target.exists()) else None
    with TemporaryDirectory(prefix=".kgmrca-merge-", dir=beside) as folder:
        yield Path(folder)


class _Steps:
    """Runs the tasks of one step after the other, in processes if there are any, and counts them on a bar."""

    def __init__(self, executor: ProcessPoolExecutor | None, n_tasks: int, n_buckets: int, bar: "tqdm[Any]") -> None:
        self._executor = executor
        self._bar = bar
        cuts = [n_buckets * number // n_tasks for number in range(n_tasks + 1)]
        self._chunks = [range(*cut) for cut in pairwise(cuts)]

    def over_buckets(self, name: str, task: Callable[..., Any], *arguments: Any) -> list[Any]:
        """Call `task` for all buckets, some at a time; the results are in the order of the buckets."""
        return self.over(name, task, [(*arguments, chunk) for chunk in self._chunks])

    def over(self, name: str, task: Callable[..., Any], calls: Sequence[tuple[Any, ...]]) -> list[Any]:
        """Call `task` with each of the arguments; the results are in their order."""
        self._bar.set_description(name)
        self._bar.reset(len(calls))
        if self._executor is None:
            return [self._counted(task(*call)) for call in calls]
        futures = [self._executor.submit(task, *call) for call in calls]
        for future in as_completed(futures):
            self._counted(future.result())
        return [future.result() for future in futures]

    def _counted(self, result: Any) -> Any:
        self._bar.update()
        return result


@contextmanager
def _steps(workers: int, n_buckets: int, progress: bool | None) -> Iterator[_Steps]:
    n_tasks = min(n_buckets, 1 if workers == 1 else workers * _TASKS_A_WORKER)
    with progress_bar(progress, unit="task") as bar:
        if workers == 1:
            yield _Steps(None, n_tasks, n_buckets, bar)
            return
        others = set(multiprocessing.active_children())
        # Forked ones could hang on a lock that a thread of torch holds.
        spawn = multiprocessing.get_context("spawn")
        executor = ProcessPoolExecutor(workers, mp_context=spawn, initializer=_leave_interrupts_to_parent)
        try:
            yield _Steps(executor, n_tasks, n_buckets, bar)
        except BaseException as error:
            for process in set(multiprocessing.active_children()) - others:
                process.terminate()  # what it does is of no use any more
            if isinstance(error, BrokenProcessPool):
                raise KgmrcaError("A process was killed, perhaps for want of memory: use fewer workers.") from error
            raise
        finally:
            executor.shutdown(cancel_futures=True)


def _leave_interrupts_to_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
