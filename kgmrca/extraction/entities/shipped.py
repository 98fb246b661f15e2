"""The recognizer of the shipped pipeline keeps its weights when the pipeline is initialized."""

from collections.abc import Callable

from spacy.language import Language

from kgmrca.resources import SHIPPED, resource

__all__ = ["restore_shipped_entities"]


def restore_shipped_entities() -> Callable[[Language], None]:
    """The callback `kgmrca.restore_shipped_entities.v1`, for `[initialize.after_init]` of the shipped pipeline.

    `nlp.initialize()` makes spaCy's `ner` anew. The callback then loads the weights that ship.
    """

    def restore(nlp: Language) -> None:
        if "ner" in nlp.pipe_names:
            nlp.get_pipe("ner").from_disk(resource(f"pipelines/{SHIPPED}/ner"), exclude=["vocab"])

    return restore
