"""Assemble trained components into one pipeline with its metadata.

    python assemble.py sm build/relations -o build/en_kgmrca_sm
    python assemble.py sentences build/ner/model-best build/sentence_relations/model-best -o build/en_kgmrca_sentences
    python assemble.py trf build/spans/model-best build/types_trf/model-best build/relations_trf/model-best -o build/trf

`sm` is the pipeline that ships: sentences, entities, who is who, and the facts of documents. The recognizer and the
coreference are those that ship beside it. The other two read single sentences, and are teachers only.
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
        {"name": "GAP, training split", "license": "Apache-2.0; text from Wikipedia, CC BY-SA"},
        {"name": "GUM, training split (see the model cards)", "license": "by genre; those that may be passed on"},
        {"name": "LitBank, training split", "license": "CC BY 4.0"},
        {"name": "Broad Twitter Corpus and WNUT17, training splits", "license": "CC BY 4.0"},
        {"name": "re3d", "license": "public domain, OGL 3.0, CC BY-SA 3.0, CC BY 3.0 AU"},
        {"name": "all-MiniLM-L6-v2", "license": "Apache-2.0"},
    ],
}
EXTRAS = {"sm": "", "sentences": "", "trf": "[transformers]"}


def assemble(size: str, parts: Iterable[Path]) -> Language:
    """One pipeline with the components of all parts; `types_from_tags` is added behind a tagger of entity types."""
    nlp = spacy.blank("en")
    if size == "sm":
        for name in ("mrca_sentences", "mrca_entities", "coreference"):
            nlp.add_pipe(name)
    else:
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
    return with_fresh_strings(nlp)


def with_fresh_strings(nlp: Language) -> Language:
    """The same pipeline without the words of the training data, which spaCy keeps in the vocabulary."""
    fresh = load_model_from_config(nlp.config)
    fresh.from_bytes(nlp.to_bytes(exclude=["vocab"]), exclude=["vocab"])
    return fresh


def main() -> None:
    """Assemble from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("size", choices=tuple(EXTRAS), help="which of the pipelines it is")
    parser.add_argument("parts", nargs="+", type=Path, help="folders of what was trained, the relations last")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder to write the pipeline to")
    options = parser.parse_args()
    assemble(options.size, options.parts).to_disk(options.output)
    print(f"-> {options.output}")


if __name__ == "__main__":
    main()
