"""The package as a whole: its names, its entry points, the direction of its imports, what it imports at the start."""

import ast
import re
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest
import spacy

import kgmrca

PACKAGE = Path(kgmrca.__file__).parent

# The modules in the order of the map in CONTRIBUTING.md: each imports from those before it only.
_CONTRIBUTING = (PACKAGE.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")
_SECTION = _CONTRIBUTING.split("## The map of the house")[1].split("\n## ")[0]
MAP = re.findall(r"^- `(\S+\.py)`", _SECTION, flags=re.MULTILINE)
GROUND_FLOOR = MAP[: MAP.index("entities.py")]


def test_exported_names():
    assert kgmrca.__all__ == [
        "Entity",
        "KgmrcaError",
        "Relation",
        "Statement",
        "__version__",
        "add_to",
        "from_docs",
        "get_entities",
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


GROUPS = {f"spacy_{kind}" for kind in ("factories", "architectures", "readers", "scorers", "misc")}
OURS = [entry for group in sorted(GROUPS) for entry in entry_points(group=group) if entry.value.startswith("kgmrca.")]


def test_there_are_entry_points_of_every_kind():
    assert {entry.group for entry in OURS} == GROUPS


@pytest.mark.parametrize("entry", OURS, ids=lambda entry: entry.name)
def test_entry_point_resolves_and_spacy_finds_it(entry):
    function = entry.load()
    if entry.group == "spacy_factories":
        assert spacy.blank("en").has_factory(entry.name)
    else:
        # Not `is`, because a class method is another object each time.
        assert spacy.registry.get(entry.group.removeprefix("spacy_"), entry.name) == function


def imported_modules(path: Path) -> list[str]:
    names = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute here"
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


def test_the_map_names_every_module_once_and_no_other():
    modules = [path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py")]
    rooms = [module for module in modules if module.endswith("__init__.py") and module != "cli/__init__.py"]
    assert sorted(MAP) == sorted(set(modules) - set(rooms))


@pytest.mark.parametrize("module", MAP)
def test_a_module_imports_from_those_before_it_only(module):
    names = {name.removesuffix(".py").removesuffix("/__init__").replace("/", "."): name for name in MAP}
    for imported in imported_modules(PACKAGE / module):
        name = imported.removeprefix("kgmrca.")
        found = names.get(name) or names.get(name.rpartition(".")[0])
        if imported.startswith("kgmrca.") and found:
            assert MAP.index(found) <= MAP.index(module), f"{module} imports {imported} from below it in the map"


@pytest.mark.parametrize("module", GROUND_FLOOR)
def test_the_ground_floor_needs_neither_spacy_nor_torch(module):
    imported = {name.split(".")[0] for name in imported_modules(PACKAGE / module)}
    assert not imported & {"spacy", "thinc", "torch", "rdflib", "networkx"}


@pytest.mark.parametrize(
    "path",
    [
        "extraction/encoder/networks.py",
        "extraction/encoder/reader.py",
        "extraction/entities/network.py",
        "extraction/coreference/names.py",
        "extraction/coreference/features.py",
        "extraction/coreference/network.py",
        "extraction/relations/network.py",
        "extraction/relations/loss.py",
    ],
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
    heavy = "{'torch', 'rdflib', 'networkx', 'spacy', 'transformers'} & set(sys.modules)"
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
