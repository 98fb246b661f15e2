"""The page of `kgmrca report` in a browser."""

import re
from pathlib import Path

import pytest
from chromium import findings, findings_in_all_looks
from test_report_data import GRAPH

from kgmrca.report.page import write_report

pytestmark = pytest.mark.browser

HOSTILE = "</script><script>document.title='run'</script><img src=x onerror=\\\"document.title='run'\\\">"


@pytest.fixture
def opened(browser, tmp_path):
    def open_page(graph: str = GRAPH) -> Path:
        (tmp_path / "graph.ttl").write_text(graph, encoding="utf-8")
        write_report([str(tmp_path / "graph.ttl")], str(tmp_path / "report.html"))
        browser.get((tmp_path / "report.html").as_uri())
        return tmp_path

    yield open_page
    messages = browser.get_log("browser")
    browser.execute_script("localStorage.clear()")
    assert messages == []


def rows(browser) -> list[str]:
    return [row.text for row in browser.find_elements("css selector", ".row")]


def text_of(browser, selector: str) -> str:
    return browser.find_element("css selector", selector).text


def keys(browser, *pressed: str) -> None:
    for key in pressed:
        browser.switch_to.active_element.send_keys(key)


def test_it_lists_statements_with_their_evidence(browser, opened):
    opened()
    assert rows(browser) == [
        "Marie Curie — place of birth — Warsaw\n0.75 · confirmed · urn:d",
        "Marie Curie — date of birth — 1867\n0.50 · not checked · urn:e",
    ]
    marks = [(mark.get_attribute("class"), mark.text) for mark in browser.find_elements("css selector", "mark")]
    assert marks == [("subject", "Marie Curie"), ("object", "Warsaw")]
    assert "confirmed – It is the same. Wikidata's statement" in text_of(browser, "#details")


def test_search_and_filters_leave_what_fits(browser, opened):
    opened()
    search = browser.find_element("id", "search")
    search.send_keys("WARSAW born")
    assert text_of(browser, "#count") == "1 of 2 statements"
    search.clear()
    search.send_keys("nowhere")
    assert (rows(browser), text_of(browser, "#details")) == ([], "No statement is as the filters ask.")
    search.clear()
    search.send_keys(" ")
    for id, choice in [("verdict", "not checked (1)"), ("predicate", "date of birth (1)"), ("document", "urn:e (1)")]:
        browser.find_element("xpath", f"//select[@id='{id}']/option[.='{choice}']").click()
        assert [row.split("\n")[0] for row in rows(browser)] == ["Marie Curie — date of birth — 1867"]
    lowest = browser.find_element("id", "lowest")
    lowest.clear()
    lowest.send_keys("0.6")
    assert text_of(browser, "#count") == "0 of 2 statements"


def test_the_most_uncertain_come_first_if_asked_for(browser, opened):
    opened()
    browser.find_element("xpath", "//option[@value='uncertain']").click()
    assert rows(browser)[0].startswith("Marie Curie — date of birth")


def test_an_entity_has_a_page(browser, opened):
    opened()
    browser.find_element("xpath", "//dd/button[.='Marie Curie']").click()
    page = text_of(browser, "#details")
    assert "Other names\nMarie" in page
    assert "Statements (2)" in page
    assert "Mentions (2)" in page
    link = browser.find_element("link text", "Q7186")
    assert link.get_attribute("href") == "https://www.wikidata.org/wiki/Q7186"


def test_everything_can_be_reached_by_keys(browser, opened):
    opened()
    browser.find_element("id", "list").send_keys("j")
    assert text_of(browser, "#details h2") == "Marie Curie — date of birth — 1867"
    keys(browser, "k", "\ue007")  # Enter goes to the details
    assert browser.switch_to.active_element.get_attribute("id") == "details"
    keys(browser, "\ue004", "\ue007")  # Tab, Enter: the subject
    assert text_of(browser, "#details h2") == "Marie Curie"
    keys(browser, "\ue00c", "/")  # Escape goes back to the list
    assert browser.switch_to.active_element.get_attribute("id") == "search"


def test_the_graph_grows_where_it_is_asked_to(browser, opened):
    linked = "kgmrca:item wd:Q7186 .\n<urn:warsaw>"
    assert linked in GRAPH
    first, second = GRAPH.replace(linked, linked.replace("kgmrca:item wd:Q7186", "a kgmrca:Thing")).split("<urn:s2>")
    again, check = second.split("<urn:c1>")
    to_warsaw = re.sub('"1867"[^ ]* ', "<urn:warsaw> ", again)
    opened(f"{first}<urn:s2>{to_warsaw}<urn:s3>{again}<urn:c1>{check}")
    browser.find_element("xpath", "//button[.='Graph']").click()
    names = [row.text for row in browser.find_elements("css selector", "#net-nodes li")]
    assert names == ["Warsaw", "Marie Curie\n+", "Marie\n+"]
    browser.find_element("css selector", "[aria-label='Expand Marie']").send_keys("\ue007")
    assert [row.text for row in browser.find_elements("css selector", "#net-nodes li")][2:] == ["Marie", "1867\n+"]
    assert browser.switch_to.active_element.text == "Marie"
    keys(browser, "\ue007")
    assert text_of(browser, "#details h2") == "Marie"


def test_the_summary_counts(browser, opened):
    opened()
    browser.find_element("xpath", "//button[.='Summary']").click()
    charts = [chart.get_attribute("aria-label") for chart in browser.find_elements("css selector", "#summary svg")]
    assert charts == ["Verdicts", "Predicates", "Confidence", "Confirmed by Wikidata, by confidence"]
    # One of the two statements was checked, and is confirmed.
    words = browser.find_elements("css selector", "#summary svg:last-of-type g text, #summary svg:last-of-type text")
    assert [word.text for word in words if word.text.endswith(")")] == ["100 % (1 of 1)"]
    assert "need not be false" in text_of(browser, "#summary")
    assert not browser.find_element("id", "statements").is_displayed()


@pytest.mark.parametrize("label", ["W" * 3000, "東" * 40, "\u202eborn", "place of birth"])
def test_the_label_of_a_bar_is_within_the_chart(browser, opened, label):
    opened(GRAPH.replace('"place of birth"', f'"{label}"'))
    browser.find_element("xpath", "//button[.='Summary']").click()
    lefts = browser.execute_script(
        "return [...document.querySelectorAll('#summary svg text')].map((text) => text.getBBox().x)"
    )
    assert len(lefts) > 4
    assert min(lefts) >= 0
    shown = [text.text for text in browser.find_elements("css selector", "#summary svg text")]
    assert any(text.rstrip("…") and label.strip("\u202e").startswith(text.rstrip("…")) for text in shown)


def test_without_checks_nothing_is_said_of_what_is_confirmed(browser, opened):
    opened(GRAPH.replace('kgmrca:verdict "confirmed"', 'kgmrca:verdict "unlinked"'))
    browser.find_element("xpath", "//button[.='Summary']").click()
    assert "Verdicts" in text_of(browser, "#summary")
    assert "onfirmed" not in text_of(browser, "#summary")


def test_no_name_turns_the_words_beside_it_around(browser, opened):
    opened(GRAPH.replace('rdfs:label "Marie Curie"', 'rdfs:label "\u202eMarie\u2069 Curie"'))
    assert rows(browser)[0].startswith("Marie Curie — place of birth — Warsaw")


def test_text_of_documents_never_runs(browser, opened):
    basis, predicate = "http://www.wikidata.org/entity/statement/Q7186-1", "http://www.wikidata.org/prop/direct/P19"
    assert basis in GRAPH
    assert predicate in GRAPH
    named = GRAPH.replace('"Marie Curie"', f'"{HOSTILE}"')
    opened(named.replace(basis, "javascript:basis").replace(predicate, "javascript:predicate"))
    assert rows(browser)[0].startswith("</script><script>document.title='run'</script><img src=x")
    assert browser.title == "graph.ttl – kgmrca"
    # Links of a graph that are not of the web stay text: the predicate's and that of the check.
    details = text_of(browser, "#details")
    assert "javascript:predicate" in details
    assert "Wikidata's statement" in details
    assert browser.find_elements("css selector", "img, a[href^=javascript]") == []


def press(browser, *names: str) -> None:
    for name in names:
        browser.find_element("xpath", f"//button[.='{name}']").click()


def test_nothing_bars_people_from_any_view(browser, opened):
    opened()
    found = {"statement": findings_in_all_looks(browser)}
    press(browser, "Marie Curie")
    found["entity"] = findings_in_all_looks(browser)
    press(browser, "Graph")
    found["graph"] = findings_in_all_looks(browser)
    press(browser, "Summary")
    for table in browser.find_elements("css selector", "#summary summary"):
        table.click()
    found["summary"] = findings_in_all_looks(browser)
    press(browser, "Statements")
    browser.find_element("id", "search").send_keys("nowhere")
    found["nothing found"] = findings_in_all_looks(browser)
    assert {view: some for view, some in found.items() if some} == {}


def test_what_bars_people_would_be_found(browser, opened):
    opened()
    browser.execute_script("document.querySelector('main').append(new Image())")
    assert ["image-alt (critical)" in found for found in findings(browser)] == [True]
