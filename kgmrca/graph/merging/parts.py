"""Parts of the output: each task writes one, and at the end they are put together in their order."""

import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import IO, cast

from pyoxigraph import Literal, Quad, RdfFormat, parse

from kgmrca.buckets import Buckets, Store
from kgmrca.graph.merging.lines import prefix_lines
from kgmrca.terms import KGMRCA, RDFS, TYPE
from kgmrca.triples.formats import CONCATENABLE, WITH_PREFIXES, write
from kgmrca.triples.iris import Iris, clean_text

__all__ = ["Part", "Result", "put_together", "written_part"]


@dataclass(slots=True)
class Result:
    """What a task gives back.

    Attributes:
        path: its part of the output.
        counts: what the summary counts, by the names of its attributes.
        conflicts: how many conflicts were written, by kind.
        shared_names: the names of entities that have several names and no item.
    """

    path: Path
    counts: Counter[str] = field(default_factory=Counter)
    conflicts: Counter[str] = field(default_factory=Counter)
    shared_names: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Part:
    """What a task writes to.

    Attributes:
        out: its part of the output.
        buckets: for what later steps need.
        result: for what is counted.
        iris: for the nodes that it makes.
    """

    out: IO[bytes]
    buckets: Buckets
    result: Result
    iris: Iris

    def node(self, node: str, lines: Iterable[str]) -> None:
        """Write the triples of a node; a line has a predicate and an object."""
        self.out.write("".join(f"{node} {line} .\n" for line in lines).encode())

    def conflict(self, kind: str, about: Iterable[str], comment: str, conflicting: Iterable[str]) -> None:
        """Write and count a `kgmrca:Conflict`.

        Args:
            kind: which kind of conflict.
            about: what makes its IRI, together with the kind.
            comment: the same in words.
            conflicting: the nodes that do not go together.
        """
        self.result.conflicts[kind] += 1
        lines = [
            f"{TYPE} <{KGMRCA}Conflict>",
            f"<{RDFS}comment> {Literal(clean_text(comment))}",
            f'<{KGMRCA}conflictKind> "{kind}"',
        ]
        conflict = f"<{self.iris.conflict(kind, *about)}>"
        self.node(conflict, [*lines, *(f"<{KGMRCA}conflicting> {one}" for one in conflicting)])


@contextmanager
def written_part(
    store: Store, format: str, base: str, step: str, numbers: range, *, is_formatted: bool = False
) -> Iterator[Part]:
    """A part of the output, to be filled with N-Quads within the block.

    Args:
        store: where it lies, and the buckets.
        format: that of the output, into which the part is brought when the block ends.
        base: the beginning of the IRIs of new nodes.
        step: the name of the step.
        numbers: the buckets of the task.
        is_formatted: whether the block writes Turtle or TriG itself, if one of these is the format.
    """
    name = f"{step}-{numbers.start}"
    result = Result(store.folder / f"{name}.nq")
    buckets = store.buckets(name)
    with result.path.open("wb") as out:
        if is_formatted and format in WITH_PREFIXES:
            out.write(prefix_lines(format, base))
        yield Part(out, buckets, result, Iris(base))
    buckets.flush()
    if format in WITH_PREFIXES and not is_formatted:
        lines, result.path = result.path, store.folder / name
        with result.path.open("wb") as out:
            write(_quads(lines), out, format=format, base=base)


def put_together(parts: Sequence[Path], out: IO[bytes], *, format: str, base: str) -> None:
    """Write the parts one after the other, and remove them."""
    if format not in CONCATENABLE:
        write(chain.from_iterable(map(_quads, parts)), out, format=format, base=base)
        return
    has_prefixes = False
    for path in parts:
        with path.open("rb") as part:
            position = 0
            while has_prefixes and part.readline().startswith(b"@prefix "):
                position = part.tell()
            part.seek(position)
            shutil.copyfileobj(part, out)
            has_prefixes = has_prefixes or part.tell() > 0
        path.unlink()


def _quads(path: Path) -> Iterator[Quad]:
    yield from cast("Iterator[Quad]", parse(path=path, format=RdfFormat.N_QUADS))
    path.unlink()
