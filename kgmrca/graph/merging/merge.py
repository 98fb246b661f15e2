"""The job that merges graphs into one, in which each statement stands once and each fact once with all its evidence.

Statements, documents, entities, runs, plain triples and the triples of others are all kept. Facts, clusters and
conflicts are derived from these every time, and those of an earlier merge are left out where they are read. So it does
not matter in which order graphs are merged, in how many steps, or whether one is merged twice: the bytes are the same.

The work is a partitioned hash join, as databases do it, because the graphs may be far larger than memory: rows are
distributed to files by the hash of what they are joined by (`buckets.py`), and each file fits into memory.
"""

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from kgmrca.buckets import Store
from kgmrca.errors import InputError
from kgmrca.files import opened, target_of, temporary_folder
from kgmrca.graph.merging.entities import join_names, join_shared_names, write_clusters, write_quads, write_triples
from kgmrca.graph.merging.facts import join_entities, write_facts
from kgmrca.graph.merging.inputs import MergeInput, merge_inputs
from kgmrca.graph.merging.parts import Result, put_together
from kgmrca.graph.merging.reviews import supported, withdrawn_statements, withdrawn_triples
from kgmrca.graph.merging.rows import distribute_input
from kgmrca.graph.merging.statements import write_statements
from kgmrca.graph.merging.steps import Steps, open_steps
from kgmrca.triples.formats import chosen_format
from kgmrca.triples.iris import DEFAULT_BASE, Iris

__all__ = ["MergeSummary", "merge"]

_SMALL = 4_000_000  # bytes of input for which no processes are started
_BYTES_A_BUCKET = 8_000_000  # of input
_MOST_BITS = 12


@dataclass(slots=True)
class MergeSummary:
    """What a merge did.

    Attributes:
        files: how many files were read.
        read: how many statements the files have; a statement in two files counts twice.
        statements: how many different statements the files have.
        facts: how many facts the statements support.
        attested: how many facts have evidence in several documents.
        clusters: how many clusters there are, of several entities, or of entities and an item.
        conflicts: how many conflicts there are, by kind.
    """

    files: int = 0
    read: int = 0
    statements: int = 0
    facts: int = 0
    attested: int = 0
    clusters: int = 0
    conflicts: Counter[str] = field(default_factory=Counter)


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
) -> MergeSummary:
    """Merge graphs that `kgmrca convert` wrote, and any other RDF that has no blank nodes.

        >>> merge(["monday.ttl", "tuesday/"], "week.ttl")  # doctest: +SKIP

    A statement that is found again keeps its highest confidence and all its runs. Statements with the same subject,
    predicate and object are evidence of one `kgmrca:Fact` (`evidence.combined` says how sure it is), where entities in
    one `kgmrca:Cluster` count as the same (`clusters.group_names`). Contradictions are listed as a `kgmrca:Conflict`:
    several objects of a predicate that has one, an entity or a name of several items, a name that too many entities
    have. Nothing is dropped but what a person withdrew (`kgmrca apply-review`): a statement that was rejected or
    corrected stays as what was read, and supports no fact and no plain triple.

    Temporary files lie beside `output` (for a stream, in the system's folder for temporary files); they need at most
    about twice the room of the inputs as N-Triples. If anything goes wrong, no temporary file and no part of the output
    is left, and a file that was there before stays as it was.

    Args:
        inputs: files, folders, glob patterns, or "-" for standard input, in any format and provenance. Folders give
            those files whose name says their format.
        output: a file, "-" for standard output, or a binary stream.
        format: one of `FORMATS`; None: by the file's extension, Turtle on a stream.
        input_format: the format of all inputs; None: by extension, TriG on standard input.
        base: what the IRIs of derived nodes begin with: an absolute IRI ending in "/" or ":".
        provenance: the form in which statements are written (see `PROVENANCE`), any but "none".
        max_cluster: how many entities a name joins at most.
        workers: how many processes to use; None: as many as there are processors and files, or only this one if the
            inputs are small. They are new interpreters, so with more than one the calling script needs
            `if __name__ == "__main__":`.
        progress: whether to show a progress bar on standard error; None: if that is a terminal.

    Raises:
        InputError: an argument or an input cannot be used; it names the input.
        OutputError: the output cannot be written.
        OSError: a file cannot be read.
    """
    Iris(base)  # refuse a bad base before the work
    inputs = [inputs] if isinstance(inputs, str | Path) else list(inputs)
    target_of(output)  # and an output that cannot be written
    format = chosen_format(format, output, provenance=provenance)
    if provenance == "none":
        raise InputError("Facts need their evidence: choose a provenance that keeps the statements.")
    if max_cluster < 1 or (workers is not None and workers < 1):
        raise InputError("The largest cluster and the number of workers must be at least 1.")
    files = merge_inputs(inputs, input_format, output)
    size = sum(file.size for file in files)
    workers = workers or (1 if size < _SMALL else min(len(files), os.cpu_count() or 1))
    bits = min(max(size // _BYTES_A_BUCKET, 1).bit_length() - 1, _MOST_BITS)
    with ExitStack() as stack:
        out = stack.enter_context(opened(output))
        store = Store(stack.enter_context(temporary_folder(output)), bits)
        steps = stack.enter_context(open_steps(workers, 2**bits, progress))
        n_read = _read(files, store, format, steps)
        results = _run(store, format, base, provenance, max_cluster, steps)
        put_together([result.path for result in results], out, format=format, base=base)
        out.flush()
    counts = sum((result.counts for result in results), Counter[str]())
    conflicts = sum((result.conflicts for result in results), Counter[str]())
    return MergeSummary(files=len(files), read=n_read, conflicts=conflicts, **counts)


def _read(files: Sequence[MergeInput], store: Store, format: str, steps: Steps) -> int:
    """Distribute the rows of all files, and return how many statements they have."""
    # Other processes do not have the standard input.
    n_read = sum(distribute_input(store, format, "stdin", file) for file in files if not file.path)
    largest_first = sorted((file for file in files if file.path), key=lambda file: -file.size)
    calls = [(store, format, f"file{number}", file) for number, file in enumerate(largest_first)]
    return n_read + sum(steps.over("reading", distribute_input, calls))


def _withdrawn(store: Store, steps: Steps) -> frozenset[bytes]:
    """The plain triples that persons withdrew, unless a statement expresses them about which they did not."""
    statements = withdrawn_statements(store)
    if not statements:
        return frozenset()
    by_statement: dict[bytes, bytes] = {}
    for found in steps.over_buckets("decisions", withdrawn_triples, store, statements):
        by_statement |= found
    triples = frozenset(by_statement.values())
    supporting = steps.over_buckets("support", supported, store, triples, frozenset(by_statement))
    return triples.difference(*supporting)


def _run(store: Store, format: str, base: str, provenance: str, max_cluster: int, steps: Steps) -> list[Result]:
    """Write the parts of the output, in their order."""
    output = store, format, base
    results: list[Result] = [
        *steps.over_buckets("triples", write_triples, *output, _withdrawn(store, steps)),
        *steps.over_buckets("named graphs", write_quads, *output),
        *steps.over_buckets("statements", write_statements, *output, provenance),
    ]
    shared: frozenset[str] = frozenset().union(*(result.shared_names for result in results))
    results += steps.over_buckets("names", join_names, *output, max_cluster, shared)
    results += steps.over("shared names", join_shared_names, [(*output, max_cluster, range(2**store.bits))])
    results += steps.over_buckets("clusters", write_clusters, *output)
    steps.over_buckets("objects", join_entities, store, "objects", "subjects")
    steps.over_buckets("subjects", join_entities, store, "subjects", "facts")
    results += steps.over_buckets("facts", write_facts, *output)
    return results
