"""Docs as arguments: what functions take for Docs, and what each Doc is called in a graph."""

from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

from spacy.language import Language
from spacy.tokens import Doc, DocBin, Span, Token

from kgmrca.corpora.documents import ID
from kgmrca.errors import InputError
from kgmrca.triples.iris import Iris, text_digest

__all__ = ["Docs", "document_iri", "document_name", "each_doc"]

Docs: TypeAlias = Doc | Iterable[Doc | tuple[Doc, str | int]]
"""A Doc, or any number of them or of (Doc, id), as `nlp.pipe(..., as_tuples=True)` gives them."""


def each_doc(docs: Docs, document_id: str | int | None = None) -> Iterator[tuple[Doc, str | None]]:
    """Each Doc with the id that it was given, or None. Docs that a generator gives are made one by one.

    Args:
        document_id: the id of a single Doc.

    Raises:
        InputError: `docs`, or what it gives, is something else; an id is neither text nor a whole number; there is a
            `document_id` and not a single Doc.

    >>> import spacy
    >>> docs = spacy.blank("en").pipe([("One.", "a"), ("Two.", 2)], as_tuples=True)
    >>> [(doc.text, identifier) for doc, identifier in each_doc(docs)]
    [('One.', 'a'), ('Two.', '2')]
    """
    if isinstance(docs, Doc):
        return iter([(docs, None if document_id is None else document_name(docs, document_id))])
    # A dict would give its keys, a Span its tokens.
    if isinstance(docs, str | bytes | dict | Span | Language | DocBin) or not hasattr(docs, "__iter__"):
        raise _not_docs(docs)
    if document_id is not None:
        raise InputError("`document_id` is the id of one Doc: give several as (Doc, id).")
    return map(_with_id, docs)


def document_name(doc: Doc, identifier: str | int | None = None) -> str:
    """What a Doc is called: by `identifier`, else as its `user_data` has it under "kgmrca.id", else "".

    Raises:
        InputError: the id is neither text nor a whole number.
    """
    if identifier is None:
        identifier = doc.user_data.get(ID)
        if identifier is None:
            return ""
    if isinstance(identifier, bool) or not isinstance(identifier, str | int) or identifier == "":
        raise InputError(f"The id of a Doc is text or a whole number, not {identifier!r}.")
    return str(identifier)


def document_iri(doc: Doc, name: str, base: str) -> str:
    """The IRI of the document that a Doc was made of, in the graph with this base (see `Iris.document`).

    >>> import spacy
    >>> document_iri(spacy.blank("en")("Marie Curie was born in Warsaw."), "curie.txt", "urn:kgmrca:")
    'urn:kgmrca:document/curie.txt@e708d4b87ace1b5170e9'
    """
    return Iris(base).document(name, text_digest(doc.text))


def _with_id(item: Any) -> tuple[Doc, str | None]:
    if isinstance(item, Doc):
        return item, None
    if isinstance(item, tuple) and len(item) == 2 and isinstance(item[0], Doc):
        if item[1] is None:
            raise InputError("The id of a Doc is text or a whole number, not None. Give a Doc without an id alone.")
        return item[0], document_name(*item)
    raise _not_docs(item)


def _not_docs(given: Any) -> InputError:
    kind, advice = f"{type(given).__name__} ({given!r:.60})", ""
    if given is None:
        kind = "None"
    elif isinstance(given, str):
        advice = " A text becomes a Doc by nlp(text)."
    elif isinstance(given, Span | Token):
        advice = " Give its Doc, `.doc`."
    elif isinstance(given, DocBin):
        advice = " Give docbin.get_docs(nlp.vocab)."
    elif isinstance(given, Language):
        advice = " Give what it makes of texts: nlp(text) or nlp.pipe(texts)."
    return InputError(f"A Doc, or an iterable of Docs or of (Doc, id), is expected, not {kind}.{advice}")
