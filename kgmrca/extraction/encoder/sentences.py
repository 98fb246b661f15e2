"""The component `mrca_sentences`: where sentences begin, by the same signs by which the reader's windows are cut."""

from collections.abc import Iterable, Iterator

import numpy as np
from spacy.attrs import SENT_START
from spacy.language import Language
from spacy.tokens import Doc

from kgmrca.extraction.encoder.windows import read_tokens, sentence_ends

__all__ = ["SentenceMarker", "make_mrca_sentences"]

_QUOTES = frozenset({'"', "'", "''", "“", "‘", "«", "„"})


@Language.factory("mrca_sentences", assigns=["token.is_sent_start", "doc.sents"])
def make_mrca_sentences(nlp: Language, name: str) -> "SentenceMarker":
    """Make the component `mrca_sentences`, which sets `token.is_sent_start`."""
    return SentenceMarker()


class SentenceMarker:
    """Sets sentence boundaries, behind full stops and where a line closes without one. It has no settings.

    Lines of prose may be wrapped anywhere. Headlines, items of lists, addresses and rows of tables are sentences of
    their own (see `lines`). Boundaries that are set already stay.

    >>> import spacy
    >>> nlp = spacy.blank("en")
    >>> pipe = nlp.add_pipe("mrca_sentences")
    >>> [sentence.text.strip() for sentence in nlp("Fire in Lyon\\nKlemm leaves Siemens board").sents]
    ['Fire in Lyon', 'Klemm leaves Siemens board']
    >>> [sentence.text for sentence in nlp('It burnt. "Fire!" she\\nsaid in Lyon.').sents]
    ['It burnt.', '"Fire!" she\\nsaid in Lyon.']
    """

    def __call__(self, doc: Doc) -> Doc:
        """Set the boundaries of one Doc."""
        tokens = read_tokens([doc])
        begins = np.full(len(doc), -1, np.int64)
        begins[:1] = 1
        ends = sentence_ends(tokens)
        ends = np.array([end - _opens(doc, int(tokens.token[end - 1])) for end in ends.tolist()], np.int64)
        ends = ends[ends < len(tokens.token)]
        lower = np.array([word[:1].islower() for word in tokens.words], bool)[tokens.word[ends]]
        begins[tokens.token[ends[~lower]]] = 1
        there = doc.to_array(SENT_START).astype(np.int64)
        doc.from_array([SENT_START], np.where(there == 0, begins, there).astype(np.uint64).reshape(-1, 1))
        return doc

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 128) -> Iterator[Doc]:
        """Set the boundaries of many Docs."""
        return map(self, stream)


def _opens(doc: Doc, token: int) -> bool:
    """Whether a token is a quotation mark that belongs to what follows: with white space before it, and none behind."""
    if doc[token].text not in _QUOTES or not 0 < token < len(doc) - 1:
        return False
    before, behind = doc[token - 1], doc[token + 1]
    return bool(before.whitespace_ or before.is_space) and not (doc[token].whitespace_ or behind.is_space)
