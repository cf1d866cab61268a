"""Which requests are let in: the shop's own name, believable proxies, a sane form."""

import pytest
from flask import request

from storefront import security
from storefront.config import LOOPBACK
from tests.security.trial import shop


def host_answers(app, host, path="/trial/url"):
    return app.test_client().get(path, headers={"Host": host})


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8123", "127.0.0.1:9", "[::1]:80", "LOCALHOST"]
)
def test_a_shop_on_this_computer_answers_to_all_its_names(app, host):
    answer = host_answers(app, host)
    assert (answer.status_code, answer.text) == (200, f"http://{host.lower()}")


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "localhost:80:80",
        "localhost/x",
        "a@localhost",
        "localhost:",
        "localhost:123456",
        "127.0.0.2",
        "",
        "localhost\u00e9",
        "[::1",
        "0x7f000001",
    ],
)
def test_no_other_name_leads_to_it(app, host):
    assert host_answers(app, host.encode().decode("latin-1")).status_code == 400


def test_a_public_shop_answers_to_its_own_name_only_and_links_by_it(tmp_path):
    app = shop(tmp_path, SHOP_URL="https://shop.example")
    for host in ("shop.example", "Shop.Example:443"):
        assert host_answers(app, host).text == "https://shop.example"
    for host in ("shop.example:80", "www.shop.example", "shop.example.", *LOOPBACK):
        assert host_answers(app, host).status_code == 400
    assert host_answers(app, "10.0.0.7:8000", "/healthz").status_code == 200


def test_an_international_name_is_taken_as_browsers_send_it(tmp_path):
    app = shop(tmp_path, SHOP_URL="https://bücher.example:443")
    assert host_answers(app, "xn--bcher-kva.example").text == "https://xn--bcher-kva.example"
    own = {"Host": "xn--bcher-kva.example", "Origin": "https://xn--bcher-kva.example"}
    assert app.test_client().post("/trial", headers=own).status_code == 200


def test_a_port_of_its_own_belongs_to_the_name(tmp_path):
    app = shop(tmp_path, SHOP_URL="http://shop.example:8080")
    assert host_answers(app, "shop.example:8080").status_code == 200
    assert host_answers(app, "shop.example").status_code == 400


FORWARDED = {
    "X-Forwarded-For": "203.0.113.9",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "evil.example",
    "X-Request-ID": "from-the-proxy-1",
}


@pytest.mark.parametrize("proxies", [0, 1])
def test_only_a_configured_proxy_is_believed_and_never_about_the_host(tmp_path, proxies):
    app = shop(tmp_path, TRUSTED_PROXIES=str(proxies))
    app.add_url_rule("/who", view_func=who)
    answer = app.test_client().get("/who", headers=FORWARDED)
    assert answer.json == {
        "address": "203.0.113.9" if proxies else "127.0.0.1",
        "scheme": "https" if proxies else "http",
        "host": "localhost",
    }
    assert (answer.headers["X-Request-ID"] == "from-the-proxy-1") == bool(proxies)


def who():
    return {"address": request.remote_addr, "scheme": request.scheme, "host": request.host}


@pytest.mark.parametrize("given", ["short", "x" * 65, "a b c d e f", "<script>alert", "é" * 10])
def test_a_malformed_request_id_is_replaced(tmp_path, given):
    client = shop(tmp_path, TRUSTED_PROXIES="1").test_client()
    made = client.get("/trial", headers={"X-Request-ID": given.encode().decode("latin-1")})
    assert security.REQUEST_ID.fullmatch(made.headers["X-Request-ID"])
    assert made.headers["X-Request-ID"] != given


@pytest.mark.parametrize(
    "path",
    [
        "/trial?q=%00",
        "/trial/%00",
        "/products/a%00b",
        "/trial?q=" + "x" * 9000,
        "/trial?" + "&".join(f"a{i}=1" for i in range(1001)),
        "/%00",
    ],
)
def test_a_malformed_address_is_a_clean_refusal(client, path):
    assert client.get(path).status_code == 400


@pytest.mark.parametrize(
    "path",
    ["/trial?q=%ff%fe", "/trial?q=%zz", "/trial?a=1&a=2", "/trial?" + "a=1&" * 500, "/trial?%"],
)
def test_odd_but_harmless_addresses_work(client, path):
    assert client.get(path).status_code == 200


@pytest.mark.parametrize(
    "data", ["a=%00", "%00=a", "a=1&b=x%00", "&".join("a=1" for _ in range(1001))]
)
def test_a_malformed_form_is_a_clean_refusal(client, data):
    answer = client.post("/trial", data=data, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 400


def test_a_huge_form_is_413(client):
    assert client.post("/trial", data={"a": "x" * 1_100_000}).status_code == 413
    parts = {"a": "x" * 300_000}
    assert client.post("/trial", data=parts, content_type="multipart/form-data").status_code == 413
