"""The stand-in for Stripe.js and its moods."""

import pytest

from storefront.sandbox import control
from tests.sandbox.orders import order


@pytest.mark.parametrize("mood", ["ok", "absent", "throws", "never", "error"])
def test_the_script_is_served_in_the_mood_it_is_told(browser, sandbox, mood):
    control.set_switches(sandbox, stripe_js=mood)
    answer = browser.get("/stripe.js")
    assert answer.content_type == "text/javascript; charset=utf-8"
    assert f'var mood = "{mood}"' in answer.text
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_script_can_be_missing(browser, sandbox):
    control.set_switches(sandbox, stripe_js="missing")
    assert browser.get("/stripe.js").status_code == 404


def test_it_learns_only_whether_a_session_can_be_paid(api, browser, sandbox):
    session = api.checkout.sessions.create(order())
    known = browser.get(f"/stripe.js/sessions/{session.id}")
    assert (known.status_code, known.json) == (200, {})
    assert browser.get("/stripe.js/sessions/cs_test_x").status_code == 404
    control.complete(sandbox, session.id)
    assert browser.get(f"/stripe.js/sessions/{session.id}").status_code == 404
