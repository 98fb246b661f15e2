"""Lookups on disk: what an endpoint said, about what, when, and until when that is believed.

Lookups are kept, not answers: the questions are put together anew in every run, and no two are the same.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

import platformdirs

from kgmrca.errors import InputError

__all__ = ["Cache", "Key", "Usage", "default_cache"]

Key: TypeAlias = tuple[str, str]
"""What a fact is about: an entity and a property, or what else two strings tell apart."""

_VERSION = 1  # of the table, and of what the values mean; files of another version are emptied
_PROGRAM = 0x6B676D72  # "kgmr": what says in a SQLite file that it is one of ours
_BUSY = 60_000  # milliseconds to wait for other processes


@dataclass(frozen=True, slots=True)
class Usage:
    """What a cache holds of one endpoint: entries, how many are expired, when the oldest was fetched (since 1970)."""

    endpoint: str
    entries: int
    expired: int
    oldest: float


def default_cache() -> Path:
    """Where facts are kept unless somebody says otherwise: in the user's folder for caches."""
    return platformdirs.user_cache_path("kgmrca", appauthor=False) / "wikidata.sqlite"


class Cache:
    """A SQLite file of facts, which several processes can use at once. It is opened when first used.

    Args:
        path: the file, made with its folders if it is not there; None keeps all in memory.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path

    def get(self, endpoint: str, kind: str, keys: Iterable[Key], *, after: float, now: float) -> dict[Key, Any]:
        """The values of those keys that were fetched at `after` or later, and are not expired."""
        query = (
            "SELECT value FROM facts JOIN endpoints USING (endpoint) WHERE name = ? AND kind = ? AND entity = ? "
            "AND property = ? AND fetched >= ? AND expires > ?"
        )
        found = {}
        with self._errors():
            for key in keys:
                row = self._connection.execute(query, (endpoint, kind, *key, after, now)).fetchone()
                if row:
                    found[key] = json.loads(row[0])
        return found

    def fetched(self, endpoint: str, kind: str, keys: Iterable[Key]) -> dict[Key, float]:
        """When the values of those keys were fetched, in seconds since 1970; those that are not there are left out."""
        query = (
            "SELECT fetched FROM facts JOIN endpoints USING (endpoint) WHERE name = ? AND kind = ? AND entity = ? "
            "AND property = ?"
        )
        with self._errors():
            rows = ((key, self._connection.execute(query, (endpoint, kind, *key)).fetchone()) for key in keys)
            return {key: row[0] for key, row in rows if row}

    def put(self, endpoint: str, kind: str, values: Mapping[Key, Any], *, fetched: float, expires: float) -> None:
        """Store values (of JSON), all or none; what was stored under their keys is replaced."""
        with self._errors(), self._transaction() as connection:
            connection.execute("INSERT OR IGNORE INTO endpoints (name) VALUES (?)", (endpoint,))
            (number,) = connection.execute("SELECT endpoint FROM endpoints WHERE name = ?", (endpoint,)).fetchone()
            connection.executemany(
                "INSERT OR REPLACE INTO facts VALUES (?, ?, ?, ?, ?, ?, ?)",
                ((number, kind, *key, fetched, expires, json.dumps(values[key])) for key in values),
            )

    def usage(self, *, now: float) -> list[Usage]:
        """What there is, by endpoint."""
        query = (
            "SELECT name, count(*), sum(expires <= ?), min(fetched) FROM facts JOIN endpoints USING (endpoint) "
            "GROUP BY name ORDER BY name"
        )
        with self._errors():
            return [Usage(*row) for row in self._connection.execute(query, (now,))]

    def clear(self, *, endpoint: str | None = None, expired_at: float | None = None) -> int:
        """Remove facts, and return how many: of one endpoint, those expired at a time, or all."""
        with self._errors():
            with self._transaction() as connection:
                n_removed = connection.execute(
                    "DELETE FROM facts WHERE (:expired_at IS NULL OR expires <= :expired_at) AND "
                    "(:name IS NULL OR endpoint = (SELECT endpoint FROM endpoints WHERE name = :name))",
                    {"expired_at": expired_at, "name": endpoint},
                ).rowcount
                connection.execute("DELETE FROM endpoints WHERE endpoint NOT IN (SELECT endpoint FROM facts)")
            self._connection.execute("VACUUM")
        return n_removed

    def close(self) -> None:
        """Let go of the file; it is opened again if need be."""
        connection = self.__dict__.pop("_connection", None)
        if connection:
            connection.close()

    @cached_property
    def _connection(self) -> sqlite3.Connection:
        if self.path:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self.path or ":memory:", timeout=_BUSY / 1000, isolation_level=None)
        try:
            with suppress(sqlite3.OperationalError):  # another process is doing it right now
                connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("BEGIN IMMEDIATE")
            (n_tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            if n_tables and connection.execute("PRAGMA application_id").fetchone() != (_PROGRAM,):
                raise sqlite3.DatabaseError("it is a database of another program")
            if connection.execute("PRAGMA user_version").fetchone() != (_VERSION,):
                connection.execute("DROP TABLE IF EXISTS facts")
                connection.execute("DROP TABLE IF EXISTS endpoints")
                connection.execute("CREATE TABLE endpoints (endpoint INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL)")
                connection.execute(
                    "CREATE TABLE facts (endpoint INTEGER, kind TEXT, entity TEXT, property TEXT, "
                    "fetched REAL NOT NULL, expires REAL NOT NULL, value TEXT NOT NULL, "
                    "PRIMARY KEY (endpoint, kind, entity, property)) WITHOUT ROWID"
                )
                connection.execute(f"PRAGMA application_id = {_PROGRAM}")
                connection.execute(f"PRAGMA user_version = {_VERSION}")
            connection.execute("COMMIT")
        except BaseException:
            connection.close()
            raise
        return connection

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError, ValueError) as error:
            raise InputError(
                f"The cache '{self.path}' cannot be used: {error}. Name another; or if it is a cache, remove it: "
                "it holds nothing that cannot be asked again."
            ) from error
