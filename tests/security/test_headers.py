"""The headers that every answer wears, and what may be kept of it."""

import pytest

from tests.security.trial import shop

ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin-allow-popups",
    "X-Frame-Options": "DENY",
}
RESTRICTED = (
    "object-src 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "form-action 'self'",
)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/trial", 200),
        ("/nowhere", 404),
        ("/trial/broken", 500),
        ("/trial/sold-out", 409),
        ("/auth/logout", 405),
        ("/account", 303),
        ("/static/css/shop.css", 200),
        ("/healthz", 200),
        ("/trial?" + "a=1&" * 1100, 400),
    ],
)
def test_every_answer_wears_the_headers_once(client, path, status):
    answer = client.get(path, buffered=True)
    assert answer.status_code == status
    for name, value in ALWAYS.items():
        assert answer.headers.getlist(name) == [value]
    policy = answer.headers["Content-Security-Policy"]
    assert all(rule in policy for rule in RESTRICTED)
    assert "unsafe" not in policy and "js.stripe.com" not in policy
    assert not [name for name, _value in answer.headers if name.startswith("Access-Control")]
    assert "Strict-Transport-Security" not in answer.headers


def test_a_stranger_host_gets_the_headers_too(client):
    answer = client.get("/", headers={"Host": "evil.example"})
    assert answer.status_code == 400
    assert answer.headers["X-Frame-Options"] == "DENY"


def test_over_https_the_browser_is_told_to_stay_there_and_cookies_are_bound_to_the_host(tmp_path):
    app = shop(tmp_path, SHOP_URL="https://shop.example")
    answer = app.test_client().get("/trial/start", base_url="https://shop.example")
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-session=")
    assert all(part in cookie for part in ("; Secure", "; HttpOnly", "; Path=/", "; SameSite=Lax"))
    assert "Domain" not in cookie


def test_an_error_page_tells_nothing_but_its_number(client):
    answer = client.get("/trial/broken")
    assert answer.status_code == 500
    assert answer.headers["X-Request-ID"] in answer.text
    assert not any(
        word in answer.text for word in ("Traceback", "ZeroDivision", "Werkzeug", "Python")
    )


@pytest.mark.parametrize(
    ("stripe_js", "allowed"),
    [
        ("https://js.stripe.com/basil/stripe.js", "https://js.stripe.com"),
        ("http://127.0.0.1:9/stripe.js", "http://127.0.0.1:9"),
        ("/sandbox/stripe.js", None),
    ],
)
def test_only_a_page_that_sells_may_load_stripe_js(tmp_path, stripe_js, allowed):
    client = shop(tmp_path, STRIPE_JS_URL=stripe_js).test_client()
    selling = client.get("/trial/sells").headers["Content-Security-Policy"]
    other = client.get("/trial").headers["Content-Security-Policy"]
    scripts = [rule for rule in selling.split("; ") if rule.startswith("script-src ")]
    assert len(scripts) == 1
    assert (allowed in scripts[0].split()) if allowed else scripts == ["script-src 'self'"]
    assert ("https://hooks.stripe.com" in selling) == (allowed == "https://js.stripe.com")
    assert "script-src 'self'" in other.split("; ")


def test_the_form_may_be_redirected_to_stripes_pages(client, tmp_path):
    policy = client.get("/trial").headers["Content-Security-Policy"]
    rule = next(rule for rule in policy.split("; ") if rule.startswith("form-action "))
    assert rule.split()[1:] == [
        "'self'",
        "https://checkout.stripe.com",
        "https://billing.stripe.com",
    ]
    stand_in = shop(tmp_path, STRIPE_API_BASE="http://127.0.0.1:9/sandbox").test_client()
    assert "http://127.0.0.1:9;" in stand_in.get("/trial").headers["Content-Security-Policy"]


def test_personal_pages_are_kept_nowhere(client):
    assert "Cache-Control" not in client.get("/trial").headers
    assert client.get("/account-of-nobody").headers["Cache-Control"] == "private, no-store"
    assert client.get("/auth/login").headers["Cache-Control"] == "private, no-store"
    assert client.get("/trial").headers["Cache-Control"] == "private, no-store"  # has a session now
    assert (
        "no-store" not in client.get("/static/css/shop.css", buffered=True).headers["Cache-Control"]
    )


def test_a_visitor_gets_no_cookie_and_a_file_never_carries_one(client):
    answer = client.get("/trial")
    assert "Set-Cookie" not in answer.headers and "Vary" not in answer.headers
    assert client.get("/trial/token").text == "none"
    client.get("/trial/start")
    picture = client.get("/static/css/shop.css", buffered=True)
    assert "Set-Cookie" not in picture.headers
