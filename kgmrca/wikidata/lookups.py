"""What an endpoint has about items and properties, looked up in batches and kept in a cache.

Every look-up gives an answer, or that there is none, or `NotChecked` with the reason why it failed.
"""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, TypeVar

from pyoxigraph import Quad

from kgmrca.errors import EndpointError, InputError
from kgmrca.ontology import load_properties
from kgmrca.progress import progress_bar
from kgmrca.triples.items import property_id
from kgmrca.triples.read import Node
from kgmrca.wikidata import answers, queries
from kgmrca.wikidata.answers import LookUpKind
from kgmrca.wikidata.cache import Cache, Key, default_cache
from kgmrca.wikidata.records import Candidate, Claim, Item, NotChecked, Profile, WikidataProperty
from kgmrca.wikidata.sparql import ENDPOINTS, Clock, Endpoint, Row
from kgmrca.wikidata.wikibase import WIKIDATA, OtherWikibase, Wikibase, found_in

__all__ = ["Lookups"]

T = TypeVar("T")

_THE_ENDPOINT: Key = ("", "")

_TRIES_ALONE = 3  # of a query about one thing that times out
_MOST_REDIRECTS = 5


class Lookups:
    """Looks things up: in the cache first, then at an endpoint, with one query for many keys.

    Use it as a context manager, or call `close`. Every batch is in the cache as soon as it is answered, so an
    interrupted run does not lose it. `claims`, `items` and `properties` follow redirects of ids; the `id` of an item is
    the one that other look-ups need.

    Several threads may use one object; one at a time sends queries, and the others then find the answers in the cache.
    Several processes may share a cache on disk, each with an object of its own.

    Args:
        endpoint: answers what is not in the cache.
        cache: the file of the cache; None keeps answers in memory, as long as this object lives. "default" is the
            user's cache (see `cache.default_cache`), but memory for an endpoint that is a local file.
        offline: whether to use only what is in the cache, and not to change it. It has no effect with the default
            cache on an endpoint that is a local file.
        refresh: whether to use only answers that were fetched since this object was made.
        max_age: how long an answer is used.
        batch: how many keys are put into a query. It is halved when a query times out, and grows again slowly.
        progress: see `kgmrca.progress.progress_bar`.
        clock: tells the time.
        wikibase: whose data the endpoint has; "find": Wikidata's, unless `find_wikibase` finds that it is another's.

    Attributes:
        endpoint: answers what is not in the cache.
        wikibase: whose data the endpoint has.
        remarks: what is worth telling about the endpoint, such as what it said when it first gave no answer, by reason.

    Raises:
        InputError: `max_age` is negative, or the cache is a folder.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        cache: Path | Literal["default"] | None = "default",
        offline: bool = False,
        refresh: bool = False,
        max_age: timedelta = timedelta(days=30),
        batch: int = 200,
        progress: bool | None = None,
        clock: Clock = time,
        wikibase: Wikibase | Literal["find"] = "find",
    ) -> None:
        if max_age < timedelta(0):
            raise InputError(f"`max_age` is how long an answer is used, and cannot be negative: {max_age}.")
        if cache == "default":
            # A local file is read anew in each process, so that a cache of it would have no use.
            cache, offline = (None, False) if endpoint.inputs else (default_cache(), offline)
        if cache and cache.is_dir():
            raise InputError(f"The cache '{cache}' cannot be used: it is a folder. Name a file with --cache.")
        self.endpoint: Endpoint = endpoint
        self.wikibase = WIKIDATA
        self._finds = wikibase == "find" and endpoint.name not in ENDPOINTS.values()
        if isinstance(wikibase, Wikibase):
            self._use(wikibase)
        self._cache = Cache(cache, read_only=offline)
        self._offline = offline
        self._asking = threading.Lock()
        self._max_age = max_age.total_seconds()
        self._oldest = clock.time() if refresh else 0.0
        self._batch = batch
        self._sizes: dict[str, int] = {}
        self.remarks: dict[str, str] = {}
        self._has: dict[str, bool] = {}  # by part of Wikidata's data
        self._progress = progress
        self._clock = clock

    def __enter__(self) -> "Lookups":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def cache(self) -> Path | None:
        """The file of the cache; None if answers are kept in memory."""
        return self._cache.path

    @property
    def inputs(self) -> tuple[Path, ...]:
        """What is read: the file or folder of a local endpoint, and the file of the cache."""
        return (*self.endpoint.inputs, *([self.cache] if self.cache else []))

    def find_wikibase(self, graphs: Callable[[], Iterable[Node | Quad]] | None = None) -> bool:
        """See whose data this is about, unless that was told; whether it is another Wikibase than was thought.

        Args:
            graphs: gives what is in graphs, which then tell it; without, the endpoint's data do, by one query.
        """
        if not self._finds:
            return False
        found = found_in(graphs()) if graphs else self._of_endpoint()
        if found is None or found.is_wikidata or found.entity == self.wikibase.entity:
            return False
        self._use(found)
        self.remarks["wikibase"] = f"The items are those of {found.entity} (--wikibase names another Wikibase)."
        return True

    def adopt_predicates(self) -> bool:
        """Take predicates of Wikidata for those of the other Wikibase, where the property is the same; whether any is.

        It is the same if it has the same id and, in English, the same name. That is asked for the properties that
        texts are converted to.
        """
        names = {property_id(predicate): known.label for predicate, known in load_properties().items()}
        found = self.properties(id for id in names if id)
        same = [
            id
            for id, about in found.items()
            if isinstance(about, WikidataProperty) and about.label.casefold() == names[id].casefold()
        ]
        self.wikibase = Wikibase(self.wikibase.entity, same)
        return bool(same)

    def _of_endpoint(self) -> Wikibase | None:
        properties = self._look_up(answers.PROPERTY_IRIS, [_THE_ENDPOINT])[_THE_ENDPOINT]
        roots = {iri.rpartition("entity/")[0] for iri in properties} if isinstance(properties, list) else set()
        return Wikibase(roots.pop()) if len(roots) == 1 else None

    def _use(self, wikibase: Wikibase) -> None:
        self.wikibase = wikibase
        if not wikibase.is_wikidata:
            self.endpoint = OtherWikibase(self.endpoint, wikibase)

    def lacks(self, part: str) -> bool:
        """Whether the endpoint is known to have nothing of a part of Wikidata's data, one of `answers.PARTS`."""
        return self._has.get(part) is False

    def is_without(self, part: str) -> bool:
        """Like `lacks`, but the endpoint is asked if nothing is known; what it lacks is among the remarks then.

        Raises:
            InputError: the cache cannot be used.
        """
        if part not in self._has:
            found = self._look_up(answers.SURVEY, [_THE_ENDPOINT])[_THE_ENDPOINT]
            if not isinstance(found, NotChecked):
                self._learn(found)
        if self.lacks(part):
            self.remarks.setdefault(part, f"The endpoint {answers.PARTS[part]}.")
        return self.lacks(part)

    def close(self) -> None:
        """Close the cache. It is opened again if this object is used again."""
        self._cache.close()

    def claims(self, pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], tuple[Claim, ...] | NotChecked]:
        """The claims of items with a property, of any rank, by (item, property), sorted by their IRIs.

        An item that the endpoint does not have has no claims. Where the endpoint has no statement nodes, the claims are
        the values of the direct predicates: those of the best rank, without IRIs and qualifiers.

        Raises:
            InputError: an id is malformed, or the cache cannot be used.
        """
        given = list(pairs)
        try:
            found = self._look_up(self._claims_kind, given)
        except _NoStatements:  # which is found out by the first batch without any
            found = self._look_up(self._claims_kind, given)
        return {key: _loaded(answers.as_claims(key), value) for key, value in found.items()}

    def items(
        self, ids: Iterable[str], *, languages: Sequence[str] = ("en", "mul")
    ) -> dict[str, Item | NotChecked | None]:
        """What the endpoint has about items, with labels in these languages; None if it has no such item.

        It has an item if it has a class (P31), a label in one of the languages, a number of sitelinks or of statements,
        or the type `wikibase:Item` for it.

        Raises:
            InputError: an id or a language tag is malformed, or the cache cannot be used.
        """
        tags = _language_tags(languages)
        found = self._resolved(answers.items_kind(tags), ids, ",".join(tags))
        return {id: _loaded(answers.as_item, value) for id, value in found.items()}

    def profiles(
        self, ids: Iterable[str], *, languages: Sequence[str] = ("en", "mul")
    ) -> dict[str, Profile | NotChecked]:
        """What tells items from others with their names, in the first of these languages, or "mul", that has it.

        The profile of an item that the endpoint does not have is empty, and so is that of an id that redirects.

        Raises:
            InputError: an id or a language tag is malformed, or the cache cannot be used.
        """
        tags = _language_tags([*languages, "mul"])
        found = self._look_up(answers.profiles_kind(tags), ((id, ",".join(tags)) for id in ids))
        return {id: _loaded(answers.as_profile, value) for (id, _), value in found.items()}

    def properties(self, ids: Iterable[str]) -> dict[str, WikidataProperty | NotChecked | None]:
        """What the endpoint has about properties, with labels in English; None if it has no such property.

        Raises:
            InputError: an id is malformed, or the cache cannot be used.
        """
        found = self._resolved(answers.PROPERTIES, ids, "")
        return {id: _loaded(answers.as_property, value) for id, value in found.items()}

    def subclasses(self, pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], bool | NotChecked]:
        """Whether the first class of a pair is the second, or a subclass of it (P279) over any number of steps.

        Raises:
            InputError: an id is malformed, or the cache cannot be used.
        """
        given = list(pairs)
        found = self._is_below(answers.SUPERCLASSES, given)
        return found | {(one, other): True for one, other in given if one == other}

    def located_in(self, pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], bool | NotChecked]:
        """Whether a place lies in an area (P131) over any number of steps, for (place, area) pairs.

        Raises:
            InputError: an id is malformed, or the cache cannot be used.
        """
        return self._is_below(answers.AREAS, pairs)

    def surrounded_by(self, pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], bool | NotChecked]:
        """Whether a place lies in another, by `queries.INSIDE` over any number of steps, for (place, other) pairs.

        Raises:
            InputError: an id is malformed, or the cache cannot be used.
        """
        return self._is_below(answers.SURROUNDINGS, pairs)

    def candidates(
        self, names: Iterable[str], *, languages: Sequence[str] = ("en", "mul")
    ) -> dict[str, tuple[Candidate, ...] | NotChecked]:
        """The items with a label or an alias that is a spelling of the name, in these languages or "mul".

        For spellings see `names.spellings`. Each item is listed once: rather with the name itself than in others,
        rather with its label than with an alias, and with the first of the languages. Items with the most sitelinks
        come first.

        Raises:
            InputError: a language tag is malformed, or the cache cannot be used.
        """
        tags = _language_tags([*languages, "mul"])
        given = list(dict.fromkeys(names))
        keys = {name: (name, ",".join(tags)) for name in given}
        found = self._look_up(answers.candidates_kind(tags), (keys[name] for name in given if _is_name(name)))
        return {name: _loaded(answers.as_candidates(key), found.get(key, ())) for name, key in keys.items()}

    def connections(self, pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], frozenset[str] | NotChecked]:
        """The properties from the first item of a pair to the second, of claims with the best rank.

        Raises:
            InputError: an id is malformed, or the cache cannot be used.
        """
        return {key: _loaded(frozenset, value) for key, value in self._look_up(answers.CONNECTIONS, pairs).items()}

    def qualified(self, pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], frozenset[str] | NotChecked]:
        """The properties of an item's claims that have a qualifier, for (item, qualifier) pairs.

        Raises:
            InputError: an id is malformed, or the cache cannot be used.
        """
        return {key: _loaded(frozenset, value) for key, value in self._look_up(answers.QUALIFIED, pairs).items()}

    def claims_fetched(self, pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], float]:
        """When what `claims` gives was fetched, in seconds since 1970. What was not fetched is left out."""
        return self._cache.fetched(self.endpoint.name, self._claims_kind.stored_as, pairs)

    def items_fetched(self, ids: Iterable[str], *, languages: Sequence[str] = ("en", "mul")) -> dict[str, float]:
        """When what `items` gives was fetched, in seconds since 1970. What was not fetched is left out."""
        kind, tags = answers.items_kind(_language_tags(languages)).stored_as, ",".join(_language_tags(languages))
        found = self._cache.fetched(self.endpoint.name, kind, ((id, tags) for id in ids))
        return {id: fetched for (id, _), fetched in found.items()}

    @property
    def _claims_kind(self) -> LookUpKind:
        if not self._has:
            self._learn(self._cached(answers.SURVEY, [_THE_ENDPOINT]).get(_THE_ENDPOINT, {}))
        return answers.DIRECT_VALUES if self.lacks("statements") else answers.CLAIMS

    def _learn(self, has: dict[str, bool]) -> None:
        self._has = has | self._has  # what answers have had is there, whatever the survey finds

    def _find_out(self, kind: LookUpKind, read: dict[Key, Any]) -> None:
        """See whether the endpoint lacks a part of the data, where answers have nothing of it.

        Raises:
            EndpointError: that cannot be found out now.
            _NoStatements: it has no statement nodes, and these answers are about them.
        """
        part, is_there = answers.TELLING.get(kind.stored_as, ("", bool))
        if not part or (not any(read.values()) and part != "statements"):
            return
        if any(map(is_there, read.values())):
            self._has.setdefault(part, True)
        if part not in self._has:
            self._learn(self._ask(answers.SURVEY, [_THE_ENDPOINT])[_THE_ENDPOINT])
        if self.lacks(part):
            self.remarks.setdefault(part, f"The endpoint {answers.PARTS[part]}.")
            if kind is answers.CLAIMS:
                raise _NoStatements

    def _is_below(self, kind: LookUpKind, pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], bool | NotChecked]:
        # All that lies above is looked up and stored, so that one answer serves any number of pairs.
        given = list(pairs)
        for _, upper in given:
            queries.checked_id(upper, kinds="Q")
        above = self._look_up(kind, ((lower, "") for lower, _ in given))
        return {(lower, upper): _loaded(partial(_holds, upper), above[lower, ""]) for lower, upper in given}

    def _resolved(self, kind: LookUpKind, ids: Iterable[str], languages: str) -> dict[str, Any]:
        """Answers about ids; for an id that redirects, those about its target."""
        targets = {id: id for id in ids}
        found: dict[Key, Any] = {}
        for _ in range(1 + _MOST_REDIRECTS):
            found |= self._look_up(kind, ((id, languages) for id in targets.values() if (id, languages) not in found))
            redirected = {
                id: value["target"]
                for id, target in targets.items()
                if isinstance(value := found[target, languages], dict) and value.get("target")
            }
            if not redirected:
                break
            targets |= redirected
        return {
            id: NotChecked("redirects in a circle") if id in redirected else _with_id(found[target, languages], target)
            for id, target in targets.items()
        }

    def _look_up(self, kind: LookUpKind, keys: Iterable[Key]) -> dict[Key, Any]:
        """Answers as plain JSON, or NotChecked.

        Raises:
            InputError: a key is malformed, or the cache cannot be used.
        """
        wanted = list(dict.fromkeys(keys))
        kind.query(wanted)  # refuses a malformed key before any query is sent
        found = self._cached(kind, wanted)
        missing = [key for key in wanted if key not in found]
        if self._offline:
            if missing:
                said = (
                    f"Offline, only answers in the cache {self.cache} are used, and some that are needed are not in it."
                )
                self.remarks.setdefault("offline", said)
            return found | dict.fromkeys(missing, NotChecked("not in the cache, and offline"))
        if not missing:
            return found
        if not self._asking.acquire(blocking=False):
            self._asking.acquire()
            found |= self._cached(kind, missing)  # what another thread has fetched meanwhile
            missing = [key for key in missing if key not in found]
        try:
            return found | self._fetched(kind, missing)
        finally:
            self._asking.release()

    def _cached(self, kind: LookUpKind, keys: Sequence[Key]) -> dict[Key, Any]:
        """What the cache has about some keys.

        Raises:
            InputError: the cache cannot be used, or holds what this package did not write.
        """
        now = self._clock.time()
        after = max(self._oldest, now - self._max_age)
        found = self._cache.get(self.endpoint.name, kind.stored_as, keys, after=after, now=now)
        for key, value in found.items():
            if not kind.fits(value):
                raise self._cache.damaged(f"its value of {kind.name} {' '.join(key)} has another form")
        return found

    def _fetched(self, kind: LookUpKind, missing: Sequence[Key]) -> dict[Key, Any]:
        """What the endpoint answers about some keys, batch by batch, or NotChecked."""
        if missing:
            self._cache.make_writable()
        found: dict[Key, Any] = {}
        whole = max(1, int(self._batch * kind.share))
        n_done = n_alone = 0
        with progress_bar(self._progress, total=len(missing), desc=kind.name, leave=False) as bar:
            while n_done < len(missing):
                size = self._sizes.get(kind.name, whole)
                batch = missing[n_done : n_done + size]
                try:
                    found |= self._ask(kind, batch)
                    if len(batch) == size:
                        self._sizes[kind.name] = min(whole, size + max(1, whole // 10))
                except EndpointError as error:
                    if error.is_timeout:
                        self._sizes[kind.name] = max(1, len(batch) // 2)
                        n_alone += len(batch) == 1
                        if n_alone < _TRIES_ALONE:
                            continue
                    self.remarks.setdefault(error.reason, str(error))
                    found |= dict.fromkeys(batch, NotChecked(error.reason))
                n_alone = 0
                n_done += len(batch)
                bar.update(len(batch))
        return found

    def _ask(self, kind: LookUpKind, batch: Sequence[Key]) -> dict[Key, Any]:
        """Send one query and store the answers.

        Raises:
            EndpointError: there is no usable answer.
            InputError: the cache cannot be written.
        """
        rows: dict[Key, list[Row]] = {key: [] for key in batch}
        solutions = self.endpoint.select(kind.query(batch))
        try:
            for row in solutions:
                rows[kind.key(row)].append(row)
            read = {key: kind.read(key, rows[key]) for key in batch}
            if not all(map(kind.fits, read.values())):
                raise ValueError("a value has another form")
        except (AttributeError, KeyError, ValueError) as error:
            text = f"{self.endpoint.name} answered with rows that do not fit the question: {_misfit(error)}."
            raise EndpointError(text, reason="unexpected answer") from error
        self._find_out(kind, read)
        now = self._clock.time()
        self._cache.put(self.endpoint.name, kind.stored_as, read, fetched=now, expires=now + self._max_age)
        return read


class _NoStatements(Exception):
    """The endpoint has no statement nodes."""


def _misfit(error: Exception) -> str:
    return f"there is no use for, or no value of, {error}" if isinstance(error, KeyError) else str(error)


def _holds(one: str, all: Sequence[str]) -> bool:
    return one in all


def _loaded(load: Callable[[Any], T], value: Any) -> T | NotChecked:
    return value if isinstance(value, NotChecked) else load(value)


def _with_id(value: Any, id: str) -> Any:
    return value | {"id": id} if isinstance(value, dict) else value


def _language_tags(languages: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(map(queries.checked_language, languages)))


def _is_name(text: str) -> bool:
    return 0 < len(text) <= queries.LONGEST_NAME and not any("\ud800" <= character <= "\udfff" for character in text)
