"""The facts of `wikidata.ttl` as another Wikibase has them, and links as people write them."""

import json
from types import SimpleNamespace

import pytest
from graphs import KGMRCA, WD, WDT, link, statement, write_graph
from pyoxigraph import Literal, NamedNode, RdfFormat, Triple, parse
from server import WIKIDATA, oxigraph
from typer.testing import CliRunner

from kgmrca.cli import app
from kgmrca.errors import InputError
from kgmrca.triples.items import link_in, named_item, other_link, property_id
from kgmrca.wikidata.lookups import Lookups
from kgmrca.wikidata.sparql import open_endpoint
from kgmrca.wikidata.wikibase import WIKIDATA as THE_REAL_ONE
from kgmrca.wikidata.wikibase import OtherWikibase, Wikibase, found_in

KB = "https://kb.example/"
ENTITY = "urn:kgmrca:entity/a"


def to_kb(text):
    return text.replace("http://www.wikidata.org/", KB)


@pytest.fixture(scope="module")
def kb(tmp_path_factory):
    path = tmp_path_factory.mktemp("kb") / "kb.ttl"
    path.write_text(to_kb(WIKIDATA.read_text(encoding="utf-8")), encoding="utf-8")
    return path


@pytest.fixture
def graph(tmp_path):
    stated = [("P19", "Q270"), ("P19", "Q90"), ("P26", "Q37463"), ("P40", "Q270")]
    named = [statement("Q7186", name, item, number=number) for number, (name, item) in enumerate(stated)]
    path = write_graph(tmp_path / "graph.nt", *named)
    path.write_text(to_kb(path.read_text()))
    return path


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))

    def run_command(*arguments, code=0):
        result = CliRunner().invoke(app, [str(one) for one in arguments])
        assert result.exit_code == code, result.output
        return result

    return run_command


def triples_of(path):
    return [(quad.subject, quad.predicate, quad.object) for quad in parse(path=str(path), format=RdfFormat.TURTLE)]


def verdicts_of(path):
    return [json.loads(line)["verdict"] for line in path.read_text().splitlines()]


@pytest.mark.parametrize(
    "iri",
    [
        "https://kb.example/entity/",
        "https://kb.example/entity",
        "https://kb.example/",
        "https://kb.example",
        "https://kb.example/entity/Q42",
    ],
)
def test_a_wikibase_is_named_by_any_form_of_its_iri(iri):
    assert Wikibase(iri).entity == "https://kb.example/entity/"


@pytest.mark.parametrize("iri", ["", "kb.example", "ftp://kb.example/", "https://", "https://a b/", "Q42"])
def test_what_is_no_wikibase_is_refused(iri):
    with pytest.raises(InputError, match="Wikibase"):
        Wikibase(iri)


@pytest.mark.parametrize("iri", ["http://www.wikidata.org/entity/", "https://www.wikidata.org", "http://wikidata.org/"])
def test_wikidata_is_no_other(iri):
    assert Wikibase(iri).is_wikidata


@pytest.mark.parametrize(
    "rest",
    ["entity/Q1", "entity/statement/Q1-a", "prop/direct/P19", "prop/qualifier/value/P580", "value/a", "wiki/Item:Q1"],
)
def test_iris_change_places(rest):
    other = Wikibase(KB)
    assert other.exchanged(KB + rest) == f"http://www.wikidata.org/{rest}"
    assert other.exchanged(f"http://www.wikidata.org/{rest}") == KB + rest
    assert other.exchanged(f"http://kb.example/{rest}") == f"http://www.wikidata.org/{rest}"
    assert THE_REAL_ONE.exchanged(KB + rest) == KB + rest


@pytest.mark.parametrize(
    "iri", ["https://kb.example/wiki/Curie", "https://kb.example/docs/1", "https://kb.example.org/entity/Q1"]
)
def test_other_iris_stay(iri):
    assert Wikibase(KB).exchanged(iri) == iri


def test_calendars_and_units_of_another_wikibase_may_be_wikidatas():
    calendar, item = NamedNode(f"{WD}Q1985786"), NamedNode(f"{KB}entity/Q5")
    endpoint = SimpleNamespace(name="kb", select=lambda query: [{"calendar": calendar, "unit": item, "object": item}])
    (row,) = OtherWikibase(endpoint, Wikibase(KB)).select("")
    assert row == {"calendar": calendar, "unit": NamedNode(f"{WD}Q5"), "object": NamedNode(f"{WD}Q5")}


@pytest.mark.parametrize("told", [[], ["--wikibase", KB]])
def test_check_compares_with_another_wikibase(run, kb, graph, tmp_path, told):
    out, lines = tmp_path / "checks.ttl", tmp_path / "checks.jsonl"
    run("check", graph, "--endpoint", kb, "-o", out, "--jsonl", lines, *told)
    of_wikidata = tmp_path / "same.nt"
    of_wikidata.write_text(graph.read_text().replace(KB, "http://www.wikidata.org/"))
    run("check", of_wikidata, "--endpoint", WIKIDATA, "--jsonl", tmp_path / "same.jsonl")
    assert verdicts_of(lines) == verdicts_of(tmp_path / "same.jsonl")
    assert verdicts_of(lines)[:3] == ["confirmed", "deprecated", "confirmed"]
    row = json.loads(lines.read_text().splitlines()[0])
    assert row["subject"] == f"{KB}entity/Q7186"
    assert row["basis"] == f"{KB}entity/statement/Q7186-P19-1"
    assert not [triple for triple in triples_of(out) if "www.wikidata.org" in str(triple)]
    bases = [object_ for _, predicate, object_ in triples_of(out) if predicate == NamedNode(f"{KGMRCA}basis")]
    assert NamedNode(f"{KB}entity/statement/Q7186-P19-1") in bases


@pytest.mark.parametrize("about", [KB, "http://www.wikidata.org/"])
def test_the_wrong_wikibase_is_told(run, kb, graph, tmp_path, about):
    path, other = tmp_path / "about.nt", "https://other.example/entity/"
    path.write_text(graph.read_text().replace(KB, about))
    told = run("check", path, "--endpoint", kb, "--wikibase", other, "--jsonl", tmp_path / "out.jsonl", code=1).stderr
    assert f"the graphs are about {about}entity/, and not about {other}: name the first with --wikibase" in told
    assert "run kgmrca link first" not in told


def test_a_real_server_has_it_too(run, kb, graph, tmp_path):
    with oxigraph(tmp_path / "store", kb) as url:
        run("check", graph, "--endpoint", url, "--jsonl", tmp_path / "out.jsonl")
    assert verdicts_of(tmp_path / "out.jsonl")[:3] == ["confirmed", "deprecated", "confirmed"]


def test_wikidatas_items_are_not_those_of_the_other(run, kb, tmp_path):
    path = write_graph(tmp_path / "g.nt", statement("Q7186", f"{KB}prop/direct/P19", f"{KB}entity/Q270"))
    run("check", path, "--endpoint", kb, "--wikibase", KB, "--jsonl", tmp_path / "out.jsonl")
    assert verdicts_of(tmp_path / "out.jsonl") == ["unlinked"]


def test_link_finds_whose_items_they_are(run, kb, tmp_path):
    named = [
        Triple(NamedNode(ENTITY), NamedNode("http://www.w3.org/2000/01/rdf-schema#label"), Literal("Marie Curie")),
        Triple(NamedNode(ENTITY), NamedNode(f"{KGMRCA}entityType"), Literal("PER")),
    ]
    path, out, again = write_graph(tmp_path / "g.nt", *named), tmp_path / "linked.ttl", tmp_path / "again.ttl"
    assert f"{KB}entity/" in run("link", path, "--endpoint", kb, "-o", out).stderr
    assert (NamedNode(ENTITY), NamedNode(f"{KGMRCA}item"), NamedNode(f"{KB}entity/Q7186")) in triples_of(out)
    run("link", out, "--endpoint", kb, "--wikibase", KB, "-o", again)  # the links of the first run are replaced
    about_links = [triple for triple in triples_of(again) if "link" in str(triple) or "entity" in str(triple)]
    assert about_links == [triple for triple in triples_of(out) if triple in about_links]


def test_enrich_fetches_from_another_wikibase(run, kb, tmp_path):
    path = write_graph(tmp_path / "g.nt", link(ENTITY, "Q7186"))
    path.write_text(to_kb(path.read_text()))
    out = tmp_path / "claims.ttl"
    run("enrich", path, "--endpoint", kb, "--properties", "P19", "--languages", "en", "-o", out)
    stated = [triple for triple in triples_of(out) if str(triple[2]).endswith("entity/Q270>")]
    assert [object_ for _, _, object_ in stated] == [NamedNode(f"{KB}entity/Q270")]
    assert not [triple for triple in triples_of(out) if "www.wikidata.org" in str(triple)]


@pytest.mark.parametrize("told", [[], ["--wikibase", KB]])
def test_diff_lists_what_is_new_to_another_wikibase(run, kb, graph, tmp_path, told):
    checks, table = tmp_path / "checks.ttl", tmp_path / "new.tsv"
    run("check", graph, "--endpoint", kb, "-o", checks)
    run("diff", graph, checks, "--conflicts", "-o", table, *told)
    assert "Q7186\tP40" in table.read_text().replace("child\t", "") or "P40" in table.read_text()


def test_a_public_preset_is_never_taken_for_another_wikibase(graph):
    with Lookups(open_endpoint("wikidata", offline=True), cache=None, offline=True) as lookups:
        assert not lookups.find_wikibase(lambda: pytest.fail("asked"))


@pytest.fixture
def converted(run, kb, tmp_path):
    """A graph with predicates of Wikidata, as `kgmrca convert` writes it, linked to items of another Wikibase."""
    path = write_graph(tmp_path / "converted.nt", statement("urn:curie", "P19", "urn:warsaw"))
    links = [("urn:curie", "Q7186"), ("urn:warsaw", "Q270")]
    lines = [f"<{entity}> <{KGMRCA}item> <{KB}entity/{item}> .\n" for entity, item in links]
    path.write_text(path.read_text() + "".join(lines))
    return path


@pytest.mark.parametrize("told", [[], ["--wikibase", KB]])
def test_predicates_of_wikidata_are_those_of_the_same_property(run, kb, converted, tmp_path, told):
    checks, table = tmp_path / "checks.ttl", tmp_path / "list.tsv"
    run("check", converted, "--endpoint", kb, "-o", checks, "--jsonl", tmp_path / "out.jsonl", *told)
    row = json.loads((tmp_path / "out.jsonl").read_text())
    assert (row["verdict"], row["predicate"]) == ("confirmed", f"{KB}prop/direct/P19")
    assert row["basis"] == f"{KB}entity/statement/Q7186-P19-1"
    said = run("enrich", converted, "--endpoint", kb, "--properties", "P19", "-o", tmp_path / "facts.ttl", *told).stderr
    assert "1 claim and 0 labels of 2 items" in said
    changed = converted.read_text().replace(f"{KB}entity/Q270", f"{KB}entity/Q142")
    converted.write_text(changed)
    run("check", converted, "--endpoint", kb, "-o", checks, *told)
    assert "1 conflict" in run("diff", converted, checks, "--conflicts", "-o", table, *told).stderr
    assert "\tP19\t" in table.read_text()


@pytest.mark.parametrize("told", [[], ["--wikibase", KB]])
def test_a_property_with_the_id_of_another_is_not_taken_for_it(run, kb, converted, tmp_path, told):
    other = tmp_path / "other.ttl"
    other.write_text(kb.read_text().replace('"place of birth"@en', '"shelf mark"@en'))
    said = run("check", converted, "--endpoint", other, "--jsonl", tmp_path / "out.jsonl", *told, code=1).stderr
    assert verdicts_of(tmp_path / "out.jsonl") == ["unmapped"]
    assert f"nothing was compared: no predicate is one of {KB}entity/, or one of Wikidata" in said
    assert "run kgmrca link first" not in said


def test_why_nothing_was_compared_is_said(run, tmp_path):
    of_theirs = write_graph(tmp_path / "theirs.nt", statement("Q7186", "urn:born", "Q270"))
    said = run("check", of_theirs, "--endpoint", WIKIDATA).stderr
    assert "nothing was compared: no predicate is a property of Wikidata: see kgmrca convert --ontology" in said
    of_nobody = write_graph(tmp_path / "nobody.nt", statement("urn:a", "P19", "urn:b"))
    assert "run kgmrca link first" in run("check", of_nobody, "--endpoint", WIKIDATA).stderr
    of_text = write_graph(tmp_path / "text.nt", statement("Q7186", "P569", "long ago", datatype=""))
    said = run("check", of_text, "--endpoint", WIKIDATA).stderr
    assert "nothing was compared: the verdicts have the reasons (--csv FILE)" in said
    assert "run kgmrca link first" not in said


def test_graphs_are_about_their_items_whosever_the_predicates_are():
    def read(*lines):
        return list(parse("\n".join(lines).encode(), format=RdfFormat.N_TRIPLES))

    of_wikidata, of_kb = f"<urn:a> <{WDT}P19> <urn:b> .", f"<urn:a> <{KGMRCA}item> <{KB}entity/Q1> ."
    assert found_in(read(of_wikidata, of_kb)).entity == f"{KB}entity/"
    assert found_in(read(of_wikidata)).is_wikidata
    assert found_in(read(of_wikidata, of_kb, f"<urn:b> <{KGMRCA}item> <{WD}Q90> .")) is None
    assert found_in(read(of_wikidata, f"<{KB}entity/Q1> <{WDT}P19> <urn:b> .")).entity == f"{KB}entity/"


def test_graphs_about_two_wikibases_tell_nothing():
    quads = [
        *parse(f"<urn:a> <{KB}prop/direct/P1> <urn:b> .".encode(), format=RdfFormat.N_TRIPLES),
        *parse(f"<urn:a> <{WDT}P1> <urn:b> .".encode(), format=RdfFormat.N_TRIPLES),
    ]
    assert found_in(quads) is None
    assert found_in(quads[:1]).entity == f"{KB}entity/"


@pytest.mark.parametrize(
    "form",
    [
        "http://www.wikidata.org/entity/Q90",
        "https://www.wikidata.org/entity/Q90",
        "http://wikidata.org/entity/Q90",
        "https://www.wikidata.org/wiki/Q90",
        "https://m.wikidata.org/wiki/Q90",
        "https://www.wikidata.org/wiki/Q90#P19",
        "https://www.wikidata.org/wiki/Q90?uselang=de",
        "https://www.wikidata.org/wiki/Special:EntityData/Q90",
        "https://www.wikidata.org/wiki/Special:EntityData/Q90.json",
        "https://www.wikidata.org/wiki/Special:EntityPage/Q90",
        "http://wikidata.dbpedia.org/resource/Q90",
    ],
)
def test_an_item_is_known_in_all_forms_of_its_address(form):
    assert named_item(form) == "Q90"


@pytest.mark.parametrize(
    "form",
    [
        "https://www.wikidata.org/wiki/Property:P19",
        "https://www.wikidata.org/wiki/Q0",
        "https://en.wikipedia.org/wiki/Q90",
        "https://notwikidata.org/wiki/Q90",
        "http://www.wikidata.org/entity/statement/Q90-1",
        "https://www.wikidata.org/wiki/Talk:Q90",
    ],
)
def test_what_is_no_address_of_an_item(form):
    assert named_item(form) == ""


def quad(subject, predicate, object_):
    (found,) = parse(f"<{subject}> <{predicate}> {object_} .".encode(), format=RdfFormat.N_TRIPLES)
    return found


@pytest.mark.parametrize(
    "predicate", ["http://schema.org/sameAs", "https://schema.org/sameAs", "http://www.w3.org/2002/07/owl#sameAs"]
)
@pytest.mark.parametrize("object_", ['"https://www.wikidata.org/wiki/Q90"', f"<{WD}Q90>"])
def test_links_of_others_are_understood(predicate, object_):
    assert link_in(quad("urn:paris", predicate, object_)) == ("urn:paris", "Q90")


def test_an_item_that_is_the_same_as_an_entity_links_it():
    same = quad(f"{WD}Q90", "http://www.w3.org/2002/07/owl#sameAs", "<http://dbpedia.org/resource/Paris>")
    assert link_in(same) == ("http://dbpedia.org/resource/Paris", "Q90")
    assert other_link(same) == ""


def test_direct_predicates_are_known_with_https_too():
    assert property_id("https://www.wikidata.org/prop/direct/P19") == "P19"
    assert property_id("https://example.org/prop/direct/P19") is None


@pytest.mark.parametrize("object_", ["<wd:Q90>", "<wikidata:q90>", '"Q90"', '"wd:Q90"'])
def test_an_id_without_an_address_is_counted(object_):
    """It is followed by nobody, as it may be of any Wikibase."""
    (quad,) = parse(f"<urn:a> <{KGMRCA}item> {object_} .".encode(), format=RdfFormat.N_TRIPLES)
    assert link_in(quad) is None
    assert other_link(quad) == "ids without an address, such as wd:Q90,"


@pytest.mark.parametrize("command", ["check", "link", "enrich"])
def test_links_that_are_not_followed_are_counted(run, tmp_path, command):
    path = tmp_path / "g.nt"
    path.write_text(
        f"<{ENTITY}> <http://schema.org/sameAs> <http://dbpedia.org/resource/Curie> .\n"
        f"<{ENTITY}> <{WDT}P19> <{WD}Q270> .\n"
    )
    more = {
        "check": [],
        "link": ["-o", tmp_path / "o.ttl"],
        "enrich": ["--properties", "P19", "-o", tmp_path / "o.ttl"],
    }
    said = run(command, path, "--endpoint", WIKIDATA, *more[command], code=int(command == "link")).stderr
    assert "1 link to dbpedia.org not followed" in said


@pytest.mark.parametrize(
    ("content", "said", "code"),
    [
        ("<urn:a> <urn:b> <urn:c> .\n", "nothing to check: 1 triple", 1),
        (
            f"<urn:a> <{KB}prop/direct/P1> <urn:c> .\n<urn:a> <https://other.example/prop/direct/P1> <urn:c> .\n",
            "2 triples",
            1,
        ),
        ("", "the graphs are empty", 0),
    ],
)
def test_nothing_to_check_is_said(run, tmp_path, content, said, code):
    path = tmp_path / "g.nt"
    path.write_text(content)
    assert said in run("check", path, "--endpoint", WIKIDATA, code=code).stderr
