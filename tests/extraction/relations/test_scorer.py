"""Precision, recall and F1, counted by hand."""

from types import MappingProxyType

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc, DocBin
from spacy.training import Example

from kgmrca.corpora.annotated import EXHAUSTIVE, UNTYPED
from kgmrca.errors import InputError, ModelError
from kgmrca.extraction.relations import matching, scorer
from kgmrca.extraction.relations.score_table import score_table
from kgmrca.extraction.relations.scorer import evaluate, score_relations
from kgmrca.relations import Relation, set_relations

NLP = spacy.blank("en")
WORDS = ["Ann", "Bob", "Cid", "Oslo"]
ANN, BOB, CID, OSLO = range(4)


def annotated(relations, *, exhaustive=None, words=WORDS, types=("PER", "PER", "PER", "LOC"), sentences=None):
    """A Doc of four names; relations are (subject, object, label) with the place of a name, or None.

    `exhaustive` are the labels it is annotated exhaustively with, `types` those of the first words, `sentences` where
    one starts.
    """
    starts = None if sentences is None else [place in sentences for place in range(len(words))]
    doc = Doc(NLP.vocab, words=words, sent_starts=starts)
    doc.set_ents([doc.char_span(doc[i].idx, doc[i].idx + len(doc[i]), type_) for i, type_ in enumerate(types) if type_])
    if relations is not None:
        doc._.relations = [Relation(doc[a : a + 1], doc[b : b + 1], label, 0.75) for a, b, label in relations]
    if exhaustive is not None:
        doc.user_data[EXHAUSTIVE] = exhaustive
    return doc


def example(predicted, reference, exhaustive=None):
    return Example(annotated(predicted), annotated(reference, exhaustive=exhaustive))


def micro(*examples):
    scores = score_relations(examples)
    return [scores[f"rel_micro_{key}"] for key in "prf"]


def rates(part):
    return [part[key] for key in "prf"]


def counts(part):
    return [part[key] for key in ("gold", "given", "right")]


# Two right, one wrong label, one wrong object, three missed.
GOLD = [
    annotated([(ANN, BOB, "knows"), (ANN, OSLO, "lives in"), (CID, OSLO, "lives in")]),
    annotated([(BOB, CID, "knows"), (BOB, CID, "married to")]),
]
GIVEN = [
    annotated([(ANN, BOB, "knows"), (ANN, OSLO, "knows"), (BOB, OSLO, "lives in")]),
    annotated([(BOB, CID, "knows")]),
]
EXAMPLES = [Example(predicted, reference) for predicted, reference in zip(GIVEN, GOLD, strict=True)]


def test_micro_scores():
    assert micro(*EXAMPLES) == pytest.approx([2 / 4, 2 / 5, 4 / 9])


def test_scores_of_each_label():
    assert score_relations(EXAMPLES)["rel_per_type"] == {
        "knows": pytest.approx({"p": 2 / 3, "r": 1.0, "f": 4 / 5}),
        "lives in": {"p": 0.0, "r": 0.0, "f": 0.0},
        "married to": {"p": 0.0, "r": 0.0, "f": 0.0},
    }


def test_everything_right():
    assert micro(example([(ANN, BOB, "knows")], [(ANN, BOB, "knows")])) == [1, 1, 1]


def test_direction_matters():
    assert micro(example([(BOB, ANN, "knows")], [(ANN, BOB, "knows")])) == [0, 0, 0]


def test_the_label_matters():
    assert micro(example([(ANN, BOB, "hates")], [(ANN, BOB, "knows")])) == [0, 0, 0]


def test_the_confidence_does_not_matter():
    one = example([(ANN, BOB, "knows")], [(ANN, BOB, "knows")])
    one.predicted._.relations = [relation._replace(score=0.01) for relation in one.predicted._.relations]
    assert micro(one) == [1, 1, 1]


def test_relations_of_other_docs_do_not_count():
    examples = [example([(ANN, BOB, "knows")], []), example([], [(ANN, BOB, "knows")])]
    assert micro(*examples) == [0, 0, 0]


def test_relations_between_spans_that_are_no_entities_count_as_missed():
    one = example([(ANN, BOB, "knows")], [(ANN, BOB, "knows"), (ANN, OSLO, "lives in")])
    one.predicted.set_ents([])
    assert micro(one) == [1, 1 / 2, 2 / 3]


def test_a_doc_without_relations_set_has_found_nothing():
    assert micro(example(None, [(ANN, BOB, "knows")])) == [0, 0, 0]


def test_a_relation_given_twice_counts_once():
    one = example([(ANN, BOB, "knows")], [(ANN, BOB, "knows")])
    one.predicted._.relations = 2 * one.predicted._.relations
    assert micro(one) == [1, 1, 1]


def test_tokens_may_differ():
    predicted = spacy.blank("en")("Ann-Bob")
    reference = Doc(NLP.vocab, words=["Ann", "-Bob"], spaces=[False, False])
    for doc in (predicted, reference):
        doc.user_data["kgmrca.relations"] = [[0, 3, 4, 7, "knows", 1.0]]
    assert micro(Example(predicted, reference)) == [1, 1, 1]


def test_a_reference_without_relations_is_not_scored():
    wrong = example([(ANN, BOB, "knows")], None)
    assert micro(*EXAMPLES, wrong) == micro(*EXAMPLES)


def test_a_reference_without_any_relation_is_scored():
    assert micro(example([(ANN, BOB, "knows")], []), EXAMPLES[1]) == pytest.approx([1 / 2, 1 / 2, 1 / 2])


@pytest.mark.parametrize("examples", [[], [example([(ANN, BOB, "knows")], None)]])
def test_nothing_scored(examples):
    assert score_relations(examples) == {
        "rel_micro_p": None,
        "rel_micro_r": None,
        "rel_micro_f": None,
        "rel_per_type": {},
    }


def test_what_a_pipe_passes_besides_is_accepted():
    assert score_relations(EXAMPLES, labels=("knows",), threshold=0.5) == score_relations(EXAMPLES)


# Data that is annotated in part. "knows" and "hates" are annotated exhaustively, "lives in" and "likes" are not.

PARTLY = ["knows", "hates"]


def test_what_is_not_annotated_exhaustively_is_not_wrong():
    found = [(ANN, BOB, "knows"), (ANN, BOB, "likes"), (BOB, CID, "lives in")]
    assert micro(example(found, [(ANN, BOB, "knows")], PARTLY)) == [1, 1, 1]


def test_what_is_annotated_exhaustively_is_wrong_where_it_is_not_gold():
    found = [(ANN, BOB, "hates"), (BOB, CID, "knows")]
    assert micro(example(found, [(BOB, CID, "knows")], PARTLY)) == pytest.approx([1 / 2, 1, 2 / 3])


def test_gold_relations_always_count_for_recall():
    # Precision: of hates and knows one is right. Recall: likes and knows of likes, lives in and knows.
    found = [(ANN, BOB, "hates"), (ANN, BOB, "likes"), (BOB, CID, "knows")]
    gold = [(ANN, BOB, "likes"), (ANN, OSLO, "lives in"), (BOB, CID, "knows")]
    assert micro(example(found, gold, PARTLY)) == pytest.approx([1 / 2, 2 / 3, 4 / 7])


def test_where_nothing_is_annotated_exhaustively_there_is_recall_only():
    assert micro(example([(ANN, BOB, "knows")], [(ANN, BOB, "knows"), (BOB, CID, "knows")], [])) == [None, 1 / 2, None]


def test_a_label_that_is_nowhere_annotated_exhaustively_has_recall_only():
    one = example([(ANN, BOB, "likes"), (BOB, CID, "knows")], [(ANN, BOB, "likes"), (BOB, CID, "knows")], PARTLY)
    assert score_relations([one])["rel_per_type"] == {
        "knows": {"p": 1.0, "r": 1.0, "f": 1.0},
        "likes": {"p": None, "r": 1.0, "f": None},
    }


def test_training_gets_a_number_where_nothing_was_given_that_can_be_judged():
    assert micro(example([(ANN, BOB, "likes")], [(ANN, BOB, "likes")], PARTLY)) == [0, 1, 0]


def test_a_document_with_recall_only_does_not_change_precision():
    recall_only = example([(ANN, BOB, "knows"), (BOB, CID, "likes")], [(ANN, BOB, "knows")], [])
    precision, recall, _ = micro(*EXAMPLES, recall_only)
    assert (precision, recall) == pytest.approx((2 / 4, 3 / 6))


# The three ways of `evaluate`: an entity recognizer that misses Cid, and relations between neighbours.


@Language.component("misses_cid")
def misses_cid(doc):
    doc.set_ents([doc.char_span(token.idx, token.idx + len(token), "PER") for token in doc if token.text != "Cid"])
    return doc


class Neighbours:
    """Any two entities that follow each other know each other."""

    def __call__(self, doc):
        set_relations(doc, [Relation(a, b, "knows", 0.5) for a, b in zip(doc.ents, doc.ents[1:], strict=False)])
        return doc

    cfg = MappingProxyType({})
    operating_points = MappingProxyType({})

    def resolve_threshold(self):
        return 0.5

    def pipe(self, docs, batch_size=None, threshold=None):
        return map(self, docs)


@Language.factory("neighbours", assigns=["doc._.relations"])
def make_neighbours(nlp, name):
    return Neighbours()


@pytest.fixture
def pipeline(monkeypatch):
    nlp = spacy.blank("en")
    nlp.add_pipe("misses_cid")
    pipe = nlp.add_pipe("neighbours")
    for module in (scorer, matching):
        monkeypatch.setattr(module, "relation_pipe", lambda nlp: ("neighbours", pipe))
    return nlp


@pytest.fixture
def gold(tmp_path):
    """Ann knows Bob and Bob knows Cid; Oslo is a place."""
    doc = annotated([(ANN, BOB, "knows"), (BOB, CID, "knows")])
    DocBin(docs=[doc], store_user_data=True).to_disk(tmp_path / "gold.spacy")
    return tmp_path / "gold.spacy"


def test_entities_are_scored_on_raw_text(pipeline, gold):
    # Ann and Bob are right, Cid is missed, Oslo has another type.
    entities = evaluate(pipeline, gold)["entities"]
    assert [entities[key] for key in "prf"] == pytest.approx([2 / 3, 2 / 4, 4 / 7])
    assert set(entities["per_type"]) == {"PER", "LOC"}


def test_relations_are_scored_on_gold_entities(pipeline, gold):
    # Found: Ann-Bob, Bob-Cid, Cid-Oslo.
    relations = evaluate(pipeline, gold)["relations, gold entities"]
    assert [relations[key] for key in "prf"] == pytest.approx([2 / 3, 1.0, 4 / 5])


def test_relations_are_scored_end_to_end(pipeline, gold):
    # Found: Ann-Bob, Bob-Oslo.
    relations = evaluate(pipeline, gold)["relations, end to end"]
    assert [relations[key] for key in "prf"] == pytest.approx([1 / 2, 1 / 2, 1 / 2])
    assert rates(relations["per_type"]["knows"]) == [0.5, 0.5, 0.5]


def test_a_pipeline_without_relations_cannot_be_evaluated(gold):
    with pytest.raises(ModelError, match="no component 'mrca_relations'"):
        evaluate(spacy.blank("en"), gold)


# What `evaluate` counts, from answers that are given here.


class Oracle:
    """A pipeline, and its relation component too: it gives the answers in turn, whatever it is asked."""

    vocab = NLP.vocab
    cfg = MappingProxyType({})
    pipe_names = ()
    operating_points = MappingProxyType({"precise": 0.8})

    def __init__(self, answers):
        self.answers = answers

    def resolve_threshold(self, point=None):
        return self.operating_points[point] if point else 0.5

    def pipe(self, asked, **_):
        return (answer for answer, _ in zip(self.answers, asked, strict=True))


@pytest.fixture
def evaluated(tmp_path, monkeypatch):
    """Scores of gold Docs, given what is answered on gold entities and, if that matters, on raw text."""

    def run(gold, on_gold, on_text=None, **options):
        DocBin(docs=gold, store_user_data=True).to_disk(tmp_path / "gold.spacy")
        for module in (scorer, matching):
            monkeypatch.setattr(module, "relation_pipe", lambda nlp: ("mrca_relations", Oracle(on_gold)))
        return evaluate(Oracle(on_text or on_gold), tmp_path / "gold.spacy", **options)

    return run


RELATIONS = "relations, gold entities"


def test_counts_are_given_with_the_scores(evaluated):
    assert counts(evaluated(GOLD, GIVEN)[RELATIONS]) == [5, 4, 2]


def test_counts_of_each_label(evaluated):
    per_type = evaluated(GOLD, GIVEN)[RELATIONS]["per_type"]
    assert {label: counts(row) for label, row in per_type.items()} == {
        "knows": [2, 3, 2],
        "lives in": [2, 1, 0],
        "married to": [1, 0, 0],
    }


def test_macro_scores_are_means_over_labels(evaluated):
    macro = evaluated(GOLD, GIVEN)[RELATIONS]["macro"]
    assert macro == pytest.approx({"p": 2 / 9, "r": 1 / 3, "f": 4 / 15, "labels": 3})


def test_labels_without_gold_do_not_count_for_macro_scores(evaluated):
    gold, given = annotated([(ANN, BOB, "knows")]), annotated([(ANN, BOB, "knows"), (ANN, BOB, "hates")])
    assert evaluated([gold], [given])[RELATIONS]["macro"] == {"p": 1, "r": 1, "f": 1, "labels": 1}


def test_labels_that_cannot_be_judged_do_not_count_for_macro_precision(evaluated):
    relations = [(ANN, BOB, "knows"), (ANN, BOB, "likes")]
    scores = evaluated([annotated(relations, exhaustive=PARTLY)], [annotated(relations[:1])])
    assert scores[RELATIONS]["macro"] == {"p": 1, "r": 1 / 2, "f": 1, "labels": 2}


def test_predictions_a_document(evaluated):
    assert evaluated(GOLD, GIVEN)[RELATIONS]["given_per_document"] == 4 / 2


def test_predictions_a_document_include_those_that_are_not_judged(evaluated):
    gold, given = annotated([], exhaustive=[]), annotated([(ANN, BOB, "knows"), (BOB, CID, "knows")])
    relations = evaluated([gold], [given])[RELATIONS]
    assert [relations["given_per_document"], relations["not_judged"]] == [2, 2]


def test_precision_is_not_known_where_nothing_was_given_that_can_be_judged(evaluated):
    gold = [annotated([(ANN, BOB, "likes")], exhaustive=PARTLY)]
    assert rates(evaluated(gold, gold)[RELATIONS]) == [None, 1, None]


def test_relations_on_raw_text_are_scored_apart(evaluated):
    scores = evaluated(GOLD, GIVEN, on_text=GOLD)
    assert rates(scores["relations, end to end"]) == [1, 1, 1]


def test_no_documents(evaluated):
    with pytest.raises(InputError, match=r"gold\.spacy has no documents"):
        evaluated([], [])


# Entities.


def entities(evaluated, gold, given, part="entities"):
    """Scores of the types of the four names; None where a name is no entity."""
    doc = annotated([], types=gold)
    return evaluated([doc], [doc], on_text=[annotated([], types=given)])[part]


TYPED = ["PER", "PER", "PER", "LOC"]


def test_an_entity_needs_the_right_type(evaluated):
    assert counts(entities(evaluated, TYPED, ["PER", "LOC", None, "LOC"])) == [4, 3, 2]


def test_types_that_the_data_has_nowhere_count_as_wrong(evaluated):
    assert counts(entities(evaluated, ["PER", "PER"], ["PER", "PER", "DATE"])) == [2, 3, 2]


def test_types_that_the_data_has_nowhere_are_left_out(evaluated):
    assert counts(entities(evaluated, ["PER", "PER"], ["PER", "PER", "DATE"], "entities, types of the data")) == [
        2,
        2,
        2,
    ]


def test_types_that_the_data_has_nowhere_are_named(evaluated):
    gold = annotated([], types=["PER"])
    scores = evaluated([gold], [gold], on_text=[annotated([], types=["PER", "TIME", "DATE"])])
    assert scores["types_not_in_gold"] == ["DATE", "TIME"]


def test_spans_alone(evaluated):
    assert counts(entities(evaluated, TYPED, ["PER", "LOC", None, "DATE"], "entities, spans alone")) == [4, 3, 3]


def test_a_gold_mention_without_a_type_matches_any(evaluated):
    assert counts(entities(evaluated, ["PER", UNTYPED, UNTYPED], ["LOC", "LOC", None, "LOC"])) == [3, 3, 1]


def test_where_gold_mentions_have_no_types_every_type_is_in_gold(evaluated):
    part = entities(evaluated, [UNTYPED, UNTYPED], ["PER", None, "DATE"], "entities, types of the data")
    assert counts(part) == [2, 2, 1]


# Sentence sets. Ann and Bob are one sentence, Cid and Oslo another.

SETS = "sentence sets, gold entities"


def sets(evaluated, gold, given, **options):
    options = {"sentences": (ANN, CID), **options}
    return evaluated([annotated(gold, **options)], [annotated(given)])[SETS]


def test_a_label_counts_once_a_sentence(evaluated):
    # Sentence 1: knows, likes; given: knows, hates. Sentence 2: knows; given: nothing.
    gold = [(ANN, BOB, "knows"), (BOB, ANN, "knows"), (ANN, BOB, "likes"), (CID, OSLO, "knows")]
    given = [(BOB, ANN, "knows"), (ANN, BOB, "hates")]
    assert counts(sets(evaluated, gold, given)) == [3, 2, 1]


def test_within_a_sentence_the_pair_does_not_matter(evaluated):
    assert rates(sets(evaluated, [(ANN, BOB, "knows")], [(BOB, ANN, "knows")])) == [1, 1, 1]


def test_sentences_are_told_apart(evaluated):
    assert rates(sets(evaluated, [(ANN, BOB, "knows")], [(CID, OSLO, "knows")])) == [0, 0, 0]


def test_without_sentences_the_document_is_one(evaluated):
    given = [(CID, OSLO, "knows")]
    assert rates(sets(evaluated, [(ANN, BOB, "knows")], given, sentences=None)) == [1, 1, 1]


def test_sentence_sets_of_data_that_is_annotated_in_part(evaluated):
    given = [(ANN, BOB, "knows"), (ANN, BOB, "likes"), (CID, OSLO, "hates")]
    part = sets(evaluated, [(ANN, BOB, "knows")], given, exhaustive=PARTLY)
    assert [*rates(part), part["not_judged"]] == pytest.approx([1 / 2, 1, 2 / 3, 1])


# By kind of pair.


def test_pairs_by_number_of_relations(evaluated):
    gold = annotated(
        [(ANN, BOB, label) for label in "abcde"]
        + [(ANN, CID, label) for label in "abc"]
        + [(BOB, CID, label) for label in "ab"]
        + [(CID, BOB, "a")]
    )
    given = annotated([(ANN, BOB, "a"), (ANN, CID, "a"), (BOB, CID, "b"), (BOB, CID, "c"), (OSLO, ANN, "a")])
    by_number = evaluated([gold], [given])["gold entities, by number of relations"]
    assert {number: counts(row) for number, row in by_number.items()} == {
        "0": [0, 1, 0],
        "1": [1, 0, 0],
        "2": [2, 2, 1],
        "3": [3, 1, 1],
        "4+": [5, 1, 1],
    }


def test_scores_of_pairs_with_two_relations(evaluated):
    assert rates(evaluated(GOLD, GIVEN)["gold entities, by number of relations"]["2"]) == pytest.approx(
        [1, 1 / 2, 2 / 3]
    )


def test_pairs_without_a_relation_have_counts_only(evaluated):
    row = evaluated(GOLD, GIVEN)["gold entities, by number of relations"]["0"]
    assert [*rates(row), row["given"]] == [None, None, None, 1]


@pytest.mark.parametrize(
    ("between", "name"),
    [
        (0, "0-2"),
        (2, "0-2"),
        (3, "3-5"),
        (5, "3-5"),
        (6, "6-10"),
        (10, "6-10"),
        (11, "11-20"),
        (20, "11-20"),
        (21, "21+"),
    ],
)
def test_pairs_by_distance(evaluated, between, name):
    doc = annotated([(0, between + 1, "knows")], words=["Ann", *["and"] * between, "Bob"], types=["PER"])
    by_distance = evaluated([doc], [doc])["gold entities, by distance"]
    assert [row for row, part in by_distance.items() if part["gold"]] == [name]


def test_the_distance_of_an_object_that_comes_first(evaluated):
    doc = annotated([(4, 0, "knows")], words=["Ann", "a", "b", "c", "Bob"], types=["PER"])
    assert evaluated([doc], [doc])["gold entities, by distance"]["3-5"]["gold"] == 1


def test_wrong_relations_have_a_distance_too(evaluated):
    words = ["Ann", "a", "b", "c", "Bob"]
    gold, given = (annotated(relations, words=words, types=["PER"]) for relations in ([], [(0, 4, "knows")]))
    assert counts(evaluated([gold], [given])["gold entities, by distance"]["3-5"]) == [0, 1, 0]


# Confusion.


def confusion(evaluated, gold, given, **options):
    found = evaluated([annotated(gold, **options)], [annotated(given)])["gold entities, confusion"]
    return {
        kind: [(row["gold"], row["given"], row["count"]) for row in part["most_frequent"]]
        for kind, part in found.items()
        if part["total"]
    }


def test_one_label_for_another(evaluated):
    gold = [(ANN, BOB, "knows"), (BOB, CID, "knows"), (ANN, OSLO, "lives in")]
    given = [(ANN, BOB, "likes"), (BOB, CID, "likes"), (ANN, OSLO, "likes")]
    assert confusion(evaluated, gold, given) == {"confused": [("knows", "likes", 2), ("lives in", "likes", 1)]}


def test_several_wrong_labels_count_in_every_combination(evaluated):
    gold, given = ([(ANN, BOB, label) for label in labels] for labels in ("ab", "cd"))
    assert confusion(evaluated, gold, given) == {"confused": [(one, other, 1) for one in "ab" for other in "cd"]}


def test_a_miss_without_a_wrong_label(evaluated):
    gold, given = [(ANN, BOB, "knows"), (ANN, BOB, "likes"), (BOB, CID, "knows")], [(ANN, BOB, "likes")]
    assert confusion(evaluated, gold, given) == {"missed": [("knows", "(none)", 2)]}


def test_a_label_for_a_pair_without_a_relation(evaluated):
    assert confusion(evaluated, [], [(ANN, BOB, "knows")]) == {"unfounded": [("(none)", "knows", 1)]}


def test_a_wrong_label_beside_a_right_one_is_no_confusion(evaluated):
    assert confusion(evaluated, [(ANN, BOB, "knows")], [(ANN, BOB, "knows"), (ANN, BOB, "likes")]) == {}


def test_what_is_not_judged_is_no_confusion(evaluated):
    gold, given = [(ANN, BOB, "knows")], [(ANN, BOB, "likes"), (BOB, CID, "likes")]
    assert confusion(evaluated, gold, given, exhaustive=PARTLY) == {"missed": [("knows", "(none)", 1)]}


def test_the_twenty_most_frequent_confusions_are_kept(evaluated):
    gold, given = ([(ANN, BOB, label) for label in labels] for labels in ("abcde", "vwxyz"))
    confused = evaluated([annotated(gold)], [annotated(given)])["gold entities, confusion"]["confused"]
    assert (confused["total"], len(confused["most_frequent"])) == (25, 20)


# Intervals.


@pytest.mark.parametrize("part", ["entities", RELATIONS, "relations, end to end", SETS])
@pytest.mark.parametrize("key", ["p", "r", "f"])
def test_the_value_is_in_its_interval(evaluated, part, key):
    answers = [annotated([(ANN, BOB, "knows"), (ANN, BOB, "likes")], types=["PER", "LOC"]), GOLD[1]]
    scores = evaluated(5 * GOLD, 5 * answers)[part]
    low, high = scores["interval"][key]
    assert low < scores[key] < high


def test_the_interval_is_that_of_drawing_documents(evaluated):
    # 50 of 100 are right. Of 100 that are drawn, that number has a standard deviation of 5, and 95 % are within 1.96.
    gold, wrong = annotated([(ANN, BOB, "knows")]), annotated([(ANN, BOB, "likes")])
    relations = evaluated(100 * [gold], [*50 * [gold], *50 * [wrong]])[RELATIONS]
    assert relations["interval"]["f"] == pytest.approx([0.402, 0.598], abs=0.015)


def test_as_many_samples_are_drawn_as_asked_for(evaluated):
    one = evaluated(5 * GOLD, 5 * GIVEN, resamples=1)[RELATIONS]["interval"]["f"]
    assert one[0] == one[1]


def test_equal_documents_leave_no_doubt(evaluated):
    relations = evaluated(7 * GOLD[:1], 7 * GIVEN[:1])[RELATIONS]
    assert relations["interval"] == {key: [relations[key]] * 2 for key in "prf"}


def test_the_same_data_gives_the_same_intervals(evaluated):
    assert evaluated(3 * GOLD, 3 * GIVEN) == evaluated(3 * GOLD, 3 * GIVEN)


def test_precision_that_is_not_known_has_no_interval(evaluated):
    gold = [annotated([(ANN, BOB, "knows")], exhaustive=[])]
    assert evaluated(gold, gold)[RELATIONS]["interval"] == {"p": None, "r": [1, 1], "f": None}


# The table.


def lines(scores, **options):
    """The cells of each line of the table, by the first."""
    rows = [line.split("  ") for line in score_table(scores, **options).splitlines()]
    return {first: [cell.strip() for cell in rest if cell.strip()] for first, *rest in rows}


def test_a_headline_has_scores_with_intervals_and_predictions_a_document(evaluated):
    scores = evaluated(7 * GOLD[:1], 7 * GIVEN[:1])
    assert lines(scores)[RELATIONS] == [*["0.333 [0.33, 0.33]"] * 3, "3.0"]


def test_what_is_not_known_is_a_dash(evaluated):
    gold = [annotated([(ANN, BOB, "knows")], exhaustive=[])]
    assert lines(evaluated(gold, gold))[RELATIONS] == ["-", "1.000 [1.00, 1.00]", "-", "1.0"]


def test_without_gold_there_is_nothing_to_find(evaluated):
    assert lines(evaluated([annotated([])], [annotated([])]))[RELATIONS] == ["-", "-", "-", "0.0"]
    wrong = evaluated([annotated([])], [annotated([(ANN, BOB, "knows")])])
    assert lines(wrong)[RELATIONS] == ["0.000", "-", "-", "1.0"]


def test_the_table_says_what_is_not_judged(evaluated):
    text = score_table(evaluated([annotated([], exhaustive=PARTLY)], [annotated([(ANN, BOB, "likes")])]))
    assert "is not annotated exhaustively with these relations: 1 of 1 (relations, gold entities)" in text


def test_the_table_names_types_that_the_data_lacks(evaluated):
    gold = annotated([], types=["PER"])
    text = score_table(evaluated([gold], [gold], on_text=[annotated([], types=["PER", "TIME"])]))
    assert "that the data does not have: TIME." in text


def test_entities_of_the_types_of_the_data_are_shown_only_where_that_makes_a_difference(evaluated):
    assert "types of the data" not in score_table(evaluated(GOLD, GIVEN))


def test_the_table_shows_pairs_by_kind(evaluated):
    rows = lines(evaluated(GOLD, GIVEN))
    # Two tokens stand between Ann and Oslo at most: all pairs are that near.
    assert [rows["2"], rows["0-2"]] == [
        ["1.000", "0.500", "0.667", "2", "1", "1"],
        ["0.500", "0.400", "0.444", "5", "4", "2"],
    ]


def test_the_table_shows_confusions(evaluated):
    assert lines(evaluated(GOLD, GIVEN))["lives in"] == ["knows", "1"]


def test_labels_are_shown_by_number_of_gold_relations(evaluated):
    text = score_table(evaluated(GOLD, GIVEN), labels=True)
    assert [line.split("  ")[0] for line in text.splitlines()][-3:] == ["knows", "lives in", "married to"]


def test_columns_are_aligned(evaluated):
    blocks = score_table(evaluated(GOLD, GIVEN), labels=True).split("\n\n")
    for block in blocks:
        if "gold  given  right" in block:
            assert len({len(line) for line in block.splitlines()}) == 1
