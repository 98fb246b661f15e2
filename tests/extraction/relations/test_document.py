"""`mrca_relations` on the entities of documents: a tiny network, and the scopes."""

import json
import pickle

import numpy as np
import pytest
import spacy
import torch
from spacy.tokens import Doc, DocBin, Span
from spacy.training import Example

from kgmrca.errors import InputError, ModelError
from kgmrca.extraction.encoder.shared import SharedReader
from kgmrca.extraction.relations.passages import Passages
from kgmrca.relations import get_plain_relations

NAMES = {"Ann Lee": "PERSON", "Ann": "PERSON", "Bob": "PERSON", "Cid": "PERSON", "Oslo": "GPE", "Rome": "GPE"}
LABELS = ("born in", "lives in")
TEXT = "Ann Lee met Bob. She was born in Oslo. Bob lives in Rome. Cid slept."
SIZES = {
    "token_width": 12,
    "hidden_width": 8,
    "entity_width": 12,
    "pair_width": 12,
    "heads": 2,
    "key_width": 4,
    "third_width": 4,
}
DOCUMENT = {"@architectures": "kgmrca.DocumentMRCA.v1", **SIZES}
SENTENCE = {"@architectures": "kgmrca.PairMRCA.v1", "type_width": 4, "pair_width": 8, "hidden_width": 8}


def blank():
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.add_pipe("entity_ruler").add_patterns(
        [{"label": label, "pattern": [{"ORTH": word} for word in name.split()]} for name, label in NAMES.items()]
    )
    return nlp


def add_clusters(doc):
    """One cluster of Ann Lee, Ann and every "She"."""
    mentions = [ent for ent in doc.ents if ent.text.startswith("Ann")]
    mentions += [doc[token.i : token.i + 1] for token in doc if token.text == "She"]
    if mentions:
        doc.spans["coref_clusters_1"] = sorted(mentions)
    return doc


@spacy.Language.component("test_clusters")
def clusters_component(doc):
    return add_clusters(doc)


def gold(nlp, text=TEXT, relations=(("Ann Lee", "Oslo", "born in"), ("Bob", "Rome", "lives in"))):
    predicted, reference = (add_clusters(nlp(text)) for _ in range(2))
    ents = {ent.text: ent for ent in reference.ents}
    reference._.relations = [(ents[one], ents[other], label) for one, other, label in relations]
    return Example(predicted, reference)


def learning(nlp):
    optimizer = nlp.create_optimizer()
    optimizer.learn_rate = 0.01
    return optimizer


def make(model=DOCUMENT, *, seed=0, dropout=0.0, train=0, **config):
    nlp = blank()
    nlp.add_pipe("test_clusters")
    model = {**model, "dropout": dropout}
    pipe = nlp.add_pipe("mrca_relations", config={"pretrained": None, "threshold": 0, "model": model, **config})
    torch.manual_seed(seed)
    examples = [gold(blank())]
    pipe.initialize(lambda: examples, nlp=nlp)
    optimizer = learning(nlp)
    for _ in range(train):
        pipe.update(examples, sgd=optimizer)
    return nlp


@pytest.fixture(scope="module")
def trained():
    return make(train=40, threshold=0.5)


def plain(doc):
    return [(r.subject.text, r.object.text, r.label) for r in doc._.relations]


def pipe_of(nlp):
    return nlp.get_pipe("mrca_relations")


# Which pairs.


def test_every_pair_of_entities_once(trained):
    pipe = pipe_of(trained)
    assert next(pipe.pipe([trained.make_doc("")], threshold=0))._.relations == ()
    with trained.select_pipes(disable="mrca_relations"):
        doc = trained("Ann met Bob. She met Bob in Oslo. Bob met Ann.")
    pipe.type_rules = False
    doc = next(pipe.pipe([doc], threshold=0))
    pipe.type_rules = True
    pairs = [(one, other) for one in ("Ann", "Bob", "Oslo") for other in ("Ann", "Bob", "Oslo") if one != other]
    names = {(r.subject._.entity.name, r.object._.entity.name, r.label) for r in doc._.relations}
    assert names == {(*pair, label) for pair in pairs for label in LABELS}
    assert len(doc._.relations) == len(names)


def test_the_arguments_are_mentions_of_one_sentence_and_names_where_there_are_two(trained):
    pipe = pipe_of(trained)
    with trained.select_pipes(disable="mrca_relations"):
        doc = trained("Ann met Cid. Ann rested. She met Bob in Oslo. Bob met Ann. Rome is far.")
    asked, _ = pipe.predict([doc])
    names = {number: doc.text[slice(*asked.characters[row])] for row, number in enumerate(asked.mention_entity)}
    chosen = {}
    for pair, (a, b, c, d) in zip(asked.pairs.tolist(), asked.arguments(np.arange(len(asked.pairs))), strict=True):
        chosen[tuple(names[end] for end in pair)] = (doc.text[a:b], int(a), doc.text[c:d], int(c))
    assert doc.text[13:16] == "Ann"
    assert chosen["Ann", "Cid"] == ("Ann", 0, "Cid", 8)
    assert chosen["Ann", "Bob"] == ("Ann", doc.text.index("Ann", 20), "Bob", doc.text.rindex("Bob"))
    assert chosen["Ann", "Oslo"] == ("She", doc.text.index("She"), "Oslo", doc.text.index("Oslo"))
    assert chosen["Cid", "Oslo"][1::2] == (8, doc.text.index("Oslo"))
    assert chosen["Ann", "Rome"] == ("Ann", doc.text.index("Ann", 20), "Rome", doc.text.index("Rome"))


def test_it_learns_relations_of_entities_and_gives_the_mentions_that_tell_them(trained):
    doc = trained(TEXT)
    assert plain(doc) == [("She", "Oslo", "born in"), ("Bob", "Rome", "lives in")]
    born = doc._.relations[0]
    assert [mention.text for mention in born.subject._.entity.mentions] == ["Ann Lee", "She"]
    assert [sentence.text for sentence in born.evidence] == ["She was born in Oslo."]


def test_a_gold_relation_may_hold_between_any_mentions_of_the_entities():
    nlp = blank()
    example = gold(nlp, "Ann Lee slept. She met Bob. Ann left Oslo.", [("Ann Lee", "Oslo", "born in")])
    reference = example.reference
    pipe = pipe_of(make())
    asked = pipe._asked([example.predicted])
    found = []
    for subject in (reference.ents[0], reference[4:5], reference.ents[2]):
        reference._.relations = [(subject, reference.ents[3], "born in", 0.75)]
        outputs = np.zeros((len(asked.pairs), 2), np.float32)
        found.append(pipe.get_loss([example], (asked, outputs))[1])
    assert np.array_equal(found[0], found[1])
    assert np.array_equal(found[0], found[2])
    (row,) = np.flatnonzero((found[0] < 0).any(1))
    assert [asked.types[number] for number in asked.pairs[row]] == ["PER", "LOC"]
    assert found[0][row, 0] == pytest.approx((0.5 - 0.75) / len(asked.pairs))


def test_a_relation_across_sentences_is_learned():
    nlp = make(threshold=0.5)
    pipe = pipe_of(nlp)
    example = gold(blank(), "Cid slept. Oslo was cold. Ann Lee met Bob.", [("Cid", "Oslo", "born in")])
    optimizer = learning(nlp)
    for _ in range(40):
        pipe.update([example], sgd=optimizer)
    doc = nlp(example.reference.text)
    assert plain(doc) == [("Cid", "Oslo", "born in")]
    assert [sentence.text for sentence in doc._.relations[0].evidence] == ["Cid slept.", "Oslo was cold."]


# Scopes.


def test_the_scope_of_entities_is_the_document_and_of_spans_the_sentence():
    assert (pipe_of(make()).scope, pipe_of(make(SENTENCE)).scope) == ("document", "sentence")


@pytest.mark.parametrize("model", [DOCUMENT, SENTENCE])
def test_in_the_scope_of_sentences_names_of_a_sentence_are_pairs(model):
    nlp = make(model, scope="sentence", type_rules=False)
    doc = nlp("Ann met Bob. She met Bob in Oslo. Ann slept.")
    places = {(r.subject.start, r.object.start) for r in doc._.relations}
    assert places == {(0, 2), (2, 0), (6, 8), (8, 6)}
    assert len(doc._.relations) == 4 * len(LABELS)


def test_scores_of_spans_become_those_of_entities_by_their_maximum():
    nlp = make(SENTENCE, type_rules=False)
    pipe = pipe_of(nlp)
    text = "Ann met Bob. Bob saw Ann. Bob and Ann Lee met Bob in Oslo."
    apart = nlp(text)._.relations
    pipe.scope = "document"
    together = nlp(text)._.relations
    best = {}
    for relation in apart:
        key = relation.subject._.entity.name, relation.object._.entity.name, relation.label
        if key[0] != key[1]:
            best[key] = max(best.get(key, relation), relation, key=lambda one: one.score)
    assert {(r.subject._.entity.name, r.object._.entity.name, r.label): r.score for r in together} == {
        key: relation.score for key, relation in best.items()
    }
    assert {(r.subject.start, r.object.start, r.label) for r in together} <= {
        (r.subject.start, r.object.start, r.label) for r in apart
    }
    assert len(together) == len(best) == 6 * len(LABELS)


def test_the_score_does_not_depend_on_the_scope_where_a_document_is_a_sentence():
    nlp = make(SENTENCE)
    sentence = get_plain_relations(nlp("Ann met Bob in Oslo."))
    pipe_of(nlp).scope = "document"
    document = get_plain_relations(nlp("Ann met Bob in Oslo."))
    assert document
    assert document == sentence


@pytest.mark.parametrize("scope", ["paragraph", 1])
def test_another_scope_is_refused(scope):
    with pytest.raises(InputError, match="The scope is one of document, sentence"):
        pipe_of(make()).scope = scope


def test_the_scope_is_stored(tmp_path):
    nlp = make(scope="sentence")
    nlp.to_disk(tmp_path)
    assert pipe_of(spacy.load(tmp_path)).scope == "sentence"
    other = make()
    pipe_of(other).from_bytes(pipe_of(nlp).to_bytes())
    assert pipe_of(other).scope == "sentence"
    assert pipe_of(other).digest() == pipe_of(nlp).digest()
    pipe_of(other).scope = "document"
    assert pipe_of(other).digest() != pipe_of(nlp).digest()
    pipe_of(other).scope = None
    assert pipe_of(other).scope == "sentence"


def test_weights_of_before_have_the_scope_of_sentences():
    pipe = pipe_of(make(SENTENCE))
    stored = pipe._stored_cfg()
    del stored["scope"]
    pipe._restore(json.dumps(stored), pipe._weights_to_bytes())
    assert pipe.scope == "sentence"


def test_the_scorer_is_told_the_scope():
    nlp = make()
    pipe = pipe_of(nlp)
    told = []
    pipe.scorer = lambda examples, **options: told.append(options["scope"]) or {}
    pipe.score([])
    pipe.scope = "sentence"
    pipe.score([])
    assert told == ["document", "sentence"]


# White space, batches, long texts.


WRAPPED = [
    TEXT.replace(" ", "\n"),
    TEXT.replace(" ", "  "),
    TEXT.replace(" ", "\u00a0"),
    TEXT.replace(" ", " \n\t "),
]


@pytest.mark.parametrize("text", WRAPPED)
def test_white_space_changes_nothing(text):
    nlp = make(type_rules=False)
    found = []
    for one in (TEXT, text):
        doc = nlp.make_doc(one)
        words = [token.i for token in doc if token.text.strip()]
        at = [doc[number].text for number in words]
        spans = []
        for start, end, label in ((0, 2, "PERSON"), (3, 4, "PERSON"), (9, 10, "GPE"), (11, 12, "PERSON")):
            spans.append(Span(doc, words[start], words[end - 1] + 1, label))
        assert at[9] == "Oslo"
        doc.set_ents(spans)
        doc.spans["coref_clusters_1"] = [spans[0], doc[words[5] : words[5] + 1]]
        doc = next(pipe_of(nlp).pipe([doc]))
        found.append([(*(" ".join(end.text.split()) for end in r[:2]), r.label, r.score) for r in doc._.relations])
    assert found[0] == found[1]
    assert len(found[0]) == 6 * len(LABELS)


def docs_of(nlp, texts):
    with nlp.select_pipes(disable="mrca_relations"):
        return list(nlp.pipe(texts))


TEXTS = [TEXT, "", "Ann slept.", "Bob met Ann in Rome. She left.", "Nobody.", TEXT * 3]


def test_documents_are_read_alike_in_any_batch():
    nlp = make(type_rules=False)
    pipe = pipe_of(nlp)
    alone = [get_plain_relations(pipe(doc)) for doc in docs_of(nlp, TEXTS)]
    together = [get_plain_relations(doc) for doc in pipe.pipe(docs_of(nlp, TEXTS), batch_size=10)]
    assert [[record[:5] for record in records] for records in alone] == [
        [record[:5] for record in records] for records in together
    ]
    scores = [[record[5] for records in found for record in records] for found in (alone, together)]
    assert np.allclose(*scores, atol=2e-4)
    assert len(alone[0]) == 20 * len(LABELS)


def test_a_long_document_is_read_in_passages_and_the_best_score_counts():
    nlp = make(type_rules=False, pairs={"@misc": "kgmrca.entity_pairs.v1", "max_tokens": 24})
    pipe = pipe_of(nlp)
    filler = "It rained and it rained all day. " * 4
    doc = docs_of(nlp, [f"Ann met Bob. {filler}Cid met Bob in Rome. {filler}Ann left Bob in Oslo."])[0]
    asked, scores = pipe.predict([doc])
    assert len(asked.bounds) == 4
    pipe(doc)
    names = [{r.subject._.entity.name, r.object._.entity.name} for r in doc._.relations]
    for pair in ({"Ann", "Cid"}, {"Ann", "Rome"}, {"Cid", "Oslo"}):
        assert pair not in names
    found = {
        (r.subject._.entity.name, r.object._.entity.name, r.label): (r.score, r.subject.start) for r in doc._.relations
    }
    assert len(found) == len(doc._.relations)
    name = {number: doc.text[slice(*asked.characters[row])] for row, number in enumerate(asked.mention_entity)}
    rows = [row for row, pair in enumerate(asked.pairs.tolist()) if [name[end] for end in pair] == ["Ann", "Bob"]]
    assert len(rows) == 2
    for column, label in enumerate(LABELS):
        score, start = found["Ann", "Bob", label]
        assert score == pytest.approx(scores[rows, column].max(), abs=1e-4)
        assert (start == 0) == (scores[rows, column].argmax() == 0)


def test_a_passage_at_a_time_gives_the_same_scores(monkeypatch):
    nlp = make(type_rules=False, pairs={"@misc": "kgmrca.entity_pairs.v1", "max_tokens": 24})
    docs = docs_of(nlp, [TEXT * 3, "Bob met Ann in Rome. She left."])
    asked, together = pipe_of(nlp).predict(docs)
    monkeypatch.setattr("kgmrca.extraction.relations.features.MAX_CELLS", 1)
    _, apart = pipe_of(nlp).predict(docs)
    assert len(asked.bounds) > 2
    assert np.allclose(together, apart, atol=1e-5)


def test_what_reaches_the_threshold_is_what_set_annotations_writes():
    nlp = make()
    pipe = pipe_of(nlp)
    one, other = docs_of(nlp, [TEXT])[0], docs_of(nlp, [TEXT])[0]
    threshold = float(np.median([record[5] for record in get_plain_relations(next(pipe.pipe([one])))]))
    next(pipe.pipe([one], threshold=threshold))
    pipe.set_annotations([other], pipe.predict([other]), threshold=threshold)
    assert get_plain_relations(one) == get_plain_relations(other)
    assert 0 < len(get_plain_relations(one)) < len(get_plain_relations(next(pipe.pipe([other]))))


def test_type_rules_hold_for_entities():
    pipe = pipe_of(make())
    doc = next(pipe.pipe(docs_of(make(), [TEXT]), threshold=0))
    pairs = {(r.subject._.entity.type, r.object._.entity.type) for r in doc._.relations}
    pipe.cfg["rules"] = {label: ["LOC PER"] for label in LABELS}
    pipe._build()
    doc = next(pipe.pipe([doc], threshold=0))
    assert {(r.subject._.entity.type, r.object._.entity.type) for r in doc._.relations} == {("LOC", "PER")} != pairs


def test_without_clusters_equal_names_are_one_entity():
    nlp = make(type_rules=False)
    nlp.remove_pipe("test_clusters")
    doc = nlp("Ann met Bob. Ann met Bob.")
    assert len(doc._.relations) == 2 * len(LABELS)


def test_calibration_is_of_the_scores_of_pairs():
    nlp = make()
    pipe = pipe_of(nlp)
    docs = docs_of(nlp, [TEXT])
    _, raw = pipe.score_pairs(docs, calibrated=False)
    pipe.cfg["calibration"] = {label: [2.0, 1.0] for label in LABELS}
    _, calibrated = pipe.score_pairs(docs)
    given = raw > 0
    logit = np.log(raw[given] / (1 - raw[given]))
    assert np.allclose(calibrated[given], 1 / (1 + np.exp(-(2 * logit + 1))), atol=1e-4)


# Storing, and what the relations survive.


def test_survives_storing(trained, tmp_path):
    trained.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    assert plain(loaded(TEXT)) == plain(trained(TEXT)) != []
    assert (tmp_path / "mrca_relations" / "model.safetensors").stat().st_size < 200_000  # the reader is not in it
    again = pickle.loads(pickle.dumps(pipe_of(trained)))
    assert again.digest() == pipe_of(trained).digest() == pipe_of(loaded).digest()
    doc = trained(TEXT)
    stored = DocBin(store_user_data=True, docs=[doc]).to_bytes()
    copied = next(DocBin().from_bytes(stored).get_docs(doc.vocab))
    assert [(r.subject.text, r.subject._.entity.name, r.label) for r in copied._.relations] == [
        ("She", "Ann Lee", "born in"),
        ("Bob", "Bob", "lives in"),
    ]


def test_processes_give_the_same(trained):
    assert [plain(doc) for doc in trained.pipe([TEXT] * 3, n_process=2, batch_size=2)] == 3 * [plain(trained(TEXT))]


def test_weights_need_the_reader_they_were_trained_with(trained, monkeypatch):
    data = pipe_of(trained).to_bytes()
    other = make(seed=1)
    monkeypatch.setattr(SharedReader.named(), "digest", "another")
    with pytest.raises(ModelError, match="'mrca_relations' cannot be loaded"):
        pipe_of(other).from_bytes(data)


def test_weights_of_another_architecture_are_refused(trained):
    for one, other in ((trained, make(SENTENCE)), (make(SENTENCE), trained)):
        with pytest.raises(ModelError, match="do not fit its \\[model\\] settings"):
            pipe_of(other).from_bytes(pipe_of(one).to_bytes())


@pytest.mark.parametrize(
    ("model", "pairs", "fitting"),
    [(DOCUMENT, "sentence_pairs", "entity_pairs"), (SENTENCE, "entity_pairs", "sentence_pairs")],
)
def test_pairs_that_do_not_suit_the_network_are_refused(model, pairs, fitting):
    with pytest.raises(InputError, match=f"use 'kgmrca.{fitting}.v1'"):
        make(model, pairs={"@misc": f"kgmrca.{pairs}.v1"})


# A reader of its own.


def test_a_reader_of_its_own_is_trained_and_stored(tmp_path):
    nlp = make({**DOCUMENT, "reader": None, "reader_width": 8}, train=50, threshold=0.5)
    pipe = pipe_of(nlp)
    before = {name: weights.clone() for name, weights in pipe._network.reader.state_dict().items()}
    assert plain(nlp(TEXT)) == [("She", "Oslo", "born in"), ("Bob", "Rome", "lives in")]
    pipe.update([gold(blank(), "Ann met Bob.", [("Ann", "Bob", "lives in")])], sgd=learning(nlp))
    after = pipe._network.reader.state_dict()
    assert any(not torch.equal(before[name], after[name]) for name in before)
    nlp.to_disk(tmp_path)
    assert plain(spacy.load(tmp_path)(TEXT)) == plain(nlp(TEXT))


def test_a_reader_of_its_own_reads_passages_alike_in_any_batch(monkeypatch):
    pairs = {"@misc": "kgmrca.entity_pairs.v1", "max_tokens": 24}
    nlp = make({**DOCUMENT, "reader": None, "reader_width": 8}, type_rules=False, pairs=pairs)
    docs = docs_of(nlp, [TEXT * 3, "Bob met Ann in Rome. She left."])
    asked, together = pipe_of(nlp).predict(docs)
    monkeypatch.setattr("kgmrca.extraction.relations.features.MAX_CELLS", 1)
    assert np.allclose(together, pipe_of(nlp).predict(docs)[1], atol=1e-5)
    alone = pipe_of(nlp).predict(docs[1:])[1]
    assert np.allclose(together[-len(alone) :], alone, atol=1e-5)
    assert len(asked.bounds) > 2


def test_the_shared_reader_does_not_learn(trained):
    weights = SharedReader.named().network.state_dict()
    assert not any(tensor.requires_grad for tensor in weights.values())
    assert not any(name.startswith("reader") for name in pipe_of(trained)._network.state_dict())


# Passages.


def passages(doc, max_tokens=512, scope="document"):
    nlp = make(pairs={"@misc": "kgmrca.entity_pairs.v1", "max_tokens": max_tokens}, scope=scope)
    asked = pipe_of(nlp)._asked([doc])
    assert isinstance(asked, Passages)
    words = [asked.tokens.words[number] for number in asked.tokens.word]
    return asked, [" ".join(words[start:end]) for start, end in asked.bounds.tolist()]


def test_stretches_of_a_long_document_overlap_by_half():
    doc = docs_of(make(), ["Ann met Bob. Bob left. Ann met Cid. Cid left. Ann met Bob."])[0]
    asked, texts = passages(doc, 14)
    assert texts == [
        "Ann met Bob . Bob left . Ann met Cid . Cid left .",
        "Ann met Cid . Cid left . Ann met Bob .",
    ]
    assert asked.entity.tolist() == [0, 1, 2, 0, 1, 2]
    assert asked.pairs.tolist() == [
        [a, b] for first in (0, 3) for a in range(first, first + 3) for b in range(first, first + 3) if a != b
    ]


def test_a_short_document_is_one_passage_whatever_its_sentences():
    doc = docs_of(make(), ["Ann met Bob. Bob left. Ann met Cid. Cid left."])[0]
    assert passages(doc, 14)[1] == ["Ann met Bob . Bob left . Ann met Cid . Cid left ."]


def test_passages_with_one_entity_are_left_out():
    doc = docs_of(make(), ["Ann met Bob. It rained. It rained. It rained. It rained. Cid left. Cid left."])[0]
    assert len(passages(doc, 12)[1]) == 1


def test_kinds_of_mentions():
    doc = make().make_doc("Ann left. She and the doctor met Bob, who knew her.")
    doc.set_ents([Span(doc, 0, 1, "PER"), Span(doc, 8, 9, "PER")])
    doc.spans["coref_clusters_1"] = [doc[0:1], doc[3:4], doc[5:7], doc[12:13]]
    asked, _ = passages(doc)
    assert [doc.text[slice(*place)] for place in asked.characters.tolist()] == [
        "Ann",
        "She",
        "the doctor",
        "her",
        "Bob",
    ]
    assert asked.kind.tolist() == [0, 1, 2, 1, 0]


def test_mentions_without_a_visible_character_are_left_out():
    doc = Doc(make().vocab, words=["Ann", "\u200b", "met", "Bob"])
    doc.set_ents([Span(doc, 0, 1, "PER"), Span(doc, 1, 2, "PER"), Span(doc, 3, 4, "PER")])
    assert passages(doc)[0].types == ["PER", "PER"]


def test_pairs_grow_with_the_length_of_a_text():
    words = ["Ann", "met", "Bob", "in", "Rome", "."] * 3_000
    doc = Doc(make().vocab, words=words)
    doc.set_ents([Span(doc, at, at + 1, f"T{at % 50}") for at in range(0, len(doc), 2) if doc[at].text != "in"])
    doc.spans["coref_clusters_1"] = [doc[0:1]]
    asked, texts = passages(doc, 64)
    assert max(len(text.split()) for text in texts) <= 64
    assert len(asked.pairs) < 50**2 * len(texts)
