"""customer.subscription.deleted: it has ended, and no late news brings it back."""

from tests.stage import Stage
from tests.webhooks.telling import cancel_later, cancel_now, id_of, subscribe, subscriptions


def test_it_ends(stage: Stage) -> None:
    created = subscribe(stage)
    stage.send(created)
    stage.send(cancel_now(stage, id_of(created)))
    assert subscriptions(stage)[0].status == "canceled"


def test_it_stays_ended_when_older_news_comes_late(stage: Stage) -> None:
    created = subscribe(stage)
    updated = cancel_later(stage, id_of(created))
    deleted = cancel_now(stage, id_of(created))
    for event in (deleted, updated, created):
        assert stage.send(event).status_code == 200
    (known,) = subscriptions(stage)
    assert (known.status, known.order_id) == ("canceled", stage.order().id)


def test_it_lets_the_customer_subscribe_again(stage: Stage) -> None:
    created = subscribe(stage)
    stage.send(created)
    browser = stage.signed_in()
    assert stage.buy(browser, "CLUB-Y").status_code == 409
    stage.send(cancel_now(stage, id_of(created)))
    assert stage.buy(browser, "CLUB-Y").status_code == 200
