"""`kgmrca serve --ui` in a browser, with the pipeline that ships, and a SPARQL server with some facts of Wikidata."""

import threading

import pytest
import spacy
from chromium import findings_in_all_looks
from helpers import make_nlp
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait
from server import Answer, faulty
from spacy.language import Language
from test_serve import running

import kgmrca
from kgmrca.serve.app import Limits, make_app
from kgmrca.serve.checking import Checker

pytestmark = pytest.mark.browser

TEXT = "Marie Curie was born in Warsaw on 7 November 1867. She died in Paris. Warsaw is the capital of Poland."
SIMPLE = "Marie Curie was born in Warsaw. Marie Curie was born in 1867."
HOSTILE = [
    "<script>document.title='run'</script>",
    "</script><script>document.title='run'</script>",
    "<img src=x onerror=\"document.title='run'\">",
    "</textarea><svg onload=document.title='run'>",
    "javascript:document.title='run'",
    "<!--<script>",
    "]]>&lt;b&gt;&#x3c;b&#x3e;",
    "${document.title='run'}`",
    "\u2028\u202e\ufeff'\"\\",
    "__proto__",
]


@pytest.fixture(scope="module")
def pipeline():
    return kgmrca.load()


@pytest.fixture(scope="module")
def service(pipeline, wikidata_url):
    with running(make_app(pipeline, ui=True, checker=Checker(wikidata_url, cache=None))) as client:
        yield client


class Page:
    """The page in a browser."""

    def __init__(self, browser, client):
        self.browser, self.client = browser, client
        browser.get(str(client.base_url))

    def find(self, selector):
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def texts(self, selector):
        return [found.text for found in self.browser.find_elements(By.CSS_SELECTOR, selector)]

    def wait(self, condition):
        return WebDriverWait(self.browser, 60).until(lambda _: condition())

    def press(self, name):
        self.browser.find_element(By.XPATH, f"//button[.='{name}']").click()

    def write(self, text):
        # As if it was pasted, because the driver types no characters beyond the basic plane.
        self.browser.execute_script("document.getElementById('text').value = arguments[0]", text)

    def read(self, text):
        self.write(text)
        self.find("#text").send_keys(Keys.CONTROL, Keys.ENTER)
        self.wait(lambda: self.find("#read").is_enabled() and (self.texts("#status") != [""] or self.error))

    @property
    def error(self):
        return self.find("#error").text

    @property
    def relations(self):
        return self.texts("#relations .fact > span:first-child")

    @property
    def lit(self):
        return self.texts("mark.lit")

    @property
    def requests(self):
        return self.browser.execute_script("return performance.getEntriesByType('resource').map((one) => one.name)")


@pytest.fixture
def opened(browser):
    yield lambda client: Page(browser, client)
    assert browser.get_log("browser") == []
    browser.get("about:blank")


def test_it_shows_who_is_who_and_the_relations(opened, service):
    page = opened(service)
    page.read(TEXT)
    assert page.texts("mark.PER") == ["Marie CuriePER"]
    assert page.texts("mark.pronoun") == ["She"]
    assert page.texts("mark.LOC") == ["WarsawLOC", "ParisLOC", "WarsawLOC", "PolandLOC"]
    assert page.texts("#entities .name")[0] == "Marie Curie\nalso She"
    assert page.relations[0] == "Marie Curie place of birth → Warsaw"
    assert "Marie Curie place of death → Paris" in page.relations
    assert page.texts("#legend span span") == ["PER", "LOC", "TIME"]


def test_a_name_lights_up_wherever_it_is_meant(opened, service):
    page = opened(service)
    page.read(TEXT)
    page.browser.execute_script("arguments[0].focus()", page.find("#entities button"))
    assert page.lit == ["Marie CuriePER", "She"]
    page.browser.execute_script("arguments[0].focus()", page.find("#relations button"))
    assert page.lit == ["Marie CuriePER", "WarsawLOC", "She", "WarsawLOC"]
    page.browser.switch_to.active_element.send_keys(Keys.ENTER)
    assert page.find("#entities button").get_attribute("aria-pressed") == "true"
    assert page.relations
    assert all("Marie Curie" in relation for relation in page.relations)
    page.press("Show all")
    assert "Warsaw capital of → Poland" in page.relations


def test_another_threshold_asks_nothing(opened, service, pipeline):
    page = opened(service)
    page.read(TEXT)
    before = page.requests
    found = {}
    for name, number in pipeline.get_pipe("mrca_relations").operating_points.items():
        page.press(f"{name} {number:.2f}")
        found[name] = page.relations
        answer = service.post("/relations", params={"threshold": number}, json={"text": TEXT}).json()
        assert len(found[name]) == len(answer["documents"][0]["relations"])
        assert page.find(f"[data-point='{number}']").get_attribute("aria-pressed") == "true"
    assert len(found["precise"]) < len(found["balanced"]) < len(found["complete"])
    slider = page.find("#threshold")
    slider.send_keys(Keys.END)
    assert (page.relations, page.find("#threshold-shown").text) == ([], "1.00")
    slider.send_keys(Keys.HOME)
    assert len(page.relations) >= len(found["complete"])
    slider.send_keys(Keys.ARROW_RIGHT)
    assert page.find("#threshold-shown").text == "0.06"
    assert page.requests == before


def test_the_turtle_is_that_of_the_service(opened, service, pipeline, tmp_path):
    page = opened(service)
    page.read(TEXT)
    page.press("Show Turtle")
    page.wait(lambda: page.find("#turtle").text)
    own = pipeline.get_pipe("mrca_relations").resolve_threshold()
    ask = {"params": {"threshold": own}, "json": {"text": TEXT}, "headers": {"accept": "text/turtle"}}
    turtle = service.post("/relations", **ask).text
    assert page.find("#turtle").get_property("textContent") == turtle
    assert "wdt:P19" in page.texts("#turtle .iri")
    assert '"Marie Curie"' in page.texts("#turtle .text")

    page.browser.execute_cdp_cmd("Browser.grantPermissions", {"permissions": ["clipboardReadWrite"]})
    page.press("Copy")
    page.wait(lambda: page.find("#copied").text == "Copied.")
    script = "navigator.clipboard.readText().then(arguments[0])"
    assert page.browser.execute_async_script(script) == turtle

    folder = {"behavior": "allow", "downloadPath": str(tmp_path)}
    page.browser.execute_cdp_cmd("Browser.setDownloadBehavior", folder)
    page.press("Download")
    page.wait(lambda: (tmp_path / "kgmrca.ttl").is_file())
    assert (tmp_path / "kgmrca.ttl").read_text(encoding="utf-8") == turtle

    page.find("#threshold").send_keys(Keys.END)
    page.wait(lambda: "wdt:P19 " not in page.find("#turtle").text)


def test_each_fact_is_compared_with_the_endpoint(opened, service):
    page = opened(service)
    page.read(TEXT)
    page.find("#check").click()
    page.wait(lambda: page.texts(".verdict"))
    of_relation = dict(zip(page.relations, page.texts(".verdict"), strict=True))
    assert of_relation["Marie Curie place of birth → Warsaw"] == (
        "confirmed – Wikidata has the same statement. Linked to Marie Curie (Q7186). "
        "Wikidata has Warsaw (Q270) (statement)."
    )
    assert "7 November 1867" in of_relation["Marie Curie date of birth → 7 November 1867"]
    href = page.find(".verdict a").get_attribute("href")
    assert href == "http://www.wikidata.org/entity/Q7186"
    assert "confirmed" in page.find("#checked").text


def test_what_could_not_be_asked_is_not_checked(opened):
    with faulty() as endpoint:
        endpoint.otherwise = lambda query: Answer(status=500, body=b"broken")
        checker = Checker(endpoint.url, cache=None, patience=0.5)
        with running(make_app(make_nlp(), ui=True, checker=checker)) as client:
            page = opened(client)
            page.read(SIMPLE)
            page.find("#check").click()
            page.wait(lambda: page.texts(".verdict"))
            assert {verdict.split(" – ")[0] for verdict in page.texts(".verdict")} == {"not checked"}
            assert page.find("#checked").text.endswith(": 2 not checked.")
        assert endpoint.requests


def test_without_an_endpoint_it_says_how_to_name_one(opened):
    with running(make_app(make_nlp(), ui=True)) as client:
        page = opened(client)
        page.read(SIMPLE)
        assert not page.find("#check").is_displayed()
        assert "kgmrca serve --ui --endpoint URL" in page.find("#no-endpoint").text
        assert page.texts("#points button") == []
        assert client.post("/check", json={"text": SIMPLE}).status_code == 404


def test_errors_are_told_in_words(browser):
    name, go_on = "waits_in_the_page", threading.Event()

    @Language.component(name)
    def wait(doc):
        assert go_on.wait(60)
        doc._.relations = []
        return doc

    nlp = spacy.blank("en")
    nlp.add_pipe(name)
    with running(make_app(nlp, ui=True, limits=Limits(max_size=100, max_requests=1, timeout=0.5))) as client:
        page = Page(browser, client)
        page.read(" \n")
        assert page.error == "Type or paste a text first."
        page.read("ä" * 51)
        assert page.error == "The text is too long: it has 102 bytes, and 100 are taken. Read a part of it."
        page.write("Nobody waits.")
        page.find("#read").click()
        page.wait(lambda: page.error)
        assert page.error.startswith("The texts were not read within 0.5 seconds.")
        go_on.set()
        page.read("It goes on.")
        assert (page.error, page.find("#status").text) == ("", "0 relations with a score from 0.50 between 0 entities.")
    page.read("Nobody is there.")
    assert page.error == "The service does not answer. Is it still running?"
    assert all("Failed to load" in message["message"] for message in browser.get_log("browser"))
    browser.get("about:blank")


def test_a_busy_service_says_so(browser):
    with running(make_app(make_nlp(), ui=True)) as client:
        page = Page(browser, client)
        # As the service answers a request too many (see test_serve.py); no test waits for two at the same moment.
        answer = """new Response(JSON.stringify({detail: "1 requests are in hand. Try again."}), {status: 503})"""
        browser.execute_script(f"window.fetch = () => Promise.resolve({answer});")
        page.read(SIMPLE)
        assert page.error == "1 requests are in hand. Try again."
        assert not page.find("#result").is_displayed()


def test_no_text_runs(opened):
    nlp = make_nlp()
    ruler = nlp.get_pipe("entity_ruler")
    ruler.add_patterns([{"label": "<b>&'\"", "pattern": hostile} for hostile in HOSTILE])
    ruler.add_patterns([{"label": "PERSON", "pattern": f"Ann {hostile}"} for hostile in HOSTILE])
    with running(make_app(nlp, ui=True)) as client:
        page = opened(client)
        elements = "return document.querySelectorAll('script, img, svg, style, b, iframe, [onload], [onerror]').length"
        page.read("It rained.")
        before = page.browser.execute_script(elements)
        for hostile in HOSTILE:
            page.read(f"Ann {hostile} was born in Warsaw. {hostile} rained on Ann {hostile}.")
            assert page.find("#marked").get_property("textContent").startswith("Ann")
            bars = len(page.browser.find_elements(By.CSS_SELECTOR, ".score svg"))
            assert page.browser.execute_script(elements) == before + bars
            assert page.browser.find_elements(By.CSS_SELECTOR, "a[href^=javascript]") == []
            assert page.browser.title == "kgmrca: try it"
        page.press("Show Turtle")
        page.wait(lambda: page.find("#turtle").text)
        assert page.browser.title == "kgmrca: try it"


def test_it_asks_its_own_service_only(opened, service):
    page = opened(service)
    page.press("Ada Lovelace")
    page.wait(lambda: page.relations)
    page.find("#check").click()
    page.wait(lambda: page.texts(".verdict"))
    assert page.requests
    assert all(request.startswith(str(service.base_url)) for request in page.requests)
    response = service.get("/")
    assert response.headers["content-security-policy"] == "frame-ancestors 'none'"
    assert "default-src 'none'; script-src 'sha256-" in response.text
    script = "return fetch('http://127.0.0.2:9/').then(() => 'sent', () => 'refused')"
    assert page.browser.execute_script(script) == "refused"
    assert any("Content Security Policy" in message["message"] for message in page.browser.get_log("browser"))


def test_everything_can_be_reached_by_keys(opened, service):
    page = opened(service)
    focus = page.browser.switch_to
    seen = []
    focus.active_element.send_keys(Keys.TAB, Keys.TAB, Keys.TAB)
    assert focus.active_element.get_attribute("id") == "text"
    focus.active_element.send_keys(SIMPLE, Keys.CONTROL, Keys.ENTER)
    page.wait(lambda: page.relations)
    for _ in range(40):
        focus.active_element.send_keys(Keys.TAB)
        active = focus.active_element
        seen.append(active.get_attribute("id") or active.text.split("\n")[-1] or active.tag_name)
        if seen[-1] == "download":
            break
    wanted = ["read", "Ada Lovelace", "threshold", "check", "show-turtle", "copy", "download"]
    assert [name for name in seen if name in wanted] == wanted


def test_nothing_bars_people_in_any_state(opened, service):
    page = opened(service)
    found = {"empty": findings_in_all_looks(page.browser)}
    page.read(TEXT)
    found["read"] = findings_in_all_looks(page.browser)
    page.find("#check").click()
    page.wait(lambda: page.texts(".verdict"))
    page.press("Show Turtle")
    page.wait(lambda: page.find("#turtle").text)
    page.find("#entities button").click()
    found["checked, chosen, with Turtle"] = findings_in_all_looks(page.browser)
    page.find("#threshold").send_keys(Keys.END)
    found["no relations"] = findings_in_all_looks(page.browser)
    page.read(" ")
    found["an error"] = findings_in_all_looks(page.browser)
    assert {state: some for state, some in found.items() if some} == {}
