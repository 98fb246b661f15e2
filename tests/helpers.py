"""A pipeline whose relations are known beforehand, RDF read by two libraries, tiny vectors and encoders, the recipe."""

import importlib
import warnings
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

import pyoxigraph
import spacy
from rdflib import BNode, Dataset, Literal
from rdflib.graph import DATASET_DEFAULT_GRAPH_ID
from spacy.language import Language
from spacy.tokens import Doc

from kgmrca.relations import Relation, set_relations
from kgmrca.triples.formats import FORMATS

TEXT = (
    "Marie Curie was born in Warsaw. Marie Curie was born in 1867. Orson Welles wrote and directed Citizen Kane. "
    "Warsaw is in Poland."
)
"""Five relations at the threshold of 0.5: place and date of birth, screenwriter and director, country."""

_ENTITIES = {
    "Marie Curie": "PERSON",
    "Orson Welles": "PERSON",
    "Warsaw": "GPE",
    "WARSAW": "GPE",
    "Poland": "GPE",
    "Citizen Kane": "WORK_OF_ART",
    "1867": "DATE",
}
# What stands between two entities, the type of the second: the labels with their scores, and whether it is the subject.
_CUES = {
    ("was born in", "GPE"): ([("place of birth", 0.9)], False),
    ("was born in", "DATE"): ([("date of birth", 0.8)], False),
    ("wrote and directed", "WORK_OF_ART"): ([("screenwriter", 0.75), ("director", 0.7)], True),
    ("is in", "GPE"): ([("country", 0.55)], False),
    ("haunts", "GPE"): ([("said to haunt", 0.6)], False),
}


class CueRelations:
    """Finds a relation where a cue stands between two entities of a sentence."""

    def __init__(self, threshold: float) -> None:
        self.threshold = threshold

    def __call__(self, doc: Doc, *, threshold: float | None = None) -> Doc:
        least = self.threshold if threshold is None else threshold
        if "CRASH" in doc.text:
            raise ValueError("this document cannot be processed")
        found = []
        for first, second in zip(doc.ents, doc.ents[1:], strict=False):
            labels, is_reversed = _CUES.get((doc[first.end : second.start].text, second.label_), ([], False))
            subject, object_ = (second, first) if is_reversed else (first, second)
            found += [Relation(subject, object_, label, score) for label, score in labels if score >= least]
        set_relations(doc, found)
        return doc


@Language.factory("cue_relations", assigns=["doc._.relations"], default_config={"threshold": 0.5})
def make_cue_relations(nlp: Language, name: str, threshold: float) -> CueRelations:
    return CueRelations(threshold)


def make_nlp() -> Language:
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    ruler = nlp.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": label, "pattern": name} for name, label in _ENTITIES.items()])
    nlp.add_pipe("cue_relations")
    return nlp


_RDFLIB_FORMATS = {
    "turtle": "turtle",
    "ntriples": "nt",
    "nquads": "nquads",
    "trig": "trig",
    "jsonld": "json-ld",
    "rdfxml": "xml",
}


def read_rdf(data: bytes, format: str = "turtle") -> set[tuple[str, ...]]:
    """The triples as both rdflib and pyoxigraph read them, which must be the same; terms as N-Triples writes them.

    A triple in a named graph is followed by the graph's name.
    """
    by_pyoxigraph = {as_tuple(quad) for quad in pyoxigraph.parse(data, FORMATS[format])}
    dataset = Dataset()
    graph = dataset.graph(DATASET_DEFAULT_GRAPH_ID) if format in ("turtle", "ntriples", "rdfxml") else dataset
    with warnings.catch_warnings(), patch("rdflib.NORMALIZE_LITERALS", False):  # else it rewrites "Z" as "+00:00"
        warnings.simplefilter("ignore", DeprecationWarning)  # of what rdflib's own parsers use
        graph.parse(data=data, format=_RDFLIB_FORMATS[format])
    by_rdflib = [[term for term in quad if term != DATASET_DEFAULT_GRAPH_ID] for quad in dataset.quads()]
    assert not any(isinstance(term, BNode) for terms in by_rdflib for term in terms)
    assert {tuple(map(_as_pyoxigraph, terms)) for terms in by_rdflib} == by_pyoxigraph
    return by_pyoxigraph


def as_tuple(triple: pyoxigraph.Triple | pyoxigraph.Quad) -> tuple[str, ...]:
    """A triple or quad as `read_rdf` gives it."""
    terms = [triple.subject, triple.predicate, triple.object]
    if isinstance(triple, pyoxigraph.Quad) and not isinstance(triple.graph_name, pyoxigraph.DefaultGraph):
        terms.append(triple.graph_name)
    return tuple(map(str, terms))


def _as_pyoxigraph(term: object) -> str:
    if isinstance(term, Literal):
        datatype = pyoxigraph.NamedNode(term.datatype) if term.datatype else None
        return str(pyoxigraph.Literal(str(term), datatype=datatype, language=term.language))
    return str(pyoxigraph.NamedNode(str(term)))


def write_vectors(folder: Path, rows: Sequence[str], *, attr: str) -> Path:
    """A pipeline with vectors, made by `spacy init vectors` from rows of a word and its numbers."""
    from spacy.cli.init_pipeline import init_vectors_cli

    text = f"{len(rows)} {len(rows[0].split()) - 1}\n" + "".join(f"{row}\n" for row in rows)
    (folder / "vectors.txt").write_text(text, encoding="utf-8")
    options = {"prune": -1, "truncate": 0, "mode": "default", "name": None, "verbose": False, "jsonl_loc": None}
    init_vectors_cli("en", folder / "vectors.txt", folder / "vectors", attr=attr, **options)
    return folder / "vectors"


def write_encoder(folder: Path, pieces: Sequence[str], *, seed: int = 0, longest: int = 32) -> Path:
    """A BERT with random weights and a WordPiece tokenizer, as transformers stores them; "[UNK]" and the like first."""
    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    special = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    ids = {piece: index for index, piece in enumerate([*special.values(), *pieces])}
    tokenizer = Tokenizer(models.WordPiece(ids, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[(mark, ids[mark]) for mark in ("[CLS]", "[SEP]")]
    )
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **special).save_pretrained(folder)
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=len(ids),
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=longest,
        initializer_range=0.5,  # so that what it reads makes a difference
    )
    BertModel(config).save_pretrained(folder)
    return folder


def add_tiny_relations(nlp: Language, *, architecture: str = "kgmrca.PairMRCA.v1", **config: Any) -> Any:
    """An untrained `mrca_relations` with a threshold of 0, as small as it can be."""
    widths = {"type_width": 4, "pair_width": 8} if architecture == "kgmrca.PairMRCA.v1" else {}
    model = {"@architectures": architecture, "hidden_width": 8, **widths}
    return nlp.add_pipe("mrca_relations", config={"pretrained": None, "threshold": 0, "model": model, **config})


def recipe_script(monkeypatch: Any, name: str) -> ModuleType:
    """A script of the recipe as a module; it finds those beside it as long as the test runs."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "pipelines"))
    return importlib.import_module(name)


def graph_of(path):
    """The output without the record of the run, in which the times differ, and the records set aside."""
    data = path.read_bytes()
    return data[: data.index(b" a kgmrca:Run")], Path(f"{path}.rejected.jsonl").read_bytes()
