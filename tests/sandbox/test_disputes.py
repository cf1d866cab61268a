"""Disputes, inquiries and fraud warnings: what a buyer's bank does after a payment."""

import pytest
import stripe

from storefront.sandbox import control, run_due
from storefront.sandbox.errors import ApiError
from tests.sandbox.orders import order

WEEK = 7 * 24 * 3600
FAMILY = "charge.dispute.*"


def buy(api, sandbox, card="pm_card_visa"):
    """Return the PaymentIntent of a session paid with 25.00."""
    session = api.checkout.sessions.create(order())
    control.complete(sandbox, session.id, card)
    return api.checkout.sessions.retrieve(session.id).payment_intent


def charge_of(api, intent):
    return api.payment_intents.retrieve(intent, {"expand": ["latest_charge"]}).latest_charge


def told(api):
    """Return what was told of disputes, oldest first, without the common beginning."""
    events = api.events.list({"type": FAMILY, "limit": 100}).data[::-1]
    return [event.type.removeprefix("charge.dispute.") for event in events]


def movements(dispute):
    return [(each.amount, each.fee) for each in dispute.balance_transactions]


@pytest.mark.parametrize(
    ("card", "reason", "status", "refundable", "events"),
    [
        (
            "pm_card_createDispute",
            "fraudulent",
            "needs_response",
            False,
            ["created", "funds_withdrawn"],
        ),
        (
            "pm_card_createDisputeProductNotReceived",
            "product_not_received",
            "needs_response",
            False,
            ["created", "funds_withdrawn"],
        ),
        ("pm_card_createDisputeInquiry", "general", "warning_needs_response", True, ["created"]),
    ],
)
def test_a_test_card_is_paid_and_then_disputed(
    api, sandbox, card, reason, status, refundable, events
):
    intent = buy(api, sandbox, card)

    (dispute,) = api.disputes.list({"payment_intent": intent}).data

    assert (dispute.reason, dispute.status, dispute.amount) == (reason, status, 2500)
    assert dispute.is_charge_refundable is refundable
    assert dispute.evidence_details.due_by == dispute.created + WEEK
    assert movements(dispute) == ([] if refundable else [(-2500, 1500)])
    assert charge_of(api, intent).disputed is True
    assert told(api) == events
    assert [found.id for found in api.disputes.list({"charge": dispute.charge}).data] == [
        dispute.id
    ]
    assert api.disputes.list({"charge": "ch_x"}).data == []


def test_the_session_is_told_before_its_dispute(api, sandbox, shop, endpoint):
    buy(api, sandbox, "pm_card_createDispute")
    run_due(sandbox)
    assert shop.types.index("checkout.session.completed") < shop.types.index(
        "charge.dispute.created"
    )


def test_a_fraud_warning_moves_no_money(api, sandbox):
    intent = buy(api, sandbox, "pm_card_createIssuerFraudRecord")
    (warning,) = api.radar.early_fraud_warnings.list({"payment_intent": intent}).data
    assert (warning.fraud_type, warning.actionable) == ("made_with_stolen_card", True)
    assert api.radar.early_fraud_warnings.retrieve(warning.id).charge == warning.charge
    assert len(api.events.list({"type": "radar.early_fraud_warning.created"}).data) == 1
    assert charge_of(api, intent).disputed is False
    assert api.disputes.list().data == []


def test_a_fraud_warning_is_worth_acting_on_until_all_is_refunded(api, sandbox):
    intent = buy(api, sandbox, "pm_card_createIssuerFraudRecord")

    def actionable():
        return api.radar.early_fraud_warnings.list({"payment_intent": intent}).data[0].actionable

    api.refunds.create({"payment_intent": intent, "amount": 100})
    assert actionable()
    api.refunds.create({"payment_intent": intent})
    assert not actionable()
    told_once = api.events.list({"type": "radar.early_fraud_warning.updated"}).data
    assert len(told_once) == 1


def test_a_disputed_payment_needs_no_warning(api, sandbox):
    intent = buy(api, sandbox, "pm_card_createIssuerFraudRecord")
    control.dispute(sandbox, intent, "fraudulent")
    (warning,) = api.radar.early_fraud_warnings.list({"payment_intent": intent}).data
    assert not warning.actionable


@pytest.mark.parametrize(
    ("text", "status", "events", "money"),
    [
        ("winning_evidence", "won", ["updated", "funds_reinstated", "closed"], 0),
        ("losing_evidence", "lost", ["updated", "closed"], -2500),
        ("escalate_inquiry_evidence", "under_review", ["updated"], -2500),
        ("Signed for by the buyer", "under_review", ["updated"], -2500),
    ],
)
def test_evidence_decides(api, sandbox, text, status, events, money):
    intent = buy(api, sandbox, "pm_card_createDispute")
    (dispute,) = api.disputes.list().data

    api.disputes.update(
        dispute.id, {"evidence": {"uncategorized_text": text, "customer_name": "Ann"}}
    )

    found = api.disputes.retrieve(dispute.id)
    assert found.status == status
    assert found.evidence.to_dict()["customer_name"] == "Ann"
    details = found.evidence_details
    assert (details.has_evidence, details.submission_count) == (True, 1)
    assert told(api)[2:] == events
    assert sum(amount for amount, fee in movements(found)) == money
    assert charge_of(api, intent).disputed is True
    (event,) = api.events.list({"type": "charge.dispute.updated"}).data
    previous = event.data.previous_attributes.to_dict()
    assert previous["status"] == "needs_response"
    assert previous["evidence"] == {"uncategorized_text": None, "customer_name": None}


def test_evidence_can_be_kept_back_and_handed_in_later(api, sandbox):
    control.dispute(sandbox, buy(api, sandbox), "duplicate")
    (dispute,) = api.disputes.list().data
    evidence = {"uncategorized_text": "winning_evidence"}

    kept = api.disputes.update(dispute.id, {"evidence": evidence, "submit": False})
    noted = api.disputes.update(dispute.id, {"metadata": {"ticket": "5"}})
    sent = api.disputes.update(dispute.id, {"submit": True})

    assert (kept.status, kept.evidence_details.submission_count) == ("needs_response", 0)
    assert (noted.status, noted.metadata.ticket) == ("needs_response", "5")
    assert sent.status == "won"


def test_nobody_refunds_what_the_bank_took_until_it_is_won_back(api, sandbox):
    intent = buy(api, sandbox, "pm_card_createDispute")
    (dispute,) = api.disputes.list().data
    with pytest.raises(stripe.InvalidRequestError) as caught:
        api.refunds.create({"payment_intent": intent})
    assert caught.value.code == "charge_disputed"

    control.close_dispute(sandbox, dispute.id, won=True)

    assert api.disputes.retrieve(dispute.id).is_charge_refundable is True
    assert api.refunds.create({"payment_intent": intent}).amount == 2500


def test_a_dispute_given_up_is_lost_once_and_for_all(api, sandbox):
    buy(api, sandbox, "pm_card_createDispute")
    (dispute,) = api.disputes.list().data
    assert api.disputes.close(dispute.id).status == "lost"
    for again in (api.disputes.close, api.disputes.update):
        with pytest.raises(stripe.InvalidRequestError, match="already closed"):
            again(dispute.id)
    with pytest.raises(ApiError, match="already closed"):
        control.close_dispute(sandbox, dispute.id, won=True)
    assert told(api) == ["created", "funds_withdrawn", "closed"]


@pytest.mark.parametrize(
    ("card", "end"),
    [("pm_card_createDispute", "lost"), ("pm_card_createDisputeInquiry", "warning_closed")],
)
def test_what_nobody_answers_ends_by_itself(api, sandbox, card, end):
    buy(api, sandbox, card)
    (dispute,) = api.disputes.list().data
    control.advance_clock(sandbox, WEEK - 60)
    assert api.disputes.retrieve(dispute.id).status == dispute.status
    control.advance_clock(sandbox, 60)
    assert api.disputes.retrieve(dispute.id).status == end
    assert told(api)[-1] == "closed"


def test_an_answer_in_time_stops_the_clock(api, sandbox):
    buy(api, sandbox, "pm_card_createDispute")
    (dispute,) = api.disputes.list().data
    api.disputes.update(dispute.id, {"evidence": {"service_date": "2027-01-01"}})
    control.advance_clock(sandbox, 2 * WEEK)
    assert api.disputes.retrieve(dispute.id).status == "under_review"


@pytest.mark.parametrize(
    "escalate",
    [
        lambda api, sandbox, id: api.disputes.update(
            id, {"evidence": {"uncategorized_text": "escalate_inquiry_evidence"}}
        ),
        lambda api, sandbox, id: control.escalate_dispute(sandbox, id),
    ],
    ids=["by evidence", "by the bank"],
)
def test_an_inquiry_may_become_a_chargeback_of_what_is_left(api, sandbox, escalate):
    intent = buy(api, sandbox)
    dispute = control.dispute(sandbox, intent, "general", inquiry=True)
    api.refunds.create({"payment_intent": intent, "amount": 1000})

    escalate(api, sandbox, dispute["id"])

    found = api.disputes.retrieve(dispute["id"])
    assert (found.status, found.amount) == ("needs_response", 1500)
    assert movements(found) == [(-1500, 1500)]
    assert told(api)[-1] == "funds_withdrawn"
    with pytest.raises(ApiError, match="no inquiry"):
        control.escalate_dispute(sandbox, dispute["id"])
    control.advance_clock(sandbox, WEEK)
    assert api.disputes.retrieve(dispute["id"]).status == "lost"


def test_an_inquiry_that_was_answered_is_closed_without_money(api, sandbox):
    dispute = control.dispute(sandbox, buy(api, sandbox), "general", inquiry=True)
    params = {"evidence": {"uncategorized_text": "losing_evidence"}}
    assert api.disputes.update(dispute["id"], params).status == "warning_closed"
    assert told(api) == ["created", "updated", "closed"]


def test_a_refund_on_its_way_fails_when_the_bank_takes_the_money(api, sandbox):
    intent = buy(api, sandbox, "pm_card_pendingRefund")
    refund = api.refunds.create({"payment_intent": intent})

    dispute = control.dispute(sandbox, intent)

    failed = api.refunds.retrieve(refund.id)
    assert failed.failure_reason == "charge_for_pending_refund_disputed"
    assert (dispute["amount"], charge_of(api, intent).amount_refunded) == (2500, 0)
    control.advance_clock(sandbox, WEEK - 60)
    assert api.refunds.retrieve(refund.id).status == "failed"


def test_there_is_nothing_to_dispute_twice_or_after_a_refund(api, sandbox):
    session = api.checkout.sessions.create(order()).id
    control.complete(sandbox, session, "pm_card_createDispute")
    control.dispute(sandbox, session, "duplicate")
    # The card's own dispute falls due with the next call, and finds that one is open.
    assert [found.reason for found in api.disputes.list().data] == ["duplicate"]
    with pytest.raises(ApiError, match="disputed already"):
        control.dispute(sandbox, session)
    control.close_dispute(sandbox, api.disputes.list().data[0].id, won=False)
    with pytest.raises(ApiError, match="disputed already"):
        control.dispute(sandbox, session)
    with pytest.raises(ApiError, match="reason"):
        control.dispute(sandbox, session, "boredom")
    refunded = buy(api, sandbox)
    api.refunds.create({"payment_intent": refunded})
    with pytest.raises(ApiError, match="nothing left"):
        control.dispute(sandbox, refunded)
    assert charge_of(api, refunded).disputed is False


@pytest.mark.parametrize(
    "params",
    [
        {"evidence": {"appeal": {"card": {"reason_for_filing": "x"}}}},
        {"evidence": {"mood": "bad"}},
        {"evidence": {"receipt": "x" * 20_001}},
        {"submit": "maybe"},
        {"status": "won"},
    ],
)
def test_an_answer_that_stripe_would_refuse_changes_nothing(api, sandbox, params):
    dispute = control.dispute(sandbox, buy(api, sandbox))
    with pytest.raises(stripe.InvalidRequestError):
        api.disputes.update(dispute["id"], params)
    assert api.disputes.retrieve(dispute["id"]).status == "needs_response"


def test_the_page_disputes_escalates_and_decides(api, browser, sandbox):
    intent = buy(api, sandbox)
    form = {"payment": intent, "reason": "general", "inquiry": "on"}
    assert browser.post("/control/disputes", data=form).status_code == 303
    (dispute,) = api.disputes.list().data
    assert "Escalate" in browser.get("/").text

    browser.post(f"/control/disputes/{dispute.id}/escalate")
    assert "For the shop" in browser.get("/").text
    browser.post(f"/control/disputes/{dispute.id}/close", data={"won": "yes"})

    assert api.disputes.retrieve(dispute.id).status == "won"


def test_programs_dispute_with_json(api, browser, sandbox):
    intent = buy(api, sandbox)
    url = "/control/disputes"
    assert browser.post(url, json={"payment": intent, "inquiry": "no"}).status_code == 400
    made = browser.post(url, json={"payment": intent, "reason": "duplicate"}).json
    assert (made["reason"], made["status"]) == ("duplicate", "needs_response")
    closed = browser.post(f"{url}/{made['id']}/close", json={"won": False})
    assert closed.json["status"] == "lost"
