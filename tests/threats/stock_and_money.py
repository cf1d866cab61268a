"""What may happen to goods, and to money that goes back."""

from __future__ import annotations

from tests.threats.row import threat

STOCK = {
    "S1": threat(
        "many buy, and somebody edits, the same product",
        "A product cannot be edited or imported while selling before the merchant's pages exist.",
        services__stock="eight_at_once_hold_exactly_what_there_is"
        " two_with_the_same_goods_in_other_order_do_not_block_each_other",
    ),
    "S2": threat(
        "expiry told twice, swept and cancelled at once",
        webhooks__checkout_session_expired="it_frees_the_goods_once_whoever_is_first",
        webhooks__races="it_frees_once_in_a_crowd_with_a_sweeper",
        faults__at_once="expiry_cancel_and_payment_meet",
    ),
    "S3": threat(
        "stock is set below what is held",
        services__stock="the_database_itself_refuses_nonsense",
    ),
    "S4": threat(
        "the hold ends, and then the payment comes",
        work="a_hold_ends_when_stripe_says_so_not_when_our_clock_does",
        services__orders="a_late_payment_takes_the_goods_if_they_are_there"
        " a_late_payment_for_what_is_gone_calls_for_a_human",
        payments__refunding="paid_too_late_is_given_back_once_whoever_tells_of_it",
    ),
    "S5": threat(
        "a step that no order takes",
        services__orders="it_knows_which_step_may_follow_which it_takes_no_other_step",
    ),
    "S6": threat(
        "two of the staff decide at once, or by a stale page",
        "Nothing is shipped or cancelled by staff before the merchant's pages exist.",
        services__orders="who_saw_an_older_state_changes_nothing of_many_at_once_one_ends_the_hold",
        services__disputes="it_is_accepted_as_it_was_seen_or_not_at_all",
    ),
    "S7": threat(
        "order numbers are guessed",
        services__orders="a_number_opens_nobody_elses_order"
        " numbers_are_unique_and_links_cannot_be_guessed",
        shop__order="no_other_link_opens_one neither_reference_nor_session_is_a_link",
    ),
    "S8": threat(
        "what was sold is renamed, repriced or deleted",
        services__checkout="an_order_copies_what_is_bought",
        shop__order="it_shows_what_was_bought_whatever_becomes_of_it",
        payments__create_checkout_session_repeated="the_order_keeps_what_was_bought_when_variants_change",
    ),
    "S9": threat(
        "a download by the wrong person or path",
        "Nothing is sold as a download; pictures are the only files given out.",
        shop__media="no_other_file_is_given_out",
    ),
}

MONEY_BACK = {
    "P1": threat(
        "a double click on refund, or two of the staff",
        services__refunds="the_same_key_is_the_same_refund one_key_at_once_is_one_refund",
    ),
    "P2": threat(
        "more than was paid, nothing, or after everything went back",
        services__refunds="what_cannot_be_given_back_is_refused_before_stripe_is_asked"
        " nothing_is_left_after_everything_was_asked_for",
        services__amounts="a_part_too_small_for_its_currency_never_reaches_stripe"
        " an_amount_on_the_command_line_is_in_the_orders_currency",
    ),
    "P3": threat(
        "two parts at once that are more than the whole",
        services__refunds="two_at_once_never_give_back_more_than_was_paid",
    ),
    "P4": threat(
        "the webhook is faster than the answer",
        payments__refunding="the_webhook_may_be_faster_than_the_answer",
        services__refunds="the_webhook_and_the_answer_are_one_refund",
    ),
    "P5": threat(
        "the first refund is told again after the second",
        services__refunds="the_first_refunds_news_after_a_second_one_change_nothing",
    ),
    "P6": threat(
        "a refund made at Stripe itself",
        services__refunds="a_refund_made_at_stripe_appears_once"
        " the_same_refund_told_many_times_at_once_is_one_row",
        payments__refunding="money_given_back_at_stripe_while_ours_is_asked",
    ),
    "P7": threat(
        "no answer to a refund; its end comes later from the bank",
        payments__refunding="after_silence_it_asks_again_with_the_same_key"
        " a_slow_bank_is_asked_without_any_news",
        services__refunds="a_slow_refund_counts_at_once_and_is_followed_to_its_end"
        " a_refund_that_the_bank_sends_back_is_seen_and_can_be_made_again",
    ),
    "P8": threat(
        "goods come back, or do not",
        services__refunds="goods_go_back_only_if_asked_and_once"
        " the_same_goods_are_not_given_back_twice_at_once",
        services__amounts="pieces_come_back_one_by_one_until_nothing_is_left",
    ),
    "P9": threat(
        "killed between Stripe's answer and our record",
        payments__refunding="killed_between_stripes_answer_and_our_record"
        " killed_before_stripe_was_asked",
        faults__sweep="it_is_done_once_whichever_write_fails",
    ),
    "P10": threat(
        "a dispute begins and ends",
        services__disputes="it_is_shown_with_its_date_and_told_once"
        " its_end_takes_the_flag_away_and_keeps_the_outcome"
        " it_moves_neither_stock_nor_state_nor_money",
    ),
    "P11": threat(
        "news of a subscription in any order",
        webhooks__customer_subscription_updated="it_may_come_before_the_one_that_created_it"
        " it_is_not_taken_back_by_an_answer_that_was_asked_for_earlier",
        webhooks__customer_subscription_deleted="it_stays_ended_when_older_news_comes_late",
        faults__differential="any_schedule_ends_in_the_same_books"
        " a_shop_that_goes_by_the_order_of_news_is_convicted",
    ),
    "P12": threat(
        "a subscription has drifted while we were deaf",
        three_ways="after_three_days_without_a_webhook_one_pass_makes_good_for_all",
        catching_up="drift_of_a_subscription_is_mended_by_itself",
        services__reconcile="what_was_planted_is_found_and_mended",
    ),
    "P13": threat(
        "an invoice is told twice, or is of nothing we know",
        services__subscriptions="each_invoice_is_one_row a_strangers_invoice_is_left_alone",
        webhooks__invoice_paid="it_records_the_first_payment_before_the_order_is_paid",
    ),
}
