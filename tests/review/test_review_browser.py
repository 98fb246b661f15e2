"""Deciding about the statements of a graph in a browser, by keys."""

import json
import os
import signal

import jsonschema
import pytest
from chromium import findings_in_all_looks, open_browser
from test_apply_review import GRAPH, NAMES, SCHEMA, Rows

from kgmrca.report.page import write_report
from kgmrca.review.apply import apply_review
from kgmrca.triples.iris import graph_digest

pytestmark = pytest.mark.browser

ENTER, ESCAPE, TAB, DOWN = "\ue007", "\ue00c", "\ue004", "\ue015"
HOSTILE = "</script><script>document.title='run'</script><img src=x onerror=\"document.title='run'\">"

FORGET = """
const done = arguments[0];
const forget = ({ name }) => new Promise((gone) => {
  const request = indexedDB.deleteDatabase(name);
  request.onsuccess = request.onblocked = () => gone();
});
indexedDB.databases().then((all) => Promise.all(all.map(forget))).then(() => done());
"""


class Desk:
    """The view of the review in a browser."""

    def __init__(self, browser, folder):
        self.browser, self.folder = browser, folder

    def open(self):
        self.browser.get((self.folder / "report.html").as_uri())
        self.browser.find_element("xpath", "//nav/button[.='Review']").click()
        self.until(lambda: self("#review-count"))  # what was kept has been read
        self.press(ESCAPE)  # out of the field for the name, if there is none yet

    def until(self, condition):
        from selenium.webdriver.support.ui import WebDriverWait  # an extra

        WebDriverWait(self.browser, 60, 0.05).until(lambda _: condition())

    def __call__(self, selector):
        return self.browser.find_element("css selector", selector).text

    def press(self, *keys):
        for key in keys:
            self.browser.switch_to.active_element.send_keys(key)

    def put(self, id, text):
        field = self.browser.find_element("id", id)
        field.clear()
        field.send_keys(text)

    def saved(self):
        self.until(lambda: self("#review-saved") == "saved in this browser")

    @property
    def said(self):
        return self("#review-said")

    @property
    def fact(self):
        return self("#card-title")

    def name(self, name):
        self.put("reviewer", name)
        self.press(TAB)
        self.browser.execute_script("document.getElementById('card').focus()")

    def export(self):
        downloads = {"behavior": "allow", "downloadPath": str(self.folder)}
        self.browser.execute_cdp_cmd("Browser.setDownloadBehavior", downloads)
        for old in self.folder.glob("*.review.json"):
            old.unlink()
        self.press("e")
        self.until(lambda: list(self.folder.glob("*.review.json")))
        (path,) = self.folder.glob("*.review.json")
        jsonschema.validate(json.loads(path.read_text(encoding="utf-8")), SCHEMA)
        return path


@pytest.fixture
def desk(browser, tmp_path):
    desk = Desk(browser, tmp_path)

    def on(graph=GRAPH):
        (tmp_path / "graph.ttl").write_text(graph, encoding="utf-8")
        write_report([str(tmp_path / "graph.ttl")], str(tmp_path / "report.html"))
        desk.open()
        return desk

    yield on
    messages = browser.get_log("browser")
    browser.execute_async_script(FORGET)
    browser.get("about:blank")
    assert messages == []


def of_hundred():
    """A graph of a hundred statements, each a fact of its own; the first is the most uncertain."""
    start, _, rest = GRAPH.partition("<urn:kgmrca:statement/died>")
    one = "<urn:kgmrca:statement/died>" + rest.partition("<urn:kgmrca:statement/passy>")[0]
    prefixes = start.partition("<urn:kgmrca:statement/born>")[0]
    places = "".join(f'<urn:place{number}> rdfs:label "Place {number}" .\n' for number in range(100))
    statements = "".join(
        one.replace("statement/died", f"statement/n{number}")
        .replace("rdf:object <urn:warsaw>", f"rdf:object <urn:place{number}>")
        .replace("confidence 0.5", f"confidence 0.{5000 + number}")
        for number in range(100)
    )
    return prefixes + places + statements


def test_facts_are_decided_by_keys(desk):
    desk = desk()
    # The two readings of the place of birth are one fact.
    assert desk("#review-count") == "0 of 4 decided"
    assert desk.fact == "Marie Curie — place of death — Warsaw"
    desk.press("r")
    assert desk.said == "Rejected Marie Curie — place of death — Warsaw. 1 of 4 decided."
    assert desk.fact == "Marie Curie — place of death — Passy"
    desk.press("n", "as in the text", ENTER, "a")
    assert desk.fact == "Marie Curie — date of death — 1934"
    desk.press("j")
    assert (desk.fact, len(desk.browser.find_elements("css selector", ".readings > li"))) == (
        "Marie Curie — place of birth — Warsaw",
        2,
    )
    desk.press(DOWN, "x")
    assert desk.said == "Rejected this reading of Marie Curie — place of birth — Warsaw. 2 of 4 decided."
    desk.press("a")
    assert desk("#review-count") == "3 of 4 decided"
    desk.press("a")
    assert "All facts are decided" in desk.said
    desk.press("u", "u")
    assert desk.said == "Undone: accepted Marie Curie — place of birth — Warsaw. 2 of 4 decided."
    desk.press("y")
    assert desk.said == "Done again: accepted Marie Curie — place of birth — Warsaw. 3 of 4 decided."
    desk.press("k", "k")
    assert "Accepted – as in the text" in desk("#card")
    desk.name("Ada")
    found = json.loads(desk.export().read_text(encoding="utf-8"))
    assert (found["reviewer"], found["graph"]) == (
        "Ada",
        graph_digest(f"urn:kgmrca:statement/{name}" for name in NAMES),
    )
    assert [
        (one["decision"], [iri.rpartition("/")[2] for iri in one["statements"]], one.get("note"))
        for one in found["decisions"]
    ] == [
        ("rejected", ["died"], None),
        ("accepted", ["passy"], "as in the text"),
        ("rejected", ["came"], None),
        ("accepted", ["born"], None),
    ]


def test_what_was_corrected_gets_into_the_graph(desk):
    desk = desk()
    desk.name("Ada")
    desk.press("c")
    assert desk.browser.switch_to.active_element.get_attribute("id") == "new-label"
    desk.press(ENTER)
    assert desk("#correct-fault") == "Nothing is changed: accept the fact instead."
    desk.put("new-object", "Pass")
    offered = desk.browser.find_elements("css selector", "#new-object-choices option")
    assert [one.get_attribute("value") for one in offered] == ["Passy"]
    desk.press("y", ENTER)
    assert desk.said == "Corrected Marie Curie — place of death — Warsaw. 1 of 4 decided."
    assert desk.browser.switch_to.active_element.get_attribute("id") == "card"
    desk.press("c")
    desk.put("new-label", "residense")
    desk.put("new-object", "Sancellemoz")
    desk.press(ENTER)
    assert desk("#correct-fault") == "“residense” is no label that is known here. To make it one, press Correct again."
    desk.put("new-label", "residence")
    desk.press(ENTER)
    desk.press("c")
    desk.put("new-object", "4 July 1934")
    desk.press(ENTER)
    assert desk("#review-count") == "3 of 4 decided"
    path = desk.export()
    corrections = [one["correction"] for one in json.loads(path.read_text(encoding="utf-8"))["decisions"]]
    assert corrections == [
        {"object": {"iri": "urn:passy"}},
        {"label": "residence", "object": {"name": "Sancellemoz"}},
        {"object": {"value": "4 July 1934"}},
    ]
    apply_review(desk.folder / "graph.ttl", [path], desk.folder / "reviewed.ttl")
    rows = Rows(desk.folder / "reviewed.ttl")
    assert rows("<urn:curie> wdt:P20 ?o", "o") == [("urn:passy",)]
    assert rows("<urn:curie> wdt:P551 [ rdfs:label ?o ]", "o") == [("Sancellemoz",)]
    assert rows("<urn:curie> wdt:P570 ?o", "o") == [("1934-07-04",)]
    assert rows("?p a prov:Person ; rdfs:label ?n", "n") == [("Ada",)]
    # The page of the reviewed graph says who decided, and asks only what is open.
    write_report([str(desk.folder / "reviewed.ttl")], str(desk.folder / "report.html"))
    desk.open()
    assert desk("#review-count") == "0 of 1 decided"
    desk.browser.find_element("xpath", "//nav/button[.='Statements']").click()
    desk.put("search", "1934")
    assert "Decision\nCorrected" in desk("#details")


def test_a_hundred_decisions_outlive_a_reload_and_are_undone_in_order(desk):
    desk = desk(of_hundred())
    assert desk("#review-count") == "0 of 100 decided"
    desk.press(*(["a", "r"] * 50))
    assert desk("#review-count") == "100 of 100 decided"
    desk.saved()
    desk.open()
    assert desk.said == "100 decisions were kept. 100 of 100 decided."
    for number in reversed(range(100)):
        desk.press("u")
        assert desk.fact == f"Marie Curie — place of death — Place {number}"
    assert desk("#review-count") == "0 of 100 decided"
    desk.press("u")
    assert desk.said == "There is nothing to undo."
    desk.saved()
    desk.open()
    assert desk("#review-count") == "0 of 100 decided"


def test_a_hundred_decisions_outlive_a_killed_browser(tmp_path):
    (tmp_path / "graph.ttl").write_text(of_hundred(), encoding="utf-8")
    write_report([str(tmp_path / "graph.ttl")], str(tmp_path / "report.html"))
    profile = tmp_path / "profile"
    first = open_browser(profile)
    try:
        desk = Desk(first, tmp_path)
        desk.open()
        desk.name("Ada")
        desk.press(*(["a", "r"] * 50))
        desk.saved()
        os.kill(first.capabilities["goog:processID"], signal.SIGKILL)
    finally:
        first.service.stop()
    for lock in profile.glob("Singleton*"):
        lock.unlink()
    second = open_browser(profile)
    try:
        desk = Desk(second, tmp_path)
        desk.open()
        assert desk.said == "100 decisions were kept. 100 of 100 decided."
        found = json.loads(desk.export().read_text(encoding="utf-8"))["decisions"]
        assert [one["decision"] for one in found] == ["accepted", "rejected"] * 50
        assert [iri for one in found for iri in one["statements"]] == [
            f"urn:kgmrca:statement/n{number}" for number in range(100)
        ]
    finally:
        second.quit()


def test_an_exported_file_is_imported_to_go_on(desk):
    desk = desk()
    desk.name("Ada")
    desk.press("r", "a")
    path = desk.export()
    exported = json.loads(path.read_text(encoding="utf-8"))
    kept = desk.folder / "kept.json"
    kept.write_text(json.dumps(exported), encoding="utf-8")
    desk.press("u", "u")
    field = desk.browser.find_element("id", "import")
    desk.browser.execute_script("arguments[0].hidden = false", field)
    field.send_keys(str(kept))
    desk.until(lambda: desk.said == "Imported 2 decisions.")
    assert desk("#review-count") == "2 of 4 decided"
    desk.browser.execute_script("document.getElementById('card').focus()")
    again = json.loads(desk.export().read_text(encoding="utf-8"))
    assert again["decisions"] == exported["decisions"]
    for content, words in [
        ("{", "the file is no JSON"),
        ('{"format": "kgmrca review", "version": 9}', "no review that this page can read"),
        (json.dumps(exported | {"reviewer": "Bob"}), "the file is of Bob, and here decides Ada"),
        (json.dumps(exported | {"reviewer": " "}), "no review that this page can read"),
        (
            json.dumps(
                exported
                | {
                    "decisions": [
                        exported["decisions"][0]
                        | {"decision": "corrected", "correction": {"object": {"iri": "urn:not-here"}}}
                    ]
                }
            ),
            "the file decides about none of these statements",
        ),
        (
            json.dumps(exported | {"decisions": [exported["decisions"][0] | {"statements": ["urn:gone"]}]}),
            "the file decides about none of these statements",
        ),
    ]:
        kept.write_text(content, encoding="utf-8")
        field.send_keys(str(kept))
        desk.until(lambda words=words: words in desk.said)
    assert desk("#review-count") == "2 of 4 decided"


def test_the_page_of_a_reviewed_graph_shows_what_holds(desk):
    desk = desk()
    desk.name("Ada")
    desk.press("r", "c")  # dying in Warsaw is rejected, dying in Passy corrected
    desk.put("new-object", "Sancellemoz")
    desk.press(ENTER)
    path = desk.export()
    apply_review(desk.folder / "graph.ttl", [path], desk.folder / "reviewed.ttl")
    write_report([str(desk.folder / "reviewed.ttl")], str(desk.folder / "report.html"))
    desk.browser.get((desk.folder / "report.html").as_uri())
    rows = {row.text for row in desk.browser.find_elements("css selector", ".row.withdrawn")}
    assert {row.partition("\n")[0] for row in rows} == {
        "Marie Curie — place of death — Warsaw",
        "Marie Curie — place of death — Passy",
    }
    assert all("rejected" in row or "corrected" in row for row in rows)
    desk.browser.find_element("css selector", "#decision > option[value='accepted']").click()
    desk.until(lambda: desk("#count").startswith("1 of 6"))
    assert "put in its place by Ada" in desk("#details")
    desk.browser.find_element("xpath", "//nav/button[.='Graph']").click()
    drawn = [one.text for one in desk.browser.find_elements("css selector", "#net-nodes button.link")]
    assert sorted(drawn) == ["1934", "Marie Curie", "Sancellemoz", "Warsaw"]
    desk.browser.find_element("xpath", "//nav/button[.='Summary']").click()
    assert "2 statements of these were rejected or corrected" in desk("#summary")
    # What is decided can be decided anew, and this browser knows how; what was put in its place goes with it.
    desk.browser.find_element("xpath", "//nav/button[.='Review']").click()
    desk.until(lambda: desk("#review-count") == "0 of 2 decided")
    desk.browser.find_element("id", "review-again").click()
    assert desk("#review-count") == "2 of 4 decided"


def test_each_person_has_a_review_in_one_browser(desk):
    desk = desk()
    assert desk.browser.switch_to.active_element.get_attribute("id") == "card"
    desk.press("r")
    desk.put("reviewer", "Ad")
    desk.press(ENTER)
    assert desk.browser.switch_to.active_element.get_attribute("id") == "card"

    def renamed(name, *, is_same):
        field = desk.browser.find_element("id", "reviewer")
        desk.browser.execute_script("arguments[0].select()", field)
        field.send_keys(name, ENTER)
        alert = desk.browser.switch_to.alert
        assert alert.text.startswith("1 decision was made as “")
        (alert.accept if is_same else alert.dismiss)()

    renamed("Ada", is_same=True)
    assert (desk("#review-count"), desk.said) == ("1 of 4 decided", "1 decision was kept. 1 of 4 decided.")
    renamed("Bob", is_same=False)
    assert desk("#review-count") == "0 of 4 decided"
    desk.press("a")
    desk.saved()
    desk.open()
    assert desk("#review-count") == "1 of 4 decided"
    made = json.loads(desk.export().read_text(encoding="utf-8"))
    assert (made["reviewer"], [one["decision"] for one in made["decisions"]]) == ("Bob", ["accepted"])
    renamed("Ada", is_same=False)
    made = json.loads(desk.export().read_text(encoding="utf-8"))
    assert (made["reviewer"], [one["decision"] for one in made["decisions"]]) == ("Ada", ["rejected"])


def test_a_new_label_is_confirmed(desk):
    desk = desk()
    desk.press("c")
    desk.put("new-label", "haunts")
    desk.press(ENTER)
    assert desk("#correct-fault").startswith("“haunts” is no label that is known here.")
    desk.press(ENTER)
    assert desk.said.startswith("Corrected Marie Curie — place of death — Warsaw.")


def test_nothing_is_exported_without_a_name(desk):
    desk = desk()
    desk.press("a", "e")
    assert desk.said.startswith("Enter your name before you export")
    assert desk.browser.switch_to.active_element.get_attribute("id") == "reviewer"


def test_the_most_valuable_come_first_if_asked_for(desk):
    check = "<urn:c> a kgmrca:Check ; kgmrca:checked <urn:kgmrca:statement/{}> ; kgmrca:verdict '{}' .\n"
    # One dies in one place: two places contradict one another. The year is not in Wikidata.
    desk = desk(GRAPH + check.format("year", "new"))
    desk.browser.find_element("xpath", "//option[@value='valuable']").click()
    seen = []
    for _ in range(4):
        seen.append((desk.fact.partition(" — ")[2], desk("#card p").partition(" · ")[2]))
        desk.browser.find_element("css selector", "[data-act='next']").click()
    assert seen == [
        ("place of death — Warsaw", "contradicts another fact"),
        ("place of death — Passy", "contradicts another fact"),
        ("date of death — 1934", "not in Wikidata"),
        ("place of birth — Warsaw", ""),
    ]


def test_help_names_the_keys(desk):
    desk = desk()
    desk.press("?")
    assert "Reject the fact, with all its readings." in desk("#help")
    desk.press("a", ESCAPE)
    assert desk("#review-count") == "0 of 4 decided"


def test_text_of_documents_never_runs(desk):
    hostile = HOSTILE.replace('"', '\\"')
    desk = desk(GRAPH.replace('"Marie Curie"', f'"{hostile}"').replace('"She died in Passy', f'"{hostile}'))
    desk.name(HOSTILE)
    desk.press("n", HOSTILE, ENTER, "a", "c")
    desk.put("new-label", HOSTILE)
    desk.put("new-object", HOSTILE)
    desk.press(ENTER, ENTER)
    assert desk("#review-count") == "2 of 4 decided"
    desk.press("k")
    path = desk.export()
    assert json.loads(path.read_text(encoding="utf-8"))["decisions"][0]["note"] == HOSTILE
    assert desk.browser.title == "graph.ttl – kgmrca"
    assert desk.browser.find_elements("css selector", "img") == []
    apply_review(desk.folder / "graph.ttl", [path], desk.folder / "reviewed.ttl")
    assert Rows(desk.folder / "reviewed.ttl")("?p a prov:Person ; rdfs:label ?n", "n") == [(HOSTILE,)]


def test_nobody_is_barred(desk):
    desk = desk()
    desk.press("r")
    assert findings_in_all_looks(desk.browser) == {}
    desk.press("c")
    assert findings_in_all_looks(desk.browser) == {}
    desk.press(ESCAPE, "?")
    assert findings_in_all_looks(desk.browser) == {}
