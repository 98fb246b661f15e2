"""The data of a statement, of the mentions it was read from, and of the run that found it.

No spaCy is imported here, so graphs can be read, merged and checked without it.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from kgmrca import __version__
from kgmrca.triples.iris import DEFAULT_BASE, Iris

if TYPE_CHECKING:
    from spacy.language import Language

__all__ = ["DocumentEntity", "Mention", "Run", "Statement", "Times", "rounded", "sentence_digest"]


@dataclass(frozen=True, slots=True)
class Mention:
    """A stretch of a document's text.

    Attributes:
        iri: the document's IRI with the fragment `char=start,end` (RFC 5147).
        start, end: in code points from the document's start; the end is exclusive.
        text: the words, as `clean_text` gives them; "" if the mention was read from RDF that does not have them.
        type: the entity type, such as "PERSON"; "" if it has none. A pronoun has that of its entity.
    """

    iri: str
    start: int
    end: int
    text: str
    type: str = ""


@dataclass(frozen=True, slots=True)
class DocumentEntity:
    """What a document calls an entity, and where it speaks of it.

    Attributes:
        names: the different names, the most telling first, as `clean_text` gives them. A pronoun is no name.
        mentions: all mentions in the order of the text, pronouns too.
        namesakes: the IRIs of other entities of the document with the same name and type.
    """

    names: tuple[str, ...]
    mentions: tuple[Mention, ...]
    namesakes: tuple[str, ...] = ()


class Times(NamedTuple):
    """When a fact held: since when, until when, and at what point in time, as XSD writes dates; "" if it is not said.

    The forms are those of `xsd:gYear`, `xsd:gYearMonth` and `xsd:date`: "1990", "1990-05" and "1990-05-17".
    """

    start: str = ""
    end: str = ""
    point: str = ""


@dataclass(frozen=True, slots=True)
class Statement:
    """One relation between two mentions, in the terms of RDF.

    Attributes:
        iri: made of all other attributes but `label`, `confidence`, `times`, `run` and `decision`, so a statement
            found again is the same.
        subject, predicate: IRIs.
        object: an IRI, or the lexical form of a literal if `object_is_literal`.
        object_datatype: the IRI of the literal's datatype; None for plain text, or if the object is an IRI.
        label: the relation's name on the Doc.
        confidence: the score, from 0 to 1 with at most four decimals, in the canonical form of xsd:decimal.
        document: the IRI of the document.
        sentence: the one in which the subject stands; None if the Doc has no sentence boundaries.
        sentence_digest: a hash of the sentence's text (see `sentence_digest`), by which copies are known; or None. Of
            two sentences, it is that of both in the order of the text, with a space between them.
        run: the IRI of the run that found it, or None.
        object_sentence: the one in which the object stands, if that is another than the subject's.
        times: since when, until when and when the fact held, where the sentence says so.
        decision: what persons decided about it: "accepted", "rejected", "corrected" or "disputed"; "" if nothing.
        subject_entity, object_entity: what the document calls the two, and where. None if that is not known, as of a
            statement that was read from RDF, where names and mentions are triples of their own; and of a literal.
    """

    iri: str
    subject: str
    predicate: str
    object: str
    object_is_literal: bool
    object_datatype: str | None
    label: str
    confidence: Decimal
    document: str
    subject_mention: Mention
    object_mention: Mention
    sentence: Mention | None
    sentence_digest: str | None
    run: str | None
    object_sentence: Mention | None = None
    times: Times = field(default_factory=Times)
    decision: str = ""
    subject_entity: DocumentEntity | None = None
    object_entity: DocumentEntity | None = None

    @property
    def subject_name(self) -> str:
        """The most telling name of the subject; "" if the statement was read from RDF."""
        return self.subject_entity.names[0] if self.subject_entity else self.subject_mention.text

    @property
    def object_name(self) -> str:
        """The most telling name of the object, likewise; of a literal the words of its mention."""
        return self.object_entity.names[0] if self.object_entity else self.object_mention.text


@dataclass(frozen=True, slots=True)
class Run:
    """The software, pipeline and parameters of a run, which decide what statements it makes.

    Runs that agree in all of these have the same IRI, whatever they read and whenever.
    """

    model: str
    model_version: str
    model_digest: str
    parameters: str
    software_version: str = __version__

    @classmethod
    def of(cls, nlp: "Language", *, parameters: Mapping[str, Any] | None = None) -> "Run":
        """The run of a pipeline with parameters (anything JSON can hold).

        The digest covers the pipeline's configuration, and the weights of those components that have a method
        `digest() -> str`. Those of other components are known by the pipeline's name and version only.
        """
        digests = [[name, pipe.digest()] for name, pipe in nlp.pipeline if hasattr(pipe, "digest")]
        content = json.dumps([nlp.config.to_str(), digests])
        return cls(
            model=f"{nlp.meta['lang']}_{nlp.meta['name']}",
            model_version=nlp.meta["version"],
            model_digest=hashlib.sha256(content.encode("ascii")).hexdigest(),
            parameters=json.dumps(dict(parameters or {}), sort_keys=True),
        )

    def iri(self, base: str = DEFAULT_BASE) -> str:
        """The run's IRI in the graph with this base.

        >>> Run("en_made_up", "1.0", "", "{}", software_version="0.1.0").iri()
        'urn:kgmrca:run/99d4242b34aa79ade66835b216e27aba'
        """
        return Iris(base).run(self.software_version, self.model, self.model_version, self.model_digest, self.parameters)


def sentence_digest(text: str) -> str:
    """The first 64 bits of the SHA-256 digest of a sentence, in hexadecimal; case and white space make no difference.

    >>> sentence_digest("She was born in Warsaw.") == sentence_digest("SHE was  born in Warsaw.")
    True
    """
    return hashlib.sha256(" ".join(text.casefold().split()).encode("utf-8", "replace")).hexdigest()[:16]


def rounded(confidence: Decimal) -> Decimal:
    """A confidence with at most four decimals, in the canonical form of xsd:decimal (XSD 1.1, part 2, section 3.3.3).

    That form has no trailing zeros and no exponent. Stores rewrite any other form.

    >>> rounded(Decimal("0.91250"))
    Decimal('0.9125')
    """
    return Decimal(format(confidence.quantize(Decimal("0.0001")).normalize(), "f"))
