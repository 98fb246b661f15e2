import gzip
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate

import pytest
from pyoxigraph import Literal, NamedNode
from server import JSON, NOTHING, WIKIDATA, Answer
from SPARQLWrapper import SPARQLWrapper

from kgmrca import __version__
from kgmrca.errors import EndpointError, InputError
from kgmrca.wikidata.sparql import ENDPOINTS, open_endpoint

QUERY = "SELECT ?x WHERE { ?x ?y ?z }"
ROW = b'{"head": {"vars": ["x", "y"]}, "results": {"bindings": [{"x": {"type": "literal", "value": "%s"}}]}}'
TERMS = b"""{"head": {"vars": ["a", "b", "c", "d"]}, "results": {"bindings": [{
    "a": {"type": "uri", "value": "http://example.org/"},
    "b": {"type": "literal", "value": "05", "datatype": "http://www.w3.org/2001/XMLSchema#integer"},
    "c": {"type": "literal", "value": "x", "xml:lang": "en"}}]}}"""


@pytest.fixture
def ask(server, clock):
    """Ask the server that answers as it is told."""
    server.otherwise = lambda query: Answer(body=body_of(2000, "d0")) if "VALUES ?d0" in query else Answer()
    endpoint = open_endpoint(server.url, clock=clock, timeout=5)

    def select(*answers, query=QUERY):
        server.answers.extend(answers)
        return endpoint.select(query)

    select.endpoint = endpoint
    return select


def reason(ask, *answers):
    with pytest.raises(EndpointError) as caught:
        ask(*answers)
    return caught.value.reason


def test_rows_hold_the_terms_of_the_bound_variables(ask):
    integer = NamedNode("http://www.w3.org/2001/XMLSchema#integer")
    assert ask(Answer(body=TERMS)) == [
        {
            "a": NamedNode("http://example.org/"),
            "b": Literal("05", datatype=integer),
            "c": Literal("x", language="en"),
        }
    ]


def test_nothing_is_an_answer_if_the_endpoint_says_so(ask):
    assert ask(Answer()) == []


@pytest.mark.parametrize("type_", [JSON, "application/json", f"{JSON}; charset=utf-8", JSON.upper()])
def test_both_types_of_json_are_read(ask, type_):
    assert ask(Answer(headers={"Content-Type": type_})) == []


def test_the_query_is_posted_whole(ask, server):
    query = 'SELECT ?x WHERE { VALUES ?x { "ą&=+%\\n#" } } # ' + "x" * 200_000
    ask(query=query)
    ((method, headers, sent),) = server.requests
    assert (method, sent) == ("POST", query)
    assert JSON in headers["Accept"]


def test_who_asks_says_so(server):
    open_endpoint(server.url).select(QUERY)
    open_endpoint(server.url, contact="me@example.org").select(QUERY)
    open_endpoint(server.url, contact="https://example.org/me").select(QUERY)
    assert [headers["User-Agent"] for _, headers, _ in server.requests] == [
        f"kgmrca/{__version__}",
        f"kgmrca/{__version__} (me@example.org)",
        f"kgmrca/{__version__} (https://example.org/me)",
    ]


@pytest.mark.parametrize("where", [*ENDPOINTS, "https://example.org/sparql", "http://192.168.0.7/query"])
def test_a_public_endpoint_needs_a_contact(where):
    with pytest.raises(InputError, match="contact"):
        open_endpoint(where)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_named_pipe_is_no_endpoint(tmp_path):
    os.mkfifo(tmp_path / "pipe.ttl")
    with pytest.raises(InputError, match=r"pipe.ttl' is a named pipe \(FIFO\), and the file of an endpoint is read"):
        open_endpoint(str(tmp_path / "pipe.ttl"))


def test_offline_a_public_endpoint_needs_no_contact_and_is_not_asked():
    endpoint = open_endpoint("wikidata", offline=True)
    assert endpoint.name == ENDPOINTS["wikidata"]
    with pytest.raises(EndpointError) as caught:
        endpoint.select(QUERY)
    assert (caught.value.reason, endpoint.queries) == ("offline", 0)
    with pytest.raises(InputError, match="is not the URL of an endpoint"):
        open_endpoint("http://", offline=True)


def test_presets_stand_for_urls():
    assert open_endpoint("wikidata", contact="me@example.org").name == "https://query.wikidata.org/sparql"


@pytest.mark.parametrize(
    "where", ["http://localhost/", "http://127.8.9.1:80/x", "http://[::1]/", "http://a.localhost/"]
)
def test_an_endpoint_on_this_machine_needs_none(where):
    assert open_endpoint(where).name == where


@pytest.mark.parametrize("contact", ["me", "me@example", "", "a@b.c\r\nX: y", "(a@b.c)", "ftp://example.org", "ą@b.c"])
def test_a_contact_is_a_mail_address_or_a_url(contact):
    with pytest.raises(InputError, match="contact"):
        open_endpoint("wikidata", contact=contact)


@pytest.mark.parametrize(
    "where",
    [
        "ftp://localhost/",
        "http://",
        "http://localhost:99999/",
        "http://localhost/#x",
        "http://local host/",
        "http://ą.pl/",
        "http://user:word@localhost/",
        "http://localhost/\n",
        f"http://{'a' * 64}.localhost/",
        "file:///etc/passwd",
    ],
)
def test_what_is_no_url_is_refused(where):
    with pytest.raises(InputError, match="URL"):
        open_endpoint(where, contact="me@example.org")


@pytest.mark.parametrize(
    ("answers", "expected", "is_timeout"),
    [
        ([Answer(status=403)], "refused (403)", False),
        ([Answer(status=404)], "refused (404)", False),
        ([Answer(status=400, body=b"Parse error\nat line 1")], "refused (400)", False),
        ([Answer(status=413)], "too large (413)", True),
        ([Answer(status=302, headers={"Location": "http://example.org/"})], "redirected (302)", False),
        ([Answer(status=307, headers={"Location": "/other"})], "redirected (307)", False),
        ([Answer(status=429)] * 5, "slow down", False),
        ([Answer(status=500)] * 5, "server error (500)", False),
        ([Answer(status=503)] * 5, "server error (503)", False),
        ([Answer(status=504)], "timed out", True),
        ([Answer(status=429, body=b'{"exception": "Operation timed out."}')], "timed out", True),
        (
            [Answer(status=500, body=b"java.util.concurrent.TimeoutException: Query deadline is expired")],
            "timed out",
            True,
        ),
        ([Answer(body=b"<html>", headers={"Content-Type": "text/html"})] * 5, "not JSON", False),
        ([Answer(headers={"Content-Type": "text/csv"})] * 5, "not JSON", False),
        ([Answer(body=b'{"head": {}, "boolean": true}')] * 2, "answer to an ASK query", False),
        ([Answer(body=b"")] * 5, "empty answer", False),
        ([Answer(body=b" \n")] * 5, "empty answer", False),
        ([Answer(body=TERMS[:-3])] * 2, "cut answer", True),
        ([Answer(body=TERMS[:-40] + b"\njava.util.concurrent.TimeoutException")], "timed out", True),
        ([Answer(body=TERMS[:-40] + b"The SPARQL operation has been cancelled")], "timed out", True),
        ([Answer(body=TERMS, claim=len(TERMS) + 9)], None, False),  # all there is of it is there
        ([Answer(body=TERMS[:60], claim=len(TERMS))] * 2, "cut answer", True),
        ([Answer(body=b"<html>")] * 2, "not JSON", True),
        ([Answer(body=b"[]")] * 2, "no SPARQL results", True),
        ([Answer(body=b'{"head": {"vars": []}}')] * 2, "no SPARQL results", True),
        ([Answer(body=NOTHING.replace(b"bindings", b"rows"))] * 2, "no SPARQL results", True),
        ([Answer(body=TERMS.replace(b'"uri"', b'"iri"'))] * 2, "no SPARQL results", True),
        ([Answer(body=TERMS.replace(b'"value": "05"', b'"value": 5'))] * 2, "no SPARQL results", True),
        ([Answer(body=NOTHING + NOTHING)] * 2, "cut answer", True),
        ([Answer(status=204, body=b"", headers={"Content-Type": ""})] * 5, "empty answer", False),
        ([Answer(close=True)] * 5, "connection closed", False),
    ],
)
def test_every_trouble_has_its_reason(ask, server, answers, expected, is_timeout):
    if expected is None:
        assert ask(*answers)
        return
    with pytest.raises(EndpointError) as caught:
        ask(*answers)
    assert (caught.value.reason, caught.value.is_timeout) == (expected, is_timeout)
    assert ask.endpoint.name in str(caught.value)
    assert len(server.requests) == ask.endpoint.queries == len(answers)  # so often it is worth trying


@pytest.mark.parametrize(
    "answer",
    [
        *(Answer(status=status) for status in (429, 500, 502, 503)),
        Answer(body=b""),
        Answer(body=TERMS[:-3]),
        Answer(close=True),
        Answer(body=b"<html>", headers={"Content-Type": "text/html"}),
    ],
)
def test_what_passes_is_tried_again(ask, answer):
    assert ask(answer, Answer(body=ROW % b"there")) == [{"x": Literal("there")}]


def test_the_pauses_grow_and_have_some_chance(ask, clock):
    reason(ask, *[Answer(status=500)] * 5)
    assert len(clock.slept) == 4
    for pause, least in zip(clock.slept, (1, 2, 4, 8), strict=True):
        assert least <= pause <= least + 1
        assert pause % 1


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_kept_to(ask, clock, status):
    assert ask(Answer(status=status, headers={"Retry-After": "77"})) == []
    assert sum(clock.slept) == pytest.approx(77)


def test_retry_after_can_be_a_date(ask, clock):
    date = formatdate(clock.now + 77, usegmt=True)
    assert ask(Answer(status=429, headers={"Retry-After": date})) == []
    assert sum(clock.slept) == pytest.approx(77)


@pytest.mark.parametrize(
    "given", ["-5", "soon", "", "Thu, 01 Jan 1970 00:00:00 GMT", "1e99", "٣", "Mon, 99 Foo 1 1:1:1"]
)
def test_a_retry_after_that_says_nothing_is_passed_over(ask, clock, given):
    assert ask(Answer(status=429, headers={"Retry-After": given.encode().decode("latin-1")})) == []
    assert sum(clock.slept) <= 2


def test_a_long_retry_after_is_not_waited_for_but_kept_to(ask, server, clock):
    assert reason(ask, Answer(status=429, headers={"Retry-After": "3600"})) == "slow down"
    assert reason(ask) == "slow down"
    assert len(server.requests) == 1
    clock.sleep(3600)
    assert ask() == []


def test_retry_after_holds_for_the_next_query_too(ask, clock):
    reason(ask, Answer(status=400, headers={"Retry-After": "50"}))
    ask()
    assert sum(clock.slept) == pytest.approx(50)


def test_there_is_a_pause_between_two_requests(server, clock):
    endpoint = open_endpoint(server.url, interval=2.5, clock=clock)
    endpoint.select(QUERY)
    assert clock.slept == []
    endpoint.select(QUERY)
    assert clock.slept == [2.5]
    clock.sleep(1.0)
    endpoint.select(QUERY)
    assert clock.slept == [2.5, 1.0, 1.5]


@pytest.mark.parametrize("status", [302, 401, 403, 404])
def test_who_refuses_is_not_asked_again(ask, server, status):
    for _ in range(2):
        assert f"({status})" in reason(ask, Answer(status=status))
    assert len(server.requests) == 1


def test_too_many_errors_in_a_minute_are_the_end(ask, server):
    for _ in range(19):
        assert reason(ask, Answer(status=400)) == "refused (400)"
        assert ask() == []
    assert reason(ask, Answer(status=400)) == "refused (400)"
    assert reason(ask) == "gave up: too many errors"
    assert len(server.requests) == 39


def test_errors_that_are_far_between_are_not(ask, clock):
    for _ in range(40):
        reason(ask, Answer(status=400))
        clock.sleep(4)
        ask()


def test_an_endpoint_that_never_answers_is_given_up_soon(ask, server):
    server.otherwise = lambda query: Answer(close=True)
    reasons = [reason(ask) for _ in range(10)]
    assert reasons == ["connection closed"] * 3 + ["gave up: too many errors"] * 7
    assert len(server.requests) == 15


def test_an_unreachable_endpoint(clock, server):
    endpoint = open_endpoint("http://127.0.0.1:9/", clock=clock)  # the port of the discard protocol
    with pytest.raises(EndpointError, match="cannot be reached") as caught:
        endpoint.select(QUERY)
    assert (caught.value.reason, endpoint.queries) == ("unreachable", 5)


def test_no_such_host(clock):
    endpoint = open_endpoint("http://nowhere.invalid/", contact="me@example.org", clock=clock)
    with pytest.raises(EndpointError) as caught:
        endpoint.select(QUERY)
    assert caught.value.reason == "unreachable"


def test_no_tls(server, clock):
    endpoint = open_endpoint(server.url.replace("http:", "https:"), clock=clock)
    with pytest.raises(EndpointError) as caught:
        endpoint.select(QUERY)
    assert (caught.value.reason, endpoint.queries) == ("TLS failure", 1)


def test_a_silent_endpoint_times_out(server):
    server.answers.append(Answer(hold=True))
    with pytest.raises(EndpointError) as caught:
        open_endpoint(server.url, timeout=0.2).select(QUERY)
    assert (caught.value.reason, caught.value.is_timeout) == ("timed out", True)


def test_an_answer_that_drips_times_out(server, clock):
    clock.monotonic = iter(range(0, 10**6, 30)).__next__  # half a minute between any two looks at the clock
    with pytest.raises(EndpointError) as caught:
        open_endpoint(server.url, clock=clock, timeout=20).select(QUERY)
    assert caught.value.reason == "timed out"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed_to_another_host(ask, server, status):
    reason(ask, Answer(status=status, headers={"Location": server.url.replace("127.0.0.1", "localhost")}))
    assert len(server.requests) == 1


def test_proxies_of_the_environment_are_not_used(server):
    proxies = dict.fromkeys(("http_proxy", "HTTP_PROXY", "all_proxy"), "http://127.0.0.1:9/") | {"no_proxy": ""}
    code = f"from kgmrca.wikidata.sparql import open_endpoint; print(open_endpoint({server.url!r}).select('SELECT'))"
    done = subprocess.run([sys.executable, "-c", code], env=os.environ | proxies, capture_output=True, check=False)
    assert (done.stdout, done.stderr, len(server.requests)) == (b"[]\n", b"", 1)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * { SERVICE <http://127.0.0.1:9/> { ?s ?p ?o } }",
        "SELECT * { service silent ?x { ?s ?p ?o } }",
        "SELECT * { S\\u0045RVICE <http://127.0.0.1:9/> { ?s ?p ?o } }",
        'SELECT * { BIND("\\"" AS ?x) SERVICE <http://127.0.0.1:9/> { ?s ?p "" } }',
        "SELECT * { ?s ?p '''a' # ''' SERVICE <http://127.0.0.1:9/> { ?s ?p ?o } }",
        "SELECT * { ?s ?p ?o FILTER(?a<?b && ?c>?d) SERVICE <http://127.0.0.1:9/> { } }",
        "SELECT * { ?s ?p ?o # <\n SERVICE <http://127.0.0.1:9/> { } }",
    ],
)
def test_no_query_makes_the_endpoint_ask_others(endpoint, query):
    with pytest.raises(InputError, match="SERVICE"):
        endpoint.select(query)
    assert endpoint.queries == 0


def test_the_word_alone_is_harmless(endpoint):
    query = "SELECT ?service { VALUES ?service { \"SERVICE\" '''it's SERVICE''' <http://x/service> } } # SERVICE"
    assert len(endpoint.select(query)) == 3


def body_of(number, name="x"):
    rows = [{name: {"type": "literal", "value": str(one)}} for one in range(number)]
    return json.dumps({"head": {"vars": [name]}, "results": {"bindings": rows}}).encode()


def test_an_answer_as_long_as_a_limit_may_be_cut(ask, server):
    server.otherwise = lambda query: Answer(body=body_of(100, "d0"))  # whatever is asked
    assert reason(ask) == "incomplete answer"
    assert len(server.requests) == 2


def test_where_more_rows_are_sent_there_is_no_such_limit(ask, server):
    def answer(query):
        return Answer(body=body_of(2000, "d0") if "VALUES ?d0" in query else body_of(100))

    server.otherwise = answer
    assert len(ask()) == 100
    assert len(ask()) == 100
    assert len(server.requests) == 3  # once is enough


def sending_at_most(limit, *lengths):
    """A service with a limit of which it says nothing; the answers have such lengths, each one then the last."""
    left = list(lengths)

    def answer(query):
        if "VALUES ?d0" in query:
            return Answer(body=body_of(min(limit, len(open_endpoint(WIKIDATA).select(query))), "d0"))
        return Answer(body=body_of(min(limit, left.pop(0) if len(left) > 1 else left[0])))

    return answer


@pytest.mark.parametrize("limit", [20, 30, 31, 32, 40, 50, 64, 100, 1000, 2000, 10_000])
def test_a_limit_is_never_taken_for_proof_that_more_is_sent(ask, server, limit):
    server.otherwise = sending_at_most(limit, limit + 5, limit, limit + 1, limit - 1, limit + 2)
    assert [reason(ask) for _ in range(3)] == ["incomplete answer"] * 3
    assert len(ask()) == limit - 1
    assert reason(ask) == "incomplete answer"
    assert len(server.requests) == 6  # one of them shows the limit


@pytest.mark.parametrize("limit", [1, 2, 5, 9, 11, 37, 1234, 2345])
def test_a_limit_that_is_no_round_number_shows_in_the_first_answer(ask, server, limit):
    server.otherwise = sending_at_most(limit, limit + 5, limit - 1, limit + 1)
    assert reason(ask) == "incomplete answer"
    assert len(ask()) == limit - 1
    assert reason(ask) == "incomplete answer"
    assert len(server.requests) == 4  # one of them shows the limit


def test_a_limit_shows_where_the_first_answers_are_shorter(ask, server):
    server.otherwise = sending_at_most(37, 0, 3, 12, 40, 13, 50)
    assert [len(ask()) for _ in range(3)] == [0, 3, 12]
    assert reason(ask) == "incomplete answer"
    assert len(ask()) == 13
    assert reason(ask) == "incomplete answer"


def test_one_proof_serves_for_several_times_as_many_rows(ask, server):
    server.otherwise = sending_at_most(1_000_000, 1, 9, 500, 1234, 1999, 2001, 7999)
    assert [len(ask()) for _ in range(7)] == [1, 9, 500, 1234, 1999, 2001, 7999]
    assert len(server.requests) == 9


def test_where_nothing_can_be_proved_only_numbers_that_people_choose_are_doubted(ask, server):
    lengths = [37, 41, 50]

    def answer(query):
        return Answer(400) if "VALUES ?d0" in query else Answer(body=body_of(lengths.pop(0)))

    server.otherwise = answer
    assert [len(ask()) for _ in range(2)] == [37, 41]
    assert len(server.requests) == 3  # what proves nothing is not asked again
    assert reason(ask) == "incomplete answer"


def test_a_limit_of_as_many_rows_as_the_proof_has_is_found(ask, server):
    server.otherwise = sending_at_most(2000, 100, 2500, 2001)
    assert len(ask()) == 100
    assert [reason(ask) for _ in range(2)] == ["incomplete answer"] * 2


def test_the_longest_answer_twice_is_whole_where_more_is_sent(ask, server):
    server.otherwise = sending_at_most(1_000_000, 37)
    assert [len(ask()) for _ in range(3)] == [37] * 3
    assert len(server.requests) == 4


def test_the_query_that_shows_it_has_so_many_rows(server):
    server.otherwise = lambda query: Answer(body=body_of(100))
    with pytest.raises(EndpointError):
        open_endpoint(server.url).select(QUERY)
    assert len(open_endpoint(WIKIDATA).select(server.queries[1])) == 2000
    assert "LIMIT" not in server.queries[1]


def test_what_members_of_others_there_are_does_not_matter(ask):
    told = json.loads(TERMS) | {"meta": {"query-time-ms": 3, "result-size-total": 1}}
    assert ask(Answer(body=json.dumps(told).encode())) == ask(Answer(body=TERMS))


def test_server_and_file_answer_alike(wikidata_url):
    query = "SELECT * { VALUES ?s { <http://www.wikidata.org/entity/Q7186> } ?s ?p ?o } ORDER BY ?p ?o"
    by_server = open_endpoint(wikidata_url).select(query)
    by_file = open_endpoint(WIKIDATA).select(query)
    assert by_server == by_file
    assert len(by_file) > 40


@pytest.mark.parametrize("query", ["ASK { ?s ?p ?o }", "CONSTRUCT WHERE { ?s ?p ?o }", "SELECT", "DROP ALL"])
def test_a_file_answers_select_queries_only(query):
    with pytest.raises(InputError):
        open_endpoint(WIKIDATA).select(query)


def test_a_file_is_read_when_it_is_asked(tmp_path):
    path = tmp_path / "broken.ttl"
    path.write_text("nonsense\n")
    endpoint = open_endpoint(path)
    with pytest.raises(InputError, match=r"broken\.ttl"):
        endpoint.select(QUERY)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.nt", b"<http://x/a> <http://x/b> <http://x/c> .\n"),
        ("a.ttl", b"<http://x/a> <http://x/b> <http://x/c> ."),
        ("a.nq", b"<http://x/a> <http://x/b> <http://x/c> <http://x/graph> .\n"),
        ("a.trig", b"<http://x/graph> { <http://x/a> <http://x/b> <http://x/c> }"),
        ("a.TTL.GZ", gzip.compress(b"<http://x/a> <http://x/b> <http://x/c> .")),
        (
            "a.rdf",
            b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:x="http://x/">'
            b'<rdf:Description rdf:about="http://x/a"><x:b rdf:resource="http://x/c"/></rdf:Description></rdf:RDF>',
        ),
    ],
)
def test_files_of_all_formats_are_read(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    assert open_endpoint(tmp_path / name).select("SELECT ?s { ?s <http://x/b> ?o }") == [{"s": NamedNode("http://x/a")}]


@pytest.mark.parametrize("cut", [b"", b"\x1f\x8b", gzip.compress(b"<http://x/a> <http://x/b> <http://x/c> .")[:-9]])
def test_a_broken_compressed_file_is_an_error(tmp_path, cut):
    (tmp_path / "a.nt.gz").write_bytes(cut)
    if cut:
        with pytest.raises(InputError, match=r"a\.nt\.gz"):
            open_endpoint(tmp_path / "a.nt.gz").select(QUERY)
    else:  # no bytes are no triples, for gzip too
        assert open_endpoint(tmp_path / "a.nt.gz").select(QUERY) == []


def test_a_folder_is_all_its_rdf_files(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "README.md").write_text("not RDF")
    (tmp_path / "a.nt").write_text("<http://x/a> <http://x/b> _:c .\n")
    (tmp_path / "deep" / "b.ttl").write_text("<http://x/b> <http://x/b> _:c .")
    assert len(open_endpoint(tmp_path).select("SELECT DISTINCT ?o { ?s ?p ?o }")) == 2  # a blank node is its file's


@pytest.mark.parametrize("name", ["nothing.ttl", "empty", "a.txt"])
def test_what_is_not_there_or_no_rdf_is_refused(tmp_path, name):
    (tmp_path / "empty").mkdir()
    (tmp_path / "a.txt").write_text("text")
    with pytest.raises(InputError, match=name.replace(".", r"\.")):
        open_endpoint(tmp_path / name)


def test_a_file_is_called_by_what_it_holds(tmp_path):
    for name in ("a.ttl", "b.ttl"):
        (tmp_path / name).write_text("<http://x/a> <http://x/b> <http://x/c> .")
    names = [open_endpoint(tmp_path / name).name for name in ("a.ttl", "b.ttl")]
    assert names[0] == names[1]
    assert names[0].startswith("file:")
    (tmp_path / "a.ttl").write_text("<http://x/a> <http://x/b> <http://x/d> .")
    assert open_endpoint(tmp_path / "a.ttl").name != names[0]
    both = open_endpoint(tmp_path).name
    assert both not in names
    (tmp_path / "b.ttl").rename(tmp_path / "0.ttl")
    assert open_endpoint(tmp_path).name == both


def test_threads_take_turns(server):
    running, most = [], []

    def answer(query):
        running.append(query)
        most.append(len(running))
        time.sleep(0.01)  # a second request would be here by then
        running.remove(query)
        return Answer(body=ROW % query.encode())

    endpoint = open_endpoint(server.url)
    server.otherwise = answer
    words = [f"SELECT{number}" for number in range(12)]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(endpoint.select, words))
    assert [row["x"].value for (row,) in answers] == words
    assert max(most) == 1


def test_importing_it_asks_for_nothing_slow():
    code = "import sys, kgmrca.wikidata.lookups as _; print({'spacy', 'torch', 'rdflib', 'numpy'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stdout == b"set()\n"


def test_a_local_file_is_opened_as_any_other_rdf(tmp_path):
    path = tmp_path / "wikidata.ttl"
    path.write_bytes(gzip.compress(b"\xef\xbb\xbf<urn:a> <urn:b> <urn:c> ."))
    assert len(open_endpoint(path).select("SELECT * { ?s ?p ?o }")) == 1


def test_nothing_private_of_sparqlwrapper_is_used(server, monkeypatch):
    def refuse(*_):
        raise AssertionError("private")

    for name in ("_query", "_createRequest", "_getRequestEncodedParameters", "_getAcceptHeader"):
        monkeypatch.setattr(SPARQLWrapper, name, refuse)
    server.otherwise = lambda query: Answer(body=body_of(2000, "d0") if "VALUES ?d0" in query else ROW % b"1")
    assert len(open_endpoint(server.url).select(QUERY)) == 1
