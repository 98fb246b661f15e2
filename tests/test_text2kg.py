"""`benchmarks/text2kg.py`: its figures from hand-made triples, its formats, and what it says of broken files."""

import gzip
import importlib
import json
import sys
from pathlib import Path

import pytest
import spacy
from helpers import make_nlp
from spacy.tokens import Span

from kgmrca.relations import set_plain_relations

BENCHMARKS = str(Path(__file__).parents[1] / "benchmarks")

sys.path.insert(0, BENCHMARKS)
text2kg = importlib.import_module("text2kg")
command = importlib.import_module("training").command
sys.path.remove(BENCHMARKS)

Sentence, Triple = text2kg.Sentence, text2kg.Triple

P19 = "http://www.wikidata.org/prop/direct/P19"
BIRTH = Triple("Marie Curie", "place of birth", "Warsaw", P19)
DIRECTOR = Triple("Citizen Kane", "director", "Orson Welles")
ONTOLOGY = {
    "title": "People",
    "id": "ont_people",
    "concepts": [{"qid": "Q5", "label": "human"}, {"qid": "Q515", "label": "city"}],
    "relations": [
        {"pid": "P19", "label": "birth place", "domain": "Q5", "range": "Q515"},
        {"pid": "P569", "label": "date of birth", "domain": "Q5", "range": ""},
    ],
}
CURIE = "Marie Curie was born in Warsaw."
YEAR = "Marie Curie was born in 1867."
FILM = "Orson Welles wrote and directed Citizen Kane."


# Strings and dates.


@pytest.mark.parametrize(
    ("text", "normalised"),
    [
        ("The Loco-Motion", "thelocomotion"),
        ("place_of  birth", "placeofbirth"),
        ("“Mr. T.”", "mrt"),
        ("Łódź\u00a01", "łódź1"),
        ("e\u0301", "é"),
        ("!!!", "!!!"),
    ],
)
def test_strings_are_compared_without_case_punctuation_and_white_space(text, normalised):
    assert text2kg.normalise(text) == normalised


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("01 January 1990", "1990-01-01"),
        ("1 January 1990", "1990-01-01"),
        ("01_January_1990", "1990-01-01"),
        ("January 1, 1990", "1990-01-01"),
        ("Jan. 1st , 1990", "1990-01-01"),
        ("the 2nd of sept 1990", "1990-09-02"),
        ("February 29, 2000", "2000-02-29"),
        ("May 1990", "1990-05"),
        ("June of 1990", "1990-06"),
        ("1990", "1990"),
        ("in 1990", "1990"),
        ("44 BC", "-0043"),
    ],
)
def test_dates_in_english_orders_are_compared_by_value(text, value):
    assert text2kg.string_key(text) == value


@pytest.mark.parametrize(
    "text",
    ["30 February 1990", "1990s", "31", "May", "0 May 1990", "13 1990", "Marchand 1990", "0000", "12 March 987", ""],
)
def test_what_is_no_date_for_sure_is_compared_as_a_string(text):
    assert text2kg.string_key(text) == text2kg.normalise(text) == text2kg.string_key(text, dates=False)


def test_a_year_is_not_its_first_day():
    assert text2kg.string_key("1990") != text2kg.string_key("01 January 1990")


# Triples.


def test_properties_are_compared_by_iri_whatever_their_labels():
    assert text2kg.same_relation(BIRTH, Triple("", "born in", "", P19))
    assert not text2kg.same_relation(BIRTH, Triple("", "place of birth", "", P19 + "9"))


def test_properties_are_compared_by_label_where_one_has_no_iri():
    assert text2kg.same_relation(BIRTH, Triple("", "Place_of_Birth", ""))
    assert not text2kg.same_relation(BIRTH, Triple("", "residence", ""))


def test_direction_matters():
    assert not text2kg.is_among(BIRTH, [Triple("Warsaw", "place of birth", "Marie Curie", P19)])


def test_the_most_certain_are_kept_and_duplicates_are_one():
    low, high, other = (
        Triple("A.", "p", "b", score=0.2),
        Triple("a", "p", "B", score=0.9),
        Triple("c", "p", "d", score=0.5),
    )
    assert text2kg.most_certain([low, other, high]) == [high, other]
    assert text2kg.most_certain([low, other, high], 1) == [high]


# Recall of named triples.


def sentence(text="s", *, gold, predicted=(), entities=()):
    return Sentence(text, list(gold), list(predicted), list(entities))


def test_sentences_with_the_same_text_are_one():
    merged = text2kg.merge_sentences([sentence("a", gold=[BIRTH]), sentence("a", gold=[DIRECTOR, BIRTH])])
    assert merged == [sentence("a", gold=[BIRTH, DIRECTOR])]


def test_recall_is_averaged_over_sentences_not_over_triples():
    half = sentence(gold=[BIRTH, DIRECTOR], predicted=[BIRTH])
    whole = sentence(gold=[BIRTH], predicted=[BIRTH])
    unnamed = sentence(gold=[], predicted=[BIRTH])
    assert text2kg.recalls([half, whole, unnamed]) == [0.5, 1.0]
    assert text2kg.mean_predicted([half, whole, unnamed]) == 1.0


def test_a_limit_keeps_the_most_certain():
    of = sentence(gold=[BIRTH], predicted=[DIRECTOR, Triple("marie curie", "place of birth", "Warsaw", P19, score=0.4)])
    assert text2kg.recalls([of], limit=1) == [0.0]
    assert text2kg.recalls([of], limit=2) == [1.0]
    assert text2kg.mean_predicted([of], limit=1) == 1.0


def test_the_interval_holds_the_mean_and_is_the_same_each_time():
    values = [0.0] * 90 + [1.0] * 10
    low, high = text2kg.interval(values)
    assert 0.03 < low < 0.1 < high < 0.17
    assert text2kg.interval(values) == (low, high)


def test_an_interval_of_equal_values_is_a_point():
    assert text2kg.interval([0.5, 0.5, 0.5]) == (0.5, 0.5)


@pytest.mark.parametrize(
    ("entities", "labels", "reason"),
    [
        (["Marie Curie", "warsaw"], [BIRTH], text2kg.NOT_GIVEN),
        (["Marie Curie", "warsaw"], None, text2kg.NOT_GIVEN),
        (["Warsaw"], [BIRTH], text2kg.NO_SUBJECT),
        (["Marie Curie"], [BIRTH], text2kg.NO_OBJECT),
        (["Marie"], [BIRTH], text2kg.NEITHER),
        (["Marie Curie", "Warsaw"], [DIRECTOR], text2kg.UNKNOWN),
    ],
)
def test_a_miss_has_the_first_reason_that_holds(entities, labels, reason):
    of = sentence(gold=[BIRTH], entities=entities, predicted=[DIRECTOR])
    assert text2kg.lost_at(of, BIRTH, labels=labels, limit=None) == reason


def test_what_is_found_has_no_reason_unless_it_is_beyond_the_limit():
    of = sentence(gold=[DIRECTOR], predicted=[BIRTH, DIRECTOR])
    assert text2kg.lost_at(of, DIRECTOR, labels=[], limit=2) is None
    assert text2kg.lost_at(of, DIRECTOR, labels=[], limit=1) == text2kg.BEYOND


def test_triples_that_only_the_value_of_a_date_finds_are_counted():
    of = sentence(
        gold=[Triple("A", "inception", "01 January 1990"), Triple("A", "end time", "May 1990")],
        predicted=[Triple("A", "inception", "January 1, 1990"), Triple("A", "end time", "May, 1990")],
    )
    assert text2kg.recalls([of]) == [1.0]
    assert text2kg.changed_by_dates([of]) == 1


def test_recall_by_property():
    sentences = [sentence(gold=[BIRTH, DIRECTOR], predicted=[BIRTH]), sentence(gold=[BIRTH])]
    assert text2kg.by_property(sentences) == {"place of birth": (1, 2), "director": (0, 1)}


# The benchmark's figures.


@pytest.fixture
def vocabulary(tmp_path):
    return text2kg.read_vocabulary(written(tmp_path / "ontology.json", ONTOLOGY))


def figures_of(predicted, vocabulary, text=CURIE):
    gold = [Triple("Marie Curie", "birth place", "Warsaw")]
    return text2kg.figures(text2kg.count(sentence(text, gold=gold, predicted=predicted), vocabulary))


def test_a_relation_that_no_gold_triple_has_is_no_error_but_counts_among_all_relations(vocabulary):
    figures = figures_of(
        [Triple("Marie Curie", "birth_place", "Warsaw."), Triple("Marie Curie", "date of birth", "Warsaw")], vocabulary
    )
    assert (figures["precision"], figures["recall"], figures["f1"]) == (1, 1, 1)
    assert figures["precision, all relations"] == 0.5
    assert figures["f1, all relations"] == pytest.approx(2 / 3)


def test_hallucinations_are_shares_of_the_predictions(vocabulary):
    figures = figures_of(
        [
            Triple("Marie Curie", "birth place", "Warsaw"),
            Triple("Pierre Curie", "birth place", "Paris"),
            Triple("Marie Curie", "birth place", "City"),
            Triple("Marie Curie", "spouse", "Pierre Curie"),
        ],
        vocabulary,
    )
    assert figures["precision"] == pytest.approx(1 / 3)
    assert figures["ontology conformance"] == 0.75
    assert figures["relation hallucination"] == 0.25
    assert figures["subject hallucination"] == 0.25
    assert figures["object hallucination"] == 0.5


def test_the_first_of_january_stands_for_its_year(vocabulary):
    figures = figures_of([Triple("Marie Curie", "date of birth", "01 January 1867")], vocabulary, text=YEAR)
    assert figures["object hallucination"] == 0


def test_a_sentence_without_predictions_conforms(vocabulary):
    figures = figures_of([], vocabulary)
    assert (figures["precision"], figures["recall"], figures["f1"]) == (0, 0, 0)
    assert (figures["ontology conformance"], figures["subject hallucination"]) == (1, 0)


def test_figures_are_means_over_sentences_with_those_of_all_triples_beside_them(vocabulary):
    gold = Triple("Marie Curie", "birth place", "Warsaw")
    wrong = [Triple("Marie Curie", "birth place", place) for place in ("Paris", "Rome", "Oslo")]
    scores = text2kg.score(
        [sentence(CURIE, gold=[gold], predicted=[gold]), sentence(CURIE, gold=[gold], predicted=wrong)], vocabulary
    )
    assert scores["mean"]["precision"] == 0.5
    assert scores["together"]["precision"] == 0.25
    assert scores["mean"]["object hallucination"] == 0.5
    assert scores["together"]["object hallucination"] == 0.75


def test_a_prediction_gets_the_ontologys_label_by_property_or_by_label(vocabulary):
    assert vocabulary.named(BIRTH).relation == "birth place"
    assert vocabulary.named(Triple("a", "Date of Birth", "b")).relation == "date of birth"
    assert vocabulary.named(DIRECTOR) is None


# The commands.


def written(path, content):
    """Write JSON, or JSON Lines if it is a list."""
    lines = content if isinstance(content, list) else [content]
    text = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)
    data = text.encode("utf-8")
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def named(identifier, text, subject, predicate, object_):
    tokens = text.replace(".", " .").split()
    entities = []
    for name in (subject, object_):
        start = tokens.index(name.split()[0])
        entities.append({"start": start, "end": start + len(name.split()), "type": "", "text": name})
    relation = {"subject": 0, "object": 1, "predicate": predicate}
    return {"id": identifier, "tokens": tokens, "entities": entities, "relations": [relation]}


DATA = [
    named("1", CURIE, "Marie Curie", "born in", "Warsaw"),
    named("2", FILM, "Citizen Kane", "director", "Orson Welles"),
    named("3", FILM, "Citizen Kane", "screenwriter", "Orson Welles"),
    named("4", "Ann was born in Warsaw.", "Ann", "born in", "Warsaw"),
]
RELATIONS = "relation\twikidata_pid\tlabel\nborn in\tP19\tplace of birth\ndirector\t\tdirector\n"


@pytest.fixture
def data(tmp_path):
    (tmp_path / "relations.tsv").write_text(RELATIONS, encoding="utf-8")
    return written(tmp_path / "dev.jsonl.gz", DATA)


@pytest.fixture
def pipeline(tmp_path):
    make_nlp().to_disk(tmp_path / "cues")
    return str(tmp_path / "cues")


@pytest.fixture
def benchmark(tmp_path):
    """The options that name its three files."""
    texts = [CURIE, YEAR, FILM]
    gold = [
        {"sub": "Marie Curie", "rel": "birth place", "obj": "Warsaw"},
        {"sub": "Marie Curie", "rel": "date of birth", "obj": "01 January 1867"},
        {"sub": "Citizen Kane", "rel": "date of birth", "obj": "Orson Welles"},
    ]
    ids = [f"test_{number}" for number in range(3)]
    ontology = written(tmp_path / "ontology.json", ONTOLOGY)
    test = written(tmp_path / "test.jsonl", [{"id": i, "sent": text} for i, text in zip(ids, texts, strict=True)])
    records = [{"id": i, "sent": t, "triples": [g]} for i, t, g in zip(ids, texts, gold, strict=True)]
    truth = written(tmp_path / "truth.jsonl", records)
    return ["--ontology", ontology, "--test", test, "--ground-truth", truth]


@pytest.fixture
def run(monkeypatch, capsys):
    """Run the command; gives exit status, standard output and standard error."""

    def run_command(*arguments):
        monkeypatch.setattr(sys, "argv", ["text2kg.py", *map(str, arguments)])
        status = 0
        try:
            command(text2kg.main)
        except SystemExit as stopped:
            status = stopped.code
        return status, *capsys.readouterr()

    return run_command


def test_named_triples_are_read_with_their_properties(data):
    first, film, _ = text2kg.read_named(data)
    assert first == sentence(CURIE, gold=[BIRTH])
    assert film.gold == [DIRECTOR, Triple("Citizen Kane", "screenwriter", "Orson Welles")]


def test_the_ends_of_a_triple_are_names_of_entities_and_not_the_mentions_that_the_score_rests_on():
    doc = spacy.blank("en")("Marie Curie sang. She was born in Warsaw, Curie said.")
    doc.set_ents([Span(doc, 0, 2, "PER"), Span(doc, 8, 9, "LOC"), Span(doc, 10, 11, "PER")])
    doc.spans["coref_clusters_1"] = [doc[0:2], doc[4:5], doc[10:11]]
    she, warsaw, curie = doc[4:5], doc[8:9], doc[10:11]
    born = (warsaw.start_char, warsaw.end_char, "place of birth", 0.5)
    set_plain_relations(doc, [(end.start_char, end.end_char, *born) for end in (she, curie)])
    assert text2kg.predicted_triples(doc) == [Triple("Marie Curie", "place of birth", "Warsaw", P19, 0.5)] * 2


def test_recall_of_a_pipeline(data, pipeline, run, tmp_path):
    status, output, _ = run("--data", data, "--pipeline", pipeline, "--per-label", "-o", tmp_path / "out.json")
    result = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert status == 0
    assert result["sentences"] == 3
    assert [row["limit"] for row in result["by limit"]] == [1, 2, 3, None]
    assert [row["recall"] for row in result["by limit"]] == pytest.approx([0.5, 2 / 3, 2 / 3, 2 / 3])
    assert [row["predicted"] for row in result["by limit"]] == pytest.approx([2 / 3, 1, 1, 1])
    assert result["lost"][text2kg.NO_SUBJECT] == 1
    assert result["by property"]["place of birth"] == {"found": 1, "named": 2}
    assert "unlimited" in output


def test_predictions_of_relations_that_the_data_does_not_have_are_left_out(data, pipeline, run, tmp_path):
    facts = [[fact for fact in line["relations"] if fact["predicate"] != "screenwriter"] for line in DATA]
    path = written(tmp_path / "few.jsonl", [line | {"relations": kept} for line, kept in zip(DATA, facts, strict=True)])
    counts = []
    for more in ([], ["--all-relations"]):
        run("--data", path, "--pipeline", pipeline, *more, "-o", tmp_path / "out.json")
        counts.append(json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))["by limit"][-1]["predicted"])
    assert counts == pytest.approx([2 / 3, 1])


def test_a_threshold_is_passed_on(data, pipeline, run, tmp_path):
    run("--data", data, "--pipeline", pipeline, "--threshold", 0.72, "-o", tmp_path / "out.json")
    result = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert result["threshold"] == "0.72"
    assert result["by property"]["director"] == {"found": 0, "named": 1}
    assert result["lost"][text2kg.NOT_GIVEN] == 1


def test_the_limit_counts_where_triples_are_lost(data, pipeline, run, tmp_path):
    run("--data", data, "--pipeline", pipeline, "--limit", 1, "-o", tmp_path / "out.json")
    assert json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))["lost"][text2kg.BEYOND] == 1


def test_a_pipeline_keeps_the_relations_of_the_ontology(benchmark, pipeline, run, tmp_path):
    status, output, _ = run(*benchmark, "--pipeline", pipeline, "-o", tmp_path / "out.json")
    result = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert status == 0
    assert "relations that the ontology has" in output
    assert result["kept"] == "relations that the ontology has"
    assert result["predicted a sentence"] == pytest.approx(2 / 3)
    assert result["mean"]["recall"] == pytest.approx(1 / 3)
    assert result["mean"]["ontology conformance"] == 1


def test_all_relations_can_be_kept(benchmark, pipeline, run, tmp_path):
    run(*benchmark, "--pipeline", pipeline, "--all-relations", "-o", tmp_path / "out.json")
    result = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert result["kept"] == "all relations"
    assert result["mean"]["relation hallucination"] == pytest.approx(1 / 3)
    assert result["together"]["relation hallucination"] == 0.5


def test_predictions_of_another_system_are_scored(benchmark, run, tmp_path):
    predictions = [
        {"id": "test_0", "triples": [["Marie Curie", "birth_place", "Warsaw"]]},
        {"id": "test_1", "triples": [{"sub": "Marie Curie", "rel": "date of birth", "obj": "1 January 1867"}]},
        {"id": "other", "triples": []},
    ]
    path = written(tmp_path / "predictions.jsonl", predictions)
    status, output, _ = run(*benchmark, "--predictions", path, "-o", tmp_path / "out.json")
    result = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert status == 0
    assert "no line for 1 of the sentences, 1 lines for others" in output
    assert result["found by the value of a date"] == 1
    assert result["mean"]["f1"] == pytest.approx(2 / 3)
    assert result["sentences without predictions"] == 1


# What cannot be used.


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "not JSON"),
        ("[]", "not a JSON object"),
        ({"triples": []}, "the key 'id' is missing"),
        ({"id": 1.5, "triples": []}, "'id' is neither text nor an integer"),
        ({"id": "test_0", "triples": []}, "the id 'test_0' is there twice"),
        ({"id": "a"}, "the key 'triples' is missing"),
        ({"id": "a", "triples": {}}, "'triples' is not a list"),
        ({"id": "a", "triples": [{"sub": "a", "rel": "b"}]}, "triple 1 is not three texts"),
        ({"id": "a", "triples": [["a", "b", "c"], ["a", "b", 3]]}, "triple 2 is not three texts"),
    ],
)
def test_a_broken_line_is_named(benchmark, run, tmp_path, line, reason):
    path = written(tmp_path / "predictions.jsonl", [{"id": "test_0", "triples": []}, "", line])
    status, output, message = run(*benchmark, "--predictions", path)
    assert (status, output) == (2, "")
    assert message.startswith(f"{path}, line 3: {reason}")
    assert message.count("\n") == 1


def test_a_line_that_is_not_utf8_is_named(benchmark, run, tmp_path):
    path = tmp_path / "predictions.jsonl"
    path.write_bytes(b'{"id": "a", "triples": []}\n{"id": "\xff"}\n')
    status, _, message = run(*benchmark, "--predictions", path)
    assert status == 2
    assert message.startswith(f"{path}, line 2: 'utf-8' codec")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ({"id": "a"}, "the key 'sent' is missing"),
        ({"id": "a", "sent": 1}, "'sent' is not text"),
        ('{"id": "a", "sent": "\\ud800"}', "'utf-8' codec"),
    ],
)
def test_a_broken_sentence_is_named(benchmark, run, line, reason):
    written(benchmark[3], [line])
    status, _, message = run(*benchmark)
    assert status == 2
    assert message.startswith(f"{benchmark[3]}, line 1: {reason}")


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ([], "there is no line in it"),
        ([{"id": "z", "triples": [["a", "b", "c"]]}], "there is no sentence with the id 'z'"),
        ([{"id": "test_0", "triples": []}], "'test_0' has no triples"),
    ],
)
def test_a_ground_truth_that_cannot_be_scored_against_is_refused(benchmark, run, lines, reason):
    written(benchmark[5], lines)
    status, _, message = run(*benchmark)
    assert status == 2
    assert message.startswith(f"{benchmark[5]}: {reason}")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{\n{", ", line 2: not JSON"),
        ("[]", ": not an ontology of the benchmark: the list 'concepts' is missing"),
        ({"concepts": [], "relations": 1}, ": not an ontology of the benchmark: the list 'relations' is missing"),
        ({"concepts": [{"label": "a"}, {}], "relations": []}, ": number 2 of 'concepts' has no 'label'"),
    ],
)
def test_a_broken_ontology_is_named(benchmark, run, content, reason):
    written(benchmark[1], content)
    status, _, message = run(*benchmark)
    assert status == 2
    assert message.startswith(f"{benchmark[1]}{reason}")


@pytest.mark.parametrize(
    ("table", "reason"),
    [("name\nborn in\n", "line 1: the column 'relation'"), ("relation\twikidata_pid\nborn in\tQ5\n", "line 2: 'Q5'")],
)
def test_a_broken_table_of_relations_is_named(data, run, table, reason):
    (data.parent / "relations.tsv").write_text(table, encoding="utf-8")
    status, _, message = run("--data", data)
    assert status == 2
    assert message.startswith(f"{data.parent / 'relations.tsv'}, {reason}")


def test_a_broken_record_is_named(data, run):
    written(data, [*DATA, {"id": "5", "tokens": ["a"]}])
    status, _, message = run("--data", data)
    assert status == 2
    assert message.startswith(f"{data}, record 5: the key 'entities' is missing")


def test_data_that_names_no_triple_is_refused(data, run):
    written(data, [{**DATA[0], "relations": []}])
    status, _, message = run("--data", data)
    assert (status, message) == (2, f"{data}: no sentence names a triple.\n")


def test_a_pipeline_that_is_not_there_is_one_line(data, run):
    status, _, message = run("--data", data, "--pipeline", "no_such_pipeline")
    assert status == 2
    assert message.startswith("The pipeline 'no_such_pipeline' cannot be loaded")


def test_a_pipeline_without_relations_is_refused(data, run, tmp_path):
    import spacy

    spacy.blank("en").to_disk(tmp_path / "blank")
    status, _, message = run("--data", data, "--pipeline", tmp_path / "blank")
    assert status == 2
    assert "finds relations" in message


def test_a_missing_file_is_one_line(benchmark, run, tmp_path):
    status, _, message = run(*benchmark, "--predictions", tmp_path / "none.jsonl")
    assert status == 2
    assert message.startswith(f"{tmp_path / 'none.jsonl'} cannot be read")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "Name either --data"),
        (["--ontology", "a"], "Name either --data"),
        (["--data", "a", "--test", "b"], "--data goes without"),
        (["--data", "a", "--limit", "0"], "--limit is at least 1"),
        (["--data", "a", "-o", "no/such/folder/out.json"], "There is no folder"),
        (["--ontology", "a", "--test", "b", "--ground-truth", "c", "--per-label"], "--per-label goes with --data"),
        (
            ["--ontology", "a", "--test", "b", "--ground-truth", "c", "--predictions", "d", "--limit", "1"],
            "--predictions are scored as they are",
        ),
    ],
)
def test_options_that_make_no_sense_together_are_refused(run, arguments, reason):
    status, _, message = run(*arguments)
    assert status == 2
    assert message.startswith(reason)
