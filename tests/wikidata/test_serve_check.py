"""POST /check of `kgmrca serve`: relations compared with a SPARQL server."""

import pytest
import schemathesis
from helpers import make_nlp
from hypothesis import HealthCheck, given, settings
from server import Answer, faulty
from test_serve import problem, running

from kgmrca.errors import InputError
from kgmrca.serve.app import make_app
from kgmrca.serve.checking import Checker

TEXT = "Marie Curie was born in Warsaw. Marie Curie was born in 1867. Orson Welles wrote and directed Citizen Kane."


@pytest.fixture(scope="module")
def client(wikidata_url):
    with running(make_app(make_nlp(), checker=Checker(wikidata_url, cache=None))) as client:
        yield client


def checks(client, text=TEXT, **parameters):
    """What is said of each relation, by its label."""
    answer = client.post("/check", json={"text": text}, params=parameters)
    assert answer.status_code == 200, answer.text
    return {relation["label"]: relation["check"] for relation in answer.json()["documents"][0]["relations"]}


def test_each_relation_has_its_verdict(client):
    found = checks(client)
    curie = {"id": "Q7186", "iri": "http://www.wikidata.org/entity/Q7186", "text": "Marie Curie"}
    warsaw = {"id": "Q270", "iri": "http://www.wikidata.org/entity/Q270", "text": "Warsaw"}
    birth = found["place of birth"]
    assert (birth["verdict"], birth["subject"], birth["object"]) == ("confirmed", curie, warsaw)
    assert birth["value"] == {**warsaw, "claim": "http://www.wikidata.org/entity/statement/Q7186-P19-1"}
    assert found["date of birth"]["value"]["text"] == "7 November 1867"
    assert found["date of birth"]["object"] is None
    assert {one: found[one]["verdict"] for one in ("screenwriter", "director")} == {
        "screenwriter": "unlinked",
        "director": "unlinked",
    }


def test_only_relations_of_the_threshold_are_checked(client):
    assert list(checks(client, threshold=0.85)) == ["place of birth"]


def test_the_documents_are_told_apart(client):
    documents = [{"text": TEXT, "id": "a"}, {"text": "It rained."}, {"text": TEXT, "id": "b"}]
    read = client.post("/check", json={"documents": documents}).json()["documents"]
    verdicts = [[relation["check"]["verdict"] for relation in one["relations"]] for one in read]
    assert verdicts[0] == verdicts[2]
    assert verdicts[0][0] == "confirmed"
    assert verdicts[1] == []


def test_there_is_no_rdf_of_it(client):
    response = client.post("/check", json={"text": TEXT}, headers={"accept": "text/turtle"})
    assert problem(response, 406).endswith("Ask for application/json.")


def test_what_failed_is_not_checked_and_asked_again_later(wikidata_url, monkeypatch):
    monkeypatch.setattr("kgmrca.serve.checking._AFTER_FAILURE", 0.0)
    with faulty() as endpoint:
        endpoint.otherwise = lambda query: Answer(status=503, headers={"Retry-After": "3600"})
        with running(make_app(make_nlp(), checker=Checker(endpoint.url, cache=None, patience=5))) as client:
            found = checks(client)
            assert {one["verdict"] for one in found.values()} == {"not checked"}
            assert len(endpoint.requests) == 1
            endpoint.otherwise = lambda query: Answer()
            assert {one["verdict"] for one in checks(client).values()} == {"unlinked"}
            assert client.get("/ready").status_code == 200


def test_an_endpoint_that_says_nothing_is_left_in_time():
    with faulty() as endpoint:
        endpoint.otherwise = lambda query: Answer(hold=True)
        with running(make_app(make_nlp(), checker=Checker(endpoint.url, cache=None, patience=0.3))) as client:
            assert {one["verdict"] for one in checks(client).values()} == {"not checked"}


def test_an_endpoint_that_cannot_be_used_is_an_error_at_the_start():
    with pytest.raises(InputError, match="--contact"):
        Checker("wikidata", cache=None)


@pytest.mark.parametrize("mode", schemathesis.GenerationMode)
def test_what_it_describes_as_openapi_is_what_it_does(client, mode):
    operations = schemathesis.openapi.from_url(f"{client.base_url}/openapi.json").get_all_operations()
    described = {operation.path: operation for operation in (result.ok() for result in operations)}

    @settings(max_examples=10, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
    @given(described["/check"].as_strategy(generation_mode=mode))
    def asked_and_compared(case):
        case.call_and_validate()

    asked_and_compared()


def test_a_real_answer_is_as_described(client):
    operation = schemathesis.openapi.from_url(f"{client.base_url}/openapi.json")["/check"]["POST"]
    operation.Case(body={"text": TEXT}, media_type="application/json").call_and_validate()
