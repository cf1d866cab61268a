"""The recorder between the real SDK and a canned Stripe: nothing said is lost or goes unjudged."""

import json
from typing import Any, ClassVar

import pytest
import stripe

from tests.contract.recording import RecordingClient

PRODUCT = {
    "id": "prod_1",
    "object": "product",
    "active": True,
    "created": 1,
    "images": [],
    "livemode": False,
    "marketing_features": [],
    "metadata": {},
    "name": "Teapot",
    "type": "good",
    "updated": 1,
}


class CannedClient(stripe.HTTPClient):
    """Answers each request with the next of the answers it was given, or fails with it."""

    name: ClassVar[str] = "canned"

    def __init__(self, *answers: tuple[int, Any] | Exception) -> None:
        super().__init__()
        self.answers = list(answers)

    def request(self, *_: Any, **__: Any) -> tuple[str, int, dict[str, str]]:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        status, body = answer
        return body if isinstance(body, str) else json.dumps(body), status, {}


def connect(*answers: tuple[int, Any] | Exception) -> tuple[stripe.StripeClient, RecordingClient]:
    recorder = RecordingClient(CannedClient(*answers))
    base = "http://127.0.0.1:1/sandbox"
    client = stripe.StripeClient("sk_test_1", http_client=recorder, base_addresses={"api": base})
    return client, recorder


def test_a_clean_conversation_has_no_problems() -> None:
    client, recorder = connect((200, PRODUCT))
    client.v1.products.create(
        {"name": "Teapot", "metadata": {"sku": "7"}}, {"idempotency_key": "k"}
    )
    (exchange,) = recorder.exchanges
    assert (exchange.method, exchange.path) == ("POST", "/v1/products")
    assert exchange.params == {"name": "Teapot", "metadata": {"sku": "7"}}
    assert exchange.headers["Idempotency-Key"] == "k"
    assert (exchange.status, exchange.answer) == (200, PRODUCT)
    assert recorder.problems() == []


def test_the_query_of_a_get_is_recorded_and_judged() -> None:
    client, recorder = connect((200, {"object": "list", "url": "/v1/products", "has_more": False,
                                      "data": [PRODUCT | {"active": "yes"}]}))  # fmt: skip
    params: Any = {"limit": 3, "colour": "red"}
    client.v1.products.list(params)
    assert recorder.exchanges[0].params == {"limit": "3", "colour": "red"}
    assert recorder.problems() == [
        "GET /v1/products asked: colour: unknown key",
        "GET /v1/products answered 200: data[0].active: expected bool, got str",
    ]


def test_errors_are_judged_by_their_codes() -> None:
    body = {"error": {"type": "invalid_request_error", "code": "nonsense", "message": "No."}}
    client, recorder = connect((400, body))
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.products.retrieve("prod_1")
    (problem,) = recorder.problems()
    assert problem.startswith("GET /v1/products/prod_1 answered 400: error.code: expected")


def test_an_answer_that_is_not_json_is_a_problem() -> None:
    client, recorder = connect((400, "<html>"))
    with pytest.raises(stripe.APIError):
        client.v1.products.retrieve("prod_1")
    assert recorder.problems() == ["GET /v1/products/prod_1 answered 400: not a JSON object"]


def test_a_request_whose_answer_is_lost_stays_on_record() -> None:
    client, recorder = connect(stripe.APIConnectionError("gone"), (200, PRODUCT))
    with pytest.raises(stripe.APIConnectionError):
        client.v1.products.create({"name": "Teapot"})
    client.v1.products.create({"name": "Teapot"})
    assert [exchange.status for exchange in recorder.exchanges] == [None, 200]
    assert recorder.problems() == []


def test_the_sdk_still_retries_and_each_try_is_on_record() -> None:
    client, recorder = connect((500, {"error": {"type": "api_error"}}), (200, PRODUCT))
    client.v1.products.create({"name": "Teapot"}, {"max_network_retries": 1})
    assert [exchange.status for exchange in recorder.exchanges] == [500, 200]
    first, second = (exchange.headers["Idempotency-Key"] for exchange in recorder.exchanges)
    assert first == second
    assert recorder.problems() == []
