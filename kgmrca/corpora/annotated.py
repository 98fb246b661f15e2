"""Converts annotated relation data to gold Docs and DocBin files, and reads these for training with spaCy.

Two formats are understood, told apart by their keys:

- DocRED's own (`title`, `sents`, `vertexSet`, `labels`), as DocRED and Re-DocRED are released. One Doc a document, with
  its sentence boundaries. A relation of a document is given to every pair of mentions of its two entities that share a
  sentence. If no such pair exists, the relation is given once, to the two mentions that are closest to one another.
- Sentences: `{"id", "tokens", "entities": [{"start", "end", "type"}], "relations": [{"subject", "object",
  "predicate"}]}`; `end` is exclusive, `subject` and `object` are indexes into `entities`. One Doc a sentence.

A file is JSON Lines or one JSON array, gzipped or not. Every gold Doc has all its mentions in `doc.spans["entities"]`,
those that do not overlap in `doc.ents` as well, and the relations in `doc._.relations`. The mentions of each entity are
a cluster, `doc.spans["coref_clusters_1"]` and so on, also where an entity has a single mention. In the format for
sentences, mentions are one entity if they have the same `eid`, or the same `qid`, or else the same words.

A relation is annotated exhaustively in a Doc if all its instances there are marked. Then a pair of entities without it
is a negative example. Of other relations, some instances are marked and others may not be, so such a pair says nothing.
In data read as `partial` no relation is annotated exhaustively; in a record with the key `exhaustive` those are that it
lists. In both, a token outside the marked entities may be part of another entity.
"""

import csv
import hashlib
import io
import itertools
import json
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, TypeVar

from spacy.language import Language
from spacy.tokens import Doc, DocBin, Span
from spacy.training import Example
from spacy.util import filter_spans
from spacy.vocab import Vocab

from kgmrca.corpora.documents import ID
from kgmrca.entities import CLUSTERS
from kgmrca.errors import InputError, unreadable
from kgmrca.files import check_outputs, whole_file
from kgmrca.ontology import Mapped, load_mapping, load_ontology
from kgmrca.progress import progress_bar
from kgmrca.reading import unpacked
from kgmrca.relations import Relation, get_plain_relations, set_relations
from kgmrca.tables import text_lines

__all__ = [
    "ENTITIES",
    "Corpus",
    "exhaustively_annotated",
    "hash_share",
    "read_annotated",
    "read_gold",
    "relation_labels",
    "write_gold",
]

ENTITIES = "entities"
"""The span group with every gold mention, including overlapping ones."""

EXHAUSTIVE = "kgmrca.exhaustive"
"""Where a gold Doc's `user_data` names the relations that are annotated exhaustively in it."""

_OLD_EXHAUSTIVE = "kgmrca.labelled"  # the name of this key in files of version 0.1; read until version 1.0

# What is counted as odd in a data file.
_WITHOUT_MENTIONS = "entities without a mention were left out"
_WITHOUT_A_PLACE = "relations were left out, because their subject or object has no mention"
_ITSELF = "relations are of an entity with itself, which no pipeline finds"
_UNNAMED = "relations keep their names as labels, because the table of relations does not have them"
_REPEATED = "documents have the name of an earlier one"

UNTYPED = "ENTITY"
"""The label of a mention that has no type in the data, because an entity of a Doc needs a label."""

_Element = TypeVar("_Element")

_NO_SPACE_BEFORE = re.compile(r"[.,;:!?)\]}%’”]|n't|['’](?:s|m|d|re|ve|ll)", re.IGNORECASE)
_NO_SPACE_AFTER = re.compile(r"[(\[{$£€“‘]")


def relation_labels(path: Path, mapping: Path | None = None) -> dict[str, Mapped | None]:
    """The labels of the relations in a data file: `predicate -> label`.

    They are read from the mapping if there is one (see `ontology.load_mapping`), and otherwise from `relations.tsv`
    beside the file. This table has the columns `relation`, `wikidata_pid` and `label`. If every relation in it has a
    Wikidata property, the labels of our ontology are used for properties that have one there, so that data sets have
    the same labels. A relation without a label keeps its name. Without a table there are no labels.

    Raises:
        InputError: the table cannot be read, or has no column `relation`.
    """
    if mapping:
        try:
            return dict(load_mapping(mapping))
        except OSError as error:
            raise unreadable(mapping, error) from error
    table = path.parent / "relations.tsv"
    if not table.is_file():
        return {}
    try:
        rows = list(csv.DictReader(text_lines(table), delimiter="\t", quoting=csv.QUOTE_NONE))
        properties = [row.get("wikidata_pid") for row in rows]
        ours = load_ontology().label_of if all(properties) else lambda _: None
        return {
            row["relation"]: Mapped(ours(name or "") or row.get("label") or row["relation"])
            for row, name in zip(rows, properties, strict=True)
        }
    except (KeyError, OSError, csv.Error) as error:
        reason = f"the column {error} is missing" if isinstance(error, KeyError) else str(error)
        raise InputError(f"{table}: {reason}.") from error


class _Labels:
    """Turns the relations of a file into ours, and finds which of them are annotated exhaustively in a record."""

    def __init__(self, labels: Mapping[str, Mapped | None], *, partial: bool) -> None:
        self.labels, self.partial = labels, partial
        self.left_out: Counter[str] = Counter()
        self.oddities: Counter[str] = Counter()

    def relation(self, subject: Span, object_: Span, predicate: str) -> Relation | None:
        mapped = self._mapped(predicate)
        if mapped is None:
            self.left_out[predicate] += 1
            return None
        return Relation(object_, subject, mapped.label) if mapped.reversed else Relation(subject, object_, mapped.label)

    def check(self, subject: int, object_: int, predicate: str) -> None:
        """Count what is odd in a relation of two entities, given by their numbers."""
        self.oddities[_ITSELF] += subject == object_
        self.oddities[_UNNAMED] += bool(self.labels) and predicate not in self.labels

    def exhaustive(self, record: Mapping[str, Any]) -> list[str] | None:
        if "exhaustive" in record:
            if not isinstance(record["exhaustive"], list):  # a string would be taken letter by letter
                raise InputError(f"'exhaustive' is a list of predicates, not {record['exhaustive']!r}")
            found = [self._mapped(predicate) for predicate in record["exhaustive"]]
        elif self.partial:
            return []
        elif self.labels:
            found = list(self.labels.values())
        else:
            return None
        return sorted({mapped.label for mapped in found if mapped})

    def _mapped(self, predicate: str) -> Mapped | None:
        if not isinstance(predicate, str):
            raise InputError(f"a predicate is a name, not {predicate!r}")
        return self.labels.get(predicate, Mapped(predicate))


def read_annotated(
    path: Path,
    vocab: Vocab,
    *,
    labels: Mapping[str, Mapped | None] | None = None,
    partial: bool = False,
    left_out: Counter[str] | None = None,
    oddities: Counter[str] | None = None,
) -> Iterator[Doc]:
    """Read the gold Docs of a data file one at a time.

    Args:
        path: a file of JSON Lines or with a JSON array; it may be compressed by gzip.
        vocab: the vocabulary of the Docs.
        labels: `predicate -> label`, which may also exchange subject and object. A relation with None is left out. A
            predicate that is not in it is the label itself. Unless `partial`, the relations in it are those that are
            annotated exhaustively.
        partial: the data has some relations only, see above.
        left_out: a counter for the relations that are left out.
        oddities: a counter for what looks like a mistake in the data, in words.

    Raises:
        InputError: a record cannot be used. The message has the file, the number of the record from 1, and the fault.
    """
    names = _Labels(labels or {}, partial=partial)
    for number, record in enumerate(_records(path), start=1):
        try:
            doc = (_docred if "vertexSet" in record else _sentence)(record, vocab, names)
            exhaustive = names.exhaustive(record)
        except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
            reason = f"the key {error} is missing" if isinstance(error, KeyError) else str(error)
            if isinstance(error, IndexError):
                reason = "it names a sentence, a token or an entity that it does not have"
            elif isinstance(error, TypeError | AttributeError):
                reason = f"a value is not of the kind that is expected ({error})"
            raise InputError(
                f"{path}, record {number}: {reason}. See `kgmrca corpus --help` for the formats."
            ) from error
        if exhaustive is not None:
            doc.user_data[EXHAUSTIVE] = exhaustive
        if partial or "exhaustive" in record:
            doc.set_ents(doc.ents, default="missing")
        yield doc
    if left_out is not None:
        left_out.update(names.left_out)
    if oddities is not None:
        oddities.update(names.oddities)


def _records(path: Path) -> Iterator[dict[str, Any]]:
    try:
        with _open(path) as lines:
            first = lines.readline()
            if first.lstrip().startswith("["):
                yield from json.loads(first + lines.read())
                return
            for number, line in enumerate(itertools.chain([first], lines), start=1):
                if line.strip():
                    try:
                        yield json.loads(line)
                    except json.JSONDecodeError as error:
                        raise InputError(f"{path}, line {number}: not JSON ({error}).") from error
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise unreadable(path, error) from error


@contextmanager
def _open(path: Path) -> Iterator[IO[str]]:
    with path.open("rb") as file, unpacked(file) as content:
        yield io.TextIOWrapper(content, encoding="utf-8")


def _docred(record: Mapping[str, Any], vocab: Vocab, labels: _Labels) -> Doc:
    words: list[str] = []
    sent_starts: list[bool] = []
    places: list[list[int]] = []
    for sentence in record["sents"]:
        place, started = [], False  # for each released token its place in the Doc, where white space is not a token
        for word in sentence:
            place.append(len(words))
            if word.strip():
                words.append(word.strip())
                sent_starts.append(not started)
                started = True
        place.append(len(words))
        places.append(place)
    doc = _doc(vocab, words, sent_starts, record["title"])

    mentions: list[list[tuple[int, Span]]] = []
    for entity in record["vertexSet"]:
        here = []
        for mention in entity:
            sentence, (start, end) = mention["sent_id"], mention["pos"]
            here.append(
                (sentence, Span(doc, places[sentence][start], places[sentence][end], label=mention["type"] or UNTYPED))
            )
        mentions.append(here)
        labels.oddities[_WITHOUT_MENTIONS] += not here
    _set_entities(doc, [[span for _, span in entity] for entity in mentions])
    relations = []
    for relation in record["labels"]:
        subjects, objects = _at(mentions, relation["h"]), _at(mentions, relation["t"])
        labels.check(relation["h"], relation["t"], relation["r"])
        labels.oddities[_WITHOUT_A_PLACE] += not (subjects and objects)
        for subject, object_ in _expressing(subjects, objects):
            relations.append(labels.relation(subject, object_, relation["r"]))
    return _with_relations(doc, relations)


def _expressing(
    subjects: Sequence[tuple[int, Span]], objects: Sequence[tuple[int, Span]]
) -> Iterable[tuple[Span, Span]]:
    """The pairs of mentions of one sentence, or the closest pair where no two share one.

    A mention comes with the number of its sentence.
    """
    pairs = list(itertools.product(subjects, objects))
    together = [(subject, object_) for (here, subject), (there, object_) in pairs if here == there]
    if together or not pairs:
        return together
    closest = min(pairs, key=lambda pair: (abs(pair[0][0] - pair[1][0]), abs(pair[0][1].start - pair[1][1].start)))
    return [(closest[0][1], closest[1][1])]


def _sentence(record: Mapping[str, Any], vocab: Vocab, labels: _Labels) -> Doc:
    words = record["tokens"]
    doc = _doc(vocab, words, [index == 0 for index in range(len(words))], record["id"])
    spans = [
        Span(doc, entity["start"], entity["end"], label=entity["type"] or UNTYPED, kb_id=entity.get("qid") or "")
        for entity in record["entities"]
    ]
    entities: dict[tuple[str, str], list[Span]] = {}
    for entity, span in zip(record["entities"], spans, strict=True):
        key = next(((kind, str(entity[kind])) for kind in ("eid", "qid") if entity.get(kind) not in (None, "")), None)
        entities.setdefault(key or ("words", span.text), []).append(span)
    _set_entities(doc, entities.values())
    for relation in record["relations"]:
        labels.check(relation["subject"], relation["object"], relation["predicate"])
    relations = [
        labels.relation(_at(spans, relation["subject"]), _at(spans, relation["object"]), relation["predicate"])
        for relation in record["relations"]
    ]
    return _with_relations(doc, relations)


def _at(elements: Sequence[_Element], index: int) -> _Element:
    if index < 0:  # which Python would count from the end
        raise InputError(f"there is no entity {index}")
    return elements[index]


def _doc(vocab: Vocab, words: list[str], sent_starts: list[bool], name: str) -> Doc:
    doc = Doc(vocab, words=words, spaces=_spaces(words), sent_starts=sent_starts)
    doc.user_data[ID] = str(name)
    return doc


def _set_entities(doc: Doc, entities: Iterable[Iterable[Span]]) -> None:
    """Write the mentions of each entity."""
    clusters = [{(span.start, span.end): span for span in mentions} for mentions in entities]
    unique = list({place: span for cluster in clusters for place, span in cluster.items()}.values())
    if not all(map(len, unique)):
        raise InputError("an entity has no tokens")
    doc.spans[ENTITIES] = unique
    doc.set_ents(filter_spans(unique))
    for number, cluster in enumerate(filter(None, clusters), start=1):
        doc.spans[f"{CLUSTERS}_{number}"] = sorted(cluster.values(), key=lambda span: (span.start, span.end))


def _with_relations(doc: Doc, relations: Iterable[Relation | None]) -> Doc:
    kept = {(r.subject.start, r.subject.end, r.object.start, r.object.end, r.label): r for r in relations if r}
    set_relations(doc, kept.values())
    return doc


def _spaces(words: Sequence[str]) -> list[bool]:
    """Whether a space follows each token. The original text is not known, so this follows English typesetting."""
    spaces, quoted = [], False
    for index, word in enumerate(words):
        following = words[index + 1] if index + 1 < len(words) else ""
        if word == '"':
            quoted = not quoted
        hyphenated = "-" in (word, following) and _is_word(words, index - (word == "-"))
        spaces.append(
            not (
                not following
                or _NO_SPACE_AFTER.fullmatch(word)
                or _NO_SPACE_BEFORE.fullmatch(following)
                or (word == '"' and quoted)
                or (following == '"' and quoted)
                or (hyphenated and _is_word(words, index + 1 + (following == "-")))
            )
        )
    return spaces


def _is_word(words: Sequence[str], index: int) -> bool:
    return 0 <= index < len(words) and words[index][0].isalnum()


def write_gold(
    inputs: Iterable[Path],
    output: Path,
    *,
    dev: Path | None = None,
    dev_share: float = 0.1,
    mapping: Path | None = None,
    partial: bool = False,
    progress: bool | None = None,
) -> tuple[dict[Path, tuple[int, int]], Counter[str], Counter[str]]:
    """Write the gold Docs of data files to a `.spacy` file, and if asked a part of them to a second one.

    The hash of its id decides whether a Doc goes to `dev`, so this does not change when data is added. The files are
    written after all inputs were read.

    Args:
        inputs: the data files.
        output: the `.spacy` file to write.
        dev: a second file, for the share `dev_share` of the Docs.
        dev_share: a number from 0 to 1.
        mapping: a table with the labels of the relations, instead of `relations.tsv` beside each input (see
            `relation_labels`).
        partial: no relation is annotated exhaustively.
        progress: see `progress.progress_bar`.

    Returns:
        The numbers of Docs and relations in each written file, the number of left-out relations by predicate, and how
        often there was what looks like a mistake in the data.

    Raises:
        InputError: an input cannot be read, an output is an input, or there is no folder to write to.
        OutputError: an output cannot be written.
    """
    inputs = list(inputs)
    check_outputs([output, dev], inputs, what="an INPUT")
    tables = [mapping] if mapping else [path.parent / "relations.tsv" for path in inputs]
    check_outputs([output, dev], tables, what="the table of relations")
    vocab = Vocab()
    bins = {path: DocBin(store_user_data=True) for path in (output, dev) if path}
    counts = dict.fromkeys(bins, (0, 0))
    left_out: Counter[str] = Counter()
    oddities: Counter[str] = Counter()
    names: set[str] = set()
    for path in inputs:
        labels = relation_labels(path, mapping)
        docs = read_annotated(path, vocab, labels=labels, partial=partial, left_out=left_out, oddities=oddities)
        for doc in progress_bar(progress, iterable=docs, desc=path.name, unit=" documents"):
            oddities[_REPEATED] += doc.user_data[ID] in names
            names.add(doc.user_data[ID])
            target = dev if dev and hash_share(doc.user_data[ID]) < dev_share else output
            bins[target].add(doc)
            documents, relations = counts[target]
            counts[target] = documents + 1, relations + len(get_plain_relations(doc) or ())
    with ExitStack() as stack:
        streams = [stack.enter_context(whole_file(path)) for path in bins]
        for stream, docs in zip(streams, bins.values(), strict=True):
            stream.write(docs.to_bytes())
    return counts, left_out, +oddities


def exhaustively_annotated(doc: Doc) -> frozenset[str] | None:
    """The relations that are annotated exhaustively in a gold Doc; None if all relations there are.

    A pair of entities that does not have one of these relations is a negative example of it. Of other relations it is
    not known.

    >>> doc = Doc(Vocab(), words=["Ada", "met", "Bob"])
    >>> doc.user_data[EXHAUSTIVE] = ["knows"]
    >>> exhaustively_annotated(doc)
    frozenset({'knows'})
    """
    names = doc.user_data.get(EXHAUSTIVE)
    return None if names is None else frozenset(names)


def hash_share(name: str) -> float:
    """A number from 0 to 1 that depends only on the name; the numbers of many names are distributed evenly.

    >>> round(hash_share("Marie Curie"), 3)
    0.956
    """
    return int.from_bytes(hashlib.sha256(name.encode("utf-8", "replace")).digest()[:8], "big") / 2**64


def read_gold(path: Path, vocab: Vocab) -> Iterator[Doc]:
    """Read the gold Docs of a `.spacy` file.

    Raises:
        InputError: the file cannot be read, or a Doc in it has no relations stored with it.
    """
    try:
        stored = DocBin(store_user_data=True).from_disk(path)
        docs = stored.get_docs(vocab)
    except OSError as error:
        raise unreadable(path, error) from error
    except Exception as error:  # whatever msgpack, zlib or the file system say of a file that is not a DocBin
        raise InputError(
            f"{path} cannot be read as a DocBin ({error}). `kgmrca corpus` makes one of annotated data."
        ) from error
    for number, doc in enumerate(docs, start=1):
        if get_plain_relations(doc) is None:
            raise InputError(
                f"{path}, Doc {number} has no doc._.relations: make the file with `kgmrca corpus`, "
                "or with DocBin(store_user_data=True)."
            )
        if _OLD_EXHAUSTIVE in doc.user_data:
            doc.user_data[EXHAUSTIVE] = doc.user_data.pop(_OLD_EXHAUSTIVE)
        yield doc


class Corpus:
    """Reads gold Docs for `spacy train` (registered as `kgmrca.Corpus.v1`).

    The predicted Docs begin with the gold entities and sentence boundaries, so that relations can be trained and scored
    on their own. Docs are never split, because the arguments of a relation could be separated.

    Args:
        path: a `.spacy` file made by `kgmrca corpus`.
        gold_entities: give `predicted` the gold entities (`doc.ents` and `doc.spans["entities"]`).
        entity_tags: give the tokens of `reference` their entities as tags, so that spaCy's `tagger` can learn them (see
            `types_from_tags`): `token.tag_` is "B-PER", "I-PER", "O", or empty if it is unknown.
    """

    def __init__(self, path: str | Path | None, *, gold_entities: bool = True, entity_tags: bool = False) -> None:
        if path is None:
            raise InputError("The corpus has no path: pass --paths.train and --paths.dev, or set them in the config.")
        self.path, self.gold_entities, self.entity_tags = Path(path), gold_entities, entity_tags

    def __call__(self, nlp: Language) -> Iterator[Example]:
        """One Example a gold Doc."""
        for reference in read_gold(self.path, nlp.vocab):
            if self.entity_tags:
                for token in reference:
                    token.tag_ = "-".join(filter(None, (token.ent_iob_, token.ent_type_)))
            yield Example(_predicted(reference, gold_entities=self.gold_entities), reference)


def _predicted(reference: Doc, *, gold_entities: bool) -> Doc:
    doc = Doc(
        reference.vocab,
        words=[token.text for token in reference],
        spaces=[bool(token.whitespace_) for token in reference],
        sent_starts=[token.is_sent_start for token in reference] if gold_entities else None,
    )
    if gold_entities:
        for key, group in reference.spans.items():
            doc.spans[key] = [Span(doc, span.start, span.end, span.label_, kb_id=span.kb_id_) for span in group]
        doc.set_ents([Span(doc, span.start, span.end, span.label_, kb_id=span.kb_id_) for span in reference.ents])
    return doc
