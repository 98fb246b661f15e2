"""Put the trained parts together: sentences, entities and relations become one pipeline with its meta data.

python pipelines/assemble.py sm training/ner/model-best training/relations/model-best training/en_kgmrca_sm
"""

import argparse
from pathlib import Path

import spacy
from spacy.language import Language

import kgmrca
from kgmrca.tagging.component import relation_pipe

META = {
    "version": kgmrca.__version__,
    "spacy_version": ">=3.8,<4",
    "author": "The kgmrca authors",
    "license": "CC BY-SA 4.0",
    "sources": [
        {"name": "Re-DocRED, development split", "license": "MIT; text from Wikipedia, CC BY-SA"},
        {"name": "wiki80 and FewRel, validation split", "license": "MIT; text from Wikipedia, CC BY-SA"},
        {"name": "Text2KGBench, Wikidata-TekGen, training split", "license": "CC BY-SA 4.0"},
        {"name": "KnowledgeNet, training split", "license": "CC BY-SA 4.0"},
        {"name": "Wikigold", "license": "CC BY 4.0"},
        {"name": "Universal NER, English EWT, development split", "license": "CC BY-SA 4.0"},
        {"name": "CrossNER, training and development splits", "license": "MIT; text from Wikipedia, CC BY-SA"},
        {"name": "all-MiniLM-L6-v2", "license": "Apache-2.0"},
    ],
    "requirements": [f"kgmrca>={kgmrca.__version__}"],
}


def assemble(size: str, entities: Path, relations: Path) -> Language:
    """The whole pipeline, from the two that were trained."""
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    for part in map(spacy.load, (entities, relations)):
        for name in part.pipe_names:
            nlp.add_pipe(name, source=part)
    _, pipe = relation_pipe(nlp)
    properties = f"{len(pipe.labels)} Wikidata properties"
    nlp.meta.update(
        META, name=f"kgmrca_{size}", description=f"English entities, and relations between them over {properties}."
    )
    return nlp


def main() -> None:
    """Assemble from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("size", choices=("sm", "trf"), help="which of the two pipelines it is")
    parser.add_argument("entities", type=Path, help="folder of the trained entity recognizer")
    parser.add_argument("relations", type=Path, help="folder of the trained relation component")
    parser.add_argument("output", type=Path, help="folder to write the pipeline to")
    options = parser.parse_args()
    assemble(options.size, options.entities, options.relations).to_disk(options.output)
    print(f"-> {options.output}")


if __name__ == "__main__":
    main()
