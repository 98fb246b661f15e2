"""The statements of a text compared with an endpoint while a client waits: linked first, then checked, in little time.

What is asked is what `kgmrca link` and `kgmrca check` would ask. Only the endpoint that was configured is asked.
"""

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

from pyoxigraph import NamedNode, Quad, Triple, parse

from kgmrca.errors import EndpointError
from kgmrca.files import temporary_folder
from kgmrca.terms import COMMENT, KGMRCA
from kgmrca.triples.formats import FORMATS, write
from kgmrca.wikidata.check import Checked, checked_statements
from kgmrca.wikidata.link import link_graphs
from kgmrca.wikidata.lookups import Lookups
from kgmrca.wikidata.records import Claim, Item
from kgmrca.wikidata.sparql import ENDPOINTS, Endpoint, Row, open_endpoint
from kgmrca.wikidata.values import in_words
from kgmrca.wikidata.verdicts import Verdict
from kgmrca.wikidata.wikibase import Wikibase

__all__ = ["Checker"]

logger = logging.getLogger(__name__)

_LANGUAGES = ("en", "mul")
_NOT_LOOKED_UP = "not looked up"  # an outcome of linking
_OUTCOME, _LINK_OF = (NamedNode(KGMRCA + name) for name in ("outcome", "linkOf"))
_AFTER_FAILURE = 60.0  # seconds until an endpoint that failed gets a new chance


class _InTime:
    """An endpoint that is asked until some moment only, and the clock by which it waits."""

    def __init__(self, open_: Callable[["_InTime"], Endpoint]) -> None:
        self.end = float("inf")
        self.time, self.monotonic = time.time, time.monotonic
        self._endpoint = open_(self)
        self.name, self.inputs = self._endpoint.name, self._endpoint.inputs

    @property
    def queries(self) -> int:
        return self._endpoint.queries

    def sleep(self, seconds: float, /) -> None:
        self._refuse_after(seconds)
        time.sleep(seconds)

    def select(self, query: str) -> list[Row]:
        self._refuse_after(0)
        return self._endpoint.select(query)

    def _refuse_after(self, seconds: float) -> None:
        if self.monotonic() + seconds > self.end:
            raise EndpointError(
                f"{self.name} did not answer everything in time. What it has answered is kept: check again.",
                reason="not answered in time",
            )


class Checker:
    """Compares statements with an endpoint. One thread at a time may use it.

    Args:
        where, contact, cache, wikibase: as `kgmrca check` takes them.
        patience: after so many seconds, nothing more is asked for a text; a query may take as long.

    Attributes:
        name: what people call the endpoint.

    Raises:
        InputError: one of them cannot be used.
    """

    def __init__(
        self,
        where: str,
        *,
        contact: str | None = None,
        cache: Path | Literal["default"] | None = "default",
        wikibase: str | None = None,
        patience: float = 30.0,
    ) -> None:
        self.name = where if "://" in where or where in ENDPOINTS else Path(where).name
        self._patience = patience

        def open_lookups() -> tuple[_InTime, Lookups]:
            endpoint = _InTime(
                lambda clock: open_endpoint(where, contact=contact, timeout=patience, clock=clock, progress=False)
            )
            whose: Wikibase | Literal["find"] = Wikibase(wikibase) if wikibase else "find"
            return endpoint, Lookups(endpoint, cache=cache, wikibase=whose, progress=False)

        self._open = open_lookups
        self._endpoint, self._lookups = open_lookups()
        self._failed: float | None = None

    def close(self) -> None:
        """Close the cache."""
        self._lookups.close()

    def check(self, triples: Iterable[Triple | Quad], *, base: str) -> dict[str, dict[str, Any]]:
        """Link and check statements.

        Args:
            triples: all triples of some documents, with the text of the sentences.
            base: the beginning of the IRIs in them.

        Returns:
            By the IRI of each statement: "verdict", "reason", "subject" and "object" (the items that they are linked
            to, or None), and "value" (that of the claim that decided, or None). Items and values have a "text", items
            an "id" and an "iri", and values the IRI of the "claim".

        Raises:
            InputError: the cache cannot be used.
            OSError: there is no space for temporary files.
        """
        self._renew()
        self._endpoint.end = time.monotonic() + self._patience
        with temporary_folder(None) as folder:
            read, linked = folder / "read.nt", folder / "linked.nq"
            with read.open("wb") as out:
                write(triples, out, format="ntriples", base=base)
            outcomes = link_graphs([read], self._lookups, linked, base=base, progress=False).outcomes
            unknown = _not_looked_up(linked) if outcomes[_NOT_LOOKED_UP] else {}
            found = list(checked_statements([linked], self._lookups, base=base, progress=False))
        names = self._names(found)
        told = {one.iri: self._told(one, unknown, names) for one in found}
        if any(one["verdict"] == Verdict.not_checked.value for one in told.values()):
            self._failed = self._failed or time.monotonic()
            logger.warning("%s did not answer everything: %s", self.name, "; ".join(self._lookups.remarks.values()))
        return told

    def _renew(self) -> None:
        """Open the endpoint again some time after a failure: an endpoint with too many failures sends nothing more."""
        if self._failed and time.monotonic() > self._failed + _AFTER_FAILURE:
            self._lookups.close()
            (self._endpoint, self._lookups), self._failed = self._open(), None

    def _names(self, found: Sequence[Checked]) -> dict[str, str]:
        """The labels of the items of claims and statements, as far as they are known."""
        values = [one.judgement.basis.value for one in found if one.judgement.basis]
        values += [value for one in found if (value := one.assertion.object)]
        ids = {value.text for value in values if value.kind == "item"}
        ids |= {one.assertion.subject for one in found if one.assertion.subject}
        items = self._lookups.items(sorted(ids), languages=_LANGUAGES)
        return {id: _label(item) for id, item in items.items() if isinstance(item, Item)}

    def _told(self, one: Checked, unknown: dict[str, str], names: dict[str, str]) -> dict[str, Any]:
        judgement, object_ = one.judgement, one.assertion.object
        verdict, reason = judgement.verdict, judgement.reason
        ends = (one.subject, one.object.value)
        # Without the answer of the endpoint, nobody knows that there is no item.
        if verdict is Verdict.unlinked and (failed := next((unknown[end] for end in ends if end in unknown), None)):
            verdict, reason = Verdict.not_checked, failed

        def item(id: str | None) -> dict[str, str] | None:
            return {"id": id, "iri": self._lookups.wikibase.entity + id, "text": names.get(id) or id} if id else None

        def value(claim: Claim) -> dict[str, Any]:
            of_claim = claim.value
            shown = item(of_claim.text) if of_claim.kind == "item" else {"text": in_words(of_claim)}
            return {**(shown or {}), "claim": claim.iri}

        return {
            "verdict": verdict.value,
            "reason": reason,
            "subject": item(one.assertion.subject),
            "object": item(object_.text) if object_ and object_.kind == "item" else None,
            "value": value(judgement.basis) if judgement.basis else None,
        }


def _label(item: Item) -> str:
    labels = dict(item.labels)
    return next((labels[language] for language in _LANGUAGES if language in labels), item.id)


def _not_looked_up(linked: Path) -> dict[str, str]:
    """The entities whose names could not be looked up, with the reasons."""
    facts: dict[Any, dict[str, str]] = {}
    for quad in parse(path=linked, format=FORMATS["nquads"]):
        if quad.predicate in (_OUTCOME, _LINK_OF, COMMENT):
            facts.setdefault(quad.subject, {})[quad.predicate.value] = getattr(quad.object, "value", "")
    return {
        fact[_LINK_OF.value]: fact.get(COMMENT.value) or "The name could not be looked up."
        for fact in facts.values()
        if fact.get(_OUTCOME.value) == _NOT_LOOKED_UP and _LINK_OF.value in fact
    }
