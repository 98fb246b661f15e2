"""How well the times of facts are found: precision and recall on sentences labelled by hand.

    python benchmarks/time_qualifiers.py --data DATA [--part dev]

The labels name sentences of public data sets by their ids, and facts by their tokens; the texts are not in them. Half
a dozen words of the guideline: a date counts if the sentence says with it since when, until when or when the fact held;
the date of a thing itself (birth, death, publication, discovery, foundation, an event's own) does not.
"""

import argparse
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kgmrca.triples.times import TimedFact, find_times

HERE = Path(__file__).parent
KINDS = {"s": ("start",), "e": ("end",), "p": ("point",), "sp": ("start", "point"), "ep": ("end", "point")}
PROPERTIES = {  # of labels for which the data set names none
    "ceo": "P169",
    "educated at": "P69",
    "employee or member of": "P108",
    "founded by": "P112",
    "headquarters": "P159",
    "nationality": "P27",
    "place of birth": "P19",
    "place of residence": "P551",
    "political affiliation": "P102",
    "spouse": "P26",
    "subsidiary of": "P749",
}


def main() -> None:
    """Print the figures, and with --errors what was wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="the folder with the data sets")
    parser.add_argument("--part", choices=("dev", "test"), default="test")
    parser.add_argument("--errors", action="store_true", help="list each wrong and each missing time")
    options = parser.parse_args()
    with (HERE / f"time_qualifiers.{options.part}.jsonl").open(encoding="utf-8") as lines:
        labelled = [json.loads(line) for line in lines]
    right, given, wanted = 0, 0, 0
    texts = sentences(options.data, labelled)
    for row in labelled:
        tokens = texts[row["set"], row["id"]]
        text, facts = as_text(tokens, row["facts"], properties(options.data, row["set"]))
        for fact, gold, found in zip(facts, row["facts"], find_times(text, facts), strict=True):
            told = [(kind, value) for kind, value in found._asdict().items() if value] if found else []
            expected = [(KINDS[kind], value) for kind, value in (time.split(":") for time in gold["times"])]
            hits = [one for one in told if any(one[0] in kinds and one[1] == value for kinds, value in expected)]
            right, given, wanted = right + len(hits), given + len(told), wanted + len(expected)
            if options.errors and (len(hits) < len(told) or len(hits) < len(expected)):
                subject, object_ = (text[slice(*place)] for place in (fact.subject, fact.object))
                print(f"{text}\n   {subject} | {gold['label']} | {object_}: {told}, not {gold['times']}")
    print(f"{len(labelled)} sentences, {sum(len(row['facts']) for row in labelled)} facts, {wanted} times")
    print(f"precision {right / (given or 1):.3f} ({right} of {given}), recall {right / wanted:.3f}")


def sentences(data: Path, labelled: list[dict[str, Any]]) -> dict[tuple[str, str], list[str]]:
    """The tokens of the sentences, by data set and id."""
    found = {}
    for name, split in sorted({(row["set"], row["split"]) for row in labelled}):
        wanted = {row["id"] for row in labelled if row["set"] == name}
        for id, tokens in records(data, name, split):
            if id in wanted:
                found[name, id] = tokens
    return found


def records(data: Path, name: str, split: str) -> Iterator[tuple[str, list[str]]]:
    """The sentences of a data set; those of the documents of Re-DocRED by title and number."""
    is_document = name == "redocred"
    with gzip.open(
        data / name / f"{'documents.' if is_document else ''}{split}.jsonl.gz", "rt", encoding="utf-8"
    ) as lines:
        for record in map(json.loads, lines):
            if is_document:
                yield from ((f"{record['title']}#{number}", tokens) for number, tokens in enumerate(record["sents"]))
            else:
                yield record["id"], record["tokens"]


def properties(data: Path, name: str) -> dict[str, str]:
    """The properties of a data set's labels."""
    rows = (line.rstrip("\n").split("\t") for line in (data / name / "relations.tsv").open(encoding="utf-8"))
    named = {(row[2:] or row)[0] or row[0]: row[1] for row in rows if len(row) > 1 and row[1].startswith("P")}
    return PROPERTIES | named


def as_text(tokens: list[str], facts: list[dict[str, Any]], property_of: dict[str, str]) -> tuple[str, list[TimedFact]]:
    """The sentence as people write it, as far as its tokens tell, and the places of the facts in it."""
    places = []
    text = ""
    for token in tokens:
        glued = not text or token in {",", ".", ";", ")", "'s", "%"} or text.endswith("(")
        text += token if glued else f" {token}"
        places.append((len(text) - len(token), len(text)))
    found = []
    for fact in facts:
        subject, object_ = ((places[start][0], places[end - 1][1]) for start, end in (fact["subject"], fact["object"]))
        found.append(TimedFact(subject, object_, property_of.get(fact["label"], "")))
    return text, found


if __name__ == "__main__":
    main()
