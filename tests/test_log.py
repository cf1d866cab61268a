"""Logs: one JSON object a line, findable by request, and no secret or token in any."""

import json
import logging

import pytest
from flask import Flask, abort, request, session

from storefront import errors, i18n, log, security
from storefront.extensions import csrf
from storefront.log import HIDDEN, Redactor

CANARIES = {
    "a Stripe key": "sk_live_Canary0123456789abcdefgh",
    "a restricted key": "rk_test_Canary0123456789abcdefgh",
    "a webhook secret": "whsec_Canary0123456789+/abcdef=",
    "an order's token": "Xk3-Canary_8sJq0ZtLw5VbNn2RfYh7CmPd1GaTeUoI",
    "a session cookie": "eyJfcGVybWFuZW50Ijp0cnVlfQ.aQrStU.Canary-ybAXcWvVuUtTsSrRqQpP",
    "a compressed session": ".eJyrVopPLC3JiC8tTi2Kz0xRsjKs.aQrStU.CanaryybAXcWvVuUtTsSrRqQp",
}
SETTINGS = {
    "SECRET_KEY": "the-key-that-signs-Canary-sessions",
    "DATABASE_URL": "postgresql+psycopg://shop:pw-Canary-1@db/shop",
    "STRIPE_SECRET_KEY": "sk_test_CanaryOfTheSettings",
    "STRIPE_WEBHOOK_SECRET": ("whsec_CanaryNumberOne", "whsec_CanaryNumberTwo"),
    "RATELIMIT_STORAGE_URI": "redis://:pw-Canary-2@cache:6379",
    "SECRET_KEY_FALLBACKS": ("an-older-key-Canary-before-that",),
    "SHOP_URL": "http://localhost",
    "STRIPE_JS_URL": "",
    "STRIPE_API_BASE": "",
    "TRUSTED_PROXIES": 0,
    "LOG_LEVEL": "INFO",
    "STRIPE_SANDBOX": False,
    "WTF_CSRF_CHECK_DEFAULT": False,
}


class Captured:
    """What went to standard error so far."""

    def __init__(self, capsys):
        self._capsys, self._text = capsys, ""

    def getvalue(self):
        self._text += self._capsys.readouterr().err
        return self._text


@pytest.fixture
def stderr(capsys):
    return Captured(capsys)


@pytest.fixture
def app(stderr):
    loggers = [logging.getLogger(name) for name in (None, "storefront", "werkzeug")]
    before = [(logger, logger.level, list(logger.handlers)) for logger in loggers]
    yield make_app()
    for logger, level, handlers in before:
        logger.setLevel(level)
        logger.handlers = handlers


def make_app(**changes):
    app = Flask("storefront")
    app.config.from_mapping(SETTINGS | changes)
    log.init_app(app)
    errors.init_app(app)
    i18n.init_app(app)
    csrf.init_app(app)
    security.init_app(app)
    app.jinja_loader = None
    app.add_url_rule("/orders/<token>", "order", lambda token: "an order")
    app.add_url_rule("/broken/<token>", "broken", broken)
    app.add_url_rule("/says", "says", says, methods=["POST"])
    app.add_url_rule("/start", "start", lambda: session.update(visitor="v") or "ok")
    app.add_url_rule("/gone", "gone", lambda: abort(410))
    return app


def broken(token):
    raise ZeroDivisionError(f"while looking at {token} with {CANARIES['a Stripe key']}")


def says():
    logging.getLogger("storefront.test").warning(request.get_data(as_text=True))
    return "ok"


def lines(stderr):
    return [json.loads(line) for line in stderr.getvalue().splitlines()]


JSON = {"Accept": "application/json"}
TOKEN = CANARIES["an order's token"]


def test_a_request_is_one_line_that_names_the_rule_and_neither_path_nor_query(app, stderr):
    answer = app.test_client().get(f"/orders/{TOKEN}?email=ada@example.com")
    (line,) = lines(stderr)
    assert line["request_id"] == answer.headers["X-Request-ID"]
    assert line.pop("ms") >= 0
    assert line.pop("time").endswith("+00:00")
    del line["request_id"]
    assert line == {
        "level": "INFO",
        "logger": "storefront.access",
        "message": "request",
        "method": "GET",
        "endpoint": "order",
        "rule": "/orders/<token>",
        "status": 200,
        "bytes": len("an order"),
    }


@pytest.mark.parametrize(("path", "status"), [("/gone", 410), ("/nowhere/secret", 404)])
def test_refusals_are_lines_too(app, stderr, path, status):
    app.test_client().get(path, headers=JSON)
    (line,) = lines(stderr)
    assert line["status"] == status
    assert "secret" not in stderr.getvalue()


def test_a_failure_is_said_once_with_its_trace_and_without_its_path(app, stderr):
    answer = app.test_client().get(f"/broken/{TOKEN}", headers=JSON)
    assert answer.status_code == 500
    failure, access = lines(stderr)
    assert failure["level"] == "ERROR"
    assert "Traceback" in failure["trace"] and "in broken" in failure["trace"]
    assert "ZeroDivisionError" in failure["trace"]
    assert failure["request_id"] == access["request_id"] == answer.headers["X-Request-ID"]
    assert "Canary" not in stderr.getvalue()


@pytest.mark.parametrize("name", CANARIES)
@pytest.mark.parametrize(
    "around", ["{}", "at /orders/{}?x=1", "{{'id': '{}'}}", "x={}&y=2", '"{}"']
)
def test_what_looks_like_a_secret_is_hidden_wherever_it_stands(app, stderr, name, around):
    app.test_client().post("/says", data=around.format(CANARIES[name]))
    said = lines(stderr)[0]["message"]
    assert HIDDEN in said
    assert "Canary" not in said


@pytest.mark.parametrize(
    "text",
    [
        "Cookie: session=short-Canary; other=1",
        "{'Authorization': 'Bearer Canary123'}",
        "Set-Cookie: a=Canary",
        "token=Canary99",
        '"password": "Canary horse"',
        "csrf_token: Canary1",
        "redis://:pw-Canary-2@cache:6379",
        "client_secret=Canary_secret_1",
    ],
)
def test_named_secrets_are_hidden_whatever_they_look_like(app, stderr, text):
    app.test_client().post("/says", data=text)
    assert "Canary" not in lines(stderr)[0]["message"]


def test_the_settings_own_secrets_are_known_by_heart(app, stderr):
    for name in SETTINGS:
        value = SETTINGS[name]
        for each in value if isinstance(value, tuple) else (value,):
            app.test_client().post("/says", data=f"x{each}x")
    assert "Canary" not in stderr.getvalue()


def test_fields_of_a_record_are_hidden_as_well(app, stderr):
    fields = {"user": 7, "note": CANARIES["a Stripe key"]}
    logging.getLogger("storefront.test").warning("noted", extra={"fields": fields})
    (line,) = lines(stderr)
    assert line["user"] == 7
    assert line["note"] == HIDDEN or line["note"] == f"sk_live_{HIDDEN}"


@pytest.mark.parametrize(
    "text",
    [
        "/usr/lib/python3/site-packages/flask/app.py line 880, in full_dispatch_request",
        "order 1042 is paid",
        "test_a_session_that_names_nobody_is_emptied_2",
        "evt_1PAbCdEfGhIjKlMnOpQrStUv",
        "checkout.session.completed",
        "pk_test_51Abc is public",
        "a1b2c3d4e5f60718",
    ],
)
def test_what_one_needs_to_find_a_fault_is_left(text):
    assert Redactor([])(text) == text


def test_a_checkout_session_can_still_be_found_at_stripe():
    assert (
        Redactor([])("session cs_test_a1B2c3D4e5F6g7H8i9 paid")
        == f"session cs_test_a1B2c3{HIDDEN} paid"
    )


def test_line_ends_and_escape_sequences_cannot_forge_a_line(app, stderr):
    app.test_client().post("/says", data='x\n{"level":"INFO"}\r\n\x1b[2Jgone\u2028y')
    assert len(lines(stderr)) == 2
    assert "\x1b" not in stderr.getvalue() and "\u2028" not in stderr.getvalue()


def test_plain_lines_are_for_people_and_start_at_warnings(app, stderr):
    client = make_app(STRIPE_SANDBOX=True).test_client()
    client.get("/start")
    client.post("/says", data="look\x1b[2J out " + CANARIES["a Stripe key"], headers=JSON)
    assert stderr.getvalue() == ""  # the post was refused: it held a session and no token
    make_app(STRIPE_SANDBOX=True).test_client().post("/says", data="look\x1b[2J out")
    assert stderr.getvalue() == "WARNING storefront.test: look\\x1b[2J out\n"


def test_one_process_logs_each_line_once_however_many_apps_it_made(app, stderr):
    again = make_app()
    again.test_client().get("/start")
    assert len(lines(stderr)) == 1


def test_the_development_servers_own_lines_with_whole_addresses_are_off(app, stderr):
    logging.getLogger("werkzeug").info('"GET /orders/%s HTTP/1.1" 200 -', TOKEN)
    assert stderr.getvalue() == ""


@pytest.mark.parametrize(
    ("level", "sandbox", "said"),
    [
        ("INFO", False, "INFO"),
        ("INFO", True, "WARNING"),
        ("DEBUG", True, "DEBUG"),
        ("ERROR", True, "ERROR"),
    ],
)
def test_the_level_is_the_setting_and_the_demo_is_quiet_unless_asked(app, level, sandbox, said):
    make_app(LOG_LEVEL=level, STRIPE_SANDBOX=sandbox)
    assert logging.getLogger("storefront").level == getattr(logging, said)
