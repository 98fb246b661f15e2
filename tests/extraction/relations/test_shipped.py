"""The pipeline that ships with the package: it works at once, and holds nothing that it should not."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import spacy

import kgmrca
from kgmrca.errors import InputError, ModelError
from kgmrca.extraction.relations.component import relation_pipe
from kgmrca.ontology import load_ontology
from kgmrca.relations import get_plain_relations
from kgmrca.resources import SHIPPED, resource

MAX_BYTES = 30_000_000
NOT_PICKLE = {"", ".json", ".jsonl", ".cfg", ".safetensors", ".bin", ".txt", ".md", ".tsv", ".png"}
EASY = "Marie Curie was born in Warsaw."
TEXTS = [
    EASY,
    "",
    "Orson Welles wrote and directed Citizen Kane. He was born in Kenosha, Wisconsin, and died in Los Angeles.",
    "No names here.",
    "The Danube flows through Vienna, the capital of Austria, and Budapest, the capital of Hungary.",
]


@pytest.fixture(scope="module")
def shipped():
    return kgmrca.load()


@pytest.fixture
def nlp():
    """The component on entities that somebody else found."""
    nlp = spacy.blank("en")
    ruler = nlp.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": "PERSON", "pattern": "Marie Curie"}, {"label": "GPE", "pattern": "Warsaw"}])
    nlp.add_pipe("mrca_relations")
    return nlp


def files():
    return [path for path in resource(f"pipelines/{SHIPPED}").rglob("*") if path.is_file()]


def meta():
    return json.loads((resource(f"pipelines/{SHIPPED}") / "meta.json").read_text(encoding="utf-8"))


def pairs(doc):
    return {(relation.subject.text, relation.object.text) for relation in doc._.relations}


def test_it_sets_sentences_entities_and_relations(shipped):
    doc = shipped(TEXTS[2])
    assert len(list(doc.sents)) == 2
    assert "Orson Welles" in [span.text for span in doc.ents]
    assert len(doc._.relations) > 0


def test_it_finds_an_easy_relation(shipped):
    assert ("Marie Curie", "Warsaw") in pairs(shipped(EASY))


def test_the_component_works_at_once_on_entities_of_another_kind(nlp):
    assert ("Marie Curie", "Warsaw") in pairs(nlp(EASY))


def test_nothing_is_wrong_with_the_pipeline(shipped):
    assert not any(shipped.analyze_pipes()["problems"].values())


def test_every_label_has_a_predicate(shipped):
    labels = shipped.get_pipe("mrca_relations").labels
    assert len(labels) > 0
    assert set(labels) <= set(load_ontology().predicates)


def test_batch_and_single_calls_agree(shipped):
    batch, single = list(shipped.pipe(TEXTS)), [shipped(text) for text in TEXTS]
    for one, other in zip(batch, single, strict=True):
        assert [record[:5] for record in get_plain_relations(one)] == [
            record[:5] for record in get_plain_relations(other)
        ]
        assert [record[5] for record in get_plain_relations(one)] == pytest.approx(
            [record[5] for record in get_plain_relations(other)], abs=1.1e-4
        )


def test_the_component_in_the_pipeline_is_the_one_that_is_added(shipped, nlp):
    assert shipped.get_pipe("mrca_relations").digest() == nlp.get_pipe("mrca_relations").digest()


def test_its_weights_survive_initialising(nlp):
    expected = get_plain_relations(nlp(EASY))
    pipe, ruler = nlp.get_pipe("mrca_relations"), nlp.get_pipe("entity_ruler")
    digest, patterns = pipe.digest(), ruler.patterns
    nlp.initialize()
    ruler.add_patterns(patterns)  # spaCy's ruler forgets its own
    assert pipe.digest() == digest
    assert get_plain_relations(nlp(EASY)) == expected


def test_the_whole_pipeline_survives_initialising(tmp_path):
    nlp = kgmrca.load()
    expected = get_plain_relations(nlp(EASY))
    nlp.initialize()
    assert get_plain_relations(nlp(EASY)) == expected
    nlp.to_disk(tmp_path)
    copy = spacy.load(tmp_path)
    copy.initialize()
    assert get_plain_relations(copy(EASY)) == expected


def test_without_its_recognizer_it_is_initialised_as_well():
    nlp = kgmrca.load(exclude="mrca_entities")
    nlp.initialize()
    assert nlp.pipe_names == ["mrca_sentences", "coreference", "mrca_relations"]


def test_its_weights_survive_assembling(nlp, tmp_path):
    nlp.select_pipes(enable=["entity_ruler"])
    nlp.remove_pipe("mrca_relations")
    nlp.to_disk(tmp_path / "entities")
    (tmp_path / "config.cfg").write_text(
        '[nlp]\nlang = "en"\npipeline = ["entity_ruler", "mrca_relations"]\n[components]\n'
        f'[components.entity_ruler]\nsource = "{(tmp_path / "entities").as_posix()}"\n'
        '[components.mrca_relations]\nfactory = "mrca_relations"\n',
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "spacy", "assemble", tmp_path / "config.cfg", tmp_path / "out"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert ("Marie Curie", "Warsaw") in pairs(spacy.load(tmp_path / "out")(EASY))


def test_saved_and_loaded_it_gives_the_same(shipped, tmp_path):
    shipped.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    assert [get_plain_relations(doc) for doc in loaded.pipe(TEXTS)] == [
        get_plain_relations(doc) for doc in shipped.pipe(TEXTS)
    ]


# What people try.


def labels(nlp):
    return [relation.label for relation in nlp(EASY)._.relations]


def test_it_has_a_name(shipped):
    assert labels(kgmrca.load("en_kgmrca_sm")) == labels(shipped)


@pytest.mark.parametrize("kind", [str, Path])
def test_another_pipeline_is_loaded_from_its_folder(shipped, tmp_path, kind):
    shipped.to_disk(tmp_path / "pipeline")
    assert labels(kgmrca.load(kind(tmp_path / "pipeline"))) == labels(shipped)


@pytest.mark.parametrize("threshold", [0.125, "precise", {"place of birth": 0.5}])
def test_it_is_loaded_with_a_threshold(tmp_path, threshold):
    nlp = kgmrca.load(threshold=threshold)
    assert nlp.get_pipe("mrca_relations").threshold == threshold
    nlp.to_disk(tmp_path)
    assert spacy.load(tmp_path).get_pipe("mrca_relations").threshold == threshold


@pytest.mark.parametrize("threshold", [2, "sure", {"no such label": 0.5}, True, {"residence": False}, float("nan")])
def test_what_is_no_threshold_is_refused(threshold):
    with pytest.raises(InputError, match=r"threshold"):
        kgmrca.load(threshold=threshold)


def test_a_component_that_is_disabled_has_the_threshold_when_it_is_enabled():
    nlp = kgmrca.load(disable=["mrca_relations"], threshold="precise")
    with pytest.raises(ModelError, match=r"'mrca_relations' of the pipeline is disabled: nlp\.enable_pipe"):
        relation_pipe(nlp)
    nlp.enable_pipe("mrca_relations")
    assert relation_pipe(nlp)[1].threshold == "precise"


def test_a_pipeline_without_a_name_is_refused():
    with pytest.raises(InputError, match="not ''"):
        kgmrca.load("")


def test_it_is_loaded_with_a_scope(tmp_path):
    nlp = kgmrca.load(scope="sentence")
    assert nlp.get_pipe("mrca_relations").scope == "sentence"
    assert nlp.get_pipe_config("mrca_relations")["scope"] == "sentence"
    with pytest.raises(InputError, match="The scope is one of document, sentence, not 'paragraph'"):
        kgmrca.load(scope="paragraph")


@pytest.mark.parametrize("factory", ["mrca_relations", "mrca_entities", "coreference"])
def test_weights_that_do_not_ship_are_refused_with_those_that_do(factory):
    nlp = spacy.blank("en")
    known = nlp.get_factory_meta(factory).default_config["pretrained"]
    with pytest.raises(InputError, match=f"No weights ship under the name 'nosuch': pretrained is '{known}'"):
        nlp.add_pipe(factory, config={"pretrained": "nosuch"})


def test_a_threshold_for_a_pipeline_without_relations():
    with pytest.raises(ModelError, match="no component 'mrca_relations'"):
        kgmrca.load(exclude="mrca_relations", threshold=0.5)


@pytest.mark.parametrize(
    ("options", "names", "disabled"),
    [
        ({"exclude": "coreference"}, ["mrca_sentences", "mrca_entities", "mrca_relations"], []),
        ({"exclude": ["mrca_sentences", "mrca_entities", "coreference"]}, ["mrca_relations"], []),
        (
            {"disable": ["coreference"]},
            ["mrca_sentences", "mrca_entities", "mrca_relations"],
            ["coreference"],
        ),
        (
            {"enable": ["mrca_entities"]},
            ["mrca_entities"],
            ["mrca_sentences", "coreference", "mrca_relations"],
        ),
    ],
)
def test_it_is_loaded_in_part(options, names, disabled):
    nlp = kgmrca.load(**options)
    assert (nlp.pipe_names, nlp.disabled) == (names, disabled)


def test_it_is_loaded_with_other_settings():
    nlp = kgmrca.load(config={"components.mrca_relations.batch_size": 7}, vocab=spacy.blank("en").vocab)
    assert nlp.get_pipe("mrca_relations").batch_size == 7


def test_a_pipeline_that_is_not_there():
    with pytest.raises(OSError, match="no_such_pipeline"):
        kgmrca.load("no_such_pipeline")


def test_it_is_small():
    assert 0 < sum(path.stat().st_size for path in files()) <= MAX_BYTES


def test_it_keeps_no_words_of_what_it_was_trained_on():
    strings = json.loads((resource(f"pipelines/{SHIPPED}") / "vocab" / "strings.json").read_text(encoding="utf-8"))
    assert len(strings) < 2000  # the tokenizer's exceptions and the labels
    assert not {"Warsaw", "Wikipedia", "Q42"} & set(strings)


def test_there_are_no_pickles():
    assert {path.suffix for path in files()} <= NOT_PICKLE
    starts = {bytes([0x80, protocol]) for protocol in range(2, 6)}
    assert [path.name for path in files() if path.read_bytes()[:2] in starts] == []


def test_the_licence_is_stated():
    assert "CC-BY-SA-4.0" in meta()["license"].replace(" ", "-")
    assert (resource(f"pipelines/{SHIPPED}") / "LICENSE").is_file()


def test_it_runs_with_this_spacy(shipped):
    assert spacy.util.is_compatible_version(spacy.__version__, meta()["spacy_version"])
    assert meta()["requirements"] == [] or any("kgmrca" in name for name in meta()["requirements"])


def facts_of(nlp, text):
    """Subject, label and object of what is found, by the names of the entities."""
    relations = nlp(text)._.relations
    return {(r.subject._.entity.name, r.label, r.object._.entity.name) for r in relations}


BORN = ("Johan Krag", "place of birth", "Uppsala")
MARRIED = ("Johan Krag", "spouse", "Anna Lind")


@pytest.mark.parametrize(
    "text",
    [
        "The hoax that Johan Krag was born in Uppsala fooled three newspapers.",
        "Johan Krag lied that he was born in Uppsala.",
        "Johan Krag wished he had been born in Uppsala.",
        "Johan Krag was born in Uppsala. That is not true.",
        "Johan Krag was not born in Uppsala. He left Uppsala in 1990.",
        "Contrary to the belief that Johan Krag was born in Uppsala, he came from Malmö.",
        "Julia Kern almost married Peter Hahn in 1912.",
        "Were Julia Kern married to Peter Hahn, she would be rich.",
        '"Johan Krag was born in Uppsala" is a lie.',
        "Johan Krag was born in Uppsala? No.",
        "Hardly anyone thinks Johan Krag was born in Uppsala.",
        "Some papers wrote that Sofia Lange was married to Max Adler. Lange denies this.",
    ],
)
def test_what_is_denied_is_no_fact(shipped, text):
    said = {(label, object_) for _, label, object_ in facts_of(shipped, text)} - {("place of birth", "Malmö")}
    assert {label for label, _ in said}.isdisjoint({"place of birth", "spouse"})


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("Not only was Johan Krag born in Uppsala, he also died there.", BORN),
        ("It is not surprising that Johan Krag was born in Uppsala.", BORN),
        ("Johan Krag was born in Uppsala. He denied that he had stolen the money.", BORN),
        ("Johan Krag never worked in Uppsala. He was born in Uppsala.", BORN),
        ("There is no question that Johan Krag was born in Uppsala.", BORN),
        ("Johan Krag refused to speak about his wife, Anna Lind.", MARRIED),
        ("No sooner had Johan Krag married Anna Lind than the war began.", MARRIED),
        ("Johan Krag was not married to Anna Lind until 1920.", MARRIED),
        ("Some say Johan Krag was never married to Anna Lind. In fact, Johan Krag married Anna Lind in 1920.", MARRIED),
    ],
)
def test_what_is_stated_is_a_fact_whatever_else_is_denied(shipped, text, fact):
    assert fact in facts_of(shipped, text)


def test_the_mentions_of_a_fact_are_those_that_state_it(shipped):
    text = "Some say Johan Krag was never married to Anna Lind. In fact, Johan Krag married Anna Lind in 1920."
    married = [relation for relation in shipped(text)._.relations if relation.label == "spouse"]
    assert married
    assert all(relation.evidence[0].text.startswith("In fact") for relation in married)


def test_a_symmetric_relation_is_given_in_both_directions(shipped):
    relations = shipped("Anton Graff married Maria Merian.", component_cfg={"mrca_relations": {"threshold": "precise"}})
    spouses = [relation for relation in relations._.relations if relation.label == "spouse"]
    assert {(one.subject.text, one.object.text) for one in spouses} == {
        ("Anton Graff", "Maria Merian"),
        ("Maria Merian", "Anton Graff"),
    }
    assert len({one.score for one in spouses}) == 1


def test_a_person_is_born_in_one_place(shipped):
    text = "Ann Baker (born 1960 in Toronto), Luis Ortega (born 1971 in Madrid), Kofi Mensah (born 1980 in Accra)."
    places = {(subject, place) for subject, label, place in facts_of(shipped, text) if label == "place of birth"}
    assert places == {("Ann Baker", "Toronto"), ("Luis Ortega", "Madrid"), ("Kofi Mensah", "Accra")}


def test_cues_are_english(shipped):
    other = spacy.blank("de")
    other.add_pipe("entity_ruler").add_patterns(
        [{"label": "PER", "pattern": "Johan Krag"}, {"label": "LOC", "pattern": "Uppsala"}]
    )
    other.add_pipe("mrca_relations", config={"threshold": 0.0})
    relations = other("Johan Krag was not born in Uppsala.")._.relations
    assert ("Johan Krag", "place of birth", "Uppsala") in {(r.subject.text, r.label, r.object.text) for r in relations}
