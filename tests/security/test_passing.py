"""Where one may be sent on to, and which role opens what."""

import pytest

from storefront import security
from tests.auth.people import Browser, make_user


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\/evil.example",
        "https:evil",
        "https://evil.example",
        "http:/evil",
        "javascript:alert(1)",
        "data:text/html,x",
        "evil.example",
        "@evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "/a\r\nSet-Cookie: a=b",
        "\t//evil",
        " //evil.example",
        "/\x00",
        "/a\\b",
        "\u2044\u2044evil",
        "/\u2028x",
        "",
        None,
        "/" + "x" * 3000,
    ],
)
def test_no_way_on_leads_out_of_the_shop(target):
    assert security.safe_next(target) == "/"


@pytest.mark.parametrize(
    "target", ["/", "/products?page=2&q=a%20b", "/@me", "/a//b", "/%0d%0aX: y", "/tee/größe"]
)
def test_ways_on_within_the_shop_are_kept(client, target):
    assert security.safe_next(target) == target


def test_a_default_way_on_may_be_named():
    assert security.safe_next(None, "/account") == "/account"


@pytest.mark.parametrize(
    ("role", "staff", "owner"),
    [(None, 303, 303), ("customer", 404, 404), ("staff", 200, 403), ("owner", 200, 200)],
)
def test_roles_open_what_is_theirs(app, role, staff, owner):
    browser = Browser(app)
    if role:
        make_user(app, role=role)
        browser.sign_in()
    assert browser.get("/trial/staff").status_code == staff
    assert browser.get("/trial/owner").status_code == owner
