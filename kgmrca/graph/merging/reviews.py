"""What a merge leaves out because persons withdrew it: the plain triples of statements that they rejected or corrected.

They come back whenever a document is converted again, and a triple of another statement is never left out.
"""

from collections.abc import Iterator, Set

from kgmrca.buckets import Store
from kgmrca.graph.merging.rows import Cells, is_withdrawn, joined

__all__ = ["supported", "withdrawn_statements", "withdrawn_triples"]


def withdrawn_statements(store: Store) -> frozenset[bytes]:
    """The IRIs of the statements that a person withdrew in one of the inputs."""
    return frozenset(iri for number in range(2**store.bits) for iri in store.rows("withdrawn", number))


def withdrawn_triples(store: Store, withdrawn: Set[bytes], numbers: range) -> dict[bytes, bytes]:
    """The plain triples of these statements as rows, by statement, unless another graph accepts them."""
    found: dict[bytes, bytes] = {}
    for number in numbers:
        several: dict[bytes, Cells] = {}
        for iri, cells in _statements(store, number):
            if iri in withdrawn:
                several[iri] = joined(several[iri], cells) if iri in several else cells
        found.update({iri: _triple(cells) for iri, cells in several.items() if is_withdrawn(cells)})
    return found


def supported(store: Store, triples: Set[bytes], withdrawn: Set[bytes], numbers: range) -> set[bytes]:
    """Those of the triples that statements express of which none was withdrawn."""
    return {
        triple
        for number in numbers
        for iri, cells in _statements(store, number)
        if iri not in withdrawn and (triple := _triple(cells)) in triples
    }


def _statements(store: Store, number: int) -> Iterator[tuple[bytes, Cells]]:
    for row in store.rows("statements", number, keep=True):
        iri, *cells = row.decode().split("\t")
        yield iri.encode(), Cells(iri, *cells)


def _triple(cells: Cells) -> bytes:
    return f"{cells.subject}\t{cells.predicate} {cells.object} .".encode()
