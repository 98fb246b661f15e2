"""IRIs and literal texts that every RDF tool accepts. But for `literals.py`, no other module makes either from text."""

import hashlib
import json
import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import quote, unquote

from pyoxigraph import NamedNode

from kgmrca.errors import InputError

__all__ = [
    "DEFAULT_BASE",
    "Iris",
    "claimed",
    "clean_text",
    "has_local_name",
    "mention_iri",
    "normal_name",
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
# What `Iris.claim` makes. A quoted IRI has no slash and, for its colon, a "%3A".
_CLAIM = re.compile(
    rf"{re.escape(_WIKIDATA)}(?P<to>statement/)?(?P<name>[^/]+)|.*[/:]prop/(?P<to_own>statement/)?(?P<own>[^/]*%3A[^/]*)"
)


def quoted(text: str, *, slashes: bool = False) -> str:
    """Any text as part of an IRI's path: percent-encoded UTF-8 (RFC 3986, section 2.1), so pure ASCII.

    With `slashes`, "/" stays as it is, unless the text has a segment that is empty, "." or "..": those would be
    resolved away (RFC 3986, section 5.2.4). Two texts never give the same result, but for lone surrogates, which have
    no UTF-8 form and become U+FFFD.
    """
    slashes = slashes and not {"", ".", ".."} & set(text.split("/"))
    done = quote(_SURROGATE.sub("\ufffd", text), safe="/" if slashes else "")
    return done.replace(".", "%2E") if done in (".", "..") else done


def clean_text(text: str) -> str:
    """A text as it can stand in a literal: what XML 1.0 has no character for (section 2.2) becomes U+FFFD.

    Those are most control characters, lone surrogates, U+FFFE and U+FFFF. Turtle could hold some of them, but the graph
    could then not be written as RDF/XML or GraphML.
    """
    return _NOT_XML.sub("\ufffd", text)


def normal_name(name: str) -> str:
    """A name without regard to case, Unicode composition and white space."""
    return " ".join(unicodedata.normalize("NFC", name).casefold().split())


def has_local_name(iri: str) -> bool:
    """Whether an IRI ends in a name such as XML elements have (Namespaces in XML 1.0, section 3, NCName).

    RDF/XML makes a predicate such a name with a namespace before it, so that only these IRIs can be predicates there.
    """
    return _LOCAL_NAME_REVERSED.match(iri[::-1]) is not None


def mention_iri(document: str, start: int, end: int) -> str:
    """The IRI of a stretch of a document's text (RFC 5147): code points from 0, the end exclusive."""
    return f"{document}#char={start},{end}"


def text_digest(text: str) -> str:
    """80 bits of SHA-256 of a text in UTF-8, in hexadecimal; `sha256sum` begins so for a file of this text.

    Only texts of one name are told apart by it. The most of these come from standard input: among 10 million different
    ones, two share a digest with a probability of 4 in 100 billion; with 64 bits it would be 3 in a million. The digest
    is made in passing and not kept: a document costs a few microseconds, and 21 more bytes wherever its IRI is written,
    which is twice for the document and up to four times for each statement. For 10 million documents with 5 statements
    each that is 4.6 GB of N-Triples before compression.

    >>> text_digest("Marie Curie was born in Warsaw.")
    'e708d4b87ace1b5170e9'
    """
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:20]


def claimed(iri: str) -> tuple[str, bool] | None:
    """The predicate that one of the two of `Iris.claim` was made for, and whether it leads to the object.

    None for any other IRI.
    """
    match = _CLAIM.fullmatch(iri)
    if match is None:
        return None
    predicate = unquote(match["own"]) if match["own"] else f"{_WIKIDATA}direct/{match['name']}"
    return predicate, bool(match["to"] or match["to_own"])


@dataclass(frozen=True, slots=True)
class Iris:
    """The IRIs of one graph: its documents', entities', statements', runs' and own predicates' begin with `base`.

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

        So the same text under the same name is the same document in every run, another text never is, and equal texts
        under two names are two documents. A document without a name, "", has its digest only. No quoted name has an
        "@", so name and digest cannot run into one another; an IRI without one is a document's of version 0.1, which
        had its name only.

        >>> Iris().document("lives/curie.txt", text_digest("Marie Curie was born in Warsaw."))
        'urn:kgmrca:document/lives/curie.txt@e708d4b87ace1b5170e9'
        """
        return f"{self.base}document/{quoted(identifier, slashes=True)}@{digest}"

    def entity(self, document: str, surface: str) -> str:
        """The IRI of an entity that is not linked to any register: what `document` (an IRI) calls by this name.

        Case, Unicode composition and white space make no difference. The same name in another document is another
        entity: one may be merged with the other later, while a wrong merge could not be undone.
        """
        return f"{self.base}entity/{_digest(document, normal_name(surface))}"

    def statement(self, *what: str) -> str:
        """The IRI of a statement, from all that it says and where it was read."""
        return f"{self.base}statement/{_digest(*what)}"

    def run(self, *what: str) -> str:
        """The IRI of a run, from all that decides what it finds."""
        return f"{self.base}run/{_digest(*what)}"

    def link(self, *what: str) -> str:
        """The IRI of what was decided about an entity (an IRI) with an endpoint (by its name), or of a candidate."""
        return f"{self.base}link/{_digest(*what)}"

    def check(self, statement: str, endpoint: str) -> str:
        """The IRI of what an endpoint (by its name) says about a statement (an IRI)."""
        return f"{self.base}check/{_digest(statement, endpoint)}"

    def retrieved(self, endpoint: str, *what: str) -> str:
        """The IRI of something that an endpoint (by its name) said, or of the named graph with all of that."""
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

    def relation(self, label: str) -> str:
        """The IRI of the predicate for a label that no ontology knows."""
        return f"{self.base}relation/{_name(label)}"

    def meta(self, key: str) -> str:
        """The IRI of the predicate for a document's metadata under a key of the user's own."""
        return f"{self.base}meta/{_name(key)}"

    def claim(self, predicate: str) -> tuple[str, str]:
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

    So that two texts still never give the same, a text that ends in "_" gets another.
    """
    done = quoted(text)
    return f"{done}_" if done.endswith("_") or not has_local_name(done) else done


def _digest(*parts: str) -> str:
    """128 bits of SHA-256, in hexadecimal. As JSON, the parts cannot run into one another."""
    return hashlib.sha256(json.dumps(parts).encode("ascii")).hexdigest()[:32]
