"""What is known about relation labels, from the tables and ontologies in `ontologies/` or a user's own.

This is the predicate that stands for a label in RDF, the types of entities that a label can relate, its inverse, and
the labels that the predicates of a data set stand for.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias, cast

from pyoxigraph import Literal, NamedNode, Quad, RdfFormat, parse

from kgmrca.errors import InputError
from kgmrca.reading import suffix_of, unpacked
from kgmrca.resources import resource
from kgmrca.tables import text_lines
from kgmrca.terms import OWL, RDF, RDFS, SKOS

__all__ = [
    "ONTOLOGIES",
    "TYPES",
    "WIKIDATA_DIRECT",
    "WIKIDATA_ENTITY",
    "Mapped",
    "Ontology",
    "Property",
    "load_mapping",
    "load_ontology",
    "load_properties",
    "load_types",
    "wikidata_predicate",
]

WIKIDATA_ENTITY = "http://www.wikidata.org/entity/"
WIKIDATA_DIRECT = "http://www.wikidata.org/prop/direct/"
TYPES = frozenset({"PER", "ORG", "LOC", "TIME", "NUM", "MISC", "TERM"})
"""The types of entities, as `ontologies/relations.ttl` explains them."""

ONTOLOGIES: Mapping[str, str] = MappingProxyType(
    {
        "wikidata": "ontologies/relations.sssom.tsv",
        "dbpedia": "ontologies/relations.dbpedia.sssom.tsv",
        "schema": "ontologies/relations.schema.sssom.tsv",
    }
)
"""The ontologies that ship, by name: Wikidata's properties, the DBpedia ontology, schema.org."""

_NO_TERM = "sssom:NoTermFound"
_COLUMNS = ("subject_label", "predicate_id", "object_id")
_REVERSED = "owl:inverseOf"
_USED = frozenset({"skos:exactMatch", "skos:closeMatch", _REVERSED})
_MATCHES = _USED | {"skos:broadMatch", "skos:narrowMatch", "skos:relatedMatch"}

_SCHEMA = "https://schema.org/"
_TYPE = RDF + "type"
_INVERSE = OWL + "inverseOf"
_DISJOINT = OWL + "propertyDisjointWith"
_EXACT = SKOS + "exactMatch"
_PROPERTY = frozenset({RDF + "Property", OWL + "ObjectProperty", OWL + "DatatypeProperty"})
_OF_PROPERTIES = frozenset(
    {RDFS + "domain", RDFS + "range", RDFS + "subPropertyOf"}
    | {_SCHEMA + "domainIncludes", _SCHEMA + "rangeIncludes"}
    | {"http://schema.org/domainIncludes", "http://schema.org/rangeIncludes"}
)
# How well a label and a predicate match, the best first. A broader predicate holds wherever the label does, and is less
# precise. A narrower or related one need not hold.
_SSSOM_RANKS = {"skos:exactMatch": 0, _REVERSED: 1, "skos:closeMatch": 2, "skos:broadMatch": 3}
_LINK_RANKS = {
    _EXACT: 0,
    OWL + "equivalentProperty": 0,
    _SCHEMA + "sameAs": 0,
    "http://schema.org/sameAs": 0,
    _INVERSE: 1,
    SKOS + "closeMatch": 2,
}
_NAME_RANKS = {RDFS + "label": 4, SKOS + "prefLabel": 4, SKOS + "altLabel": 5}

_Known: TypeAlias = dict[str, dict[str, list[str]]]


@dataclass(frozen=True, slots=True)
class Ontology:
    """A set of labels, each with the IRI of its predicate. It cannot be changed.

    Attributes:
        predicates: `label -> IRI`.
        reversed: the labels whose subject is the predicate's object, and the other way round.
        ambiguous: the labels that two predicates stand for equally well, with these.
    """

    predicates: Mapping[str, str]
    reversed: frozenset[str] = frozenset()
    ambiguous: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("predicates", "ambiguous"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    def __reduce__(self) -> tuple[type["Ontology"], tuple[object, ...]]:
        # A read-only view cannot be pickled, which other processes need.
        return Ontology, (dict(self.predicates), self.reversed, dict(self.ambiguous))

    def predicate(self, label: str) -> str | None:
        """The IRI for a label such as "place of birth", or None for a label that the ontology does not know.

        Where `is_reversed(label)`, subject and object have to be exchanged when the predicate is written.

        Raises:
            InputError: two predicates stand for the label.

        >>> load_ontology().predicate("place of birth")
        'http://www.wikidata.org/prop/direct/P19'
        """
        key = self._key(label)
        if key in self.ambiguous:
            one, other = self.ambiguous[key]
            raise InputError(
                f"In the ontology both '{one}' and '{other}' stand for the label '{label}': link one of them to the "
                "label's Wikidata property (skos:exactMatch), or give the label a row in an SSSOM table."
            )
        return self.predicates.get(key)

    def is_reversed(self, label: str) -> bool:
        """Whether the label's subject is the object of its predicate, and the other way round."""
        return self._key(label) in self.reversed

    def _key(self, label: str) -> str:
        return label if label in self.predicates else _folded(label)

    def label_of(self, name: str) -> str | None:
        """The label of a Wikidata property such as "P19"; None if no label stands for it (the first, if several do).

        >>> load_ontology().label_of("P19")
        'place of birth'
        """
        predicate = wikidata_predicate(name)
        return next((label for label, known in self.predicates.items() if known == predicate), None)


@dataclass(frozen=True, slots=True)
class Property:
    """What is known about a label.

    Attributes:
        label: such as "place of birth".
        subject_types, object_types: which of the `TYPES` can stand there.
        inverse: the Wikidata predicate that says the same with subject and object exchanged, if there is one.
        symmetric: what holds of two also holds with them exchanged.
        single_valued: a subject has one object at most.
        asymmetric: what holds of two does not hold with them exchanged.
        disjoint: the labels that do not hold of the same subject and object.
    """

    label: str
    subject_types: frozenset[str]
    object_types: frozenset[str]
    inverse: str | None
    symmetric: bool
    single_valued: bool
    asymmetric: bool
    disjoint: frozenset[str]


@dataclass(frozen=True, slots=True)
class Mapped:
    """The label that a data set's predicate is turned into."""

    label: str
    reversed: bool = False  # the label's subject is the predicate's object, and the other way round


def load_ontology(ontology: str | Path = "wikidata") -> Ontology:
    """Read which predicate stands for which label. A file that did not change since the last time is not read again.

    From SSSOM TSV (https://mapping-commons.github.io/sssom/; a name that ends in .tsv): the row of a label that matches
    best, of `skos:exactMatch`, `owl:inverseOf` (subject and object exchanged), `skos:closeMatch` and `skos:broadMatch`,
    in that order. A broader predicate is used because it holds wherever the label does; narrower and related ones need
    not hold, and are not used. An object that is a Wikidata property stands for its "direct" predicate: `wikidata:P19`
    becomes `http://www.wikidata.org/prop/direct/P19`.

    From RDF in any format that pyoxigraph knows: the properties linked to the label's Wikidata property by
    `skos:exactMatch`, `owl:equivalentProperty` or `schema:sameAs`, `owl:inverseOf` (subject and object exchanged) or
    `skos:closeMatch`, else those that have the label as `rdfs:label`, `skos:prefLabel` or `skos:altLabel`; case and
    white space make no difference. Nothing is fetched, neither `owl:imports` nor a JSON-LD context.

    Args:
        ontology: one of the `ONTOLOGIES`, or a file.

    Raises:
        InputError: there is no such file, it cannot be read, or an SSSOM table gives one label two predicates.

    >>> load_ontology("schema").predicate("place of birth")
    'https://schema.org/birthPlace'
    """
    path = resource(ONTOLOGIES[ontology]) if isinstance(ontology, str) and ontology in ONTOLOGIES else Path(ontology)
    if not path.is_file():
        raise InputError(f"There is no ontology '{ontology}': choose {', '.join(ONTOLOGIES)}, or a file.")
    status = path.stat()
    return _read_ontology(path.resolve(), (status.st_ino, status.st_size, status.st_mtime_ns))


@lru_cache(maxsize=16)
def _read_ontology(path: Path, version: tuple[int, ...]) -> Ontology:
    """Read an ontology; `version` is another one whenever the file has changed."""
    try:
        return _read_sssom(path) if path.suffix.lower() == ".tsv" else _read_rdf(path)
    except (OSError, SyntaxError) as error:
        reason = str(error)
        if "LoadDocumentCallback" in reason:
            reason = (
                "its JSON-LD @context is at another address, and nothing is fetched: put the context into the file."
            )
        raise InputError(f"The ontology '{path}' cannot be read: {reason}") from error


def load_mapping(path: Path) -> dict[str, Mapped | None]:
    """Read which of our labels the predicates of a data set stand for, from SSSOM TSV.

    `skos:exactMatch` and `skos:closeMatch` give the label of the object's property in the mapping that ships with the
    package (`load_ontology`), `owl:inverseOf` gives it with subject and object exchanged. A predicate that has only
    properties broader or narrower than itself, or merely related, or none at all (`sssom:NoTermFound`), is known but
    cannot be turned into one label: None.

    Raises:
        InputError: the file is not such a mapping, gives one predicate two labels, or names a property without a label.

    >>> load_mapping(resource("ontologies/knowledgenet.sssom.tsv"))["CHILD_OF"]
    Mapped(label='child', reversed=True)
    """
    prefixes, rows = _read_table(path, _COLUMNS)
    labels = {predicate: label for label, predicate in load_ontology().predicates.items()}
    mapping: dict[str, Mapped | None] = {}
    for where, row in rows:
        name, match = row["subject_label"], row["predicate_id"]
        _check_match(match, where)
        known = mapping.setdefault(name, None)
        if row["object_id"] == _NO_TERM:
            continue
        predicate = _predicate(row["object_id"], prefixes, where)
        if match not in _USED:
            continue
        if predicate not in labels:
            raise InputError(
                f"{where}: no label stands for '{row['object_id']}'; give it a row in {ONTOLOGIES['wikidata']}."
            )
        mapped = Mapped(labels[predicate], reversed=match == _REVERSED)
        if known not in (None, mapped):
            raise InputError(f"{where}: the predicate '{name}' already stands for another label.")
        mapping[name] = mapped
    return mapping


@cache
def load_properties() -> Mapping[str, Property]:
    """What is known about each of our labels, by the IRI of its Wikidata predicate. It cannot be changed.

    >>> load_properties()["http://www.wikidata.org/prop/direct/P26"].symmetric
    True
    """
    known_of = _read_known(resource("ontologies/relations.ttl"))
    predicates = {
        relation: WIKIDATA_DIRECT + known[_EXACT][0].removeprefix(WIKIDATA_ENTITY)
        for relation, known in known_of.items()
        if _EXACT in known
    }
    properties = {
        predicate: Property(
            label=known_of[relation][RDFS + "label"][0],
            subject_types=_types(known_of[relation][_SCHEMA + "domainIncludes"]),
            object_types=_types(known_of[relation][_SCHEMA + "rangeIncludes"]),
            inverse=next((predicates[other] for other in known_of[relation].get(_INVERSE, ())), None),
            symmetric=OWL + "SymmetricProperty" in known_of[relation][_TYPE],
            single_valued=OWL + "FunctionalProperty" in known_of[relation][_TYPE],
            asymmetric=OWL + "AsymmetricProperty" in known_of[relation][_TYPE],
            disjoint=frozenset(known_of[other][RDFS + "label"][0] for other in known_of[relation].get(_DISJOINT, ())),
        )
        for relation, predicate in predicates.items()
    }
    return MappingProxyType(properties)


@cache
def load_types() -> Mapping[str, tuple[frozenset[str], frozenset[str]]]:
    """Which types (of `TYPES`) the subject and the object of each label can have. It cannot be changed.

    >>> load_types()["place of birth"]
    (frozenset({'PER'}), frozenset({'LOC'}))
    """
    properties = load_properties().values()
    return MappingProxyType({known.label: (known.subject_types, known.object_types) for known in properties})


def wikidata_predicate(name: str) -> str | None:
    """The IRI of the direct predicate of a Wikidata property such as "P19"; None if `name` is not one.

    >>> wikidata_predicate("P19")
    'http://www.wikidata.org/prop/direct/P19'
    """
    return WIKIDATA_DIRECT + name if re.fullmatch(r"P[1-9][0-9]*", name) else None


def _read_sssom(path: Path) -> Ontology:
    prefixes, rows = _read_table(path, _COLUMNS)
    found: dict[str, tuple[int, str]] = {}
    for where, row in rows:
        label, match = row["subject_label"], row["predicate_id"]
        _check_match(match, where)
        if match not in _SSSOM_RANKS or row["object_id"] == _NO_TERM:
            continue
        rank, predicate = _SSSOM_RANKS[match], _predicate(row["object_id"], prefixes, where)
        best = found.get(label, (rank, predicate))
        if best[0] == rank and best[1] != predicate:
            raise InputError(
                f"{where}: the label '{label}' already stands for '{best[1]}', which matches as well as '{predicate}'."
            )
        found[label] = min(best, (rank, predicate))
    inverse = _SSSOM_RANKS[_REVERSED]
    return Ontology(
        predicates={label: predicate for label, (_, predicate) in found.items()},
        reversed=frozenset(label for label, (rank, _) in found.items() if rank == inverse),
    )


def _read_rdf(path: Path) -> Ontology:
    labels = {predicate: known.label for predicate, known in load_properties().items()}
    found: dict[str, list[tuple[int, str]]] = {}
    for subject, known in _read_known(path).items():
        links = [(rank, iri) for link, rank in _LINK_RANKS.items() for iri in known.get(link, ())]
        linked = [(rank, wikidata) for rank, iri in links if (wikidata := _wikidata_property(iri))]
        if not (linked or _PROPERTY.intersection(known.get(_TYPE, ())) or _OF_PROPERTIES & known.keys()):
            continue
        names = [(rank, name) for kind, rank in _NAME_RANKS.items() for name in known.get(kind, ())]
        for rank, wikidata in linked:
            names.append((rank, wikidata.removeprefix(WIKIDATA_DIRECT)))
            names.extend((rank, label) for label in (labels.get(wikidata),) if label)
        for rank, name in names:
            found.setdefault(_folded(name), []).append((rank, subject))
    predicates, ambiguous = {}, {}
    for label, candidates in found.items():
        best = sorted({subject for rank, subject in candidates if rank == min(candidates)[0]})
        if len(best) == 1:
            predicates[label] = best[0]
        else:
            ambiguous[label] = best[0], best[1]
    inverse = _LINK_RANKS[_INVERSE]
    is_reversed = frozenset(label for label in predicates if min(found[label])[0] == inverse)
    return Ontology(predicates, is_reversed, ambiguous)


def _read_known(path: Path) -> _Known:
    """What an RDF file says: `subject -> predicate -> objects`, of subjects and predicates that have an IRI."""
    suffix = suffix_of(path).removeprefix(".")
    format = RdfFormat.RDF_XML if suffix == "owl" else RdfFormat.from_extension(suffix)
    if format is None:
        raise InputError(f"'{path}' does not say its format: end it in .tsv (SSSOM), .ttl, .rdf, .owl, .nt or .jsonld.")
    known_of: _Known = {}
    for quad in _quads(path, format):
        if isinstance(quad.subject, NamedNode) and isinstance(quad.object, NamedNode | Literal):
            known = known_of.setdefault(quad.subject.value, {})
            known.setdefault(quad.predicate.value, []).append(quad.object.value)
    return known_of


def _quads(path: Path, format: RdfFormat) -> Iterator[Quad]:
    with path.open("rb") as file, unpacked(file) as content:
        yield from cast("Iterator[Quad]", parse(content, format))


def _wikidata_property(iri: str) -> str | None:
    """The direct predicate of a Wikidata property, given by it or by the property's own IRI; else None."""
    start = next((start for start in (WIKIDATA_ENTITY, WIKIDATA_DIRECT) if iri.startswith(start)), None)
    return wikidata_predicate(iri.removeprefix(start)) if start else None


def _folded(label: str) -> str:
    return " ".join(label.casefold().split())


def _check_match(match: str, where: str) -> None:
    if match not in _MATCHES:
        raise InputError(f"{where}: '{match}' is none of {', '.join(sorted(_MATCHES))}.")


def _read_prefixes(header: list[str]) -> dict[str, str]:
    # The header is YAML in comments. Its only indented lines of the form `name: IRI` are those of curie_map.
    found = (re.fullmatch(r"""#\s+([\w.-]+):\s+["']?([^\s"']+)["']?\s*""", line) for line in header)
    return {match[1]: match[2] for match in found if match}


def _predicate(curie: str, prefixes: Mapping[str, str], where: str) -> str:
    prefix, _, local = curie.partition(":")
    if prefix not in prefixes:
        raise InputError(f"{where}: the prefix of '{curie}' is not in the header's curie_map.")
    predicate = wikidata_predicate(local) if prefixes[prefix] == WIKIDATA_ENTITY else prefixes[prefix] + local
    if predicate is None:
        raise InputError(f"{where}: '{curie}' is not a Wikidata property (P and a number).")
    return predicate


def _read_table(path: Path, columns: tuple[str, ...]) -> tuple[dict[str, str], list[tuple[str, dict[str, str]]]]:
    """The prefixes of the header (lines that begin with `#`), and the rows, each with the words for where it is."""
    lines = list(text_lines(path))
    n_header = next((number for number, line in enumerate(lines) if not line.startswith("#")), len(lines))
    reader = csv.DictReader(lines[n_header:], delimiter="\t")
    if missing := [column for column in columns if column not in (reader.fieldnames or ())]:
        raise InputError(f"{path}, line {n_header + 1}: the columns {', '.join(missing)} are missing.")
    rows = []
    for row in _rows(reader, path):
        where = f"{path}, line {n_header + reader.line_num}"
        if None in row or None in row.values():
            raise InputError(f"{where}: {len(reader.fieldnames or ())} cells are expected, one per column.")
        rows.append((where, row))
    return _read_prefixes(lines[:n_header]), rows


def _rows(reader: "csv.DictReader[str]", path: Path) -> Iterator[dict[str, str]]:
    try:
        yield from reader
    except csv.Error as error:
        raise InputError(f"{path}: this is no table with tabs between its cells: {error}.") from error


def _types(iris: Iterable[str]) -> frozenset[str]:
    return frozenset(iri.removeprefix("https://w3id.org/kgmrca/type/") for iri in iris)
