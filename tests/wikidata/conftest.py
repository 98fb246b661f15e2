"""Endpoints on this machine (see `server`)."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from server import WIKIDATA, FakeClock, Faulty, faulty, oxigraph

from kgmrca.wikidata.sparql import Endpoint, open_endpoint


@pytest.fixture(scope="session")
def wikidata_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of an Oxigraph server with the facts of `wikidata.ttl`."""
    with oxigraph(tmp_path_factory.mktemp("oxigraph"), WIKIDATA) as url:
        yield url


@pytest.fixture(params=["http", "file"])
def endpoint(request: pytest.FixtureRequest) -> Endpoint:
    """The same facts once from a server, once from the file."""
    where = request.getfixturevalue("wikidata_url") if request.param == "http" else WIKIDATA
    return open_endpoint(where)


@pytest.fixture
def wikidata_file() -> Path:
    """The file with the facts."""
    return WIKIDATA


@pytest.fixture
def server() -> Iterator[Faulty]:
    """A server that answers as it is told."""
    with faulty() as told:
        yield told


@pytest.fixture
def clock() -> FakeClock:
    """A clock whose waiting takes no time."""
    return FakeClock()
