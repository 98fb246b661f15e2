"""Print how many statements have each verdict, and the most certain of them.

    python pipelines/demo/verdicts.py build/demo/linked.ttl build/demo/checks.csv

It reads the table that `kgmrca check --csv` writes, and the entities' names from the graph.
"""

import argparse
import csv
from collections import defaultdict
from pathlib import Path

from pyoxigraph import NamedNode, parse

from kgmrca.ontology import load_ontology

LABEL = NamedNode("http://www.w3.org/2000/01/rdf-schema#label")
SHOWN = 3  # of each verdict


def main() -> None:
    """Show verdicts from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("graph", type=Path, help="the graph that was checked")
    parser.add_argument("checks", type=Path, help="its verdicts, as CSV")
    options = parser.parse_args()
    names = {str(quad.subject): quad.object.value for quad in parse(path=options.graph) if quad.predicate == LABEL}
    labels = {predicate: label for label, predicate in load_ontology().predicates.items()}

    def name(end: str, item: str) -> str:
        called = names.get(f"<{end}>", end)
        return f"{called} ({item})" if item else called

    verdicts = defaultdict(list)
    with options.checks.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            subject, object_ = (name(row[end], row[f"{end}_item"]) for end in ("subject", "object"))
            triple = f"{subject} | {labels.get(row['predicate'], row['predicate'])} | {object_}"
            verdicts[row["verdict"]].append((-float(row["confidence"]), triple, row["reason"]))
    for verdict, found in sorted(verdicts.items(), key=lambda item: -len(item[1])):
        print(f"\n{verdict}: {len(found)}")
        for confidence, triple, reason in sorted(found)[:SHOWN]:
            print(f"  {-confidence:.2f}  {triple}: {reason}")


if __name__ == "__main__":
    main()
