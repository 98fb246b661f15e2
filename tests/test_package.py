"""The package as a whole: its names, its entry points, the direction of its imports, what it imports at the start."""

import ast
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from importlib.metadata import entry_points
from pathlib import Path

import pytest
import spacy

import kgmrca

PACKAGE = Path(kgmrca.__file__).parent

# The rooms from left to right: one imports from those before it only (the map is in CONTRIBUTING.md).
ROOMS = (
    "errors",
    "resources",
    "progress",
    "files",
    "reading",
    "tables",
    "terms",
    "ontology",
    "types",
    "relations",
    "drawing",
    "corpora",
    "extraction",
    "triples",
    "graph",
    "wikidata",
    "convert",
    "cli",
)


def test_exported_names():
    assert kgmrca.__all__ == [
        "KgmrcaError",
        "Relation",
        "Statement",
        "__version__",
        "add_to",
        "from_docs",
        "get_relations",
        "load",
        "render",
        "set_relations",
        "statements",
        "to_graph",
        "to_networkx",
    ]


@pytest.mark.parametrize("name", kgmrca.__all__)
def test_exported_name_resolves(name):
    assert getattr(kgmrca, name) is not None


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        kgmrca.nonsense  # noqa: B018


OURS = [
    entry
    for group in ("spacy_factories", "spacy_architectures", "spacy_readers", "spacy_scorers", "spacy_misc")
    for entry in entry_points(group=group)
    if entry.value.startswith("kgmrca.")
]


def test_there_are_entry_points_of_every_kind():
    assert {entry.group for entry in OURS} == {
        "spacy_factories",
        "spacy_architectures",
        "spacy_readers",
        "spacy_scorers",
        "spacy_misc",
    }


@pytest.mark.parametrize("entry", OURS, ids=lambda entry: entry.name)
def test_entry_point_resolves_and_spacy_finds_it(entry):
    function = entry.load()
    if entry.group == "spacy_factories":
        assert spacy.blank("en").has_factory(entry.name)
    else:
        # Not `is`, because a class method is another object each time.
        assert spacy.registry.get(entry.group.removeprefix("spacy_"), entry.name) == function


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_modules(path: Path) -> list[str]:
    names = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute here"
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_run_one_way(path):
    if path == PACKAGE / "__init__.py":
        return
    here = ROOMS.index(room(path))
    for name in imported_modules(path):
        parts = name.split(".")
        if parts[0] == "kgmrca" and parts[1] in ROOMS:
            assert ROOMS.index(parts[1]) <= here, f"{path} imports {name} from its right"


@pytest.mark.parametrize("path", sorted((PACKAGE / "extraction").rglob("*.py")), ids=lambda path: path.name)
def test_imports_within_extraction_run_one_way(path):
    rooms = ("encoder", "entities", "relations")
    if path.parent.name not in rooms:
        return
    for name in imported_modules(path):
        parts = name.split(".")
        if parts[:2] == ["kgmrca", "extraction"] and parts[2] in rooms:
            assert rooms.index(parts[2]) <= rooms.index(path.parent.name), f"{path} imports {name} from its right"


def test_no_modules_import_one_another_in_a_circle():
    names = {".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts): path for path in PACKAGE.rglob("*.py")}
    names = {name.removesuffix(".__init__"): path for name, path in names.items()}

    def known(name: str) -> str:
        return name if name in names else name.rpartition(".")[0]

    imports = {
        name: {known(imported) for imported in imported_modules(path) if known(imported) in names} - {name, "kgmrca"}
        for name, path in names.items()
    }
    TopologicalSorter(imports).prepare()  # a CycleError names the circle


GROUND_FLOOR = ROOMS[: ROOMS.index("relations")]


@pytest.mark.parametrize("name", GROUND_FLOOR)
def test_the_ground_floor_needs_neither_spacy_nor_torch(name):
    imported = {module.split(".")[0] for module in imported_modules(PACKAGE / f"{name}.py")}
    assert not imported & {"spacy", "thinc", "torch", "rdflib", "networkx"}


def test_the_map_names_every_module_and_no_other():
    contributing = PACKAGE.parent / "CONTRIBUTING.md"
    if not contributing.is_file():
        pytest.skip("the map is in the repository, and the tests run without it")
    section = contributing.read_text(encoding="utf-8").split("## The map of the house")[1].split("\n## ")[0]
    mapped = set(re.findall(r"^- `(\S+\.py)`", section, flags=re.MULTILINE))
    modules = {path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py")}
    assert mapped == {module for module in modules if not module.endswith("__init__.py")} | {"cli/__init__.py"}


@pytest.mark.parametrize(
    "path",
    ["extraction/encoder/networks.py", "extraction/relations/network.py", "extraction/relations/loss.py"],
)
def test_the_network_knows_nothing_of_spacy(path):
    assert not [name for name in imported_modules(PACKAGE / path) if name.split(".")[0] in ("spacy", "thinc")]


def test_transformers_is_imported_only_where_it_is_used():
    imports = "import sys, kgmrca.extraction.relations.component, kgmrca.extraction.relations.architectures"
    code = f"{imports}; sys.exit('transformers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_pipeline_that_does_not_link_loads_without_http():
    code = "import sys, kgmrca; kgmrca.load(); sys.exit('SPARQLWrapper' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("statement", ["import kgmrca", "import kgmrca.cli"])
def test_import_is_light(statement):
    heavy = "{'torch', 'ray', 'rdflib', 'networkx', 'spacy', 'transformers'} & set(sys.modules)"
    code = f"import sys; {statement}; sys.exit(', '.join({heavy}) or 0)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    "statement",
    [
        "kgmrca.load()",
        "spacy.blank('en').add_pipe('mrca_relations')",
        "sys.argv[1:] = ['tag', 'Curie']; kgmrca.cli.main()",
    ],
)
def test_without_torch_the_message_says_how_to_install_it(statement):
    code = f"import sys; sys.modules['torch'] = None; import kgmrca, kgmrca.cli, spacy; {statement}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    last = done.stderr.splitlines()[-1]
    assert "torch cannot be imported" in last
    assert "pip install torch --index-url https://download.pytorch.org/whl/cpu" in last
