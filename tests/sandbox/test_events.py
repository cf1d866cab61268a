"""/v1/events, as a shop reads it that heard nothing for days."""

import pytest
import stripe

from storefront.sandbox import control, ensure_webhook_endpoint, run_due
from tests.sandbox.conftest import HOOK_URL, SECRET

DAY = 86400


def ids(found):
    return [event.id for event in found.data]


def test_all_that_was_missed_is_found_page_by_page_in_both_directions(api, sandbox):
    for number in range(25):
        api.customers.create({"name": str(number)})
        api.products.create({"name": str(number)})
    params = {"type": "customer.created", "limit": 10}
    newest_first = [event.data.object.name for event in api.events.list(params).auto_paging_iter()]
    assert newest_first == [str(number) for number in reversed(range(25))]

    oldest = api.events.list({**params, "limit": 100}).data[-1]
    later = api.events.list({**params, "ending_before": oldest.id})
    assert [event.data.object.name for event in later.data] == [
        str(number) for number in range(10, 0, -1)
    ]
    walk = [event.data.object.name for event in later.auto_paging_iter()]
    assert walk == [str(number) for number in range(1, 25)]


def test_types_and_times_select(api, sandbox):
    api.customers.create({})
    before = control.advance_clock(sandbox, DAY)
    api.products.create({"name": "Mug"})
    api.customers.create({})
    both = ["customer.created", "product.created"]
    assert len(api.events.list({"types": both}).data) == 3
    assert len(api.events.list({"types": both, "created": {"gte": before}}).data) == 2
    assert len(api.events.list({"type": "customer.created", "created": {"lt": before}}).data) == 1
    with pytest.raises(stripe.InvalidRequestError):
        api.events.list({"type": both[0], "types": both})
    with pytest.raises(stripe.InvalidRequestError):
        api.events.list({"starting_after": "evt_nobody"})


def test_what_was_taken_at_last_counts_as_delivered(api, sandbox, shop, endpoint):
    shop.status = 500
    api.customers.create({})
    run_due(sandbox)
    (event,) = api.events.list({"delivery_success": False}).data
    assert event.pending_webhooks == 1
    shop.status = 200
    control.resend_event(sandbox, event.id)
    run_due(sandbox)
    assert ids(api.events.list({"delivery_success": False})) == []
    assert ids(api.events.list({"delivery_success": True})) == [event.id]


def test_an_event_one_of_two_endpoints_refused_is_undelivered(api, sandbox, shop, endpoint):
    ensure_webhook_endpoint(sandbox, "http://192.0.2.1/", SECRET)
    api.customers.create({})
    run_due(sandbox)
    assert [url for url in (HOOK_URL,) if shop.types] == [HOOK_URL]
    assert len(api.events.list({"delivery_success": False}).data) == 1


def test_events_are_kept_for_thirty_days(api, sandbox):
    api.customers.create({})
    control.advance_clock(sandbox, 29 * DAY)
    (event,) = api.events.list().data
    control.advance_clock(sandbox, 2 * DAY)
    assert api.events.list().data == []
    with pytest.raises(stripe.InvalidRequestError, match="No such event"):
        api.events.retrieve(event.id)
