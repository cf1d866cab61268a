"""What holds for each event we handle, whichever it is: once, in any version, and never lost."""

from typing import Any

import pytest

from storefront.webhooks.handlers import HANDLERS
from tests.payments.interventions import on_sqlite
from tests.stage import Stage
from tests.webhooks.telling import (
    AFTERWARDS,
    SCENES,
    Event,
    asking,
    bought_elsewhere,
    effects,
    id_of,
    retold,
)

OLD_VERSION = "2020-08-27"
ASKED = {
    "checkout.session": "/v1/checkout/sessions/{id}",
    "subscription": "/v1/subscriptions/{id}",
    "invoice": "/v1/invoices/{id}",
    "refund": "/v1/refunds/{id}",
    "charge": "/v1/refunds",
    "dispute": "/v1/disputes/{id}",
}
MUST_HAVE = {
    "checkout.session": "status",
    "subscription": "id",
    "invoice": "parent",
    "refund": "status",
    "charge": "id",
    "dispute": "id",
}

each_event = pytest.mark.parametrize("event_type", sorted(HANDLERS))


def in_old_version(event: Event) -> Event:
    """The news as an endpoint of an older version gets it: of its fields we can trust the id."""
    about = event["data"]["object"]
    kept = {name: about[name] for name in ("id", "object", "metadata") if name in about}
    old = retold(event) | {"api_version": OLD_VERSION}
    old["data"] = {"object": kept}
    return old


def test_it_tries_every_event_it_handles() -> None:
    assert set(SCENES) == set(HANDLERS)


@each_event
def test_it_does_what_it_is_told_once(stage: Stage, event_type: str) -> None:
    event = SCENES[event_type](stage)
    before = effects(stage)
    assert stage.send(event).json == {"received": "now"}
    after = effects(stage)
    assert after != before
    assert stage.send(event).json == {"received": "already"}
    assert effects(stage) == after
    assert stage.events()[-1].state == "applied"


@each_event
def test_it_is_not_moved_by_the_same_news_under_another_id(stage: Stage, event_type: str) -> None:
    event = SCENES[event_type](stage)
    stage.send(event)
    after = effects(stage)
    assert stage.send(retold(event)).status_code == 200
    assert effects(stage) == after
    assert [row.state for row in stage.events()[-2:]] == ["applied", "applied"]


@on_sqlite
@each_event
def test_it_asks_stripe_when_the_event_speaks_another_version(
    stage: Stage, event_type: str
) -> None:
    event = SCENES[event_type](stage)
    before = effects(stage)
    other = in_old_version(event)
    with asking(stage) as asked:
        assert stage.send(other).status_code == 200
    path = ASKED[event["data"]["object"]["object"]].format(id=id_of(event))
    assert asked == [f"GET {path}"]
    assert effects(stage) != before


@on_sqlite
@each_event
def test_it_asks_to_be_told_again_while_stripe_gives_no_answer(
    stage: Stage, event_type: str
) -> None:
    event = in_old_version(SCENES[event_type](stage))
    before = effects(stage)
    stage.fault("500", count=3)
    assert stage.send(event).status_code == 503
    assert effects(stage) == before
    assert stage.events()[-1].state == "failed"
    assert stage.send(event).json == {"received": "now"}
    assert effects(stage) != before
    assert (stage.events()[-1].state, stage.events()[-1].attempts) == ("applied", 2)


@on_sqlite
@each_event
def test_it_never_loses_an_event_it_could_not_understand(stage: Stage, event_type: str) -> None:
    event = SCENES[event_type](stage)
    before = effects(stage)
    broken = {**event, "data": {"object": dict(event["data"]["object"])}}
    del broken["data"]["object"][MUST_HAVE[event["data"]["object"]["object"]]]
    assert stage.send(broken).status_code == 500
    assert effects(stage) == before
    row = stage.events()[-1]
    assert (row.state, row.note[:8]) == ("failed", "KeyError")
    assert stage.send(event).json == {"received": "now"}
    assert effects(stage) != before


FOREIGN: dict[str, dict[str, Any]] = {
    "checkout": {
        "id": "cs_test_foreign",
        "object": "checkout.session",
        "client_reference_id": "cart-17",
        "metadata": {"order": "17", "shop": "https://other.example"},
        "livemode": False,
        "status": "complete",
        "payment_status": "paid",
    },
    "customer": {
        "id": "sub_foreign",
        "object": "subscription",
        "metadata": {},
        "livemode": False,
        "status": "active",
    },
    "invoice": {
        "id": "in_foreign",
        "object": "invoice",
        "livemode": False,
        "parent": {
            "type": "subscription_details",
            "subscription_details": {"subscription": "sub_foreign", "metadata": {"order": "17"}},
        },
    },
}


@on_sqlite
@each_event
def test_it_leaves_alone_what_another_program_sold(stage: Stage, event_type: str) -> None:
    event = SCENES[event_type](stage)
    before = effects(stage)
    if event_type in AFTERWARDS:
        foreign = AFTERWARDS[event_type](stage, bought_elsewhere(stage)) | {"type": event_type}
    else:
        foreign = retold(event)
        foreign["data"]["object"] = FOREIGN[event_type.split(".")[0]]
    assert stage.send(foreign).status_code == 200
    assert effects(stage) == before
    row = stage.events()[-1]
    assert (row.state, row.note) == ("ignored", "this shop has no such object")
