"""The step that writes each statement once."""

from functools import reduce

from kgmrca.buckets import Store
from kgmrca.graph.merging.lines import statement_text
from kgmrca.graph.merging.parts import Result, written_part
from kgmrca.graph.merging.rows import Cells, is_withdrawn, joined

__all__ = ["write_statements"]


def write_statements(store: Store, format: str, base: str, provenance: str, numbers: range) -> Result:
    """Write the statements of some buckets, and distribute what their facts need, as "subjects" and "objects".

    A row of "objects" begins with the object, which is an entity, and the subject; a row of "subjects" with the subject
    and the object, which is a literal. In both, predicate, statement, document, digest and confidence follow. What a
    person withdrew supports no fact.
    """
    with written_part(store, format, base, "statements", numbers, is_formatted=True) as part:
        for number in numbers:
            for iri, rows in store.groups("statements", number):
                cells = reduce(joined, (Cells(iri.decode(), *row.decode().split("\t")) for row in rows))
                part.result.counts["statements"] += 1
                part.out.write(statement_text(cells, format=format, base=base, provenance=provenance).encode())
                if is_withdrawn(cells):
                    continue
                is_entity = cells.object.startswith("<")
                ends = (cells.object, cells.subject) if is_entity else (cells.subject, cells.object)
                rest = (cells.predicate, cells.iri, cells.document, cells.sentence_digest, cells.confidence)
                row = "\t".join((*ends, *rest)).encode()
                part.buckets.put("objects" if is_entity else "subjects", ends[0].encode(), row)
    return part.result
