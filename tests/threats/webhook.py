"""What may come to the webhook."""

from __future__ import annotations

from tests.threats.row import threat

WEBHOOK = {
    "W1": threat(
        "no signature, an empty one, or junk",
        webhooks__signature="it_refuses_what_stripe_did_not_sign"
        " it_says_in_the_log_what_it_refused",
    ),
    "W2": threat(
        "a signature by another secret, of another scheme, or of monstrous size",
        webhooks__signature="it_refuses_what_stripe_did_not_sign"
        " it_refuses_before_reading_json_or_asking_the_database",
    ),
    "W3": threat(
        "a signature that is not ASCII",
        webhooks__signature="it_refuses_a_header_that_is_not_ascii",
    ),
    "W4": threat(
        "a body that is empty or no UTF-8",
        webhooks__body="it_refuses_what_is_no_event_even_if_signed",
    ),
    "W5": threat(
        "signed JSON that is no object, or none that JSON knows",
        webhooks__body="it_refuses_what_is_no_event_even_if_signed"
        " it_refuses_a_number_that_is_not_json",
    ),
    "W6": threat(
        "a signed event that lacks its parts",
        webhooks__body="it_refuses_an_event_without_its_parts"
        " it_keeps_an_event_whose_object_has_no_proper_id",
    ),
    "W7": threat(
        "a thin notification of the other API",
        webhooks__body="it_refuses_an_event_without_its_parts",
    ),
    "W8": threat(
        "a captured delivery sent again, in time and too late",
        webhooks__signature="it_takes_only_what_was_signed_just_now"
        " it_does_nothing_twice_for_a_captured_delivery",
    ),
    "W9": threat(
        "a delivery from the future",
        webhooks__signature="it_takes_only_what_was_signed_just_now",
    ),
    "W10": threat(
        "the secret is being rolled",
        webhooks__signature="it_knows_both_secrets_while_one_is_rolled"
        " it_takes_either_signature_of_one_header",
    ),
    "W11": threat(
        "the same event again and again",
        webhooks__receive="it_does_a_thing_once_in_fifty_deliveries",
        webhooks__every_handler="it_does_what_it_is_told_once",
    ),
    "W12": threat(
        "the same event many times at the same moment",
        webhooks__races="it_does_a_thing_once_for_two_deliveries_that_meet it_pays_once_in_a_crowd",
        journeys__many_at_once="twenty_identical_webhooks_pay_one_order",
        services__mailer="twenty_deliveries_at_once_leave_one_confirmation",
    ),
    "W13": threat(
        "one session told under two event ids",
        webhooks__checkout_session_completed="it_pays_one_order_for_two_endpoints",
        journeys__many_at_once="two_endpoints_with_two_event_ids_pay_one_order",
    ),
    "W14": threat(
        "the webhook is faster than the answer that opened the session",
        webhooks__checkout_session_completed="it_may_be_faster_than_the_answer_that_opened_the_session"
        " it_finds_the_order_of_an_answer_that_was_lost"
        " it_does_not_forget_a_payment_whose_order_is_missing",
    ),
    "W15": threat(
        "the buyer is done and his bank is not",
        webhooks__checkout_session_completed="it_waits_for_a_slow_bank",
        webhooks__checkout_session_async_payment_succeeded="it_pays_the_order_that_waited",
        webhooks__checkout_session_async_payment_failed="it_fails_the_order_and_frees_the_goods",
    ),
    "W16": threat(
        "payment and expiry told in the wrong order",
        webhooks__checkout_session_expired="it_never_takes_back_a_payment",
        webhooks__checkout_session_completed="it_pays_late_when_the_goods_are_still_there"
        " it_asks_for_a_human_when_a_late_payment_finds_the_shelf_empty",
        webhooks__races="it_decides_once_between_payment_and_end"
        " it_pays_late_when_the_end_was_first",
    ),
    "W17": threat(
        "a bank's refusal told after its payment",
        webhooks__checkout_session_async_payment_failed="it_is_ignored_after_success",
    ),
    "W18": threat(
        "a refund told before the payment",
        services__refunds="a_refund_before_its_order_is_paid_finds_it_later"
        " a_refund_told_in_the_moment_of_the_payment_is_brought_home",
        faults__differential="any_schedule_ends_in_the_same_books",
    ),
    "W19": threat(
        "an event of a type we do not know",
        webhooks__receive="it_takes_note_of_events_it_does_not_know",
    ),
    "W20": threat(
        "an event about what another program sold",
        webhooks__every_handler="it_leaves_alone_what_another_program_sold",
        webhooks__receive="it_does_not_ask_stripe_about_what_others_sold",
    ),
    "W21": threat(
        "an event of the other mode",
        webhooks__receive="it_refuses_and_shows_what_is_meant_for_another_shop",
        services__settlement="a_live_session_pays_no_test_order",
    ),
    "W22": threat(
        "an event of another account",
        webhooks__receive="it_refuses_and_shows_what_is_meant_for_another_shop",
    ),
    "W23": threat(
        "an event in another version of the API",
        webhooks__every_handler="it_asks_stripe_when_the_event_speaks_another_version"
        " it_never_loses_an_event_it_could_not_understand",
        webhooks__checkout_session_completed="it_guesses_nothing_about_money",
        faults__differential="any_schedule_ends_in_the_same_books",
    ),
    "W24": threat(
        "a body of another type, packed, or of unknown length",
        webhooks__body="it_does_not_care_how_the_body_is_called it_does_not_unpack_a_body"
        " it_verifies_the_bytes_as_they_came it_takes_an_event_of_unknown_length",
    ),
    "W25": threat(
        "a body that is huge, or comes a byte at a time",
        "How long a slow body may take is gunicorn's time-out and the proxy's; it has no test.",
        webhooks__body="it_refuses_a_huge_body_without_reading_it"
        " it_stops_reading_a_body_of_unknown_length",
    ),
    "W26": threat(
        "another method, a slash too many, a way to https",
        webhooks__receive="it_answers_no_other_method it_redirects_nobody"
        " it_does_not_send_stripe_to_https",
    ),
    "W27": threat(
        "a webhook has no token, and nothing else may do without",
        webhooks__receive="it_is_the_only_unsafe_route_open_to_other_sites",
        security__cross_site="stripes_webhook_is_the_only_route_without_these_checks",
    ),
    "W28": threat(
        "the work takes longer than Stripe waits",
        webhooks__receive="it_answers_within_a_second",
        services__mailer="a_mail_costs_the_webhook_one_statement",
    ),
    "W29": threat(
        "another amount than was asked for",
        webhooks__checkout_session_completed="it_keeps_a_payment_that_is_not_what_was_asked",
        services__settlement="other_money_than_asked_for_is_kept_and_flagged",
        services__mailer="a_payment_of_another_amount_needs_a_hand",
    ),
    "W30": threat(
        "a flood of forgeries",
        webhooks__signature="it_refuses_a_flood_cheaply_and_lets_the_good_ones_through",
    ),
    "W31": threat(
        "news that are three days late",
        webhooks__receive="it_makes_the_right_order_three_days_late",
        webhooks__lost_orders="the_webhook_makes_the_order_anew",
    ),
    "W32": threat(
        "news while the database is being made",
        upgrade="what_stripe_tells_a_shop_without_its_tables_is_told_again",
    ),
}
