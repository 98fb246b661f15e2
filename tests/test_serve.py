"""`kgmrca serve`: a real server on a loopback port, with the pipeline that ships."""

import asyncio
import contextlib
import gzip
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pyoxigraph
import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, given, settings
from typer.testing import CliRunner

import kgmrca
from kgmrca.cli import app as commands
from kgmrca.errors import InputError
from kgmrca.serve.app import MAX_DOCUMENTS, MEDIA_TYPES, Limits, accepted, make_app
from kgmrca.serve.batching import Batcher
from kgmrca.triples.formats import FORMATS

TEXT = "Marie Curie was born in Warsaw."
P19 = "http://www.wikidata.org/prop/direct/P19"


@contextlib.contextmanager
def running(app):
    """The address of a server in another thread."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}", timeout=60) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def pipeline():
    return kgmrca.load()


@pytest.fixture(scope="module")
def client(pipeline):
    with running(make_app(pipeline)) as client:
        yield client


class Slow:
    """A component that waits until it may go on, and then for the relations of the text: none."""

    def __init__(self):
        self.reached, self.go_on = threading.Event(), threading.Event()

    def __call__(self, doc):
        self.reached.set()
        assert self.go_on.wait(60)
        if doc.text == "broken":
            raise ValueError("made to fail")
        doc._.relations = []
        return doc


@pytest.fixture
def slow():
    """A pipeline that waits, and what it waits for."""
    import spacy
    from spacy.language import Language

    component = Slow()
    name = f"slow_{id(component)}"
    Language.component(name, func=component)
    nlp = spacy.blank("en")
    nlp.add_pipe(name)
    yield nlp, component
    component.go_on.set()


def post(client, text=TEXT, **headers):
    return client.post("/relations", content=text, headers={"content-type": "text/plain", **headers})


def problem(response, status):
    """The detail of a problem, which has all its members."""
    assert response.headers["content-type"] == "application/problem+json"
    said = response.json()
    assert (response.status_code, said["status"], said["type"]) == (status, status, "about:blank")
    assert said["title"]
    return said["detail"]


def test_a_text_gets_what_tag_prints(client):
    (read,) = post(client).json()["documents"]
    done = CliRunner().invoke(commands, ["tag", TEXT, "--json"])
    assert read == {"id": None, **json.loads(done.stdout)}
    assert [relation["predicate"] for relation in read["relations"]] == [P19]


def test_a_batch_keeps_its_order_and_its_ids(client):
    documents = [{"text": TEXT, "id": 7}, {"text": "It rained."}, {"text": TEXT, "id": "b"}]
    read = client.post("/relations", json={"documents": documents}).json()["documents"]
    assert [(one["id"], one["text"], len(one["relations"])) for one in read] == [
        (7, TEXT, 1),
        (None, "It rained.", 0),
        ("b", TEXT, 1),
    ]


@pytest.mark.parametrize(("media_type", "format"), [item for item in MEDIA_TYPES.items() if item[1]])
def test_rdf_of_each_format_is_that_of_to_graph(client, pipeline, media_type, format):
    response = client.post("/relations", json={"text": TEXT, "id": "a <b>\u0000"}, headers={"accept": media_type})
    assert response.headers["content-type"].split(";")[0] == media_type
    found = {quad.triple for quad in pyoxigraph.parse(response.content, FORMATS[format])}
    with pipeline.memory_zone():
        graph = kgmrca.to_graph(pipeline(TEXT), document_id="a <b>\u0000").serialize(format="nt")
    assert found == {quad.triple for quad in pyoxigraph.parse(graph, FORMATS["ntriples"])}


@pytest.mark.parametrize(
    ("header", "chosen"),
    [
        (None, "application/json"),
        ("*/*", "application/json"),
        ("text/*", "text/turtle"),
        ("text/turtle;q=0.1, application/n-triples;q=0.2", "application/n-triples"),
        ("application/json;q=0, */*", "text/turtle"),
        ("TEXT/Turtle; charset=utf-8", "text/turtle"),
        ("text/turtle;q=nonsense", None),
        ("image/png", None),
        ("text/turtle;q=0", None),
    ],
)
def test_which_media_type_is_chosen(header, chosen):
    assert accepted(header) == chosen


def test_nothing_acceptable_is_406_and_names_what_is(client):
    assert "text/turtle" in problem(post(client, accept="text/html"), 406)


BAD = {
    "no JSON": ("{", 400, "not JSON"),
    "a lone surrogate": (r'{"text": "\ud800"}', 400, "not JSON"),
    "deep nesting": ("[" * 100_000, 400, "recursion"),
    "deep nesting in a field": ('{"text": ' + "[" * 90_000 + "]" * 90_000 + "}", 400, "recursion"),
    "no object": ("[]", 422, "object"),
    "no text": ("{}", 422, "text: Field required"),
    "an empty text": ('{"text": ""}', 422, "text: the text is empty"),
    "a text of white space": ('{"documents": [{"text": "a"}, {"text": " \\n"}]}', 422, "documents.1.text"),
    "no documents": ('{"documents": []}', 422, "at least 1"),
    "both": ('{"text": "a", "documents": [{"text": "a"}]}', 422, "text: Extra"),
    "an unknown field": ('{"text": "a", "threshold": 1}', 422, "threshold: Extra"),
    "an id that is no name": ('{"text": "a", "id": true}', 422, "id: "),
    "many documents": (json.dumps({"documents": [{"text": "a"}] * (MAX_DOCUMENTS + 1)}), 413, str(MAX_DOCUMENTS)),
    "a long body": (json.dumps({"text": "a " * 100_000}), 413, "200,000"),
    "broken UTF-8": (b'{"text": "\xff"}', 400, "at byte 10"),
}


@pytest.mark.parametrize("body", BAD)
def test_a_bad_body_is_told_what_is_wrong(client, body):
    content, status, words = BAD[body]
    response = client.post("/relations", content=content, headers={"content-type": "application/json"})
    assert words in problem(response, status)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("application/x-www-form-urlencoded", "application/x-www-form-urlencoded"),
        ("", "missing"),
        ("text/plain; charset=latin-1", "latin-1"),
    ],
)
def test_another_content_type_is_415(client, kind, words):
    assert words in problem(client.post("/relations", content=TEXT, headers={"content-type": kind}), 415)


def test_compressed_bodies_are_not_taken_for_text(client):
    response = client.post("/relations", content=gzip.compress(TEXT.encode()), headers={"content-type": "text/plain"})
    assert "not UTF-8" in problem(response, 400)


@pytest.mark.parametrize("header", ["gzip", "BR", "identity, deflate", "nonsense"])
def test_a_content_encoding_is_415_and_is_named(client, header):
    headers = {"content-type": "text/plain", "content-encoding": header}
    response = client.post("/relations", content=gzip.compress(TEXT.encode()), headers=headers)
    assert f"'{header.split()[-1].lower()}'" in problem(response, 415)
    assert response.headers["accept-encoding"] == "identity"


def test_no_content_encoding_may_be_said(client):
    assert post(client, **{"content-encoding": "identity"}).json() == post(client).json()


@pytest.mark.parametrize("length", [200_001, 99_999_999_999])
def test_a_body_that_will_be_too_long_is_refused_before_it_arrives(client, length):
    with contextlib.closing(http.client.HTTPConnection(client.base_url.host, client.base_url.port, 60)) as connection:
        connection.putrequest("POST", "/relations")
        connection.putheader("Content-Type", "text/plain")
        connection.putheader("Content-Length", str(length))
        connection.endheaders()
        response = connection.getresponse()
        assert response.status == 413
        assert f"{length:,} bytes, and 200,000 are taken" in json.load(response)["detail"]


def test_a_long_body_of_untold_length_is_refused(client):
    response = client.post("/relations", content=iter([b"a " * 50_000] * 3), headers={"content-type": "text/plain"})
    assert "300,000 bytes" in problem(response, 413)


def test_a_client_that_sends_much_before_it_reads_gets_the_answer_and_may_ask_again(client):
    assert "50,000,000 bytes" in problem(post(client, "a " * 25_000_000), 413)
    assert post(client).status_code == 200


def test_control_characters_come_back_in_json_and_are_left_out_of_rdf(client):
    text = "Marie Curie\u0000\u001b was born in Warsaw\u0007."
    read = client.post("/relations", json={"text": text})
    assert read.json()["documents"][0]["text"] == text
    turtle = client.post("/relations", json={"text": text}, headers={"accept": "text/turtle"})
    assert list(pyoxigraph.parse(turtle.content, FORMATS["turtle"]))
    assert not re.search(rb"[\x00-\x08\x0b-\x1f]", turtle.content.replace(b"\r", b""))


def test_an_unknown_path_and_method_are_problems(client):
    assert "/nothing" in problem(client.get("/nothing"), 404)
    response = client.get("/relations")
    problem(response, 405)
    assert response.headers["allow"] == "POST"


def test_clients_at_the_same_time_get_what_each_gets_alone(client):
    texts = [TEXT, "Ada Lovelace lived in London. She died there.", "It rained.", "Paris is the capital of France."] * 8
    alone = {text: post(client, text).json() for text in set(texts)}
    with ThreadPoolExecutor(16) as pool:
        together = list(pool.map(lambda text: post(client, text).json(), texts))
    assert together == [alone[text] for text in texts]


def test_the_vocabulary_does_not_grow(client, pipeline):
    def of_words(number):
        documents = [{"text": f"Zork{number}x{i} met Blib{number}y{i} in Krono{number}z{i}."} for i in range(100)]
        assert client.post("/relations", json={"documents": documents}).status_code == 200

    of_words(0)
    before = len(pipeline.vocab.strings), sum(1 for _ in pipeline.vocab)
    for number in range(1, 21):
        of_words(number)
    assert (len(pipeline.vocab.strings), sum(1 for _ in pipeline.vocab)) == before


def test_metrics_count_requests_by_status(client):
    def count(status):
        (found,) = re.findall(rf'^kgmrca_requests_total{{status="{status}"}} (\S+)$', client.get("/metrics").text, re.M)
        return float(found)

    post(client)
    post(client, "")
    before = count(200), count(422)
    post(client)
    post(client, "")
    assert (count(200), count(422)) == (before[0] + 1, before[1] + 1)


def test_health_and_readiness(client):
    assert client.get("/health").json() == {"status": "ok", "version": kgmrca.__version__}
    assert client.get("/ready").json() == {"status": "ready", "model": "en_kgmrca_sm"}


def test_a_request_may_name_its_threshold(client):
    def labels(threshold):
        answer = client.post("/relations", params={"threshold": threshold}, json={"text": TEXT})
        return [relation["label"] for relation in answer.json()["documents"][0]["relations"]]

    assert labels(0.95) == []
    assert labels("precise") == ["place of birth"]
    assert len(labels(0.01)) > len(labels("complete")) >= 1
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(labels, [0.95, "precise"] * 8)) == [[], ["place of birth"]] * 8


@pytest.mark.parametrize(
    ("threshold", "words"), [("1.5", "1.5"), ("nan", "nan"), ("-1", "-1"), ("exact", "exact"), ("", "")]
)
def test_a_threshold_that_is_none_is_422(client, threshold, words):
    said = problem(client.post("/relations", params={"threshold": threshold}, json={"text": TEXT}), 422)
    assert said.startswith("threshold: ")
    assert words in said


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("treshold=0.9", "treshold: there is no such parameter"),
        ("threshold=0.9&Threshold=0.1", "Threshold: there is no such parameter"),
        ("a%0Ab=", "a\nb: there is no such parameter"),
        ("threshold=0.1&threshold=0.9", "threshold: it is given 2 times"),
        ("threshold=0.1&threshold=0.1", "threshold: it is given 2 times"),
    ],
)
def test_a_parameter_that_is_unknown_or_given_twice_is_422_and_is_named(client, query, words):
    assert problem(client.post(f"/relations?{query}", json={"text": TEXT}), 422).startswith(words)


def test_there_is_no_page_and_no_check_unless_asked_for(client):
    problem(client.get("/"), 404)
    problem(client.post("/check", json={"text": TEXT}), 404)
    assert "/check" not in client.get("/openapi.json").json()["paths"]


def test_what_is_for_an_endpoint_needs_one():
    done = CliRunner().invoke(commands, ["serve", "--contact", "me@example.org"])
    assert done.exit_code == 2
    assert "--endpoint" in done.stderr


def test_too_many_requests_are_503_and_ready_says_so(slow):
    nlp, component = slow
    with running(make_app(nlp, limits=Limits(max_requests=1))) as client, ThreadPoolExecutor(1) as pool:
        first = pool.submit(post, client)
        assert component.reached.wait(60)
        refused = post(client)
        assert "Try again" in problem(refused, 503)
        assert refused.headers["retry-after"] == "1"
        problem(client.get("/ready"), 503)
        assert client.get("/health").status_code == 200
        component.go_on.set()
        assert first.result().status_code == 200
        assert post(client).status_code == 200


def test_what_takes_too_long_is_504_and_the_next_request_is_read(slow):
    nlp, component = slow
    with running(make_app(nlp, limits=Limits(timeout=0.2))) as client:
        assert "0.2 seconds" in problem(post(client), 504)
        component.go_on.set()
        for _ in range(100):  # the batch that was given up must end first
            if (response := post(client)).status_code == 200:
                break
        assert response.status_code == 200


def test_a_body_that_does_not_arrive_is_408(slow):
    nlp, _ = slow
    with running(make_app(nlp, limits=Limits(timeout=0.2))) as client:
        with socket.create_connection((client.base_url.host, client.base_url.port)) as connection:
            connection.sendall(
                b"POST /relations HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n\r\nMarie"
            )
            assert connection.recv(100).startswith(b"HTTP/1.1 408 ")
        assert client.get("/ready").status_code == 200


def test_a_text_that_fails_does_not_harm_those_read_with_it(slow, caplog):
    nlp, component = slow
    with running(make_app(nlp)) as client, ThreadPoolExecutor(3) as pool:
        first = pool.submit(post, client)
        assert component.reached.wait(60)
        others = [pool.submit(post, client, text) for text in ("broken", "whole")]
        while "kgmrca_requests_in_hand 3.0" not in client.get("/metrics").text:
            time.sleep(0.01)
        component.go_on.set()
        assert first.result().status_code == 200
        assert "made to fail" not in problem(others[0].result(), 500)
        assert others[1].result().status_code == 200
    assert "made to fail" in caplog.text


def test_requests_that_wait_are_read_together(slow):
    nlp, component = slow
    sizes = []

    async def ask():
        async with Batcher(nlp, observe=sizes.append) as batcher:
            asked = [asyncio.create_task(batcher.read(["a"], len))]
            while not component.reached.is_set():
                await asyncio.sleep(0.01)
            asked += [asyncio.create_task(batcher.read(["a"] * count, len)) for count in (1, 2, 3)]
            asked[2].cancel()
            await asyncio.sleep(0)
            component.go_on.set()
            return await asyncio.gather(*asked, return_exceptions=True)

    first, one, cancelled, three = asyncio.run(ask())
    assert (first, one, three, sizes) == (1, 1, 3, [1, 4])
    assert isinstance(cancelled, asyncio.CancelledError)


def test_requests_with_other_settings_are_not_read_together(slow):
    nlp, component = slow
    sizes = []

    async def ask():
        async with Batcher(nlp, observe=sizes.append) as batcher:
            asked = [asyncio.create_task(batcher.read(["a"], len))]
            while not component.reached.is_set():
                await asyncio.sleep(0.01)
            all_settings = [{"a": {}}, {"a": {}}, {"b": {}}, {"a": {}}]
            asked += [asyncio.create_task(batcher.read(["a"], len, some)) for some in all_settings]
            await asyncio.sleep(0)
            component.go_on.set()
            await asyncio.gather(*asked)

    asyncio.run(ask())
    assert sizes == [1, 2, 1, 1]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_when_the_requests_in_hand_are_answered(number):
    command = [sys.executable, "-m", "kgmrca", "serve", "--port", "0"]
    environment = {**os.environ, "PYTHONWARNINGS": "error"}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        try:
            line = next(line for line in process.stderr if "answering at" in line)
            address = line.split()[-1]
            assert address.startswith("http://127.0.0.1:")
            documents = [{"text": f"{TEXT} {'It rained. ' * 20}"}] * 50
            with httpx.Client(base_url=address, timeout=60) as client, ThreadPoolExecutor(1) as pool:
                asked = pool.submit(client.post, "/relations", json={"documents": documents})
                while "kgmrca_requests_in_hand 1.0" not in httpx.get(f"{address}/metrics").text:
                    time.sleep(0.01)
                process.send_signal(number)
                assert len(asked.result().json()["documents"]) == 50
            assert process.wait(60) == 0
            assert process.stderr.read() == "kgmrca: all requests are answered, and the service has ended\n"
        finally:
            process.kill()


def test_an_address_in_use_is_an_error():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = CliRunner().invoke(commands, ["serve", "--port", str(taken.getsockname()[1])])
    assert done.exit_code == 2
    assert "cannot listen on 127.0.0.1" in done.stderr


def test_a_threshold_that_no_request_could_use_is_an_error_at_the_start(pipeline):
    with pytest.raises(InputError, match="not 'exact'"):
        make_app(pipeline, threshold="exact")


def test_without_its_libraries_the_message_names_the_extra():
    code = "import sys; sys.modules['starlette'] = None; sys.argv[1:] = ['serve']; import kgmrca.cli; kgmrca.cli.main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "pip install 'kgmrca[serve]'" in done.stderr


@pytest.mark.parametrize("mode", schemathesis.GenerationMode)
def test_what_it_describes_as_openapi_is_what_it_does(client, mode):
    operations = schemathesis.openapi.from_url(f"{client.base_url}/openapi.json").get_all_operations()
    described = {operation.path: operation for operation in (result.ok() for result in operations)}

    @settings(max_examples=15, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
    @given(described["/relations"].as_strategy(generation_mode=mode))
    def asked_and_compared(case):
        case.call_and_validate()

    asked_and_compared()


@pytest.mark.parametrize("path", ["/health", "/ready", "/metrics"])
def test_what_takes_no_body_is_as_described(client, path):
    schema = schemathesis.openapi.from_url(f"{client.base_url}/openapi.json")
    schema[path]["GET"].Case().call_and_validate()
