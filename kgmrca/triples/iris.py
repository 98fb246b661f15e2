"""Makes IRIs, and clean texts for literals, that every RDF tool accepts. No other module makes an IRI from a text."""

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote, unquote

from pyoxigraph import NamedNode

from kgmrca.errors import InputError
from kgmrca.names import normal_name

__all__ = [
    "DEFAULT_BASE",
    "Iris",
    "clean_text",
    "from_node_predicate",
    "graph_digest",
    "has_local_name",
    "mention_iri",
    "quoted",
    "text_digest",
]

DEFAULT_BASE = "urn:kgmrca:"

_SURROGATE = re.compile("[\ud800-\udfff]")
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NAME_START = (
    "A-Z_a-z\xc0-\xd6\xd8-\xf6\xf8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c\u200d\u2070-\u218f\u2c00-\u2fef\u3001-\ud7ff"
    "\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
# From the end, which takes one pass however long the IRI is.
_LOCAL_NAME_REVERSED = re.compile(f"[{_NAME_START}0-9.\xb7\u0300-\u036f\u203f\u2040-]*[{_NAME_START}]")

_WIKIDATA = "http://www.wikidata.org/prop/"
# What `Iris.node_predicates` makes. A quoted IRI has no slash and, for its colon, a "%3A".
_NODE_PREDICATE = re.compile(
    rf"{re.escape(_WIKIDATA)}(?P<to>statement/)?(?P<name>[^/]+)|.*[/:]prop/(?P<to_own>statement/)?(?P<own>[^/]*%3A[^/]*)"
)


def quoted(text: str, *, slashes: bool = False) -> str:
    """Any text as part of an IRI's path: percent-encoded UTF-8 (RFC 3986, section 2.1), so pure ASCII.

    With `slashes`, "/" stays as it is, unless the text has a segment that is empty, "." or "..": those would be
    resolved away (RFC 3986, section 5.2.4). Different texts give different results, except for lone surrogates, which
    have no UTF-8 form and are replaced by U+FFFD.

    >>> quoted("lives/Curie 1867.txt", slashes=True)
    'lives/Curie%201867.txt'
    """
    slashes = slashes and not {"", ".", ".."} & set(text.split("/"))
    done = quote(_SURROGATE.sub("\ufffd", text), safe="/" if slashes else "")
    return done.replace(".", "%2E") if done in (".", "..") else done


def clean_text(text: str) -> str:
    """A text for a literal: each character that XML 1.0 does not allow (section 2.2) is replaced by U+FFFD.

    These are most control characters, lone surrogates, U+FFFE and U+FFFF. Turtle can hold some of them, but RDF/XML and
    GraphML cannot.
    """
    return _NOT_XML.sub("\ufffd", text)


def has_local_name(iri: str) -> bool:
    """Whether an IRI ends in a name such as XML elements have (Namespaces in XML 1.0, section 3, NCName).

    RDF/XML writes a predicate as such a name with a namespace before it, so only IRIs that end in one can be predicates
    there.

    >>> has_local_name("urn:x:knows"), has_local_name("urn:x:1867")
    (True, False)
    """
    return _LOCAL_NAME_REVERSED.match(iri[::-1]) is not None


def mention_iri(document: str, start: int, end: int) -> str:
    """The IRI of a stretch of a document's text (RFC 5147): code points from 0, the end exclusive.

    >>> mention_iri("urn:kgmrca:document/curie.txt", 0, 11)
    'urn:kgmrca:document/curie.txt#char=0,11'
    """
    return f"{document}#char={start},{end}"


def graph_digest(statements: Iterable[str]) -> str:
    """What a graph is known by for those who review it: a digest of the IRIs of its statements, in any order.

    It stays the same when a graph is linked, checked or reviewed.

    >>> graph_digest(["urn:b", "urn:a"]) == graph_digest(["urn:a", "urn:b", "urn:a"])
    True
    """
    return _digest(*sorted(set(statements)))


def text_digest(text: str) -> str:
    """The first 80 bits of the SHA-256 digest of a text in UTF-8, in hexadecimal.

    `sha256sum` prints a digest that begins so for a file of this text. The digest has to tell apart texts with the same
    name only, such as all that come from standard input. That two of 10 million different texts have the same digest
    has a probability of 4 in 100 billion; with 64 bits it would be 3 in a million.

    Digests are not kept in memory. A document costs a few microseconds, and its IRI is 21 bytes longer. The IRI is
    written twice for the document and up to four times for each statement: 4.6 GB more of uncompressed N-Triples for 10
    million documents with 5 statements each.

    >>> text_digest("Marie Curie was born in Warsaw.")
    'e708d4b87ace1b5170e9'
    """
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:20]


def from_node_predicate(iri: str) -> tuple[str, bool] | None:
    """The predicate that an IRI of `Iris.node_predicates` was made for, and whether that IRI leads to the object.

    Any other IRI gives None.

    >>> from_node_predicate("http://www.wikidata.org/prop/statement/P19")
    ('http://www.wikidata.org/prop/direct/P19', True)
    """
    match = _NODE_PREDICATE.fullmatch(iri)
    if match is None:
        return None
    predicate = unquote(match["own"]) if match["own"] else f"{_WIKIDATA}direct/{match['name']}"
    return predicate, bool(match["to"] or match["to_own"])


@dataclass(frozen=True, slots=True)
class Iris:
    """Makes the IRIs of one graph: of documents, entities, statements, runs and predicates of its own.

    Attributes:
        base: what all of them begin with.

    Raises:
        InputError: `base` is not an absolute IRI that ends in "/" or ":", or has a fragment.
    """

    base: str = DEFAULT_BASE

    def __post_init__(self) -> None:
        try:
            NamedNode(self.base)
        except ValueError as error:
            raise InputError(f"The base '{self.base}' is not an absolute IRI: {error}.") from error
        if "#" in self.base or not self.base.endswith(("/", ":")):
            raise InputError(
                f"The base '{self.base}' must end in '/' or ':' and have no '#': a mention is a fragment of its "
                "document's IRI, and an IRI has one fragment only."
            )

    def document(self, identifier: str, digest: str) -> str:
        """The IRI of a document, from its name and the digest of its text (see `text_digest`).

        The same text with the same name is the same document in every run. Another text is another document, and so is
        the same text with another name. The IRI of a document without a name ("") has the digest only. An "@" stands
        before the digest; a quoted name has none. IRIs of documents had no digest in graphs of version 0.1.

        >>> Iris().document("lives/curie.txt", text_digest("Marie Curie was born in Warsaw."))
        'urn:kgmrca:document/lives/curie.txt@e708d4b87ace1b5170e9'
        """
        return f"{self.base}document/{quoted(identifier, slashes=True)}@{digest}"

    def entity(self, document: str, surface: str, place: str | None = None) -> str:
        """The IRI of an entity without a Wikidata item: of what `document` (an IRI) calls by this name.

        Case and typography make no difference (see `kgmrca.names`). The same name in another document is another
        entity, because two entities can be joined later, while one that was joined wrongly cannot be parted again.

        Args:
            place: where the entity has this name, if an earlier one of the document has the same name.
        """
        name = normal_name(surface)
        return f"{self.base}entity/{_digest(document, name) if place is None else _digest(document, name, place)}"

    def statement(self, *what: str) -> str:
        """The IRI of a statement, from what it says and where it was read."""
        return f"{self.base}statement/{_digest(*what)}"

    def run(self, *what: str) -> str:
        """The IRI of a run, from its software, pipeline and parameters."""
        return f"{self.base}run/{_digest(*what)}"

    def link(self, *what: str) -> str:
        """The IRI of the link of an entity, or of one of its candidates.

        Args:
            what: the IRI of the entity and the name of the endpoint; of a candidate also the id of the item.
        """
        return f"{self.base}link/{_digest(*what)}"

    def check(self, statement: str, endpoint: str) -> str:
        """The IRI of the check of a statement (an IRI) against an endpoint (by its name)."""
        return f"{self.base}check/{_digest(statement, endpoint)}"

    def retrieved(self, endpoint: str, *what: str) -> str:
        """The IRI of a value fetched from an endpoint (by its name), or of the named graph of all values from it."""
        return f"{self.base}retrieved/{_digest(endpoint, *what)}"

    def fact(self, *what: str) -> str:
        """The IRI of a fact of a merged graph, from its subject, predicate and object."""
        return f"{self.base}fact/{_digest(*what)}"

    def cluster(self, *what: str) -> str:
        """The IRI of a cluster of entities, from the item that they are linked to, or their name and type."""
        return f"{self.base}cluster/{_digest(*what)}"

    def conflict(self, *what: str) -> str:
        """The IRI of a conflict in a merged graph, from its kind and what it is about."""
        return f"{self.base}conflict/{_digest(*what)}"

    def review(self, *what: str) -> str:
        """The IRI of a person's decision, from the statement, the person, what was decided, and when."""
        return f"{self.base}review/{_digest(*what)}"

    def reviewer(self, name: str) -> str:
        """The IRI of a person who decides, by the name that the person goes by."""
        return f"{self.base}reviewer/{quoted(name)}"

    def relation(self, label: str) -> str:
        """The IRI of the predicate for a label that the ontology has no predicate for."""
        return f"{self.base}relation/{_name(label)}"

    def meta(self, key: str) -> str:
        """The IRI of the predicate for a document's metadata under a key of the user's own."""
        return f"{self.base}meta/{_name(key)}"

    def node_predicates(self, predicate: str) -> tuple[str, str]:
        """The two predicates that lead from a subject to a statement node and from there to the object.

        For a predicate of Wikidata they are Wikidata's own (`p:` and `ps:` to `wdt:`), for any other the quoted IRI
        under `base`.
        """
        direct = f"{_WIKIDATA}direct/"
        if predicate.startswith(direct):
            prefix, name = _WIKIDATA, predicate.removeprefix(direct)
        else:
            prefix, name = f"{self.base}prop/", quoted(predicate)
        return f"{prefix}{name}", f"{prefix}statement/{name}"


def _name(text: str) -> str:
    """Any text as the end of a predicate: quoted, and with "_" behind it where RDF/XML would find no name ("1867").

    A text that ends in "_" gets another one, so that different texts still have different ends.
    """
    done = quoted(text)
    return f"{done}_" if done.endswith("_") or not has_local_name(done) else done


def _digest(*parts: str) -> str:
    """128 bits of SHA-256, in hexadecimal. As JSON, the parts cannot run into one another."""
    return hashlib.sha256(json.dumps(parts).encode("ascii")).hexdigest()[:32]
