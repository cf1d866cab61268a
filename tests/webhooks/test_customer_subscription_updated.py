"""customer.subscription.updated: our copy is Stripe's newest word, whatever arrives when."""

import time

from storefront import database
from storefront.services import subscriptions as service
from storefront.stripe_gateway import get_subscription
from tests.stage import Stage
from tests.webhooks.telling import (
    cancel_later,
    id_of,
    pay,
    pay_by_bank,
    refuse,
    subscribe,
    subscriptions,
    told,
)


def test_it_notes_that_it_will_end(stage: Stage) -> None:
    stage.send(subscribe(stage))
    (before,) = subscriptions(stage)
    stage.send(cancel_later(stage, before.stripe_id))
    (after,) = subscriptions(stage)
    assert (before.cancel_at_period_end, after.cancel_at_period_end) == (False, True)
    assert after.current_period_end == before.current_period_end


def test_it_may_come_before_the_one_that_created_it(stage: Stage) -> None:
    created = subscribe(stage)
    stage.send(cancel_later(stage, id_of(created)))
    stage.send(created)
    (known,) = subscriptions(stage)
    assert (known.cancel_at_period_end, known.order_id) == (True, stage.order().id)


def test_it_notes_a_payment_that_is_due(stage: Stage) -> None:
    refuse(stage, pay_by_bank(stage, "CLUB-Y"))
    stage.send(told(stage, "customer.subscription.updated"))
    assert subscriptions(stage)[0].status == "past_due"


def test_it_is_not_taken_back_by_an_answer_that_was_asked_for_earlier(stage: Stage) -> None:
    pay(stage, "CLUB-Y")
    event = told(stage, "customer.subscription.created")
    asked_at = time.time_ns()
    with stage.app.app_context():
        earlier = get_subscription(id_of(event))
    stage.send(cancel_later(stage, id_of(event)))
    with stage.app.app_context(), database.writing():
        assert service.mirror(earlier, asked_at) is False
    assert subscriptions(stage)[0].cancel_at_period_end is True
