"""Which mentions of two entities state that they are related, and what a Doc says without the sentences that deny it.

A network scores pairs of entities, and does not tell where it read of them. What one sentence denies and another one
states is therefore read again, without the sentence that denies it.
"""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from spacy.tokens import Doc, Span

from kgmrca.extraction.encoder.windows import words_of
from kgmrca.extraction.relations.factuality import find_factuality, sentence_of
from kgmrca.extraction.relations.pairs import Candidates
from kgmrca.extraction.relations.passages import Passages

__all__ = ["Mentions", "Reading", "Text", "best_stated"]

Mentions: TypeAlias = tuple[int, int, int, int]
"""Start and end of subject and object (characters)."""

# What stands before a clause: ", where he was born".
_CLAUSE = re.compile(
    r"(?:[.!?;:,()–—-]|\b(?:where|but|and|because|although|though|when|while|since|after|before|until))\s*$",
    re.IGNORECASE,
)
_RELATIVE = re.compile(r"\b(?:where|whom|which|whose|that)\s*$", re.IGNORECASE)
_POSSESSIVE = re.compile(r"(?:his|her|its|their)\b")


class Text:
    """What a Doc says of two mentions: as a fact, or otherwise. In a language other than English all is a fact."""

    def __init__(self, doc: Doc) -> None:
        self._doc, self._text = doc, doc.text
        self._words: list[str] = []
        self._known: dict[Mentions, bool] = {}
        self._denying: set[tuple[int, int]] = set()  # start and end of sentences (tokens)

    def states(self, mentions: Mentions) -> bool:
        """Whether no cue says that the Doc denies, plans or only reports what it says of two mentions."""
        if mentions not in self._known:
            self._known[mentions] = self._states(mentions)
        return self._known[mentions]

    def _states(self, mentions: Mentions) -> bool:
        if self._doc.vocab.lang != "en":  # the cues are English
            return True
        self._words = self._words or words_of(self._doc)
        places = [self._doc.char_span(*mentions[:2]), self._doc.char_span(*mentions[2:])]
        one, other = ((span.start, span.end) if span is not None else None for span in places)
        if one is None or other is None or find_factuality(self._words, one, other) is None:
            return True
        self._denying.add(sentence_of(self._words, min(one, other)[0], max(one, other)[1]))
        return False

    def states_again(self, mentions: Mentions) -> bool:
        """Whether the Doc states of two mentions what it does not state of others of the same entities.

        A pronoun within a clause only repeats who that clause is about ("she lied that she was born in Ulm"), and a
        clause behind says nothing of what was named before, unless it says so (", where he was born").
        """
        for start, other in (mentions[0], mentions[2]), (mentions[2], mentions[0]):
            if self._text[start].islower():
                opening = _CLAUSE if start < other else _RELATIVE
                if _POSSESSIVE.match(self._text, start) or not opening.search(self._text, max(0, start - 20), start):
                    return False
        return self.states(mentions)

    def is_denying(self, mentions: Mentions) -> bool:
        """Whether a sentence with the first of two mentions was seen to deny, plan or report something."""
        span = self._doc.char_span(*mentions[:2])
        return span is not None and any(start <= span.start < end for start, end in self._denying)

    def without_denied(self) -> "Rest":
        """The Doc without the sentences that were seen to deny something.

        Of each its first mention is left, and the full stop: what follows may need to know of whom it speaks.
        """
        left = np.ones(len(self._doc), bool)
        mentions = sorted(
            (span.start, span.end) for group in (self._doc.ents, *self._doc.spans.values()) for span in group
        )
        for start, end in self._denying:
            first = next((place for place in mentions if start <= place[0] and place[1] < end), (end - 1, end - 1))
            left[start : first[0]] = left[first[1] : end - 1] = False
        return Rest(self._doc, left)


class Rest:
    """What is left of a Doc: `doc`, with the entities and span groups.

    Args:
        doc: a Doc.
        left: which of its tokens are left.
    """

    def __init__(self, doc: Doc, left: NDArray[np.bool_]) -> None:
        kept = [doc[token] for token in np.flatnonzero(left).tolist()]
        self.doc = Doc(
            doc.vocab,
            words=[token.text for token in kept],
            spaces=[bool(token.whitespace_) for token in kept],
            sent_starts=[token.sent_start for token in kept],
        )
        self._starts = {here.idx: token.idx for here, token in zip(self.doc, kept, strict=True)}
        self._ends = {here.idx + len(here): token.idx + len(token) for here, token in zip(self.doc, kept, strict=True)}
        place = np.cumsum(left) - 1

        def moved(spans: Iterable[Span]) -> list[Span]:
            return [
                Span(self.doc, place[span.start], place[span.end - 1] + 1, label=span.label, kb_id=span.kb_id)
                for span in spans
                if left[span.start : span.end].all()
            ]

        self.doc.set_ents(moved(doc.ents))
        for key, group in doc.spans.items():
            self.doc.spans[key] = moved(group)

    def original(self, mentions: Sequence[int]) -> Mentions:
        """Where two mentions are in the whole Doc."""
        a, b, c, d = mentions
        return self._starts[a], self._ends[b], self._starts[c], self._ends[d]


class Reading(NamedTuple):
    """Where it was read that two entities are related."""

    row: int  # of those that were asked about
    mentions: Mentions
    is_denied_elsewhere: bool  # another sentence denies, plans or only reports it


def best_stated(text: Text, asked: Candidates | Passages, pairs: NDArray[np.int64]) -> Reading | None:
    """Of readings of one pair of entities and a label, best first, the first that a text states.

    Mentions of several sentences are only looked at if no sentence has a mention of each: where one has, it would
    have to say it.

    Args:
        text: that was read.
        asked: the pairs.
        pairs: rows of `asked.pairs`, one for each reading.
    """
    is_denied = False
    for row, mentions in enumerate(_as_mentions(asked.arguments(pairs))):
        if text.states(mentions) and not is_denied:
            return Reading(row, mentions, False)
        is_denied = True
        for other in _as_mentions(asked.readings(int(pairs[row]))):
            if text.states_again(other):
                return Reading(row, other, not text.is_denying(other))
    return None


def _as_mentions(characters: NDArray[np.int64]) -> list[Mentions]:
    return [(a, b, c, d) for a, b, c, d in characters.tolist()]
