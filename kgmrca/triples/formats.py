"""The formats of RDF: their names and extensions, what each can hold, and how triples are written in them.

All other modules ask here whether a format has named graphs or triple terms, and whether a file is RDF.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, cast

from pyoxigraph import Quad, RdfFormat, Triple, serialize

from kgmrca.errors import InputError
from kgmrca.reading import suffix_of
from kgmrca.terms import DCTERMS, KGMRCA, PROV, RDF, RDFS, SKOS, XSD
from kgmrca.triples.iris import has_local_name

__all__ = [
    "CONCATENABLE",
    "EXTENSIONS",
    "FORMATS",
    "PROVENANCE",
    "WITH_GRAPHS",
    "WITH_PREFIXES",
    "WITH_TRIPLE_TERMS",
    "XmlOutput",
    "check_format",
    "chosen_format",
    "format_of",
    "is_rdf",
    "needs_graphs",
    "needs_triple_terms",
    "prefixes",
    "write",
]

FORMATS = {
    "turtle": RdfFormat.TURTLE,
    "ntriples": RdfFormat.N_TRIPLES,
    "nquads": RdfFormat.N_QUADS,
    "trig": RdfFormat.TRIG,
    "jsonld": RdfFormat.JSON_LD,
    "rdfxml": RdfFormat.RDF_XML,
}
"""The formats that are read and written, by our names for them."""

WITH_GRAPHS = frozenset({"nquads", "trig", "jsonld"})
"""The formats that have named graphs."""

WITH_TRIPLE_TERMS = frozenset({"turtle", "ntriples", "nquads", "trig"})
"""The formats that have triple terms (RDF 1.2)."""

WITH_PREFIXES = frozenset({"turtle", "trig"})
"""The formats that shorten IRIs by prefixes."""

CONCATENABLE = frozenset({"turtle", "ntriples", "nquads", "trig"})
"""The formats of which two files, one after the other, are a file."""

PROVENANCE = {
    "none": frozenset(FORMATS),
    "statements": frozenset(FORMATS),
    "graphs": WITH_GRAPHS,
    "rdf12": WITH_TRIPLE_TERMS,
    "wikidata": frozenset(FORMATS),
}
"""The forms in which statements can be written (see `write.py`), each with the formats that can hold it."""

EXTENSIONS = {
    ".ttl": "turtle",
    ".nt": "ntriples",
    ".nq": "nquads",
    ".trig": "trig",
    ".jsonld": "jsonld",
    ".rdf": "rdfxml",
}
"""The format that the end of a file's name stands for; ".gz" may follow it."""


def check_format(format: str) -> str:
    """Give the name of a format back.

    Raises:
        InputError: it is none of the `FORMATS`.

    >>> check_format("turtle")
    'turtle'
    """
    if format not in FORMATS:
        raise InputError(f"There is no format '{format}': choose one of {', '.join(FORMATS)}.")
    return format


def is_rdf(path: Path) -> bool:
    """Whether a file's name says that it is RDF, compressed or not.

    >>> is_rdf(Path("graph.nq.gz")), is_rdf(Path("notes.txt"))
    (True, False)
    """
    return suffix_of(path) in EXTENSIONS


def format_of(path: Path) -> str:
    """The format that a file's name stands for, compressed (.gz) or not.

    Raises:
        InputError: it stands for none of the `FORMATS`.

    >>> format_of(Path("graph.nq.gz"))
    'nquads'
    """
    if not is_rdf(path):
        raise InputError(
            f"'{path}' does not say its format: end it in {', '.join(EXTENSIONS)}, or one of these and .gz; "
            f"or choose a format ({', '.join(FORMATS)})."
        )
    return EXTENSIONS[suffix_of(path)]


def chosen_format(format: str | None, output: str | Path | IO[bytes], *, provenance: str = "none") -> str:
    """The format in which to write: if none is named, by the file's extension, or Turtle on a stream or for "-".

    Raises:
        InputError: there is no such format or provenance, the format cannot hold the provenance, or the file's name
            does not say its format.

    >>> chosen_format(None, "graph.trig", provenance="graphs")
    'trig'
    """
    if format is None:
        format = format_of(Path(output)) if isinstance(output, str | Path) and output != "-" else "turtle"
    check_format(format)
    if provenance not in PROVENANCE:
        raise InputError(f"There is no provenance '{provenance}': choose one of {', '.join(PROVENANCE)}.")
    if format not in (formats := PROVENANCE[provenance]):
        needs = "named graphs" if needs_graphs(provenance) else "RDF 1.2"
        raise InputError(
            f"The provenance '{provenance}' needs {needs}, which the format '{format}' does not have: choose the "
            f"format {' or '.join(name for name in FORMATS if name in formats)}, or another provenance."
        )
    return format


def needs_graphs(provenance: str) -> bool:
    """Whether a form of provenance can be written only where there are named graphs.

    >>> needs_graphs("graphs"), needs_graphs("statements")
    (True, False)
    """
    return PROVENANCE[provenance] <= WITH_GRAPHS


def needs_triple_terms(provenance: str) -> bool:
    """Whether a form of provenance can be written only where there are triple terms (RDF 1.2).

    >>> needs_triple_terms("rdf12"), needs_triple_terms("statements")
    (True, False)
    """
    return PROVENANCE[provenance] <= WITH_TRIPLE_TERMS


def prefixes(base: str) -> dict[str, str]:
    """The prefixes of a file: what each stands for.

    >>> prefixes("http://example.org/")["entity"]
    'http://example.org/entity/'
    """
    return {
        "check": f"{base}check/",
        "cluster": f"{base}cluster/",
        "conflict": f"{base}conflict/",
        "dcterms": DCTERMS,
        "entity": f"{base}entity/",
        "fact": f"{base}fact/",
        "kgmrca": KGMRCA,
        "link": f"{base}link/",
        "p": "http://www.wikidata.org/prop/",
        "pq": "http://www.wikidata.org/prop/qualifier/",
        "prov": PROV,
        "ps": "http://www.wikidata.org/prop/statement/",
        "rdf": RDF,
        "rdfs": RDFS,
        "retrieved": f"{base}retrieved/",
        "run": f"{base}run/",
        "skos": SKOS,
        "statement": f"{base}statement/",
        "wd": "http://www.wikidata.org/entity/",
        "wds": "http://www.wikidata.org/entity/statement/",
        "wdt": "http://www.wikidata.org/prop/direct/",
        "xsd": XSD,
    }


def write(triples: Iterable[Triple | Quad], output: IO[bytes], *, format: str, base: str) -> None:
    """Write triples to a binary stream as they come. `format` is one of `FORMATS`; JSON-LD is in expanded form.

    Raises:
        InputError: a predicate cannot be written as RDF/XML.
        Whatever `triples` or `output` raise; what was written by then is not a whole file.

    >>> import io
    >>> from pyoxigraph import NamedNode
    >>> out = io.BytesIO()
    >>> write([Triple(*map(NamedNode, ("urn:a", "urn:b", "urn:c")))], out, format="ntriples", base="urn:kgmrca:")
    >>> out.getvalue().decode()
    '<urn:a> <urn:b> <urn:c> .\\n'
    """
    if format == "rdfxml":
        triples, output = _with_names(triples), cast("IO[bytes]", XmlOutput(output))
    # Triples and quads may be mixed, whatever the stubs say.
    serialize(cast("Iterable[Quad]", triples), output, FORMATS[format], prefixes=prefixes(base))


class XmlOutput:
    """A stream for XML: a carriage return, which a reader would take for a line feed, is written as a reference.

    XML 1.0, section 2.11. The writer itself leaves it as it is, and ends its own lines otherwise.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def write(self, data: bytes) -> int:
        """Write XML in an encoding that has ASCII as it is."""
        self._stream.write(data.replace(b"\r", b"&#13;"))
        return len(data)

    def flush(self) -> None:
        """Flush the stream behind it."""
        self._stream.flush()


def _with_names(triples: Iterable[Triple | Quad]) -> Iterator[Triple | Quad]:
    for triple in triples:
        if not has_local_name(triple.predicate.value):
            raise InputError(
                f"The predicate <{triple.predicate.value}> cannot be written as RDF/XML, where it must end in a name "
                "(a letter or '_', then letters, digits, '.', '-' or '_'): choose another format."
            )
        yield triple
