"""Why a component finds no relations in a Doc, where the pipeline is the cause and not the text."""

from collections.abc import Callable, Iterator

from spacy.language import Language
from spacy.tokens import Doc

from kgmrca.ontology import TYPES

__all__ = ["late_coreference", "why_nothing"]


def late_coreference(nlp: Language | None, name: str) -> str | None:
    """What to do if a component that finds who is who comes behind the relation component; None if none does."""
    if nlp is None or name not in nlp.pipe_names:
        return None
    for other in nlp.pipe_names[nlp.pipe_names.index(name) + 1 :]:
        if nlp.get_pipe_meta(other).factory == "coreference":
            return (
                f"'{name}' knows entities by their names only: '{other}' runs behind it. Add it before: "
                f"nlp.add_pipe(..., before='{name}'); in a config, change the order of [nlp] pipeline."
            )
    return None


def why_nothing(
    doc: Doc,
    *,
    nlp: Language | None,
    name: str,
    spans_key: str | None,
    language: str | None,
    is_known: Callable[[str], bool],
) -> str | None:
    """What is wrong with the pipeline, and what to do; None: nothing, there may just be no relation in the Doc.

    Args:
        doc: a Doc without relations.
        nlp: the pipeline that the component was made for. None, or another one than that of the Doc: not known, because
            the component was taken out of it with `source`, or to another process.
        name: the relation component's name in it.
        spans_key: where the component reads its spans; None: from `doc.ents`.
        language: the language of the component's weights ("en"); None: not known.
        is_known: whether the component knows the type of an entity with this label.
    """
    if not doc.text.strip():
        return None
    if nlp is not None and (nlp.vocab is not doc.vocab or name not in nlp.component_names):
        nlp = None
    lang = doc.vocab.lang
    if spans_key is None and not doc.has_annotation("ENT_IOB") and (reason := _no_recognizer(nlp, name)):
        return f"'{name}' finds no relations: {reason}"
    if language is not None and lang not in (language, "xx", ""):
        return (
            f"'{name}' has weights that were trained on the language '{language}', and this is a pipeline for "
            f"'{lang}': expect no relations, or wrong ones. Train it on texts in '{lang}' (pretrained = null), or use "
            f"a pipeline for '{language}'."
        )
    spans = doc.ents if spans_key is None else doc.spans.get(spans_key, ())
    labels = {span.label_ for span in spans}
    if len(spans) > 1 and not any(map(is_known, labels.union(_labels_of_recognizers(nlp)))):
        return (
            f"'{name}' finds no relations: it does not know the types of entities with the labels "
            f"{', '.join(sorted(labels))}. Give each label one of the types {', '.join(sorted(TYPES))} with the "
            f'setting type_map, such as {{"{min(labels)}": "MISC"}}.'
        )
    return None


def _no_recognizer(nlp: Language | None, name: str) -> str | None:
    """Why no component sets entities before this one; None where one does or may do so."""
    if nlp is None:
        return "no component has set the entities (doc.ents). Add a recognizer before it, such as 'ner'."
    names = nlp.component_names
    place = names.index(name)
    if any(_may_set_entities(nlp, other) for other in names[:place] if other not in nlp.disabled):
        return None
    if off := [other for other in names[:place] if other in nlp.disabled and _sets_entities(nlp, other)]:
        return f"'{off[0]}', which sets the entities, is disabled. Enable it: nlp.enable_pipe('{off[0]}')."
    if late := [other for other in names[place + 1 :] if _sets_entities(nlp, other)]:
        return (
            f"it runs before '{late[0]}', which sets the entities. Add it behind: nlp.add_pipe(..., after='{late[0]}')"
            "; in a config, change the order of [nlp] pipeline."
        )
    return (
        f"no component before it sets entities (doc.ents). Add a recognizer before it, such as 'ner' of a trained "
        f"pipeline or an 'entity_ruler': nlp.add_pipe(..., before='{name}')."
    )


def _sets_entities(nlp: Language, name: str) -> bool:
    return any(part.startswith(("doc.ents", "token.ent_")) for part in nlp.get_pipe_meta(name).assigns)


def _may_set_entities(nlp: Language, name: str) -> bool:
    """Also components of others that do not say what they set."""
    made_by = type(nlp.get_pipe(name)).__module__ if not nlp.get_pipe_meta(name).assigns else "spacy"
    return _sets_entities(nlp, name) or not made_by.startswith("spacy")


def _labels_of_recognizers(nlp: Language | None) -> Iterator[str]:
    for name, component in nlp.pipeline if nlp else ():
        if _sets_entities(nlp, name):
            yield from getattr(component, "labels", ())
