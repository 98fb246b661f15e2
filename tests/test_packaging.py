"""What a user gets who installs the package, and who packages a pipeline of their own."""

import json
import os
import re
import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
import spacy
from helpers import add_tiny_relations
from packaging.requirements import Requirement
from spacy.cli.package import package

ROOT = Path(__file__).parent.parent


def built(folder: Path, target: str) -> dict[str, bytes]:
    """The files in a wheel, by their names."""
    if not (ROOT / "pyproject.toml").exists():
        pytest.skip("this is an installation, not a checkout")
    build = [sys.executable, "-m", "hatchling", "build", "--target", target, "--directory", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    with zipfile.ZipFile(path) as content:
        return {name: content.read(name) for name in content.namelist()}


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    return built(tmp_path_factory.mktemp("wheel"), "wheel")


def test_an_editable_installation_has_the_package_of_the_pipeline(wheel, tmp_path):
    editable = built(tmp_path, "wheel:editable")
    for name in ("en_kgmrca_sm/__init__.py", "en_kgmrca_sm/meta.json"):
        assert editable[name] == wheel[name]


@pytest.mark.parametrize(
    "pattern",
    [
        "pipelines/*.cfg",
        "pipelines/mrca/*.cfg",
        "pipelines/words_en_sm/*",
        "pipelines/entities_en_sm/*",
        "pipelines/coreference_en_sm/*",
        "pipelines/reader_en_sm/*",
        "pipelines/en_kgmrca_sm/**/*",
        "kgmrca/report/static/*",
    ],
)
def test_the_wheel_has_what_training_and_the_report_need(wheel, pattern):
    paths = [path for path in ROOT.glob(pattern) if path.is_file()]
    assert paths
    for path in paths:
        name = path.relative_to(ROOT).as_posix()
        assert wheel[name if name.startswith("kgmrca/") else f"kgmrca/{name}"] == path.read_bytes()


def test_the_wheel_says_what_can_be_imported(wheel):
    (name,) = [name for name in wheel if name.endswith(".dist-info/top_level.txt")]
    assert wheel[name] == b"kgmrca\n"
    record = next(data for name, data in wheel.items() if name.endswith(".dist-info/RECORD")).decode()
    assert name in record


INSTALLED = """
import sys
import spacy
from kgmrca.resources import resource

assert str(resource("pipelines")).startswith(sys.argv[1])
nlp = spacy.load("en_kgmrca_sm", exclude="mrca_sentences")
print(nlp.pipe_names, nlp("Marie Curie was born in Warsaw.")._.relations[0].label)
source = {"source": "en_kgmrca_sm"}
config = {"nlp": {"lang": "en", "pipeline": ["mrca_entities"]}, "components": {"mrca_entities": source}}
print(spacy.util.load_model_from_config(config, auto_fill=True)("Marie Curie was born in Warsaw.").ents)
own = spacy.blank("en")
own.add_pipe("mrca_entities")
print(own("Marie Curie was born in Warsaw.").ents)
print(spacy.blank("en").add_pipe("coreference").has_ranker)
"""


def test_spacy_finds_the_pipeline_in_an_installation_by_its_name(wheel, tmp_path):
    for name, data in wheel.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    command = [sys.executable, "-W", "error", "-c", INSTALLED, str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "['mrca_entities', 'coreference', 'mrca_relations'] place of birth",
        "(Marie Curie, Warsaw)",
        "(Marie Curie, Warsaw)",
        "True",
    ]
    assert wheel["en_kgmrca_sm/meta.json"] == wheel["kgmrca/pipelines/en_kgmrca_sm/meta.json"]


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")  # of spaCy's
def test_a_packaged_pipeline_requires_kgmrca(tmp_path):
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler")
    component = add_tiny_relations(nlp)
    component.add_label("knows")
    nlp.initialize()
    nlp.to_disk(tmp_path / "pipeline")
    (tmp_path / "packages").mkdir()
    package(tmp_path / "pipeline", tmp_path / "packages", create_sdist=False, create_wheel=False, silent=True)
    (path,) = (tmp_path / "packages").glob("*/meta.json")
    requirements = map(Requirement, json.loads(path.read_text())["requirements"])
    (ours,) = [requirement for requirement in requirements if requirement.name == "kgmrca"]
    assert ours.specifier.contains(metadata.version("kgmrca"))


def test_no_marker_is_there_for_nothing():
    if not (ROOT / "pyproject.toml").exists():
        pytest.skip("this is an installation, not a checkout")
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py"))
    markers = re.findall(r'^    "(\w+): ', text, flags=re.MULTILINE)
    assert markers
    assert [marker for marker in markers if f"pytest.mark.{marker}" not in sources] == []
