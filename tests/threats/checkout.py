"""What may happen between "I want this" and the order."""

from __future__ import annotations

from tests.threats.row import threat

CHECKOUT = {
    "C1": threat(
        "the browser names its own price",
        payments__create_checkout_session_refused="what_the_browser_says_of_money_is_not_read",
        payments__create_checkout_session="it_asks_for_what_the_database_says",
    ),
    "C2": threat(
        "a quantity that is none",
        payments__create_checkout_session_refused="it_refuses_a_quantity_that_is_none"
        " of_two_quantities_the_first_counts",
    ),
    "C3": threat(
        "a product that is not for sale",
        payments__create_checkout_session_refused="it_knows_only_what_it_sells"
        " it_sells_no_inactive_variant it_sells_nothing_of_an_inactive_product",
    ),
    "C4": threat(
        "the price changes between page and press",
        payments__create_checkout_session_repeated="a_new_price_is_a_new_payment_at_that_price"
        " who_pays_at_the_old_price_is_charged_what_he_saw",
    ),
    "C5": threat(
        "the product leaves the shelf while it is paid",
        payments__create_checkout_session_repeated="what_leaves_the_shelf_while_it_is_paid_is_still_an_order",
    ),
    "C6": threat(
        "a double click, a reload, two tabs",
        payments__create_checkout_session_repeated="a_second_press_gives_the_same_session"
        " a_double_click_before_the_first_cookie_is_one_purchase"
        " the_two_halves_of_a_double_click_get_one_session",
        browser__returning="a_double_click_makes_one_order two_tabs_of_one_buyer_share_one_order",
    ),
    "C7": threat(
        "fifty want the last one",
        journeys__many_at_once="fifty_buyers_of_the_last_item_make_one_session",
        faults__at_once="fifty_buyers_of_the_last_item_make_one_session",
    ),
    "C8": threat(
        "somebody locks the shelf away with open payments",
        payments__create_checkout_session_refused="nobody_locks_the_shelf_away_with_open_payments"
        " the_cap_counts_open_payments_only",
    ),
    "C9": threat(
        "Stripe fails, in every way there is",
        payments__create_checkout_session_faults="a_script_is_told_and_the_goods_are_free"
        " every_refusal_has_words_and_frees_the_goods"
        " the_next_press_asks_under_a_new_key_and_works",
        stripe_gateway="a_stripe_that_hangs_holds_nobody_longer_than_the_budget"
        " a_stripe_that_is_not_there_is_unavailable",
        payments__refunding="an_error_that_stripe_keeps_is_left_behind_with_a_new_key",
    ),
    "C10": threat(
        "Stripe opened the session and its answer was lost",
        payments__create_checkout_session_faults="a_lost_answer_makes_no_second_session"
        " a_session_whose_answers_were_all_lost_is_settled_if_it_is_paid",
        work="what_was_paid_at_it_is_found",
    ),
    "C11": threat(
        "killed between hold, Stripe's answer and our note of it",
        faults__crash_points="a_buyer_presses_again_after_a_crash"
        " a_hold_left_by_a_crash_ends_with_its_time a_session_whose_answer_was_lost_is_still_paid",
        faults__sweep="it_is_done_once_whichever_write_fails",
    ),
    "C12": threat(
        "the buyer comes back without paying",
        payments__cancel="it_frees_the_goods_here_and_at_stripe twice_is_harmless"
        " stripes_own_news_of_the_end_changes_nothing_more",
        browser__returning="the_browsers_back_leaves_a_button_that_works",
    ),
    "C13": threat(
        "a success page for a session that is made up, unpaid, or another's",
        payments__success="it_knows_no_made_up_session it_wants_a_session"
        " a_stranger_is_told_nothing_and_moves_nothing the_address_alone_makes_no_order"
        " before_stripe_says_paid_it_says_confirming an_unpaid_end_is_told_to_its_owner",
    ),
    "C14": threat(
        "the buyer is back before the webhook",
        payments__success="it_settles_when_the_webhook_is_late"
        " waiting_pages_ask_stripe_only_now_and_then",
        browser__confirming="it_follows_by_itself_when_the_webhook_comes",
    ),
    "C15": threat(
        "the success page is opened a hundred times, or by others",
        payments__success="a_hundred_reloads_have_one_effect"
        " a_stranger_is_told_nothing_and_moves_nothing",
    ),
    "C16": threat(
        "one purchase is paid twice",
        payments__create_checkout_session_repeated="two_sessions_paid_for_one_purchase_are_both_kept_and_flagged",
        services__settlement="two_orders_paid_for_one_purchase_are_flagged",
        faults__differential="any_schedule_ends_in_the_same_books",
    ),
    "C17": threat(
        "there is nothing to pay",
        webhooks__checkout_session_completed="it_counts_nothing_to_pay_as_paid",
        services__settlement="nothing_due_after_a_discount_is_paid",
    ),
    "C18": threat(
        "currencies without decimals or with three; too little, too much",
        services__amounts="the_least_the_most_and_odd_amounts_are_charged_and_given_back"
        " what_stripe_would_not_charge_gets_no_price"
        " many_of_a_dear_thing_are_more_than_stripe_charges",
        payments__create_checkout_session_refused="less_than_stripe_charges_is_told_before_paying",
    ),
    "C19": threat(
        "names in any script, of any length",
        payments__create_checkout_session="any_name_reaches_stripe_and_the_page",
        webhooks__checkout_session_completed="it_survives_words_no_database_holds",
    ),
    "C20": threat(
        "one key, another purchase",
        payments__create_checkout_session_repeated="another_quantity_is_another_purchase",
        services__checkout="anything_else_is_another_order another_attempt_has_another_key",
    ),
    "C21": threat(
        "a way back that leads elsewhere",
        payments__create_checkout_session="no_header_changes_the_way_back"
        " a_foreign_host_is_refused",
        payments__cancel="it_leads_to_no_other_site",
    ),
    "C22": threat(
        "the account is closed while its payment travels",
        payments__create_checkout_session_signed_in="an_account_closed_while_its_payment_travels_keeps_the_order",
    ),
    "C23": threat(
        "Buy by GET, by JSON, or from another site",
        payments__create_checkout_session_refused="it_takes_posts_only it_reads_forms_not_json"
        " another_site_cannot_buy a_browser_with_a_session_needs_its_token",
    ),
}
