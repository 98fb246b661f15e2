"""Public relation data read as gold Docs, and gold Docs read as Examples."""

import gzip
import json
from collections import Counter

import pytest
import spacy
from spacy.tokens import DocBin
from spacy.vocab import Vocab

from kgmrca.corpora.annotated import (
    ENTITIES,
    Corpus,
    exhaustively_annotated,
    read_annotated,
    read_gold,
    relation_labels,
    write_gold,
)
from kgmrca.corpora.documents import ID
from kgmrca.errors import InputError
from kgmrca.ontology import Mapped
from kgmrca.relations import Relation, get_plain_relations

NLP = spacy.blank("en")


def sentence(**changes):
    """A record of the sentence format: two people, one relation."""
    return {
        "id": "s1",
        "tokens": ["Ann", "Lee", "met", "Bob", "."],
        "entities": [{"start": 0, "end": 2, "type": "PER"}, {"start": 3, "end": 4, "type": "PER"}],
        "relations": [{"subject": 0, "object": 1, "predicate": "knows"}],
        **changes,
    }


def document(**changes):
    """A record of DocRED's format: Ann and Bob share the first sentence, Bob (as "he") and Oslo the second."""
    return {
        "title": "d1",
        "sents": [["Ann", "met", "Bob", "."], ["He", " ", "lives", "in", "Oslo", "."]],
        "vertexSet": [
            [{"sent_id": 0, "pos": [0, 1], "type": "PER", "name": "Ann"}],
            [
                {"sent_id": 0, "pos": [2, 3], "type": "PER", "name": "Bob"},
                {"sent_id": 1, "pos": [0, 1], "type": "PER", "name": "He"},
            ],
            [{"sent_id": 1, "pos": [4, 5], "type": "LOC", "name": "Oslo"}],
        ],
        "labels": [{"h": 0, "t": 1, "r": "P7"}, {"h": 1, "t": 2, "r": "P551"}],
        **changes,
    }


def mention(sent_id, start, end, type="PER"):
    return {"sent_id": sent_id, "pos": [start, end], "type": type}


def without(record, key):
    return {name: value for name, value in record.items() if name != key}


def entity(start, end, type="PER", **more):
    return {"start": start, "end": end, "type": type, **more}


def plain(doc):
    return [(r.subject.text, r.object.text, r.label) for r in doc._.relations]


def clusters(doc):
    return [[span.text for span in group] for key, group in doc.spans.items() if key != ENTITIES]


def typed(spans):
    return [(span.text, span.label_) for span in spans]


@pytest.fixture
def read(tmp_path):
    """The Docs of a JSONL file of these records."""

    def read_records(*records, **options):
        path = tmp_path / "data.jsonl"
        path.write_text("\n".join(map(json.dumps, records)), encoding="utf-8")
        return list(read_annotated(path, Vocab(), **options))

    return read_records


@pytest.fixture
def gold(tmp_path):
    """A `.spacy` file of one sentence and one document."""
    path = tmp_path / "data.jsonl"
    path.write_text(json.dumps(sentence()) + "\n" + json.dumps(document()), encoding="utf-8")
    write_gold([path], tmp_path / "gold.spacy")
    return tmp_path / "gold.spacy"


# What is read.


def test_sentence_record(read):
    (doc,) = read(sentence())
    assert doc.text == "Ann Lee met Bob."
    assert typed(doc.ents) == [("Ann Lee", "PER"), ("Bob", "PER")]
    assert plain(doc) == [("Ann Lee", "Bob", "knows")]
    assert len(list(doc.sents)) == 1
    assert doc.user_data[ID] == "s1"


def test_docred_record(read):
    (doc,) = read(document())
    assert doc.text == "Ann met Bob. He lives in Oslo."
    assert typed(doc.ents) == [("Ann", "PER"), ("Bob", "PER"), ("He", "PER"), ("Oslo", "LOC")]
    assert [sent.text for sent in doc.sents] == ["Ann met Bob.", "He lives in Oslo."]
    assert doc.user_data[ID] == "d1"


def test_docred_relations_are_given_to_mentions_of_one_sentence(read):
    (doc,) = read(document())
    assert plain(doc) == [("Ann", "Bob", "P7"), ("He", "Oslo", "P551")]


def test_a_relation_that_no_sentence_states_is_given_to_the_closest_mentions(read):
    vertices = document()["vertexSet"]
    vertices[0].insert(0, mention(0, 1, 2))
    vertices[0].append(mention(0, 3, 4))
    (doc,) = read(document(vertexSet=vertices, labels=[{"h": 2, "t": 0, "r": "P551"}]))
    assert [(r.subject.text, r.object.text, r.object.start) for r in doc._.relations] == [("Oslo", ".", 3)]


def test_the_mentions_of_each_docred_entity_are_a_cluster(read):
    (doc,) = read(document())
    assert clusters(doc) == [["Ann"], ["Bob", "He"], ["Oslo"]]


def test_mentions_of_a_sentence_are_one_entity_by_eid_then_qid_then_words(read):
    entities = [
        entity(0, 1, eid=7, qid="Q1"),
        entity(1, 2, qid="Q1"),
        entity(2, 3, qid="Q1"),
        entity(3, 4, eid=7, qid="Q2"),
        entity(4, 5),
        entity(5, 6),
        entity(6, 7),
    ]
    (doc,) = read(sentence(tokens=["a", "b", "c", "d", "e", "f", "e"], entities=entities, relations=[]))
    assert clusters(doc) == [["a", "d"], ["b", "c"], ["e", "e"], ["f"]]


def test_docred_gold_scores_are_1(read):
    (doc,) = read(document())
    assert {relation.score for relation in doc._.relations} == {1.0}


def test_white_space_tokens_are_dropped(read):
    (doc,) = read(document())
    assert [token.text for token in doc] == ["Ann", "met", "Bob", ".", "He", "lives", "in", "Oslo", "."]


def test_a_mention_with_white_space_in_it_keeps_its_words(read):
    (doc,) = read(document(sents=[["Ann", " ", "Lee", "\u00a0", "left"]], vertexSet=[[mention(0, 0, 3)]], labels=[]))
    assert typed(doc.ents) == [("Ann Lee", "PER")]


def test_white_space_at_the_start_of_a_sentence(read):
    (doc,) = read(document(sents=[["Ann", "."], [" ", "Bob", "."]], vertexSet=[[mention(1, 1, 2)]], labels=[]))
    assert [sent.text for sent in doc.sents] == ["Ann.", "Bob."]
    assert typed(doc.ents) == [("Bob", "PER")]


def test_overlapping_mentions_are_all_in_the_span_group(read):
    entities = [entity(0, 2, "PER"), entity(1, 2, "LOC"), entity(3, 4, "PER")]
    (doc,) = read(sentence(entities=entities, relations=[{"subject": 1, "object": 2, "predicate": "knows"}]))
    assert typed(doc.spans[ENTITIES]) == [("Ann Lee", "PER"), ("Lee", "LOC"), ("Bob", "PER")]
    assert typed(doc.ents) == [("Ann Lee", "PER"), ("Bob", "PER")]
    assert plain(doc) == [("Lee", "Bob", "knows")]


def test_a_mention_given_twice_is_kept_once(read):
    (doc,) = read(sentence(entities=[entity(0, 2), entity(0, 2), entity(3, 4)]))
    assert typed(doc.spans[ENTITIES]) == [("Ann Lee", "PER"), ("Bob", "PER")]


def test_several_relations_of_one_pair(read):
    relations = [{"subject": 0, "object": 1, "predicate": name} for name in ("knows", "married to")]
    relations.append({"subject": 1, "object": 0, "predicate": "knows"})
    (doc,) = read(sentence(relations=relations))
    assert plain(doc) == [
        ("Ann Lee", "Bob", "knows"),
        ("Ann Lee", "Bob", "married to"),
        ("Bob", "Ann Lee", "knows"),
    ]


def test_a_relation_given_twice_is_kept_once(read):
    (doc,) = read(sentence(relations=2 * sentence()["relations"]))
    assert plain(doc) == [("Ann Lee", "Bob", "knows")]


@pytest.mark.parametrize("type", ["", None])
def test_untyped_entities(read, type):
    (doc,) = read(sentence(entities=[entity(0, 2, type), entity(3, 4, type)]))
    assert typed(doc.ents) == [("Ann Lee", "ENTITY"), ("Bob", "ENTITY")]


def test_untyped_docred_mentions(read):
    (doc,) = read(document(vertexSet=[[mention(0, 0, 1, "")]], labels=[]))
    assert typed(doc.ents) == [("Ann", "ENTITY")]


def test_items_become_kb_ids(read):
    (doc,) = read(sentence(entities=[entity(0, 2, qid="Q1"), entity(3, 4)]))
    assert [span.kb_id_ for span in doc.ents] == ["Q1", ""]


def test_an_item_that_is_null_is_no_item(read):
    (doc,) = read(sentence(entities=[entity(0, 2, qid=None), entity(3, 4)]))
    assert [span.kb_id_ for span in doc.ents] == ["", ""]


def test_no_entities_and_no_relations(read):
    (doc,) = read(sentence(entities=[], relations=[]))
    assert doc.ents == ()
    assert doc._.relations == ()


def test_formats_may_be_mixed(read):
    assert [doc.user_data[ID] for doc in read(document(), sentence())] == ["d1", "s1"]


@pytest.mark.parametrize(
    "text",
    [
        "Ann met Bob, who (she said) was late.",
        'He said "no" and left.',
        "It's Ann's 50% share: don't ask!",
        "a well-known co-founder",
        "He paid £5 for [two] books; why?",
    ],
)
def test_text_is_put_together_as_english_is_set(read, text):
    tokens = [token.text for token in NLP(text)]
    (doc,) = read(sentence(tokens=tokens, entities=[], relations=[]))
    assert doc.text == text


# Files.


def test_json_array(tmp_path):
    path = tmp_path / "data.json"
    path.write_text(json.dumps([sentence(id=1), document()], indent=2), encoding="utf-8")
    assert [doc.user_data[ID] for doc in read_annotated(path, Vocab())] == ["1", "d1"]


def test_blank_lines_are_passed_over(tmp_path):
    path = tmp_path / "data.jsonl"
    path.write_text(f"\n{json.dumps(sentence())}\n\n", encoding="utf-8")
    assert len(list(read_annotated(path, Vocab()))) == 1


@pytest.mark.parametrize("text", [json.dumps(sentence()), json.dumps([sentence()])], ids=["lines", "array"])
@pytest.mark.parametrize("name", ["data.gz", "DATA.GZ", "data.jsonl"])
def test_gzip(tmp_path, text, name):
    path = tmp_path / name
    path.write_bytes(gzip.compress(text.encode()))
    assert len(list(read_annotated(path, Vocab()))) == 1


def test_labels_rename_predicates(read):
    docs = read(sentence(), document(), labels={"knows": Mapped("friend of"), "P551": Mapped("residence")})
    assert [plain(doc) for doc in docs] == [
        [("Ann Lee", "Bob", "friend of")],
        [("Ann", "Bob", "P7"), ("He", "Oslo", "residence")],
    ]


def write_table(folder, rows):
    """A relations.tsv of (relation, property, label)."""
    table = "".join("\t".join(row) + "\n" for row in [("relation", "wikidata_pid", "label"), *rows])
    (folder / "relations.tsv").write_text(table, encoding="utf-8")


def test_labels_are_read_from_the_table_beside_the_file(tmp_path):
    write_table(tmp_path, [("knows", "", "friend of"), ("P551", "P551", 'place "lived in"'), ("P7", "P7", "")])
    assert relation_labels(tmp_path / "data.jsonl") == {
        "knows": Mapped("friend of"),
        "P551": Mapped('place "lived in"'),
        "P7": Mapped("P7"),
    }


def test_labels_are_our_own_where_every_relation_has_a_property(tmp_path):
    # P19 and P551 are in our ontology, P0 is no property, and P1 is one without a label of ours.
    rows = [("born", "P19", "birthplace"), ("P551", "P551", ""), ("knows", "P0", "friend of"), ("P1", "P1", "")]
    write_table(tmp_path, rows)
    assert relation_labels(tmp_path / "data.jsonl") == {
        "born": Mapped("place of birth"),
        "P551": Mapped("residence"),
        "knows": Mapped("friend of"),
        "P1": Mapped("P1"),
    }


def test_no_table_renames_nothing(tmp_path):
    assert relation_labels(tmp_path / "data.jsonl") == {}


def test_write_gold_uses_the_table(tmp_path):
    (tmp_path / "relations.tsv").write_text("relation\twikidata_pid\tlabel\nknows\t\tfriend of\n", encoding="utf-8")
    (tmp_path / "data.jsonl").write_text(json.dumps(sentence()), encoding="utf-8")
    write_gold([tmp_path / "data.jsonl"], tmp_path / "gold.spacy")
    (doc,) = read_gold(tmp_path / "gold.spacy", Vocab())
    assert plain(doc) == [("Ann Lee", "Bob", "friend of")]


def test_write_gold_keeps_everything(gold):
    first, second = read_gold(gold, Vocab())
    assert plain(first) == [("Ann Lee", "Bob", "knows")]
    assert plain(second) == [("Ann", "Bob", "P7"), ("He", "Oslo", "P551")]
    assert typed(second.spans[ENTITIES]) == [("Ann", "PER"), ("Bob", "PER"), ("He", "PER"), ("Oslo", "LOC")]
    assert len(list(second.sents)) == 2
    assert second.user_data[ID] == "d1"


def test_write_gold_counts_docs_and_relations(tmp_path):
    path = tmp_path / "data.jsonl"
    path.write_text(json.dumps(sentence()) + "\n" + json.dumps(document()), encoding="utf-8")
    counts, left_out, oddities = write_gold([path], tmp_path / "gold.spacy")
    assert counts == {tmp_path / "gold.spacy": (2, 3)}
    assert left_out == oddities == Counter()


def test_write_gold_counts_what_looks_like_a_mistake(tmp_path):
    path = tmp_path / "data.jsonl"
    odd = document(
        vertexSet=[*document()["vertexSet"], []],
        labels=[{"h": 0, "t": 0, "r": "P7"}, {"h": 0, "t": 3, "r": "P7"}, {"h": 0, "t": 1, "r": "P9999"}],
    )
    path.write_text("\n".join(map(json.dumps, [document(), odd])), encoding="utf-8")
    (tmp_path / "relations.tsv").write_text(
        "relation\twikidata_pid\tlabel\nP7\tP3373\tsibling\nP551\tP551\tresidence\n"
    )
    _, _, oddities = write_gold([path], tmp_path / "gold.spacy")
    assert {oddity.partition(",")[0]: count for oddity, count in oddities.items()} == {
        "entities without a mention were left out": 1,
        "relations were left out": 1,
        "relations are of an entity with itself": 1,
        "relations keep their names as labels": 1,
        "documents have the name of an earlier one": 1,
    }


# A mapping to our labels.


def test_a_reversed_relation_exchanges_subject_and_object(read):
    (doc,) = read(sentence(), labels={"knows": Mapped("known by", reversed=True)})
    assert plain(doc) == [("Bob", "Ann Lee", "known by")]


def test_a_reversed_relation_of_a_document(read):
    (doc,) = read(document(), labels={"P551": Mapped("resident", reversed=True)})
    assert plain(doc) == [("Ann", "Bob", "P7"), ("Oslo", "He", "resident")]


def test_relations_that_become_equal_are_kept_once(read):
    relations = [
        {"subject": 0, "object": 1, "predicate": "knows"},
        {"subject": 1, "object": 0, "predicate": "known by"},
    ]
    labels = {"knows": Mapped("friend of"), "known by": Mapped("friend of", reversed=True)}
    (doc,) = read(sentence(relations=relations), labels=labels)
    assert plain(doc) == [("Ann Lee", "Bob", "friend of")]


def test_a_relation_without_one_label_is_left_out(read):
    (doc,) = read(document(), labels={"P7": None})
    assert plain(doc) == [("He", "Oslo", "P551")]


def test_relations_left_out_are_counted(read):
    left_out = Counter({"knows": 5})
    read(sentence(), document(), sentence(), labels={"knows": None, "P7": None}, left_out=left_out)
    assert left_out == {"knows": 7, "P7": 1}


MAPPING = """#curie_map:
#  owl: "http://www.w3.org/2002/07/owl#"
#  skos: "http://www.w3.org/2004/02/skos/core#"
#  wikidata: "http://www.wikidata.org/entity/"
subject_label\tpredicate_id\tobject_id
CHILD_OF\towl:inverseOf\twikidata:P40
knows\tskos:narrowMatch\twikidata:P26
P551\tskos:closeMatch\twikidata:P551
"""


@pytest.fixture
def mapping(tmp_path):
    (tmp_path / "mapping.sssom.tsv").write_text(MAPPING, encoding="utf-8")
    return tmp_path / "mapping.sssom.tsv"


def test_a_mapping_is_read_instead_of_the_table(tmp_path, mapping):
    write_table(tmp_path, [("knows", "", "friend of")])
    assert relation_labels(tmp_path / "data.jsonl", mapping) == {
        "CHILD_OF": Mapped("child", reversed=True),
        "knows": None,
        "P551": Mapped("residence"),
    }


@pytest.mark.parametrize("data", [None, b"\xff"])
def test_a_mapping_that_cannot_be_read(tmp_path, mapping, data):
    mapping.unlink() if data is None else mapping.write_bytes(data)
    with pytest.raises(InputError, match=r"mapping\.sssom\.tsv('\.|, line 1: this is no table in UTF-8)"):
        relation_labels(tmp_path / "data.jsonl", mapping)


def test_write_gold_uses_the_mapping_and_counts_what_it_leaves_out(tmp_path, mapping):
    path = tmp_path / "data.jsonl"
    child = sentence(relations=[{"subject": 0, "object": 1, "predicate": "CHILD_OF"}])
    path.write_text("\n".join(map(json.dumps, [child, sentence(), sentence()])), encoding="utf-8")
    counts, left_out, _ = write_gold([path], tmp_path / "gold.spacy", mapping=mapping)
    assert counts == {tmp_path / "gold.spacy": (3, 1)}
    assert left_out == {"knows": 2}
    assert [plain(doc) for doc in read_gold(tmp_path / "gold.spacy", Vocab())] == [
        [("Bob", "Ann Lee", "child")],
        [],
        [],
    ]


# What the data is annotated with exhaustively.


LABELS = {
    "knows": Mapped("friend of"),
    "P551": Mapped("residence", reversed=True),
    "P7": None,
    "P9": Mapped("friend of"),
}


def test_data_without_names_is_annotated_with_all_relations(read):
    (doc,) = read(sentence())
    assert exhaustively_annotated(doc) is None


def test_data_with_names_is_annotated_with_all_of_them(read):
    assert [exhaustively_annotated(doc) for doc in read(sentence(), document(), labels=LABELS)] == 2 * [
        {"friend of", "residence"}
    ]


def test_partial_data_is_annotated_with_nothing(read):
    assert [exhaustively_annotated(doc) for doc in read(sentence(), document(), labels=LABELS, partial=True)] == 2 * [
        frozenset()
    ]


@pytest.mark.parametrize("partial", [False, True])
def test_a_record_may_say_what_it_is_annotated_with(read, partial):
    records = [sentence(exhaustive=["knows", "P7", "P1"]), document(exhaustive=["P551"]), sentence(exhaustive=[])]
    docs = read(*records, labels=LABELS, partial=partial)
    assert [exhaustively_annotated(doc) for doc in docs] == [{"friend of", "P1"}, {"residence"}, frozenset()]


def test_a_record_may_say_so_where_relations_have_no_other_names(read):
    assert [exhaustively_annotated(doc) for doc in read(sentence(exhaustive=["knows"]), sentence())] == [
        {"knows"},
        None,
    ]


def test_a_doc_made_by_hand_is_annotated_with_all_relations():
    assert exhaustively_annotated(NLP("Ann met Bob.")) is None


@pytest.mark.parametrize("partial", [False, True])
def test_what_it_is_annotated_with_is_stored(tmp_path, partial):
    write_table(tmp_path, [("knows", "", "friend of"), ("P551", "", "residence")])
    (tmp_path / "data.jsonl").write_text(json.dumps(sentence()), encoding="utf-8")
    write_gold([tmp_path / "data.jsonl"], tmp_path / "gold.spacy", partial=partial)
    (example,) = Corpus(tmp_path / "gold.spacy")(NLP)
    assert exhaustively_annotated(example.reference) == (frozenset() if partial else {"friend of", "residence"})


def test_data_without_names_is_stored_as_annotated_with_all_relations(gold):
    assert [exhaustively_annotated(doc) for doc in read_gold(gold, Vocab())] == [None, None]


# 0: nothing is known, 1: inside an entity, 2: in none, 3: at an entity's start.


def entity_marks(doc):
    return [token.ent_iob for token in doc]


def test_tokens_outside_entities_are_in_none_where_data_is_complete(read):
    (doc,) = read(sentence())
    assert entity_marks(doc) == [3, 1, 2, 3, 2]


def test_tokens_outside_entities_are_unknown_where_data_is_partial(read):
    (doc,) = read(sentence(), partial=True)
    assert entity_marks(doc) == [3, 1, 0, 3, 0]


def test_a_partial_record_without_entities_knows_of_no_token(read):
    (doc,) = read(sentence(entities=[], relations=[]), partial=True)
    assert entity_marks(doc) == [0, 0, 0, 0, 0]


def test_entities_of_partial_data_keep_types_and_items(read):
    (doc,) = read(sentence(entities=[entity(0, 2, qid="Q1"), entity(3, 4, "LOC")]), partial=True)
    assert [(span.text, span.label_, span.kb_id_) for span in doc.ents] == [
        ("Ann Lee", "PER", "Q1"),
        ("Bob", "LOC", ""),
    ]


@pytest.fixture
def partial_gold(tmp_path):
    """A `.spacy` file of one sentence, read as partial."""
    (tmp_path / "data.jsonl").write_text(json.dumps(sentence()), encoding="utf-8")
    write_gold([tmp_path / "data.jsonl"], tmp_path / "gold.spacy", partial=True)
    return tmp_path / "gold.spacy"


def test_unknown_tokens_are_stored(partial_gold):
    (doc,) = read_gold(partial_gold, Vocab())
    assert entity_marks(doc) == [3, 1, 0, 3, 0]


@pytest.mark.parametrize("gold_entities", [False, True])
def test_an_entity_recognizer_is_told_nothing_of_unknown_tokens(partial_gold, gold_entities):
    (example,) = Corpus(partial_gold, gold_entities=gold_entities)(NLP)
    assert example.get_aligned_ner() == ["B-PER", "L-PER", None, "U-PER", None]


# Setting docs aside.


@pytest.fixture
def split(tmp_path):
    """The ids that go to the two files, of records with these ids."""

    def split_ids(ids, dev_share):
        path = tmp_path / "data.jsonl"
        path.write_text("\n".join(json.dumps(sentence(id=id)) for id in ids), encoding="utf-8")
        outputs = tmp_path / "train.spacy", tmp_path / "dev.spacy"
        write_gold([path], outputs[0], dev=outputs[1], dev_share=dev_share)
        return tuple([doc.user_data[ID] for doc in read_gold(output, Vocab())] for output in outputs)

    return split_ids


IDS = [f"doc {number}" for number in range(400)]


def test_split_is_by_share(split):
    train, dev = split(IDS, 0.25)
    assert 70 <= len(dev) <= 130
    assert sorted(train + dev) == sorted(IDS)


def test_split_depends_on_the_id_alone(split):
    _, dev = split(IDS, 0.25)
    _, dev_of_half = split(IDS[::-2], 0.25)
    assert set(dev_of_half) == set(dev) & set(IDS[::-2])


@pytest.mark.parametrize(("share", "sizes"), [(0, (20, 0)), (1, (0, 20))])
def test_split_of_nothing_and_of_everything(split, share, sizes):
    assert tuple(map(len, split(IDS[:20], share))) == sizes


# What cannot be read.


def test_a_bad_record_is_named(tmp_path):
    path = tmp_path / "data.jsonl"
    path.write_text(json.dumps(sentence()) + "\n" + json.dumps(without(sentence(), "tokens")), encoding="utf-8")
    with pytest.raises(InputError, match=r"data\.jsonl, record 2: the key 'tokens' is missing.*kgmrca corpus --help"):
        list(read_annotated(path, Vocab()))


@pytest.mark.parametrize("key", ["id", "tokens", "entities", "relations"])
def test_a_missing_key_of_a_sentence(read, key):
    with pytest.raises(InputError, match=rf"data\.jsonl, record 1: the key '{key}' is missing"):
        read(without(sentence(), key))


@pytest.mark.parametrize("key", ["title", "sents", "labels"])
def test_a_missing_key_of_a_document(read, key):
    with pytest.raises(InputError, match=rf"data\.jsonl, record 1: the key '{key}' is missing"):
        read(without(document(), key))


BAD_RECORDS = {
    "a number": 5,
    "a string": "vertexSet",
    "a list": [1],
    "null": None,
    "tokens that are numbers": sentence(tokens=[1, 2, 3, 4, 5]),
    "an empty token": sentence(tokens=["Ann", "", "met", "Bob", "."]),
    "a lone surrogate": sentence(tokens=["Ann", "\ud800", "met", "Bob", "."]),
    "an entity past the end": sentence(entities=[entity(0, 2), entity(3, 9)]),
    "an entity before the start": sentence(entities=[entity(-2, 2), entity(3, 4)]),
    "an entity without tokens": sentence(entities=[entity(2, 2), entity(3, 4)]),
    "an entity that ends before it starts": sentence(entities=[entity(2, 1), entity(3, 4)]),
    "an entity without a start": sentence(entities=[{"end": 1, "type": "PER"}, entity(3, 4)]),
    "an entity that is a list": sentence(entities=[[0, 2, "PER"], [3, 4, "PER"]]),
    "a relation of an entity that is not there": sentence(relations=[{"subject": 0, "object": 2, "predicate": "p"}]),
    "a relation counted from the end": sentence(relations=[{"subject": -1, "object": 0, "predicate": "p"}]),
    "a relation without a predicate": sentence(relations=[{"subject": 0, "object": 1}]),
    "a predicate that is null": sentence(relations=[{"subject": 0, "object": 1, "predicate": None}]),
    "exhaustive relations that are a string": sentence(exhaustive="knows"),
    "exhaustive relations that are null": sentence(exhaustive=None),
    "an exhaustive relation that is a number": sentence(exhaustive=["knows", 5]),
    "a mention in a sentence that is not there": document(vertexSet=[[mention(7, 0, 1)]], labels=[]),
    "a mention past the end": document(vertexSet=[[mention(0, 2, 9)]], labels=[]),
    "a mention of white space": document(vertexSet=[[mention(1, 1, 2)]], labels=[]),
    "a mention without a place": document(vertexSet=[[{"type": "PER"}]], labels=[]),
    "a fact of an entity that is not there": document(labels=[{"h": 0, "t": 3, "r": "P7"}]),
    "a fact without a relation": document(labels=[{"h": 0, "t": 1}]),
}


@pytest.mark.parametrize("record", BAD_RECORDS.values(), ids=BAD_RECORDS)
def test_bad_records(read, record):
    with pytest.raises(InputError, match=r"data\.jsonl, record 2: "):
        read(sentence(), record)


BAD_FILES = {
    "data.jsonl": b'{"id": 1\n',
    "broken.json": b'[{"id": 1',
    "latin.jsonl": '{"id": "Zoë"}'.encode("latin-1"),
    "not-gzip.gz": b'{"id": 1}',
    "cut.gz": gzip.compress(json.dumps(sentence()).encode())[:-12],
    "damaged.gz": gzip.compress(json.dumps(sentence()).encode())[:10] + 40 * b"\xff",
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_bad_files(tmp_path, name):
    (tmp_path / name).write_bytes(BAD_FILES[name])
    with pytest.raises(InputError, match=name):
        list(read_annotated(tmp_path / name, Vocab()))


def test_a_line_that_is_not_json_is_named(tmp_path):
    path = tmp_path / "data.jsonl"
    path.write_text(json.dumps(sentence()) + "\n\nnot json\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"data\.jsonl, line 3: not JSON"):
        list(read_annotated(path, Vocab()))


@pytest.mark.parametrize(
    ("name", "message"),
    [("missing.jsonl", "no file or folder"), ("missing.jsonl.gz", "no file or folder"), (".", "cannot be read")],
)
def test_no_such_file(tmp_path, name, message):
    with pytest.raises(InputError, match=message):
        list(read_annotated(tmp_path / name, Vocab()))


@pytest.mark.parametrize("table", [b"name\tlabel\nknows\tfriend of\n", b"relation\tlabel\n\xff\tx\n"])
def test_a_bad_table_of_relations(tmp_path, table):
    (tmp_path / "relations.tsv").write_bytes(table)
    with pytest.raises(InputError, match=r"relations\.tsv"):
        relation_labels(tmp_path / "data.jsonl")


def test_a_missing_folder_is_named_before_anything_is_read(tmp_path):
    with pytest.raises(InputError, match=r"no folder .*make it first"):
        write_gold([tmp_path / "missing.jsonl"], tmp_path / "folder" / "gold.spacy")


def test_nothing_is_written_if_an_input_cannot_be_read(tmp_path):
    (tmp_path / "data.jsonl").write_text(json.dumps(sentence()) + "\nnot json", encoding="utf-8")
    with pytest.raises(InputError):
        write_gold([tmp_path / "data.jsonl"], tmp_path / "gold.spacy")
    assert not (tmp_path / "gold.spacy").exists()


# The reader for training.


def test_predicted_has_gold_entities_spans_and_sentences(gold):
    _, example = Corpus(gold)(NLP)
    predicted, reference = example.predicted, example.reference
    assert predicted.text == reference.text
    assert typed(predicted.ents) == typed(reference.ents)
    assert typed(predicted.spans[ENTITIES]) == typed(reference.spans[ENTITIES])
    assert [sent.text for sent in predicted.sents] == [sent.text for sent in reference.sents]


def test_predicted_has_no_relations(gold):
    for example in Corpus(gold)(NLP):
        assert example.predicted._.relations is None
        assert len(example.reference._.relations) > 0


def test_predicted_without_gold_entities(gold):
    for example in Corpus(gold, gold_entities=False)(NLP):
        assert example.predicted.ents == ()
        assert not example.predicted.has_annotation("ENT_IOB")
        assert not example.predicted.has_annotation("SENT_START")
        assert dict(example.predicted.spans) == {}
        assert len(example.reference.ents) > 0


def test_predicted_keeps_items_of_entities(tmp_path):
    path = tmp_path / "data.jsonl"
    path.write_text(json.dumps(sentence(entities=[entity(0, 2, qid="Q1"), entity(3, 4)])), encoding="utf-8")
    write_gold([path], tmp_path / "gold.spacy")
    (example,) = Corpus(tmp_path / "gold.spacy")(NLP)
    assert [span.kb_id_ for span in example.predicted.ents] == ["Q1", ""]


def test_the_reader_can_be_read_again(gold):
    corpus = Corpus(str(gold))
    assert len(list(corpus(NLP))) == len(list(corpus(NLP))) == 2


def test_docs_share_the_vocabulary_of_the_pipeline(gold):
    nlp = spacy.blank("en")
    assert all(example.reference.vocab is nlp.vocab for example in Corpus(gold)(nlp))


def test_a_corpus_without_a_path():
    with pytest.raises(InputError, match=r"--paths\.train"):
        Corpus(None)


def test_a_corpus_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match=r"no file or folder .*missing\.spacy"):
        list(Corpus(tmp_path / "missing.spacy")(NLP))


@pytest.mark.parametrize("data", [b"", b"nonsense"])
def test_a_corpus_that_is_no_docbin(tmp_path, data):
    (tmp_path / "bad.spacy").write_bytes(data)
    with pytest.raises(InputError, match=r"bad\.spacy cannot be read as a DocBin"):
        list(Corpus(tmp_path / "bad.spacy")(NLP))


def test_a_corpus_that_is_cut_off(gold):
    gold.write_bytes(gold.read_bytes()[:-20])
    with pytest.raises(InputError, match=r"gold\.spacy cannot be read as a DocBin"):
        list(Corpus(gold)(NLP))


def test_a_corpus_stored_without_user_data(tmp_path):
    doc = NLP("Ann met Bob.")
    doc._.relations = [Relation(doc[0:1], doc[2:3], "knows")]
    DocBin(docs=[doc]).to_disk(tmp_path / "bare.spacy")
    with pytest.raises(InputError, match=r"bare\.spacy, Doc 1 has no doc\._\.relations.*store_user_data=True"):
        list(Corpus(tmp_path / "bare.spacy")(NLP))


def test_a_corpus_with_one_doc_without_relations(tmp_path):
    asked, not_asked = NLP("Ann met Bob."), NLP("Cid left.")
    asked._.relations = []
    DocBin(docs=[asked, not_asked], store_user_data=True).to_disk(tmp_path / "some.spacy")
    with pytest.raises(InputError, match="Doc 2 has no"):
        list(Corpus(tmp_path / "some.spacy")(NLP))


def test_a_corpus_made_with_a_docbin_by_hand(tmp_path):
    doc = NLP("Ann met Bob.")
    doc._.relations = [Relation(doc[0:1], doc[2:3], "knows")]
    DocBin(docs=[doc], store_user_data=True).to_disk(tmp_path / "hand.spacy")
    (example,) = Corpus(tmp_path / "hand.spacy")(NLP)
    assert get_plain_relations(example.reference) == [(0, 3, 8, 11, "knows", 1.0)]


def test_files_of_version_0_1_are_read(tmp_path):
    doc = NLP("Ann met Bob.")
    doc._.relations = []
    doc.user_data["kgmrca.labelled"] = ["knows"]
    DocBin(docs=[doc], store_user_data=True).to_disk(tmp_path / "gold.spacy")
    (read,) = read_gold(tmp_path / "gold.spacy", Vocab())
    assert exhaustively_annotated(read) == {"knows"}
