"""IRIs and literal texts that every RDF tool accepts. But for `literals.py`, no other module makes either from text."""

import hashlib
import json
import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import quote

from pyoxigraph import NamedNode

from kgmrca.errors import InputError

__all__ = ["DEFAULT_BASE", "Iris", "clean_text", "mention_iri", "quoted"]

DEFAULT_BASE = "urn:kgmrca:"

_SURROGATE = re.compile("[\ud800-\udfff]")
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


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


def mention_iri(document: str, start: int, end: int) -> str:
    """The IRI of a stretch of a document's text (RFC 5147): code points from 0, the end exclusive."""
    return f"{document}#char={start},{end}"


@dataclass(frozen=True, slots=True)
class Iris:
    """The IRIs of one graph: those of its documents, entities, statements and runs begin with `base`.

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

    def document(self, identifier: str) -> str:
        """The IRI of a document, from its identifier."""
        return f"{self.base}document/{quoted(identifier, slashes=True)}"

    def entity(self, document: str, surface: str) -> str:
        """The IRI of an entity that is not linked to any register: what `document` (an IRI) calls by this name.

        Case, Unicode composition and white space make no difference. The same name in another document is another
        entity: one may be merged with the other later, while a wrong merge could not be undone.
        """
        name = " ".join(unicodedata.normalize("NFC", surface).casefold().split())
        return f"{self.base}entity/{_digest(document, name)}"

    def statement(self, *what: str) -> str:
        """The IRI of a statement, from all that it says and where it was read."""
        return f"{self.base}statement/{_digest(*what)}"

    def run(self, *what: str) -> str:
        """The IRI of a run, from all that decides what it finds."""
        return f"{self.base}run/{_digest(*what)}"

    def relation(self, label: str) -> str:
        """The IRI of the predicate for a label that no ontology knows."""
        return f"{self.base}relation/{quoted(label)}"

    def meta(self, key: str) -> str:
        """The IRI of the predicate for a document's metadata under a key of the user's own."""
        return f"{self.base}meta/{quoted(key)}"


def _digest(*parts: str) -> str:
    """128 bits of SHA-256, in hexadecimal. As JSON, the parts cannot run into one another."""
    return hashlib.sha256(json.dumps(parts).encode("ascii")).hexdigest()[:32]
