"""Assemble trained pipelines for sentences, entities and relations into one pipeline with its metadata.

python pipelines/assemble.py sm training/ner/model-best training/relations/model-best -o training/en_kgmrca_sm
"""

import argparse
from collections.abc import Iterable
from pathlib import Path

import spacy
from spacy.language import Language
from spacy.util import load_model_from_config

import kgmrca
from kgmrca.extraction.relations.component import relation_pipe

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
}
EXTRAS = {"sm": "", "trf": "[transformers]"}


def assemble(size: str, parts: Iterable[Path]) -> Language:
    """One pipeline with the components of all parts; `types_from_tags` is added behind a tagger of entity types."""
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    for part in map(spacy.load, parts):
        for name in part.pipe_names:
            nlp.add_pipe(name, source=part)
            if name == "tagger":
                nlp.add_pipe("types_from_tags")
    _, pipe = relation_pipe(nlp)
    pipe.model.shims[0]._model.half().float()  # so that it can be stored at half the size
    nlp.meta.update(
        META,
        name=f"kgmrca_{size}",
        description=f"English entities, and relations between them over {len(pipe.labels)} Wikidata properties.",
        requirements=[f"kgmrca{EXTRAS[size]}>={kgmrca.__version__}"],
    )
    if size == "sm":
        nlp.config["initialize"]["after_init"] = {"@callbacks": "kgmrca.restore_shipped_entities.v1"}
    return with_fresh_strings(nlp)


def with_fresh_strings(nlp: Language) -> Language:
    """The same pipeline without the words of the training data, which spaCy keeps in the vocabulary."""
    fresh = load_model_from_config(nlp.config)
    fresh.from_bytes(nlp.to_bytes(exclude=["vocab"]), exclude=["vocab"])
    return fresh


def main() -> None:
    """Assemble from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("size", choices=("sm", "trf"), help="which of the two pipelines it is")
    parser.add_argument("parts", nargs="+", type=Path, help="folders of what was trained, the relations last")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder to write the pipeline to")
    options = parser.parse_args()
    assemble(options.size, options.parts).to_disk(options.output)
    print(f"-> {options.output}")


if __name__ == "__main__":
    main()
