"""What the files around the package say of it: they agree with each other, and are what those who read them ask for."""

import json
import re
from importlib.metadata import metadata
from pathlib import Path

import pytest
import yaml

import kgmrca

ROOT = Path(__file__).parent.parent
if not (ROOT / "pyproject.toml").exists():
    pytest.skip("this is an installation, not a checkout", allow_module_level=True)

CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
UNIVERSE = json.loads((ROOT / "docs" / "universe.json").read_text(encoding="utf-8"))
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))


def test_all_name_one_version():
    assert metadata("kgmrca")["Version"] == kgmrca.__version__
    assert CITATION["version"] == kgmrca.__version__
    # Before the first release there is no section with a number.
    released = re.findall(r"^## \[(\d+\.\d+\.\d+)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert (released or ["0.1.0"])[0] == kgmrca.__version__


def test_all_name_one_author_and_one_purpose():
    authors = metadata("kgmrca")["Author"]
    assert [author["name"] for author in CITATION["authors"]] == [authors] == [UNIVERSE["author"]]
    assert authors in (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert CITATION["abstract"] == metadata("kgmrca")["Summary"]
    assert sorted(CITATION["keywords"]) == sorted(metadata("kgmrca")["Keywords"].split(","))


def test_the_citation_has_what_the_format_asks_for():
    assert CITATION["cff-version"] == "1.2.0"
    assert CITATION["type"] == "software"
    assert {"message", "title", "authors"} <= CITATION.keys()
    assert CITATION.keys() <= {
        *("abstract", "authors", "cff-version", "commit", "date-released", "doi", "identifiers", "keywords", "license"),
        *("license-url", "message", "preferred-citation", "references", "repository-code", "title", "type", "url"),
        "version",
    }
    assert isinstance(CITATION["version"], str)


def test_the_entry_for_the_spacy_universe_has_what_its_description_asks_for():
    texts = {"id", "title", "slogan", "description", "pip", "code_language", "author"}
    lists = {"code_example", "category", "tags"}
    assert UNIVERSE.keys() == texts | lists  # no address: none is known
    assert all(isinstance(UNIVERSE[key], str) and UNIVERSE[key] for key in texts)
    assert all(isinstance(line, str) for key in lists for line in UNIVERSE[key])
    assert UNIVERSE["pip"] == metadata("kgmrca")["Name"]
    assert set(UNIVERSE["category"]) <= {"pipeline", "standalone"}


def test_the_example_for_the_spacy_universe_runs(capsys):
    exec(compile("\n".join(UNIVERSE["code_example"]), "universe.json", "exec"), {})
    printed = capsys.readouterr().out
    assert re.search(r"^Marie Curie \| place of birth \| Warsaw 0\.\d\d$", printed, flags=re.MULTILINE)
    assert 'rdfs:label "Marie Curie"' in printed


@pytest.mark.parametrize(
    "path", sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml")), ids=lambda path: path.stem
)
def test_an_issue_template_is_a_form(path):
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert form.keys() == {"name", "description", "labels", "body"}
    fields = [field for field in form["body"] if field["type"] != "markdown"]
    assert {field["type"] for field in fields} <= {"textarea", "input"}
    ids = [field["id"] for field in fields]
    assert len(set(ids)) == len(ids)
    assert all(field["attributes"]["label"] for field in fields)
    assert any(field.get("validations", {}).get("required") for field in fields)


def test_there_is_a_form_for_each_kind_of_issue():
    assert {path.stem for path in FORMS} == {"bug", "wrong-extraction", "question"}
