"""Measure `kgmrca report`: the size of the page, how long it takes to write, and how fast it is in a browser.

    python benchmarks/report.py
    python benchmarks/report.py --statements 5000 --rounds 3

The graph is made here: statements between as many people and places as a fifth of them, ten in a document, each with a
sentence of its own and a verdict. Chromium with its driver and selenium (extra `dev`) give the figures of the browser,
as medians; without them these are left out. "First paint" is counted from the start of the navigation to the file, and
so is "listed", when the scripts of the page have run and the statements can be used. "A filter's answer" is from an
event in the search field until the list is in the page and laid out.
"""

import argparse
import random
import shutil
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from kgmrca.report.page import write_report

PREFIXES = """@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix kgmrca: <https://w3id.org/kgmrca#> .
@prefix prov: <http://www.w3.org/ns/prov#> .
"""
RELATIONS = ("place of birth", "place of death", "residence", "work location", "country of citizenship")
VERDICTS = ("confirmed", "new", "contradicted", "unlinked")
FLAGS = "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-dev-shm-usage"
LISTED = "return performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"
PAINT = "return performance.getEntriesByName('first-contentful-paint').map((entry) => entry.startTime)"
FILTER = """
const field = document.getElementById("search"), started = performance.now();
field.value = arguments[0];
field.dispatchEvent(new Event("input"));
document.getElementById("list").getBoundingClientRect();
return [performance.now() - started, document.getElementById("count").textContent];
"""


def graph(count: int) -> Iterator[str]:
    """A graph of so many statements, in Turtle."""
    numbers = random.Random(0)
    yield PREFIXES
    for entity in range(count // 5 + 2):
        yield f'<urn:e{entity}> rdfs:label "{"Person" if entity % 2 else "Place"} {entity}" .\n'
    for number in range(count):
        subject, object_ = (2 * numbers.randrange(count // 10 + 1) + odd for odd in (1, 0))
        relation = numbers.randrange(len(RELATIONS))
        words = f"Person {subject}", f"has the {RELATIONS[relation]}", f"Place {object_}"
        sentence = f"{' '.join(words)}, as line {number} says, which is about as long as sentences are."
        start = 100 * (number % 10)
        place = start + sentence.index(words[2])
        document = f"urn:d{number // 10}"
        yield (
            f"<urn:s{number}> a rdf:Statement ; rdf:subject <urn:e{subject}> ; rdf:object <urn:e{object_}> ; "
            f'rdf:predicate <urn:p{relation}> ; kgmrca:relationLabel "{RELATIONS[relation]}" ; '
            f"kgmrca:confidence {numbers.uniform(0.3, 1):.4f} ; prov:wasDerivedFrom <{document}> ; "
            f"kgmrca:subjectMention <{document}#char={start},{start + len(words[0])}> ; "
            f"kgmrca:objectMention <{document}#char={place},{place + len(words[2])}> ; "
            f"kgmrca:sentence <{document}#char={start},{start + len(sentence)}> ; "
            f'kgmrca:sentenceText "{sentence}" .\n'
            f"<urn:c{number}> a kgmrca:Check ; kgmrca:checked <urn:s{number}> ; "
            f'kgmrca:verdict "{numbers.choice(VERDICTS)}" .\n'
        )


def in_browser(page: Path, rounds: int, profile: Path) -> None:
    """Print how long a browser takes."""
    binary, driver = shutil.which("chromium"), shutil.which("chromedriver")
    try:
        from selenium import webdriver
    except ImportError:
        binary = None
    if not (binary and driver):
        print("without Chromium, its driver and selenium there are no figures of a browser")
        return
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for flag in (*FLAGS.split(), f"--user-data-dir={profile}", "--window-size=1200,800"):
        options.add_argument(flag)
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    paints, listed, answers = [], [], []
    try:
        for _ in range(rounds):
            browser.get(page.as_uri())
            while not (paint := browser.execute_script(PAINT)):
                time.sleep(0.05)
            paints += paint
            listed.append(browser.execute_script(LISTED))
            for query in ("person 77", "residence", "line 12 place", "nothing has these words"):
                taken, shown = browser.execute_script(FILTER, query)
                answers.append((taken, query, shown))
    finally:
        browser.quit()
    print(f"first paint        {statistics.median(paints):8.0f} ms")
    print(f"listed             {statistics.median(listed):8.0f} ms")
    slowest = max(answers)
    print(f"a filter's answer  {statistics.median(taken for taken, *_ in answers):8.0f} ms")
    print(f"  the slowest      {slowest[0]:8.0f} ms  ('{slowest[1]}': {slowest[2]})")


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--statements", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=5, help="how often the page is opened")
    arguments = parser.parse_args()
    with TemporaryDirectory() as folder:
        source, page = Path(folder, "graph.ttl"), Path(folder, "report.html")
        with source.open("w", encoding="utf-8") as stream:
            stream.writelines(graph(arguments.statements))
        started = time.perf_counter()
        count = write_report([str(source)], str(page))
        taken = time.perf_counter() - started
        print(f"statements         {count:8,}\nsize               {page.stat().st_size / 1e6:8.1f} MB")
        print(f"writing            {taken:8.1f} s", flush=True)
        in_browser(page, arguments.rounds, Path(folder, "profile"))


if __name__ == "__main__":
    main()
