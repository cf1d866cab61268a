"""customer.subscription.created: known with its owner, before or after the session is complete."""

from tests.stage import Stage
from tests.webhooks.telling import id_of, pay, retold, subscribe, subscriptions, told


def test_it_knows_whose_it_is_before_the_order_is_paid(stage: Stage) -> None:
    event = subscribe(stage)
    stage.send(event)
    (known,) = subscriptions(stage)
    assert (known.stripe_id, known.status) == (id_of(event), "trialing")
    assert (known.order_id, known.user_id) == (stage.order().id, stage.order().user_id)
    assert known.trial_end is not None
    assert known.current_period_end == known.trial_end


def test_it_agrees_with_the_session_in_either_order(stage: Stage) -> None:
    done = pay(stage, "CLUB-Y")
    created = told(stage, "customer.subscription.created")
    for event in (done, created, retold(done)):
        assert stage.send(event).status_code == 200
    (known,) = subscriptions(stage)
    assert (known.status, known.order_id) == ("active", stage.order().id)
    assert known.current_period_end is not None


def test_it_goes_by_stripe_s_newest_word_not_by_the_event(stage: Stage) -> None:
    event = subscribe(stage)
    client = stage.app.extensions["stripe"]
    client.v1.subscriptions.update(id_of(event), {"cancel_at_period_end": True})
    stage.send(event)
    assert subscriptions(stage)[0].cancel_at_period_end is True
