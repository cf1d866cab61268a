"""What may happen to the machines."""

from __future__ import annotations

from tests.threats.row import threat

FAULTS = {
    "F1": threat(
        "killed at each write of a purchase, a webhook, a refund",
        faults__sweep="it_is_done_once_whichever_write_fails",
        faults__crash_points="an_event_delivered_again_after_a_crash_has_one_effect",
    ),
    "F2": threat(
        "a worker, the master or all of them are killed under load",
        faults__campaign="a_shop_under_kills_keeps_its_promises",
        faults__kills="the_other_workers_serve_on_when_one_is_killed",
        faults__controls="a_careless_shop_is_convicted",
    ),
    "F3": threat(
        "the disk is full, and then is not",
        faults__sweep="it_is_done_once_whichever_write_fails",
    ),
    "F4": threat(
        "the disk does not write",
        faults__sweep="it_is_done_once_whichever_write_fails",
    ),
    "F5": threat(
        "another program locks the database",
        faults__locked="a_buyer_is_asked_to_come_back pages_are_served_all_the_while"
        " stripe_is_told_to_deliver_again nothing_is_lost_once_the_lock_is_gone",
    ),
    "F6": threat(
        "PostgreSQL goes away and comes back",
        faults__kills="it_goes_on_when_postgresql_ends_its_connections",
        health="a_server_that_is_away_is_not_ready",
    ),
    "F7": threat(
        "the clock is wrong",
        webhooks__signature="it_takes_only_what_was_signed_just_now",
        fitness__at_stripe="a_clock_that_is_off",
        catching_up="the_cursor_goes_by_stripes_clock_not_ours"
        " a_clock_that_was_wrong_keeps_nothing_waiting",
    ),
    "F8": threat(
        "the mail server is dead, slow, or refuses",
        mail_sending="a_dead_server_ends_the_pass_and_loses_nothing"
        " a_server_that_falls_silent_ends_the_pass"
        " an_address_that_is_refused_for_good_fails_at_once"
        " an_order_takes_no_harm_from_its_mail",
    ),
    "F9": threat(
        "four workers boot at once on an empty database",
        faults__first_boot="four_inits_at_once_make_one_shop",
        cli="making_the_app_makes_no_database",
    ),
    "F10": threat(
        "another secret key, or one for each worker",
        auth__sessions="another_secret_key_ends_every_session_and_breaks_no_page",
        config="the_first_of_two_keys_made_at_once_is_everyones",
    ),
    "F11": threat(
        "a backup taken while selling is put back",
        services__backup="a_backup_taken_while_four_sell_holds_whole_sales",
        services__restore="what_was_paid_since_the_backup_is_paid_again"
        " a_purchase_begun_and_paid_since_the_backup_is_told",
    ),
    "F12": threat(
        "an upgrade breaks off half way",
        upgrade="an_upgrade_that_broke_off_is_made_good_by_the_next",
    ),
    "F13": threat(
        "told to stop during a request",
        work="the_loop_ends_cleanly_when_the_system_asks",
        faults__campaign="a_shop_under_kills_keeps_its_promises",
    ),
    "F14": threat(
        "nothing can be written where it should be",
        config="an_instance_that_cannot_be_made_is_named",
        fitness__check="secrets_that_others_can_read"
        " a_database_that_others_keep_locked_cannot_be_written",
    ),
    "F15": threat(
        "ten times the traffic",
        "A crowd comes for seconds only; a minute at the limit has no test.",
        faults__at_once="eight_senders_beside_a_crowd_that_looks",
    ),
}
