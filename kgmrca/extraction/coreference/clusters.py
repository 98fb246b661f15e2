"""Clusters of mentions on a Doc: those that other components left there, and ours.

Read are span groups `coref_clusters_1`, ... as spaCy's experimental component (and this one) writes them, fastcoref's
`doc._.coref_clusters` (characters) and coreferee's `doc._.coref_chains` (tokens). None of these need be installed.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeAlias

from spacy.tokens import Doc

from kgmrca.entities import CLUSTERS, cluster_keys, is_cluster, spans_of
from kgmrca.extraction.coreference.beside import is_title
from kgmrca.extraction.encoder.forms import clean_word

__all__ = ["Cluster", "clusters_by_source", "is_cluster", "match_name", "read_clusters", "write_clusters"]

Cluster: TypeAlias = list[tuple[int, int]]
"""Mentions of one entity: start and end (tokens, end exclusive), sorted."""

_BEFORE = frozenset({"the", "a", "an"})
_AFTER = frozenset({"'s", "'", ",", ".", ";", ":"})
_ASIDE = frozenset({",", "("})


def read_clusters(doc: Doc) -> list[Cluster]:
    """The clusters that are on a Doc, of whatever component.

    >>> import spacy
    >>> doc = spacy.blank("en")("Ann says that she sings.")
    >>> doc.spans["coref_clusters_1"] = [doc[0:1], doc[3:4]]
    >>> read_clusters(doc)
    [[(0, 1), (3, 4)]]
    """
    return [cluster for clusters in clusters_by_source(doc) for cluster in clusters]


def clusters_by_source(doc: Doc) -> list[list[Cluster]]:
    """The clusters that are on a Doc, those of each component for themselves."""
    return [
        [sorted(set(cluster)) for cluster in found if len(set(cluster)) > 1]
        for found in (_of_span_groups(doc), _of_characters(doc), _of_chains(doc))
    ]


def _of_span_groups(doc: Doc) -> Iterator[Cluster]:
    for key in cluster_keys(doc.spans):
        yield [(span.start, span.end) for span in spans_of(doc, key)]


def _of_characters(doc: Doc) -> Iterator[Cluster]:
    for cluster in _extension(doc, "coref_clusters"):
        spans = (doc.char_span(int(start), int(end), alignment_mode="expand") for start, end in cluster)
        yield [(span.start, span.end) for span in spans if span is not None]


def _of_chains(doc: Doc) -> Iterator[Cluster]:
    # The head of a name may be any word of it: "University" of the University of Oslo.
    named = {token: (span.start, span.end) for span in doc.ents for token in range(span.start, span.end)}
    for chain in _extension(doc, "coref_chains"):
        heads = [list(mention.token_indexes) for mention in chain]
        if all(len(tokens) == 1 for tokens in heads):  # more than one: "Ann and Bob ... they" are no single entity
            yield [named.get(token, (token, token + 1)) for (token,) in heads]


def _extension(doc: Doc, name: str) -> Iterable[Any]:
    found: Iterable[Any] = (doc._.get(name) if doc.has_extension(name) else None) or ()
    return found


def match_name(doc: Doc, mention: tuple[int, int], names: Sequence[tuple[int, int]]) -> int:
    """Which of the names (tokens) a mention of another component is; -1: none of them.

    It is a name if it is that name, but for an article, titles or a possessive ending, or its last word, or if it
    begins with it and goes on with something said in passing: "Marie Curie, the physicist". "Marie Curie's husband" is
    none.
    """
    start, end = _core(doc, *mention)
    for number, name in enumerate(names):
        first, last = _core(doc, *name)
        if (first, last) == (start, end) or (end - start == 1 and start == last - 1):
            return number
        if first == start and last < end and clean_word(doc[last].text) in _ASIDE:
            return number
    return -1


def _core(doc: Doc, start: int, end: int) -> tuple[int, int]:
    """A span without article, titles and possessive ending."""
    words = [clean_word(token.text) for token in doc[start:end]]
    first, last = 0, len(words)
    while last - first > 1 and words[last - 1] in (*_AFTER, ""):
        last -= 1
    while last - first > 1 and (words[first].lower() in (*_BEFORE, "") or is_title(words[first])):
        first += 1
    return start + first, start + last


def write_clusters(doc: Doc, clusters: Iterable[Cluster]) -> None:
    """Write clusters as `doc.spans["coref_clusters_1"]`, ..., in the order of their first mentions.

    A mention that is an entity keeps its label and item there. Earlier groups of these names are replaced.
    """
    for key in cluster_keys(doc.spans):
        del doc.spans[key]
    entities = {(span.start, span.end): span for span in doc.ents}
    for number, cluster in enumerate(sorted(map(sorted, clusters)), start=1):
        doc.spans[f"{CLUSTERS}_{number}"] = [
            entities[mention] if mention in entities else doc[mention[0] : mention[1]] for mention in cluster
        ]
