"""Print each statement of a graph with its score and its sentence, and then the counts.

    python pipelines/demo/show.py build/demo/graph.ttl pipelines/demo/corpus

The graph is read back with rdflib; the sentences are cut from the documents by the offsets in the graph.
"""

import argparse
import re
from collections import Counter
from pathlib import Path

from rdflib import DCTERMS, PROV, RDF, RDFS, Graph, Literal, Namespace
from rdflib.term import Node

KGMRCA = Namespace("https://w3id.org/kgmrca#")


def main() -> None:
    """Show a graph from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("graph", type=Path, help="Turtle file written by `kgmrca convert`")
    parser.add_argument("corpus", type=Path, help="the folder it was made from")
    options = parser.parse_args()
    graph = Graph().parse(options.graph, format="turtle")

    def name(node: Node | None) -> str:
        return str(node if isinstance(node, Literal) else graph.value(node, RDFS.label))

    labels: Counter[str] = Counter()
    documents = set()
    pairs: Counter[tuple[Node | None, Node | None]] = Counter()
    for document, identifier in sorted(graph.subject_objects(DCTERMS.identifier)):
        text = (options.corpus / str(identifier)).read_text(encoding="utf-8")
        sentences: dict[tuple[int, int], list[tuple[float, str]]] = {}
        for statement in graph.subjects(PROV.wasDerivedFrom, document):
            start, end = map(int, re.findall(r"\d+", str(graph.value(statement, KGMRCA.sentence)).rpartition("#")[2]))
            subject, object_ = (graph.value(statement, RDF[end_]) for end_ in ("subject", "object"))
            label, score = str(graph.value(statement, KGMRCA.relationLabel)), graph.value(statement, KGMRCA.confidence)
            triple = f"{name(subject)} | {label} | {name(object_)}"
            sentences.setdefault((start, end), []).append((float(str(score)), triple))
            labels[label] += 1
            documents.add(document)
            pairs[graph.value(statement, KGMRCA.subjectMention), graph.value(statement, KGMRCA.objectMention)] += 1
        for (start, end), found in sorted(sentences.items()):
            print(f"\n{identifier}: {' '.join(text[start:end].split())}")
            for confidence, triple in sorted(found, key=lambda row: (-row[0], row[1])):
                print(f"  {confidence:.2f}  {triple}")
    several = sum(count > 1 for count in pairs.values())
    print(
        f"\n{labels.total()} statements of {len(labels)} relations in {len(documents)} documents; "
        f"{several} of {len(pairs)} entity pairs have several. {len(graph)} triples in {options.graph}"
    )
    print("Most frequent: " + ", ".join(f"{label} {count}" for label, count in labels.most_common(8)))


if __name__ == "__main__":
    main()
