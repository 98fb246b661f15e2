"""Answers of endpoints on disk: what was answered, when it was fetched, and when it expires.

Single answers are stored, by what they are about, and not queries with their results, because every run puts other
keys together in a query.
"""

import json
import math
import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import quote

import platformdirs

from kgmrca.errors import InputError

__all__ = ["Cache", "Key", "Usage", "default_cache"]

Key: TypeAlias = tuple[str, str]
"""What an answer is about: an item and a property, or two other strings."""

_VERSION = 1  # of the tables and of what the values mean
_PROGRAM = 0x6B676D72  # "kgmr", SQLite's application id of our files
_BUSY = 60.0  # seconds to wait for other processes
# Answers are rows of the table `facts`: files with that name of it are on disk.
_TABLES = (
    "DROP TABLE IF EXISTS facts",
    "DROP TABLE IF EXISTS endpoints",
    "CREATE TABLE endpoints (endpoint INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL)",
    "CREATE TABLE facts (endpoint INTEGER, kind TEXT, entity TEXT, property TEXT, fetched REAL NOT NULL, "
    "expires REAL NOT NULL, value TEXT NOT NULL, PRIMARY KEY (endpoint, kind, entity, property)) WITHOUT ROWID",
    f"PRAGMA application_id = {_PROGRAM}",
    f"PRAGMA user_version = {_VERSION}",
)
_INHERITED: list[sqlite3.Connection] = []  # by forked processes; held, so that they are not closed
_SELECT = (
    "SELECT fetched, expires, value FROM facts JOIN endpoints USING (endpoint) "
    "WHERE name = ? AND kind = ? AND entity = ? AND property = ?"
)


@dataclass(frozen=True, slots=True)
class Usage:
    """What a cache holds of one endpoint.

    Attributes:
        endpoint: its name.
        entries: the number of answers.
        expired: how many of them are expired.
        oldest: when the oldest was fetched, in seconds since 1970.
    """

    endpoint: str
    entries: int
    expired: int
    oldest: float


def default_cache() -> Path:
    """The file in which answers are kept by default, in the user's folder for caches."""
    return platformdirs.user_cache_path("kgmrca", appauthor=False) / "wikidata.sqlite"


class Cache:
    """A SQLite file of answers. Several threads and several processes can use it at once.

    The file is opened at the first use, and again in a forked process. A file of a newer version of this package is
    refused, one of an older version is emptied.

    Args:
        path: the file, which is made with its folders if it does not exist; None keeps everything in memory.
        read_only: whether to change nothing. A file that does not exist then counts as empty and is not made.

    >>> cache = Cache(None)
    >>> cache.put("an endpoint", "labels", {("Q5", "en"): "human"}, fetched=0, expires=60)
    >>> cache.get("an endpoint", "labels", [("Q5", "en"), ("Q7", "en")], after=0, now=1)
    {('Q5', 'en'): 'human'}
    """

    def __init__(self, path: Path | None, *, read_only: bool = False) -> None:
        self.path = path
        self.read_only = read_only
        self._lock = threading.RLock()
        self._opened: sqlite3.Connection | None = None
        self._process = 0
        self._is_in_vain = False  # whether this object made the file, and nothing was stored in it yet

    def get(self, endpoint: str, kind: str, keys: Iterable[Key], *, after: float, now: float) -> dict[Key, Any]:
        """The values of those keys that were fetched at `after` or later and are not expired at `now`.

        Raises:
            InputError: the cache cannot be used.
        """
        found = {}
        for key, fetched, expires, value in self._rows(endpoint, kind, keys):
            if fetched >= after and expires > now:
                try:
                    found[key] = json.loads(value)
                except (TypeError, ValueError) as error:
                    raise self.damaged(f"the value of {kind} {' '.join(key)} is not JSON") from error
        return found

    def fetched(self, endpoint: str, kind: str, keys: Iterable[Key]) -> dict[Key, float]:
        """When the values of those keys were fetched, in seconds since 1970. Keys that are not stored are left out.

        Raises:
            InputError: the cache cannot be used.
        """
        return {key: fetched for key, fetched, _, _ in self._rows(endpoint, kind, keys)}

    def put(self, endpoint: str, kind: str, values: Mapping[Key, Any], *, fetched: float, expires: float) -> None:
        """Store values (of JSON), all or none. What was stored under their keys is replaced.

        Raises:
            InputError: the cache cannot be used, or a time is no number of seconds since 1970.
        """
        for name, time in (("fetched", fetched), ("expires", expires)):
            if not _is_time(time):
                raise InputError(f"`{name}` is a number of seconds since 1970, not {time!r}.")
        rows = [(kind, *key, fetched, expires, json.dumps(value)) for key, value in values.items()]
        with self._errors(), self._transaction() as connection:
            connection.execute("INSERT OR IGNORE INTO endpoints (name) VALUES (?)", (endpoint,))
            (number,) = connection.execute("SELECT endpoint FROM endpoints WHERE name = ?", (endpoint,)).fetchone()
            connection.executemany(
                "INSERT OR REPLACE INTO facts VALUES (?, ?, ?, ?, ?, ?, ?)", ((number, *row) for row in rows)
            )
        self._is_in_vain = False

    def usage(self, *, now: float) -> list[Usage]:
        """What the cache holds, by endpoint.

        Raises:
            InputError: the cache cannot be used.
        """
        query = (
            "SELECT name, count(*), sum(expires <= ?), min(fetched), "
            "sum(typeof(fetched) != 'real' OR typeof(expires) != 'real') FROM facts JOIN endpoints USING (endpoint) "
            "GROUP BY name ORDER BY name"
        )
        with self._errors():
            rows = self._connection().execute(query, (now,)).fetchall()
        for name, _, _, oldest, n_others in rows:
            if n_others or not _is_time(oldest):
                raise self.damaged(f"the expiry or the time of an answer of {name} is no time")
        return [Usage(*row[:4]) for row in rows]

    def clear(self, *, endpoint: str | None = None, expired_at: float | None = None) -> int:
        """Remove answers and return how many: all, only those of one endpoint, only those expired at a time.

        Raises:
            InputError: the cache cannot be used.
        """
        with self._errors():
            with self._transaction() as connection:
                n_removed = connection.execute(
                    "DELETE FROM facts WHERE (:expired_at IS NULL OR expires <= :expired_at) AND "
                    "(:name IS NULL OR endpoint = (SELECT endpoint FROM endpoints WHERE name = :name))",
                    {"expired_at": expired_at, "name": endpoint},
                ).rowcount
                connection.execute("DELETE FROM endpoints WHERE endpoint NOT IN (SELECT endpoint FROM facts)")
            self._connection().execute("VACUUM")
        return n_removed

    def make_writable(self) -> None:
        """Make the file ready to be written, so that a fault shows before anything is looked up.

        Raises:
            InputError: it cannot be written.
        """
        with self._errors(), self._transaction() as connection:
            connection.execute(f"PRAGMA user_version = {_VERSION}")  # a transaction that writes nothing always succeeds

    def close(self) -> None:
        """Close the file. It is opened again if the cache is used again."""
        with self._lock:
            self._forget_inherited()
            connection, self._opened = self._opened, None
            if connection:
                connection.close()

    def damaged(self, why: str) -> InputError:
        """The error for content that this package did not write."""
        return InputError(
            f"The cache '{self.path}' cannot be used: {why}. Name another file with --cache. If "
            "this one is a damaged cache, and nothing else, remove the file: its answers can be fetched again."
        )

    def _rows(self, endpoint: str, kind: str, keys: Iterable[Key]) -> Iterator[tuple[Key, float, float, Any]]:
        """The key, both times and the JSON of what is stored."""
        with self._errors():
            connection = self._connection()
            rows = [(key, connection.execute(_SELECT, (endpoint, kind, *key)).fetchone()) for key in keys]
        for key, row in rows:
            if row:
                fetched, expires, value = row
                if not (_is_time(fetched) and _is_time(expires)):
                    raise self.damaged(f"the expiry or the time of {kind} {' '.join(key)} is no time")
                yield key, fetched, expires, value

    def _forget_inherited(self) -> None:
        """Let go of a connection that was opened before this process was forked, without closing it."""
        if self._opened and self.path and self._process != os.getpid():
            _INHERITED.append(self._opened)  # closing it here could damage the file (sqlite.org/howtocorrupt.html)
            self._opened = None

    def _connection(self) -> sqlite3.Connection:
        self._forget_inherited()
        if self._opened is None:
            self._process = os.getpid()
            try:
                self._opened = self._reading() if self.read_only else self._writing()
            except sqlite3.OperationalError as error:
                if self.read_only or not _cannot_write(error) or not (self.path and self.path.exists()):
                    raise
                self._opened = self._reading()  # what is in it can be used; writing will say what is wrong
        return self._opened

    def _reading(self) -> sqlite3.Connection:
        """The file opened for reading only, without permission to write the file or its folder."""
        if self.path is None or not self.path.exists():
            return _empty()
        name = f"file:{quote(str(self.path.absolute()))}"
        try:
            connection = _opened(f"{name}?mode=ro")
        except sqlite3.OperationalError as error:
            if _is(error, "SQLITE_BUSY", "locked"):
                raise
            # To share a file, SQLite keeps files beside it. Where they are missing and cannot be made, no other process
            # has the file open, and it is read as it stands.
            connection = _opened(f"{name}?mode=ro&immutable=1")
        try:
            version = self._version(connection)
            if version not in (None, _VERSION):
                raise InputError(
                    f"The cache '{self.path}' was written by an older version of kgmrca: use it once without "
                    "--offline, or name another file with --cache."
                )
        except BaseException:
            connection.close()
            raise
        if version is None:
            connection.close()
            return _empty()
        return connection

    def _writing(self) -> sqlite3.Connection:
        if self.path:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._is_in_vain |= not self.path.exists()
        connection = _connected(self.path or ":memory:")
        try:
            with suppress(sqlite3.OperationalError):  # another process is doing it right now
                connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            if self._version(connection) != _VERSION:
                connection.execute("BEGIN IMMEDIATE")
                if self._version(connection) != _VERSION:  # another process may have been faster
                    _make_tables(connection)
                connection.execute("COMMIT")
        except BaseException:
            connection.close()
            raise
        return connection

    def _version(self, connection: sqlite3.Connection) -> int | None:
        """The version of the tables; None if there are none.

        Raises:
            InputError: the tables are not ours, or are newer than this package.
        """
        (n_tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        (program,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if not n_tables:
            return None
        if program != _PROGRAM:
            raise InputError(
                f"The cache '{self.path}' is a database of another program: name another file with --cache."
            )
        if version > _VERSION:
            raise InputError(
                f"The cache '{self.path}' was written by a newer version of kgmrca: update kgmrca, or name another "
                "file with --cache."
            )
        return int(version)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        connection = self._connection()
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):  # some errors, such as a full disk, have ended the transaction already
                connection.execute("ROLLBACK")
            raise

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Let one thread in at a time, and turn what goes wrong into an error that says what to do."""
        with self._lock:
            try:
                yield
            except (sqlite3.Error, OSError) as error:
                if _is_full(error):
                    self._remove_if_in_vain()
                raise self._error(error) from error

    def _remove_if_in_vain(self) -> None:
        """Remove the file and those beside it if this process has made them in vain: on a full disk they take room."""
        if self._is_in_vain and self.path and self._process == os.getpid():
            self.close()
            for suffix in ("", "-wal", "-shm", "-journal"):
                self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)

    def _error(self, error: Exception) -> InputError:
        cannot = f"The cache '{self.path}' cannot be used"
        if _is(error, "SQLITE_NOTADB", "not a database") or _is(error, "SQLITE_CORRUPT", "malformed"):
            return self.damaged(str(error))
        if _is(error, "SQLITE_FULL", "disk is full") or isinstance(error, OSError):
            return InputError(f"{cannot}: {getattr(error, 'strerror', None) or error}. Name another file with --cache.")
        if _is(error, "SQLITE_BUSY", "locked"):
            return InputError(
                f"{cannot}: another program has locked it. Try again later, or name another file with --cache."
            )
        if _is(error, "SQLITE_READONLY", "readonly"):
            return InputError(
                f"{cannot}: it may be read, but not written. With --offline it is only read; or name another file with "
                "--cache."
            )
        if isinstance(error, sqlite3.OperationalError):
            return InputError(f"{cannot}: {error}. Name another file with --cache.")
        return self.damaged(str(error))


def _connected(name: Path | str, *, uri: bool = False) -> sqlite3.Connection:
    # One connection serves all threads, one at a time (see `_errors`).
    return sqlite3.connect(name, timeout=_BUSY, isolation_level=None, check_same_thread=False, uri=uri)


def _opened(uri: str) -> sqlite3.Connection:
    """A file that could be read.

    Raises:
        sqlite3.Error: it cannot.
    """
    connection = _connected(uri, uri=True)
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


def _empty() -> sqlite3.Connection:
    connection = _connected(":memory:")
    _make_tables(connection)
    return connection


def _make_tables(connection: sqlite3.Connection) -> None:
    for command in _TABLES:
        connection.execute(command)


def _is(error: Exception, code: str, words: str) -> bool:
    """Whether an error of SQLite is of a kind. Its code is known from Python 3.11 on."""
    name = getattr(error, "sqlite_errorname", None)
    return isinstance(error, sqlite3.Error) and (name.startswith(code) if name else words in str(error))


def _is_full(error: Exception) -> bool:
    # Where there is no room for the file through which SQLite shares memory, that is an error of input and output.
    return _is(error, "SQLITE_FULL", "disk is full") or _is(error, "SQLITE_IOERR", "disk I/O")


def _cannot_write(error: Exception) -> bool:
    return _is(error, "SQLITE_CANTOPEN", "unable to open") or _is(error, "SQLITE_READONLY", "readonly")


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value >= 0
