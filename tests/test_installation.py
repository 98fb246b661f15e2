"""The package in an environment where nothing of the repository is: built from the sdist, installed, used."""

import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TEXT = "Marie Curie was born in Warsaw."


def build(source, target, folder):
    command = [sys.executable, "-m", "hatchling", "build", "--target", target, "--directory", str(folder)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    (path,) = Path(folder).iterdir()
    return path


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The path of the wheel that is built from the sdist, as an index or a distribution would do it."""
    if not (ROOT / "pyproject.toml").exists():
        pytest.skip("this is an installation, not a checkout")
    folder = tmp_path_factory.mktemp("sdist")
    sdist = build(ROOT, "sdist", folder / "built")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    return build(folder / sdist.name.removesuffix(".tar.gz"), "wheel", folder / "wheel")


@pytest.fixture(scope="module")
def content(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """The programs of an environment that has the wheel, and beside it what it requires."""
    folder = tmp_path_factory.mktemp("empty")
    venv.create(folder, with_pip=False)
    programs = folder / "bin"
    pip = [sys.executable, "-m", "pip", "--python", str(programs / "python"), "install", "--quiet"]
    offline = ["--no-index", "--no-deps", "--disable-pip-version-check", str(wheel)]
    subprocess.run([*pip, *offline], check=True, capture_output=True)
    # What it requires is not installed again: nothing is fetched. An editable kgmrca of the other environment is not
    # seen, because Python follows the files *.pth of the environment itself only.
    (packages,) = folder.glob("lib/python*/site-packages")
    others = [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]
    (packages / "others.pth").write_text("\n".join(others), encoding="utf-8")
    return programs


def run(programs, program, *arguments, folder):
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    command = [programs / program, *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_of_the_sdist_is_the_wheel_of_the_checkout(content, tmp_path):
    with zipfile.ZipFile(build(ROOT, "wheel", tmp_path)) as archive:
        own = {name: archive.read(name) for name in archive.namelist()}
    assert content.keys() == own.keys()
    assert [name for name in own if content[name] != own[name] and not name.endswith("RECORD")] == []


def test_the_wheel_has_no_tests_and_no_corpora(content):
    tops = {name.split("/")[0].split("-")[0] for name in content}
    assert tops == {"kgmrca", "en_kgmrca_sm"}
    wrong = ("/tests/", "/demo/", "/benchmarks/", "test_", ".spacy", ".jsonl", ".pyc", ".pkl", ".pt")
    assert [name for name in content if any(part in name for part in wrong)] == []
    assert "kgmrca/py.typed" in content


def test_the_wheel_has_the_licences_of_all_that_is_in_it(content):
    licences = {name.partition(".dist-info/licenses/")[2] for name in content if ".dist-info/licenses/" in name}
    libraries = [name for name in content if name.endswith(".min.js")]
    pipelines = {name.split("/")[2] for name in content if name.startswith("kgmrca/pipelines/") and "_sm/" in name}
    assert libraries
    assert pipelines
    assert licences == {
        "LICENSE",
        *(name.replace(".min.js", ".LICENSE") for name in libraries),
        *(f"pipelines/{name}/LICENSE" for name in pipelines),
    }


CHECK = """
import sys
from importlib.metadata import distribution
from pathlib import Path
import kgmrca

assert Path(kgmrca.__file__).is_relative_to(sys.prefix), kgmrca.__file__
for entry in distribution("kgmrca").entry_points:
    entry.load()
    print(entry.group, entry.name)
"""


@pytest.mark.slow
def test_it_can_be_used_in_an_empty_environment(installed, tmp_path):
    assert "convert" in run(installed, "kgmrca", "--help", folder=tmp_path)
    names = run(installed, "python", "-W", "error", "-c", CHECK, folder=tmp_path).splitlines()
    ours = {(entry.group, entry.name) for entry in distribution("kgmrca").entry_points}
    assert {tuple(line.split(" ", 1)) for line in names} == ours
    row = run(installed, "kgmrca", "tag", TEXT, folder=tmp_path).splitlines()[-1]
    assert "place of birth" in row
    (tmp_path / "curie.txt").write_text(TEXT, encoding="utf-8")
    run(installed, "kgmrca", "convert", "curie.txt", "--sentence-text", "-o", "graph.ttl", folder=tmp_path)
    run(installed, "kgmrca", "report", "graph.ttl", "-o", "report.html", folder=tmp_path)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    static = installed.parent.glob("lib/python*/site-packages/kgmrca/report/static/*")
    parts = [path.read_text(encoding="utf-8") for path in static if path.suffix != ".LICENSE"]
    assert parts
    assert [part[:40] for part in parts if part not in page] == []
    assert "Marie Curie" in page
