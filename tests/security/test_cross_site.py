"""What comes from another site changes nothing; whoever holds a session shows its token."""

import re

import pytest
import time_machine
from flask import flash

from storefront import security
from tests.security.trial import shop

CROSS_SITE = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": ""},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://localhost:8001"},
    {"Origin": "https://localhost"},
    {"Origin": ""},
    {"Origin": "http://localhost.evil.example"},
    {"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"},
]
OWN = [
    {},
    {"Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": "http://localhost"},
    {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"},
]


@pytest.mark.parametrize("headers", CROSS_SITE)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_what_comes_from_elsewhere_changes_nothing(client, method, headers):
    answer = client.open("/trial", method=method, headers=headers)
    assert answer.status_code == 400
    assert "changed" not in answer.text


@pytest.mark.parametrize("headers", OWN)
def test_a_visitor_without_a_session_needs_no_token(client, headers):
    assert client.post("/trial", headers=headers).text == "changed"


@pytest.mark.parametrize("headers", CROSS_SITE)
def test_reading_is_free_to_all(client, headers):
    assert client.get("/trial", headers=headers).status_code == 200


def test_the_port_one_came_by_is_the_origin(client):
    headers = {"Host": "127.0.0.1:9000", "Origin": "http://127.0.0.1:9000"}
    assert client.post("/trial", headers=headers).status_code == 200
    assert client.post("/trial", headers=headers | {"Host": "127.0.0.1:9001"}).status_code == 400


def test_a_public_shop_compares_with_its_address_not_with_what_is_asked(tmp_path):
    client = shop(tmp_path, SHOP_URL="https://shop.example").test_client()

    def send(origin):
        headers = {"Host": "shop.example", "Origin": origin}
        return client.post("/trial", headers=headers).status_code

    assert send("https://shop.example") == 200  # though the last hop speaks http
    assert send("http://shop.example") == 400


def test_who_holds_a_session_needs_its_token(client):
    token = client.get("/trial/start").text
    assert client.post("/trial").status_code == 400
    assert client.post("/trial", data={"csrf_token": "x"}).status_code == 400
    assert client.post("/trial", data={"csrf_token": token}).text == "changed"
    assert client.put("/trial", headers={"X-CSRFToken": token}).text == "changed"
    cross = client.post("/trial", data={"csrf_token": token}, headers={"Origin": "null"})
    assert cross.status_code == 400


def test_another_visitors_token_is_refused(app, client):
    strangers = app.test_client().get("/trial/start").text
    client.get("/trial/start")
    assert client.post("/trial", data={"csrf_token": strangers}).status_code == 400


def test_a_script_is_given_the_token_to_try_again_with(client):
    client.get("/trial/start")
    accept = {"Accept": "application/json"}
    refused = client.post("/trial", headers=accept)
    assert (refused.status_code, refused.json["error"]["code"]) == (400, "csrf")
    again = client.post("/trial", headers=accept | {"X-CSRFToken": refused.headers["X-CSRFToken"]})
    assert again.text == "changed"
    cross = client.post("/trial", headers=accept | {"Origin": "https://evil.example"})
    assert cross.json["error"]["code"] == "csrf"
    assert "X-CSRFToken" not in cross.headers


def test_a_token_is_good_for_as_long_as_the_session(client):
    with time_machine.travel(1_900_000_000) as clock:
        token = client.get("/trial/start").text
        clock.shift(13 * 24 * 3600)
        assert client.post("/trial", data={"csrf_token": token}).text == "changed"


def test_a_session_that_was_just_begun_already_gets_its_token(client):
    assert len(client.get("/trial/start").text) > 20


def changing_routes(app):
    """Each method and path that may change something, with 1 for every variable."""
    for rule in app.url_map.iter_rules():
        path = re.sub("<[^>]*>", "1", rule.rule)
        for method in sorted((rule.methods or set()) - security.SAFE_METHODS):
            yield rule.endpoint, method, path


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {}])
def test_stripes_webhook_is_the_only_route_without_these_checks(app, client, headers):
    client.get("/trial/start")
    unchecked = {
        endpoint
        for endpoint, method, path in changing_routes(app)
        if '"code":"csrf"'
        not in client.open(
            path, method=method, headers={"Accept": "application/json", **headers}
        ).text
    }
    assert unchecked == {"webhooks.stripe"}


def test_what_is_not_there_needs_no_token(client):
    client.get("/trial/start")
    assert client.post("/nowhere").status_code == 404
    assert client.post("/healthz").status_code == 405


def test_a_flash_alone_is_a_session(app, client):
    app.add_url_rule("/flash", view_func=lambda: flash("hello") or "ok")
    client.get("/flash")
    assert client.post("/trial").status_code == 400
