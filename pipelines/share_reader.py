"""Split a trained recognizer in two: its reader, which other components share, and its head.

    python share_reader.py build/entities
    python share_reader.py build/entities -o elsewhere

It writes the folders `reader_en_sm` and `entities_en_sm`, by default over those that ship. What was trained on the
states of another reader refuses to work with this one: train the heads of the other components again afterwards.
"""

import argparse
from pathlib import Path

import spacy

from kgmrca.extraction.encoder.shared import write_reader
from kgmrca.extraction.entities.recognizer import EntityRecognizer
from kgmrca.resources import ENTITIES, READER, resource


def share(trained: Path, target: Path) -> None:
    """Write the reader of a recognizer that has one of its own, and the recognizer as a head on it."""
    pipe: EntityRecognizer = spacy.load(trained).get_pipe("mrca_entities")
    if pipe.network.reader is None:
        raise SystemExit(f"The recognizer in {trained} has no reader of its own.")
    write_reader(target / READER, pipe.network.reader, max_tokens=pipe.max_tokens)
    config = {"pretrained": None, "reader": READER if target.samefile(resource("pipelines")) else str(target / READER)}
    head: EntityRecognizer = spacy.blank("en").add_pipe("mrca_entities", config=config)
    head.build(pipe.labels, schemes=pipe.schemes, scheme=pipe.scheme)
    head.network.head.load_state_dict(pipe.network.head.state_dict())
    head.to_disk(target / ENTITIES)


def main() -> None:
    """Split from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trained", type=Path, help="the folder that train_entities.py wrote")
    parser.add_argument("-o", "--output", type=Path, default=Path(), help="where to write the two folders")
    options = parser.parse_args()
    share(options.trained, options.output)
    print(f"-> {options.output / READER}, {options.output / ENTITIES}")


if __name__ == "__main__":
    main()
