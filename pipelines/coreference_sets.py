"""What the ranker of pronouns is trained on: gold Docs of GUM, LitBank, GAP and Re-DocRED as plain texts.

In GUM and LitBank all pronouns are annotated, so one that is in no cluster with a name means none of the names. In GAP
one pronoun of a text is, and of two names it is said whether it means them; nothing is known of the others.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import spacy
from spacy.language import Language
from spacy.tokens import Doc
from spacy.vocab import Vocab

from kgmrca.corpora.annotated import read_annotated
from kgmrca.corpora.coreference import GAP, read_clustered, read_gap
from kgmrca.extraction.coreference.clusters import is_cluster
from kgmrca.extraction.coreference.features import pronoun_group
from kgmrca.extraction.coreference.names import Name, group_names, introduced, without_mistaken
from kgmrca.extraction.encoder.forms import clean_word
from kgmrca.types import coarse_type

__all__ = ["Text", "read_texts"]


@dataclass(slots=True)
class Text:
    """A text with names, and what its pronouns mean.

    Args:
        source: the data set.
        words: clean words.
        names: start, end (exclusive) and coarse type of each, sorted.
        cluster: of each name; -1: not known, or alone.
        pronouns: word -> cluster, -1 for one that means no name; of those that are missing nothing is known.
        other: word -> clusters that it does not mean, where nothing is known of others.
        ends: where sentences end (words).
    """

    source: str
    words: list[str]
    names: list[tuple[int, int, str]]
    cluster: list[int]
    pronouns: dict[int, int]
    other: dict[int, set[int]] = field(default_factory=dict)
    ends: list[int] = field(default_factory=list)
    _entities: list[int] | None = None

    @property
    def entities(self) -> list[int]:
        """Which names mean the same, by the rules that are asked when predicting."""
        if self._entities is None:
            spans, types = [name[:2] for name in self.names], [name[2] for name in self.names]
            names = without_mistaken([Name.at(self.words, start, end, kind) for start, end, kind in self.names])
            self._entities = group_names(names, introduced(self.words, spans, types))
        return self._entities


def text_of(doc: Doc, source: str) -> Text | None:
    """A gold Doc as a text; None for one of GAP whose pronoun is none of ours, or lies in a name."""
    kept = [token.i for token in doc if clean_word(token.text)]
    place = {token: number for number, token in enumerate(kept)}
    spans = [span for span in doc.ents if any(token in place for token in range(span.start, span.end))]
    rows = [[place[token] for token in range(span.start, span.end) if token in place] for span in spans]
    clusters = [{(span.start, span.end) for span in group} for key, group in doc.spans.items() if is_cluster(key)]
    of_span = {span: number for number, cluster in enumerate(clusters) for span in cluster}
    names = [(here[0], here[-1] + 1, coarse_type(span.label_)) for here, span in zip(rows, spans, strict=True)]
    text = Text(source, [clean_word(doc[token].text) for token in kept], names, [], {})
    if GAP in doc.spans:
        pronoun, *both = doc.spans[GAP]
        word = place[pronoun.start]
        if not pronoun_group(text.words[word]) or any(start <= word < end for start, end, _ in names):
            return None
        number_of = {(name.start, name.end): number for number, name in enumerate(both)}
        text.cluster = [number_of.get((span.start, span.end), -1) for span in spans]
        # What rules put together with one of the two is that one; other entities have numbers above.
        first: dict[int, int] = {}
        for entity, cluster in zip(text.entities, text.cluster, strict=True):
            if cluster >= 0:
                first.setdefault(entity, cluster)
        text.cluster = [
            cluster if cluster >= 0 else first.get(entity, 2 + entity)
            for entity, cluster in zip(text.entities, text.cluster, strict=True)
        ]
        group = of_span.get((pronoun.start, pronoun.end))
        right = [number for span, number in number_of.items() if group is not None and span in clusters[group]]
        text.pronouns = {word: right[0] if right else -1}
        text.other = {word: {0, 1} - set(right)}
        return text
    text.cluster = [of_span.get((span.start, span.end), -1) for span in spans]
    text.ends = [place[sentence.end - 1] + 1 for sentence in doc.sents if sentence.end - 1 in place]
    named = set(text.cluster) - {-1}
    inside = {word for start, end, _ in names for word in range(start, end)}
    for word, token in enumerate(kept):
        if pronoun_group(text.words[word]) and word not in inside:
            number = of_span.get((token, token + 1), -1)
            text.pronouns[word] = number if number in named else -1
    return text


def read_named(path: Path, vocab: Vocab) -> Iterator[Text]:
    """Documents of Re-DocRED: it is known which names mean the same, of pronouns nothing is."""
    for doc in read_annotated(path, vocab):
        words = [(token.i, clean_word(token.text)) for token in doc]
        place = {token: number for number, (token, _) in enumerate((t, w) for t, w in words if w)}
        text = Text("redocred", [word for _, word in words if word], [], [], {})
        for span in doc.ents:
            inside = [place[token] for token in range(span.start, span.end) if token in place]
            if inside:
                text.names.append((inside[0], inside[-1] + 1, coarse_type(span.label_)))
        text.cluster = list(text.entities)
        text.ends = [place[sentence.end - 1] + 1 for sentence in doc.sents if sentence.end - 1 in place]
        yield text


def read_texts(data: Path, split: str, recognizer: Language) -> Iterator[Text]:
    """The texts of the three sets; for training also those of Re-DocRED, of whose pronouns nothing is known.

    Args:
        data: the folder with the data sets.
        split: "train" or "dev".
        recognizer: finds the names in the texts of GAP beside those two that are given.
    """
    nlp = spacy.blank("en")
    for source, docs in (
        (
            "gum",
            read_clustered(data / f"coref_gum/{split}.jsonl.gz", nlp.vocab, names=data / f"ner_gum/{split}.jsonl.gz"),
        ),
        ("litbank", read_clustered(data / f"coref_litbank/{split}.jsonl.gz", nlp.vocab)),
        ("gap", recognizer.pipe(read_gap(data / f"coref_gap/{split}.jsonl.gz", recognizer))),
    ):
        yield from (text for doc in docs if (text := text_of(doc, source)) is not None)
    if split == "train":
        yield from read_named(data / "redocred/documents.dev.jsonl.gz", nlp.vocab)
