"""Which gold relations are meant by those that were given, by hand."""

import json
import math

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc, DocBin, Span

from kgmrca.corpora.annotated import EXHAUSTIVE
from kgmrca.errors import InputError
from kgmrca.extraction.relations import matching, scorer
from kgmrca.extraction.relations.matching import Answer, answers, named_facts, names_of_facts
from kgmrca.extraction.relations.score_table import score_table
from kgmrca.extraction.relations.scorer import evaluate, score_relations

NLP = spacy.blank("en")
WORDS = ["Ann", "Lee", "met", "Bob", ".", "She", "likes", "Oslo", ".", "Lee", "left", "Bob", "."]
ANN, BOB, SHE, OSLO, LEE, BOB_AGAIN = (0, 2), (3, 4), (5, 6), (7, 8), (9, 10), (11, 12)
NAMES = (ANN, BOB, OSLO, LEE, BOB_AGAIN)
WHO = [[ANN, SHE, LEE], [BOB, BOB_AGAIN], [OSLO]]
"""The gold clusters: entities 0, 1 and 2."""


def doc_of(relations, clusters=WHO, *, names=NAMES, exhaustive=None):
    """The Doc of three sentences above; a relation is (subject, object, label[, score]), its ends tokens."""
    doc = Doc(NLP.vocab, words=WORDS, sent_starts=[place in (0, 5, 9) for place in range(len(WORDS))])
    doc.set_ents([Span(doc, *name, "PER") for name in names])
    for number, cluster in enumerate(clusters, start=1):
        doc.spans[f"coref_clusters_{number}"] = [doc[start:end] for start, end in cluster]
    doc._.relations = [(doc[slice(*a)], doc[slice(*b)], *rest) for a, b, *rest in relations]
    if exhaustive is not None:
        doc.user_data[EXHAUSTIVE] = exhaustive
    return doc


GOLD = [(ANN, BOB, "knows"), (LEE, BOB_AGAIN, "knows"), (SHE, OSLO, "likes"), (BOB, OSLO, "likes")]
"""The last one is stated by no sentence."""


def document(given, **options):
    return Answer.of(doc_of(GOLD), doc_of(given, **options), "document")


def keys(given, **options):
    return dict(document(given, **options).given)


def test_gold_facts_of_a_document_count_once():
    assert document([]).gold == {(0, 1, "knows"), (0, 2, "likes"), (1, 2, "likes")}


def test_gold_relations_of_sentences_are_those_of_one_sentence():
    answer = Answer.of(doc_of(GOLD), doc_of([]), "sentence")
    assert {key[-1] for key in answer.gold} == {"knows", "likes"}
    assert len(answer.gold) == 3


def test_any_mention_of_the_entity_will_do():
    assert keys([(LEE, BOB, "knows", 0.5)]) == {(0, 1, "knows"): 0.5}


def test_the_highest_score_of_a_pair_counts():
    given = [(ANN, BOB, "knows", 0.5), (LEE, BOB_AGAIN, "knows", 0.75), (SHE, BOB, "knows", 0.25)]
    assert keys(given) == {(0, 1, "knows"): 0.75}


def test_several_given_entities_may_mean_one_gold_entity():
    # "Ann Lee" and "Lee" were not put together.
    given = [(ANN, BOB, "knows", 0.5), (LEE, BOB, "knows", 0.25)]
    assert keys(given, clusters=[[BOB, BOB_AGAIN]]) == {(0, 1, "knows"): 0.5}


def test_a_given_entity_means_the_gold_one_with_which_it_shares_most_mentions():
    # One entity of two mentions of Ann and one of Bob.
    given = [(BOB, OSLO, "likes", 0.5)]
    assert keys(given, clusters=[[ANN, LEE, BOB], [OSLO]]) == {(0, 2, "likes"): 0.5}


def test_of_two_gold_entities_with_as_many_mentions_the_first_is_meant():
    assert keys([(BOB, OSLO, "likes", 0.5)], clusters=[[BOB, LEE]]) == {(1, 2, "likes"): 0.5}
    assert keys([(LEE, OSLO, "likes", 0.5)], clusters=[[ANN, BOB]]) == {(0, 2, "likes"): 0.5}


def test_a_span_cut_wrong_means_no_gold_entity():
    (key,) = keys([((1, 2), BOB, "knows", 0.5)], names=[(1, 2), BOB], clusters=[])
    assert key == ((4, 7), 1, "knows")


def test_wrong_mentions_do_not_matter_where_another_is_right():
    cut = (1, 2)
    given = [(cut, BOB, "knows", 0.5)]
    assert keys(given, names=[cut, BOB, LEE], clusters=[[cut, LEE]]) == {(0, 1, "knows"): 0.5}


def test_a_mention_that_is_no_given_entity_may_still_be_a_gold_one():
    assert keys([(ANN, BOB, "knows", 0.5)], names=[], clusters=[]) == {(0, 1, "knows"): 0.5}


def test_the_training_scorer_goes_by_the_scope():
    from spacy.training import Example

    example = Example(doc_of([(LEE, BOB, "knows", 0.9)]), doc_of(GOLD))
    assert [score_relations([example], scope="document")[f"rel_micro_{key}"] for key in "pr"] == [1, 1 / 3]
    assert [score_relations([example])[f"rel_micro_{key}"] for key in "pr"] == [0, 0]


def test_facts_by_their_names():
    names = names_of_facts(doc_of(GOLD))
    assert names[0, 2, "likes"] == {(name, "Oslo", "likes") for name in ("Ann Lee", "She", "Lee")}


# `evaluate` on documents, with a component that answers what is written here.


class Stub:
    """Gives the Docs that it was made with, whatever it is asked. It finds entities only if told so."""

    vocab = NLP.vocab
    pipe_names = ()
    operating_points = {"precise": 0.8}  # noqa: RUF012
    cfg = {"calibration": {"knows": [1.0, 0.0]}}  # noqa: RUF012
    scope = "document"

    def __init__(self, docs):
        self.docs = docs
        self.asked = []

    def resolve_threshold(self, point=None):
        return self.operating_points[point] if point else 0.5

    def pipe(self, texts, *, threshold=None, component_cfg=None):
        self.asked.append((self.scope, self.cfg["calibration"], threshold or component_cfg["stub"]["threshold"]))
        return (doc for doc, _ in zip(self.docs, texts, strict=True))


@pytest.fixture
def stubbed(tmp_path, monkeypatch):
    """Runs a function on gold Docs with two stubs."""

    def run(function, gold, on_gold, on_text, **options):
        path = tmp_path / "gold.spacy"
        DocBin(docs=gold, store_user_data=True).to_disk(path)
        pipe = Stub(on_gold)
        for module in (scorer, matching):
            monkeypatch.setattr(module, "relation_pipe", lambda nlp: ("stub", pipe))
        return function(Stub(on_text), path, **options), pipe

    return run


GIVEN = [(ANN, BOB, "knows", 0.9), (BOB, OSLO, "likes", 0.6), (OSLO, BOB, "likes", 0.6), (SHE, OSLO, "likes", 0.4)]


def rates(part):
    return [part[key] for key in "prf"]


def test_facts_with_gold_entities_and_end_to_end(stubbed):
    scores, _ = stubbed(evaluate, [doc_of(GOLD)], [doc_of(GIVEN)], [doc_of(GIVEN[:1])])
    assert rates(scores["relations, gold entities"]) == pytest.approx([2 / 3, 2 / 3, 2 / 3])
    assert rates(scores["relations, end to end"]) == pytest.approx([1, 1 / 3, 1 / 2])
    assert rates(scores["relations, end to end, precise"]) == pytest.approx([1, 1 / 3, 1 / 2])
    assert scores["level"] == "document"
    assert "sentence sets, gold entities" not in scores


def test_the_calibration_error_is_that_of_all_scores(stubbed):
    scores, _ = stubbed(evaluate, [doc_of(GOLD)], [doc_of(GIVEN)], [doc_of([(ANN, BOB, "knows", 0.9)])])
    # 0.9 is right, of 0.6 twice one is, 0.4 is right.
    assert scores["relations, gold entities"]["calibration_error"] == pytest.approx((0.1 + 2 * 0.1 + 0.6) / 4)
    part = scores["relations, end to end"]
    assert part["calibration_error"] == pytest.approx(0.1)
    assert part["calibration_error_by_chance"] == pytest.approx((2 / math.pi * 0.9 * 0.1) ** 0.5)


def test_what_is_not_annotated_exhaustively_is_not_judged(stubbed):
    scores, _ = stubbed(evaluate, [doc_of(GOLD, exhaustive=["knows"])], [doc_of(GIVEN)], [doc_of(GIVEN)])
    part = scores["relations, end to end"]
    assert (part["p"], part["r"], part["given"], part["not_judged"]) == (1, 2 / 3, 3, 2)
    assert part["calibration_error"] == pytest.approx(0.1)


def test_facts_seen_in_training_are_left_out(stubbed, tmp_path):
    DocBin(docs=[doc_of([(LEE, BOB, "knows")], clusters=[])], store_user_data=True).to_disk(tmp_path / "seen.spacy")
    assert named_facts([tmp_path / "seen.spacy"], NLP) == {("Lee", "Bob", "knows")}
    given = [doc_of(GIVEN)]
    scores, _ = stubbed(evaluate, [doc_of(GOLD)], given, given, seen=[tmp_path / "seen.spacy"])
    # Two of three are right; without the fact that was seen, one of two. Recall stays 2 of 3.
    assert scores["relations, gold entities"]["unseen"] == pytest.approx(
        {"p": 1 / 2, "r": 2 / 3, "f": 4 / 7, "left_out": 1}
    )
    assert "without facts seen in training" in score_table(scores)


def test_facts_seen_in_training_are_known_of_documents_only(stubbed, tmp_path):
    with pytest.raises(InputError, match="level 'document'"):
        stubbed(evaluate, [doc_of(GOLD)], [], [], seen=[tmp_path / "seen.spacy"], level="sentence")


def test_how_far_apart_the_closest_mentions_are(stubbed):
    scores, _ = stubbed(evaluate, [doc_of(GOLD)], [doc_of(GIVEN)], [doc_of(GIVEN)])
    by_distance = scores["gold entities, by distance"]
    assert {name: (row["gold"], row["given"]) for name, row in by_distance.items()} == {
        "same sentence": (2, 1),
        "next sentence": (1, 2),
        "2 sentences apart": (0, 0),
        "3 or more": (0, 0),
    }


def test_a_pipeline_without_recognizer_is_told_so(stubbed):
    scores, _ = stubbed(evaluate, [doc_of(GOLD)], [doc_of(GIVEN)], [doc_of([], names=[], clusters=[])])
    assert scores["relations, end to end"] == scores["entities"] == "no recognizer"
    assert "no recognizer" in score_table(scores, labels=True)
    json.dumps(scores)


@Language.component("finds_nothing", assigns=["doc.ents"])
def finds_nothing(doc):
    return doc


def test_a_recognizer_that_finds_nothing_is_one(tmp_path, monkeypatch):
    nlp = spacy.blank("en")
    nlp.add_pipe("finds_nothing")
    DocBin(docs=[doc_of(GOLD)], store_user_data=True).to_disk(tmp_path / "gold.spacy")
    monkeypatch.setattr(matching, "relation_pipe", lambda nlp: ("finds_nothing", Stub([doc_of([])])))
    monkeypatch.setattr(Language, "pipe", lambda self, texts, **_: map(self, texts))
    assert answers(nlp, tmp_path / "gold.spacy", level="document", threshold=0.1).end_to_end is not None


def test_the_component_works_at_the_level_that_is_asked_for_and_is_put_back(stubbed):
    gold = [doc_of(GOLD)]
    _, pipe = stubbed(answers, gold, gold, gold, level="sentence", threshold=0.1, calibrated=False)
    assert pipe.asked == [("sentence", {}, 0.1)]
    assert (pipe.scope, pipe.cfg["calibration"]) == ("document", {"knows": [1.0, 0.0]})


def test_there_is_no_third_level(stubbed):
    with pytest.raises(InputError, match="document or sentence, not 'page'"):
        stubbed(answers, [], [], [], level="page", threshold=0.1)
