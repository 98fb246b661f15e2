"""Fixtures that several rooms share."""

import logging
import os
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chromium import open_browser
from helpers import make_nlp
from hypothesis import settings
from spacy.language import Language

from kgmrca.jobs.manifest import Manifest

os.environ["HF_HUB_OFFLINE"] = "1"  # before anything imports transformers: no test asks the network


@pytest.fixture
def nlp() -> Language:
    """Tokens, sentences, entities and relations, all by rule (see `helpers`)."""
    return make_nlp()


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A browser without a window, for all tests of pages."""
    driver = open_browser(tmp_path_factory.mktemp("profile"))
    yield driver
    driver.quit()


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """The address of an S3 server in this process, which only this machine can reach."""
    moto = pytest.importorskip("moto.server", reason="moto is not installed")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def no_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """An environment in which the library for S3 finds nothing of the user, and jobs have a cache of their own."""
    s3fs = pytest.importorskip("s3fs", reason="the extra 'remote' is not installed")
    for name in [name for name in os.environ if name.startswith(("AWS_", "FSSPEC_"))]:
        monkeypatch.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    s3fs.S3FileSystem.clear_instance_cache()
    yield monkeypatch
    s3fs.S3FileSystem.clear_instance_cache()


@pytest.fixture
def store(s3_server: str, no_store: pytest.MonkeyPatch) -> Any:
    """A store with the empty bucket `papers`, as a file system; the environment leads to it."""
    import s3fs

    urllib.request.urlopen(urllib.request.Request(f"{s3_server}/moto-api/reset", method="POST")).close()
    no_store.setenv("AWS_ENDPOINT_URL", s3_server)
    no_store.setenv("AWS_ACCESS_KEY_ID", "test")
    no_store.setenv("AWS_SECRET_ACCESS_KEY", "test")
    system = s3fs.S3FileSystem(use_listings_cache=False, skip_instance_cache=True)
    system.mkdir("papers")
    return system


@pytest.fixture
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs have several shards, however few documents they read."""
    monkeypatch.setattr("kgmrca.jobs.shards._MAX_RECORDS", 8)


@pytest.fixture
def marks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The digests of the shards that are done, as they are marked."""
    marked: list[str] = []
    original = Manifest.mark

    def mark(manifest: Manifest, digest: str, counts: Any) -> None:
        original(manifest, digest, counts)
        marked.append(digest)

    monkeypatch.setattr(Manifest, "mark", mark)
    return marked


# No test depends on how fast the machine is.
settings.register_profile("kgmrca", deadline=None)
settings.load_profile("kgmrca")
