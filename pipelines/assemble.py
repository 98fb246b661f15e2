"""Put the trained parts together: sentencizer, entity recognizer and relations become one pipeline with its meta data.

python pipelines/assemble.py training/ner/model-best training/relations/model-best pipelines/en_kgmrca_sm
"""

import argparse
from pathlib import Path

import spacy
from spacy.language import Language

import kgmrca

META = {
    "name": "kgmrca_sm",
    "version": kgmrca.__version__,
    "spacy_version": ">=3.8,<4",
    "description": "English entities, and relations between them over 93 Wikidata properties. No vectors needed.",
    "author": "The kgmrca authors",
    "license": "CC BY-SA 4.0",
    "sources": [
        {"name": "Re-DocRED, development split", "license": "MIT; text from Wikipedia, CC BY-SA"},
        {"name": "all-MiniLM-L6-v2 (word table)", "license": "Apache-2.0"},
    ],
    "requirements": [f"kgmrca>={kgmrca.__version__}"],
}


def assemble(ner: Path, relations: Path) -> Language:
    """The whole pipeline, from the two that were trained."""
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.add_pipe("ner", source=spacy.load(ner))
    nlp.add_pipe("mrca_relations", source=spacy.load(relations))
    nlp.meta.update(META)
    return nlp


def main() -> None:
    """Assemble from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ner", type=Path, help="folder of the trained entity recognizer")
    parser.add_argument("relations", type=Path, help="folder of the trained relation component")
    parser.add_argument("output", type=Path, help="folder to write the pipeline to")
    options = parser.parse_args()
    assemble(options.ner, options.relations).to_disk(options.output)
    print(f"-> {options.output}")


if __name__ == "__main__":
    main()
