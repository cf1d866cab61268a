"""Mail on its way to a real server: taken, refused, put off; never lost, and never in the way."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from storefront import database
from storefront.extensions import db
from storefront.mail import sending, smtp
from storefront.models import OutgoingMail
from storefront.models.columns import now
from storefront.services import mailer
from tests.budgets.counting import counting
from tests.mail_server import PASSWORD, Server, free_port, serving_mail
from tests.payments.interventions import Crash, on_sqlite
from tests.stage import Stage

PAST = timedelta(seconds=-1)
# The server's own advice; here both ends are on this computer.
with_login = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")


@pytest.fixture
def server() -> Iterator[Server]:
    with serving_mail() as server:
        yield server


@pytest.fixture
def settings(server: Server) -> dict[str, Any]:
    return {"MAIL_URL": server.url(), "MAIL_FROM": "shop@shop.example"}


def write(stage: Stage, *addresses: str) -> None:
    """Put mails to these addresses into the outbox, due in this order."""
    with stage.app.app_context():
        for address in addresses:
            with database.writing():
                mailer.put("mail_test", address, recipient=address)


def send(stage: Stage, most: int = 50) -> dict[str, int]:
    """One pass; what it did, without what it did not do."""
    with stage.app.app_context():
        report = sending.send_due(most).as_dict()
    return {name: count for name, count in report.items() if count}


def mails(stage: Stage) -> list[OutgoingMail]:
    with stage.app.app_context():
        found = list(db.session.scalars(select(OutgoingMail).order_by(OutgoingMail.id)))
        db.session.expunge_all()
        return found


def states(stage: Stage) -> list[str]:
    return [mail.state for mail in mails(stage)]


def let_time_pass(stage: Stage, **values: Any) -> None:
    """Every pause and every lease is over."""
    with stage.app.app_context(), database.writing():
        values = {"next_try_at": now() + PAST} | values
        db.session.execute(update(OutgoingMail).values(values))


def test_a_mail_is_sent_once_and_says_so(stage: Stage, server: Server) -> None:
    write(stage, "ada@example.com")
    assert send(stage) == {"sent": 1}
    assert send(stage) == {}
    (mail,) = mails(stage)
    assert (mail.state, mail.attempts, mail.last_error) == ("sent", 1, "")
    assert mail.sent_at is not None and mail.subject == "Test Pottery: a test mail"
    assert server.recipients == ["ada@example.com"]


@on_sqlite
def test_a_pass_speaks_over_one_connection(stage: Stage, server: Server) -> None:
    write(stage, "a@example.com", "b@example.com", "c@example.com")
    assert send(stage, most=2) == {"sent": 2}
    assert server.connections == 1
    assert send(stage) == {"sent": 1}
    assert server.recipients == ["a@example.com", "b@example.com", "c@example.com"]


@on_sqlite
def test_who_says_later_is_asked_later(stage: Stage, server: Server) -> None:
    server.rcpt_answers["ada@example.com"] = ["451 4.7.1 greylisted, try again"]
    write(stage, "ada@example.com", "bob@example.com")
    assert send(stage) == {"put_off": 1, "sent": 1}
    (mail, _other) = mails(stage)
    assert mail.state == "waiting" and "greylisted" in mail.last_error
    assert timedelta(seconds=50) < mail.next_try_at - now() <= timedelta(minutes=1)
    assert send(stage) == {}
    let_time_pass(stage)
    assert send(stage) == {"sent": 1}
    assert server.recipients == ["bob@example.com", "ada@example.com"]


@on_sqlite
def test_an_address_that_is_refused_for_good_fails_at_once(stage: Stage, server: Server) -> None:
    server.rcpt_answers["gone@example.com"] = ["550 5.1.1 no such user"]
    write(stage, "gone@example.com", "bob@example.com")
    assert send(stage) == {"failed": 1, "sent": 1}
    (mail, _other) = mails(stage)
    assert (mail.state, mail.attempts) == ("failed", 1)
    assert "550 5.1.1 no such user" in mail.last_error
    let_time_pass(stage)
    assert send(stage) == {}


@on_sqlite
@pytest.mark.parametrize("answer", ["554 looks like spam", "452 full", "drop"])
def test_a_message_that_is_not_taken_is_put_off_and_holds_up_none(
    stage: Stage, server: Server, answer: str
) -> None:
    server.data_answers = [answer]
    write(stage, "ada@example.com", "bob@example.com")
    assert send(stage) == {"put_off": 1, "sent": 1}
    let_time_pass(stage)
    assert send(stage) == {"sent": 1}
    assert server.recipients == ["bob@example.com", "ada@example.com"]


@on_sqlite
def test_a_dead_server_ends_the_pass_and_loses_nothing(stage: Stage, server: Server) -> None:
    stage.app.config["MAIL_URL"] = f"smtp://127.0.0.1:{free_port()}"
    write(stage, "a@example.com", "b@example.com", "c@example.com")
    assert send(stage) == {"put_off": 1}
    assert [mail.attempts for mail in mails(stage)] == [1, 0, 0]
    stage.app.config["MAIL_URL"] = server.url()
    let_time_pass(stage)
    assert send(stage) == {"sent": 3}


@on_sqlite
def test_a_server_that_falls_silent_ends_the_pass(
    stage: Stage, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp, "TIMEOUT_SECONDS", 0.3)
    server.data_answers = ["stall"]
    write(stage, "ada@example.com", "bob@example.com")
    assert send(stage) == {"put_off": 1}
    assert server.stalled.is_set()
    assert "no answer" in mails(stage)[0].last_error
    let_time_pass(stage)
    assert send(stage) == {"sent": 2}
    ids = [message["Message-ID"] for to, message in server.taken if to == ["ada@example.com"]]
    assert len(ids) == 2 and len(set(ids)) == 1, "sent twice, and known as the same"


@on_sqlite
@with_login
@pytest.mark.parametrize(
    "login, report", [("ada%40shop.example:wrong", {"put_off": 1}), ("right", {"sent": 2})]
)
def test_a_login_is_tried_once_a_pass(stage: Stage, login: str, report: dict[str, int]) -> None:
    right = f"ada%40shop.example:{PASSWORD.replace('@', '%40').replace('/', '%2F')}"
    with serving_mail(auth_required=True) as server:
        stage.app.config["MAIL_URL"] = server.url(f"{right if login == 'right' else login}@")
        write(stage, "ada@example.com", "bob@example.com")
        assert send(stage) == report
        if report != {"sent": 2}:
            error = mails(stage)[0].last_error
            assert "the login was refused" in error and "wrong" not in error


@with_login
def test_a_password_leaves_no_other_way_than_encrypted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp, "LOOPBACK", ())
    with serving_mail(auth_required=True) as server:
        outlet = smtp.MailServer(server.url("ada:secret@"))
        with pytest.raises(smtp.Unreachable, match="offers no encryption"), outlet:
            outlet.reach()


def test_who_dies_after_the_server_took_it_is_followed_by_one_who_sends_it_again(
    stage: Stage, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_args: Any) -> None:
        raise Crash

    write(stage, "ada@example.com")
    with monkeypatch.context() as patch, pytest.raises(Crash):
        patch.setattr(mailer, "mark_sent", die)
        send(stage)
    assert send(stage) == {}, "the lease still holds"
    let_time_pass(stage)
    assert send(stage) == {"sent": 1}
    first, second = (message["Message-ID"] for _to, message in server.taken)
    assert first == second


def test_two_passes_at_once_send_each_mail_once(stage: Stage, server: Server) -> None:
    addresses = [f"buyer{number}@example.com" for number in range(12)]
    write(stage, *addresses)
    with ThreadPoolExecutor(3) as pool:
        reports = list(pool.map(lambda _number: send(stage), range(3)))
    assert sum(report.get("sent", 0) for report in reports) == 12
    assert sorted(server.recipients) == sorted(addresses)


def test_whoever_was_overtaken_takes_nothing_back(stage: Stage) -> None:
    write(stage, "ada@example.com")
    mine = take(stage)
    with stage.app.app_context(), database.writing():
        assert not mailer.claim(mine.id)
    let_time_pass(stage)
    theirs = take(stage)
    for my_word in (mailer.put_off, mailer.fail, mailer.drop):
        with stage.app.app_context(), database.writing():
            my_word(mine, "I was slow")
        (mail,) = mails(stage)
        assert (mail.state, mail.next_try_at) == ("waiting", theirs.next_try_at)
    let_time_pass(stage)
    assert send(stage) == {"sent": 1}
    with stage.app.app_context(), database.writing():
        mailer.fail(theirs, "So was I")
    assert states(stage) == ["sent"]


def take(stage: Stage) -> OutgoingMail:
    """Take the only mail in hand, as a pass does."""
    with stage.app.app_context():
        (mail_id,) = mailer.list_due(5)
        with database.writing():
            assert mailer.claim(mail_id)
        mail = mailer.get(mail_id)
        db.session.expunge(mail)
        return mail


@on_sqlite
def test_no_transaction_is_open_while_a_server_is_spoken_with(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_ones = []
    take = smtp.MailServer.send

    def watching(self: smtp.MailServer, *args: Any) -> str:
        open_ones.append(db.session().in_transaction())
        return take(self, *args)

    monkeypatch.setattr(smtp.MailServer, "send", watching)
    stage.pay(stage.open_session(stage.browser()))
    assert send(stage)["sent"] == 1
    assert open_ones == [False]


@on_sqlite
def test_it_is_given_up_after_about_three_days_visibly_and_can_be_tried_again(
    stage: Stage, server: Server
) -> None:
    write(stage, "ada@example.com")
    waited = timedelta()
    for _ in range(mailer.MOST_ATTEMPTS):
        server.data_answers = ["451 later"]
        send(stage)
        (mail,) = mails(stage)
        if mail.state == "waiting":
            waited += mail.next_try_at - now()
        let_time_pass(stage)
    assert mail.state == "failed" and "451 later" in mail.last_error
    assert timedelta(days=2.5) < waited < timedelta(days=3.5)
    with stage.app.app_context(), database.writing():
        assert mailer.retry() == 1
    assert send(stage) == {"sent": 1}


@on_sqlite
def test_without_a_server_mail_waits_and_burns_no_try(
    stage: Stage, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("WARNING", logger="storefront")
    stage.app.config["MAIL_URL"] = ""
    write(stage, "ada@example.com")
    assert send(stage) == {"waiting": 1}
    assert "MAIL_URL" in caplog.text
    assert [mail.attempts for mail in mails(stage)] == [0]
    stage.app.config["MAIL_URL"] = server.url()
    assert send(stage) == {"sent": 1}


@on_sqlite
@pytest.mark.parametrize("kind", ["of_an_extension_that_left", "refunded"])
def test_a_mail_that_cannot_be_written_holds_up_none(
    stage: Stage, server: Server, kind: str
) -> None:
    with stage.app.app_context(), database.writing():
        mailer.put(kind, "nothing", recipient="ada@example.com")
    write(stage, "bob@example.com")
    assert send(stage) == {"put_off": 1, "sent": 1}
    assert mails(stage)[0].last_error
    assert server.recipients == ["bob@example.com"]


@on_sqlite
def test_an_idle_pass_asks_the_database_once(stage: Stage, server: Server) -> None:
    with counting(stage.app) as count:
        send(stage)
    assert len(count.statements) == 1 and server.connections == 0


@pytest.mark.parametrize("trouble", ["dead", "refusing"])
def test_an_order_takes_no_harm_from_its_mail(stage: Stage, server: Server, trouble: str) -> None:
    if trouble == "dead":
        stage.app.config["MAIL_URL"] = f"smtp://127.0.0.1:{free_port()}"
    server.rcpt_answers["buyer@example.com"] = ["550 never heard of you"]
    stage.pay(stage.open_session(stage.browser()))
    before = stage.steps()
    send(stage)
    assert (stage.order().state, stage.order().attention) == ("paid", None)
    assert stage.steps() == before
    assert server.taken == []
