"""What becomes of messages: every state, and every way in which a mail server or an owner fails."""

import threading
from dataclasses import replace
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from uuid import uuid4

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import text

from espace.clock import utcnow
from espace.errors import PermanentError
from notifier_service.commands import claim_due, conclude
from notifier_service.model import Outcome, State, Template, notification_id
from notifier_service.watching import report_pending

from .conftest import ADDRESS, CITIZEN, CONFIRMATION, DOSSIER, Notifier, dossier_facts, event


def sent(row: Any) -> bool:
    return bool(row.state == State.SENT)


def test_receipt_tells_number_hour_title_and_hashes(notifier: Notifier, mailbox: Any) -> None:
    incoming = event("dossier.submitted")
    notifier.receive(incoming)
    row = notifier.send_until(sent)
    (mail,) = mailbox.wait_for(ADDRESS)
    assert mail.message_id == f"<{row.id}@monespace.example>"
    assert "ME-2024-000001-5" in mail.subject
    for part in (mail.text, mail.html):
        assert "lundi 21 octobre 2024 à 23 h 59 min 59 s (heure de Bruxelles)" in part
        assert "Introduction d’une réclamation" in part
        assert "réclamation.pdf" in part
        assert "ab" * 32 in part
        assert f"http://localhost:8080/dossiers/{DOSSIER}" in part
    assert mail.headers["Auto-Submitted"] == "auto-generated"
    assert mail.headers["Content-Language"] == "fr"
    assert abs(parsedate_to_datetime(mail.headers["Date"]) - utcnow()) < timedelta(minutes=1)
    assert (row.language, row.template_version, row.attempts) == ("fr", 1, 1)
    assert row.id == notification_id(incoming.id, Template(row.template), row.recipient_id)
    assert row.sent_at is not None
    assert row.body_sha256 is not None
    assert [(a.number, a.outcome) for a in notifier.attempts()] == [(1, "sent")]


def test_confirmation_goes_to_the_new_address_in_the_preferred_language(
    notifier: Notifier, mailbox: Any
) -> None:
    notifier.receive(event("profile.email_confirmation_requested"))
    notifier.send_until(sent)
    (mail,) = mailbox.wait_for("nora@citoyens.example")
    assert mail.headers["Content-Language"] == "nl"
    assert "http://localhost:8080/confirmation/abc.def" in mail.text
    assert 'href="http://localhost:8080/confirmation/abc.def"' in mail.html
    assert "24 uur" in mail.text


def test_request_opened_tells_element_date_and_reasons(notifier: Notifier, mailbox: Any) -> None:
    notifier.receive(event("dossier.information_requested"))
    notifier.send_until(sent)
    (mail,) = mailbox.wait_for(ADDRESS)
    for part in (mail.text, mail.html):
        assert "Les procès-verbaux du bureau de dépouillement" in part
        assert "au plus tard le vendredi 25 octobre 2024, jusqu’à 24 heures" in part
        assert "Reason one in fr." in part
        assert "Reason two in fr." in part


def test_same_event_twice_is_one_row_and_one_mail(notifier: Notifier, mailbox: Any) -> None:
    incoming = event("dossier.submitted")
    notifier.receive(incoming)
    notifier.send_until(sent)
    notifier.receive(incoming)
    assert notifier.sender.step() is False
    assert len(notifier.rows()) == len(mailbox.messages()) == 1


def test_server_answering_4xx_then_accepting_gets_it_once(notifier: Notifier, mailbox: Any) -> None:
    mailbox.switch("4xx", times=2)
    notifier.receive(event("dossier.submitted"))
    row = notifier.send_until(sent)
    assert row.attempts == 3
    assert [(a.outcome, a.reason) for a in notifier.attempts()] == [
        ("temporary", "smtp_451"),
        ("temporary", "smtp_451"),
        ("sent", None),
    ]
    assert len(mailbox.messages()) == 1


def test_server_answering_5xx_ends_it_with_the_reason(notifier: Notifier, mailbox: Any) -> None:
    mailbox.switch("5xx", times=1)
    notifier.receive(event("dossier.submitted"))
    row = notifier.send_until(lambda row: row.state == State.FAILED)
    assert row.reason == "smtp_550"
    assert notifier.sender.step() is False
    assert mailbox.messages() == []


def test_server_down_then_up_loses_nothing(notifier: Notifier, mailbox: Any, mailbox_part: Any) -> None:
    mailbox_part.kill()
    for _ in range(3):
        notifier.receive(event("dossier.submitted"))
    for _ in range(3):
        notifier.sender.step()
    assert {(r.state, r.reason) for r in notifier.rows()} == {("temporary", "server_unreachable")}
    mailbox_part.start()
    while any(row.state != State.SENT for row in notifier.rows()):
        notifier.sender.step()
    assert len({mail.message_id for mail in mailbox.messages()}) == len(mailbox.messages()) == 3


def test_server_that_hangs_is_left_and_tried_again(notifier: Notifier, mailbox: Any) -> None:
    mailbox.switch("hang", times=1)
    notifier.receive(event("dossier.submitted"))
    row = notifier.send_until(sent)
    assert [a.reason for a in notifier.attempts()] == ["connection_lost_at_data", None]
    assert row.attempts == 2


def test_connection_lost_after_data_makes_a_second_copy_of_the_same_message(
    notifier: Notifier, mailbox: Any
) -> None:
    mailbox.switch("drop_after_data", times=1)
    notifier.receive(event("dossier.submitted"))
    row = notifier.send_until(sent)
    mails = mailbox.wait_for(ADDRESS, count=2)
    assert [mail.message_id for mail in mails] == [f"<{row.id}@monespace.example>"] * 2
    assert notifier.attempts()[0].reason == "connection_lost_at_data"


def test_owner_that_is_away_postpones(notifier: Notifier, mailbox: Any) -> None:
    notifier.owners.status = 503
    notifier.receive(event("dossier.submitted"))
    row = notifier.send_until(lambda row: row.state == State.TEMPORARY)
    assert row.reason == "owner_does_not_answer"
    notifier.owners.status = 403
    notifier.send_until(lambda row: row.attempts == 2 and row.state == State.TEMPORARY)
    assert notifier.rows()[0].reason == "dossier_answers_403"
    notifier.owners.status = 200
    notifier.send_until(sent)
    assert len(mailbox.messages()) == 1


def test_answer_that_is_not_understood_postpones(notifier: Notifier) -> None:
    facts = dossier_facts()
    del facts["titles"]["fr"]
    notifier.owners.dossier(facts)
    notifier.receive(event("dossier.submitted"))
    row = notifier.send_until(lambda row: row.state == State.TEMPORARY)
    assert row.reason == "cannot_be_written"
    notifier.owners.dossier(dossier_facts())
    notifier.send_until(sent)


@pytest.mark.parametrize("name", ["dossier.information_requested", "dossier.reminder_due"])
@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        (dossier_facts(request={"state": "answered"}), "answered"),
        (dossier_facts(request={"state": "lapsed"}), "lapsed"),
        (dossier_facts(request={"state": "withdrawn"}), "withdrawn"),
        (dossier_facts(request={"due_at": "2024-10-25T22:00:00Z"}), "too_late"),
        (dossier_facts(state="withdrawn"), "withdrawn"),
    ],
)
def test_nobody_is_asked_for_an_answer_that_is_given_or_too_late(
    notifier: Notifier, mailbox: Any, name: str, facts: dict[str, Any], reason: str
) -> None:
    """A relay that was away for days: meanwhile the request was answered, lapsed or withdrawn."""
    notifier.owners.dossier(facts)
    notifier.receive(event(name))
    row = notifier.send_until(lambda row: row.state == State.NOT_SENT)
    assert row.reason == reason
    assert notifier.sender.step() is False
    assert mailbox.messages() == []


def test_reminder_of_an_open_request_is_sent(notifier: Notifier, mailbox: Any) -> None:
    notifier.receive(event("dossier.reminder_due"))
    notifier.send_until(sent)
    (mail,) = mailbox.wait_for(ADDRESS)
    assert mail.subject.startswith("Rappel")


def test_answer_and_lapse_are_told(notifier: Notifier, mailbox: Any) -> None:
    for name in ("dossier.information_provided", "dossier.information_request_lapsed"):
        notifier.receive(event(name))
    notifier.receive(event("dossier.information_provided", example=2))
    while notifier.sender.step():
        pass
    texts = [mail.text for mail in mailbox.wait_for(ADDRESS, count=3)]
    assert "dans le délai" in texts[0]
    assert "La demande a donc pris fin." in texts[1]
    assert "« tardive »" in texts[2]


@pytest.mark.parametrize("state", ["withdrawn", "answered"])
def test_lapse_that_was_undone_is_not_told(notifier: Notifier, mailbox: Any, state: str) -> None:
    """The dossier was withdrawn, or an answer that arrived in time undid the lapse."""
    notifier.owners.dossier(dossier_facts(request={"state": state}))
    notifier.receive(event("dossier.information_request_lapsed"))
    row = notifier.send_until(lambda row: row.state == State.NOT_SENT)
    assert row.reason == state
    assert mailbox.messages() == []


def test_answer_names_its_files_where_the_dossier_knows_them(notifier: Notifier, mailbox: Any) -> None:
    (document,) = event("dossier.information_provided").data["documents"]
    named = {**document, "filename": "courrier complémentaire.pdf"}
    notifier.owners.dossier(dossier_facts(request={"state": "answered", "documents": [named]}))
    notifier.receive(event("dossier.information_provided"))
    notifier.send_until(sent)
    notifier.owners.dossier(dossier_facts(request={"state": "answered"}))
    notifier.receive(event("dossier.information_provided"))
    assert notifier.sender.step()
    with_name, without = (mail.text for mail in mailbox.wait_for(ADDRESS, count=2))
    assert "courrier complémentaire.pdf" in with_name
    assert "courrier" not in without
    assert document["slot"] in without
    assert document["sha256"] in without


@pytest.mark.parametrize("state", ["used", "expired", "replaced"])
def test_confirmation_that_is_worth_nothing_is_not_sent(notifier: Notifier, state: str) -> None:
    notifier.owners.confirmation(
        CONFIRMATION, email=ADDRESS, language="fr", link=None, expires_at="2999-01-01T00:00:00Z", state=state
    )
    notifier.receive(event("profile.email_confirmation_requested"))
    assert notifier.send_until(lambda row: row.state == State.NOT_SENT).reason == state


def test_link_to_another_house_is_never_sent(notifier: Notifier, mailbox: Any) -> None:
    for link in (
        "https://evil.example/confirmation/x",
        "http://localhost:8080.evil.example/x",
        "javascript:1",
    ):
        notifier.owners.confirmation(
            CONFIRMATION,
            email=ADDRESS,
            language="fr",
            link=link,
            expires_at="2999-01-01T00:00:00Z",
            state="open",
        )
        notifier.receive(event("profile.email_confirmation_requested"))
        notifier.sender.step()
    assert {(r.state, r.reason) for r in notifier.rows()} == {("failed", "foreign_link")}
    assert mailbox.messages() == []


def test_nobody_to_write_to(notifier: Notifier) -> None:
    notifier.owners.contact(CITIZEN, None)
    notifier.receive(event("dossier.submitted"))
    row = notifier.send_until(lambda row: row.state == State.NOT_SENT)
    assert row.reason == "no_confirmed_address"


def test_dossier_of_somebody_else_is_never_told(notifier: Notifier, mailbox: Any) -> None:
    notifier.receive(event("dossier.submitted", citizen_id=str(uuid4())))
    assert notifier.send_until(lambda row: row.state == State.FAILED).reason == "recipient_mismatch"
    assert mailbox.messages() == []


@pytest.mark.parametrize(
    ("address", "on_the_wire"),
    [
        ("lucie@straße.example", "lucie@xn--strae-oqa.example"),
        ("lucie@Bücher.example", "lucie@xn--bcher-kva.example"),
        ("lucie@xn--strae-oqa.example", "lucie@xn--strae-oqa.example"),
    ],
)
def test_a_domain_beyond_ascii_is_the_citizens_own(
    notifier: Notifier, mailbox: Any, address: str, on_the_wire: str
) -> None:
    """IDNA 2003 would write to strasse.example, which may be somebody else's."""
    notifier.owners.contact(CITIZEN, address)
    notifier.receive(event("dossier.submitted"))
    notifier.send_until(sent)
    (mail,) = mailbox.wait_for(on_the_wire)
    assert mail.headers["To"] == on_the_wire


@pytest.mark.parametrize(
    "address",
    [
        "a@b.example\r\nBcc: victim@c.example",
        "a@b.example\nSubject: x",
        "a@b.example,victim@c.example",
        "a b@c.example",
        '"a\\"@x"@c.example',
        "<a@b.example>",
        "no-address",
        "@b.example",
        "a@",
        "é@b.example",
        "a@b..example",
    ],
)
def test_address_that_breaks_out_is_refused(notifier: Notifier, mailbox: Any, address: str) -> None:
    notifier.owners.contact(CITIZEN, address)
    notifier.receive(event("dossier.submitted"))
    assert notifier.send_until(lambda row: row.state == State.FAILED).reason == "address_refused"
    assert mailbox.messages() == []


def test_values_with_line_ends_add_no_header_and_no_markup(notifier: Notifier, mailbox: Any) -> None:
    evil = "x\r\nBcc: victim@c.example\r\n\r\n- item\n[Click](http://evil.example) <script>x</script>\u202e"
    facts = dossier_facts(
        number=evil, titles=dict.fromkeys(("fr", "nl", "de", "en"), evil), request={"element": evil}
    )
    facts["documents"][0]["filename"] = evil
    notifier.owners.dossier(facts)
    for name in ("dossier.submitted", "dossier.information_requested"):
        notifier.receive(event(name))
    while notifier.sender.step():
        pass
    for mail in mailbox.wait_for(count=2):
        assert mail.to == (ADDRESS,)
        assert "Bcc" not in mail.headers
        assert "<script" not in mail.html
        assert 'href="http://evil.example' not in mail.html
        assert "\nBcc" not in mail.text
        assert "\u202e" not in mail.text


def test_worker_that_died_gives_its_message_back_after_the_lease(notifier: Notifier, mailbox: Any) -> None:
    notifier.receive(event("dossier.submitted"))
    with notifier.database.transaction() as unit:
        lost = claim_due(unit, timedelta(seconds=0.2))
    assert lost is not None
    assert notifier.sender.step() is False
    notifier.send_until(sent)
    with notifier.database.transaction() as unit:
        assert conclude(unit, lost, Outcome(State.FAILED, "late report"), retry_scale=1) is False
    (row,) = notifier.rows()
    assert (row.state, row.attempts) == (State.SENT, 2)
    assert [a.outcome for a in notifier.attempts()] == [None, "sent"]


@pytest.mark.parametrize("state", ["55P03", "57014"], ids=["lock", "statement"])
def test_an_outcome_that_met_a_time_limit_is_written_again_and_the_mail_not_sent_again(
    notifier: Notifier, mailbox: Any, state: str
) -> None:
    with notifier.database.transaction() as unit:
        for statement in (
            "CREATE SEQUENCE told",
            "CREATE FUNCTION too_slow() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN IF nextval('told') = 1 THEN RAISE EXCEPTION 'x' USING ERRCODE = '{state}'; END IF; "
            "RETURN NEW; END $$",
            "CREATE TRIGGER too_slow BEFORE UPDATE ON notifications FOR EACH ROW "
            "WHEN (NEW.state = 'sent') EXECUTE FUNCTION too_slow()",
        ):
            unit.session.execute(text(statement))
    notifier.receive(event("dossier.submitted"))
    assert notifier.sender.step()
    (row,) = notifier.rows()
    assert (row.state, row.attempts) == (State.SENT, 1)
    mailbox.wait_for(ADDRESS)
    assert len(mailbox.messages()) == 1


def test_many_workers_send_each_message_once(notifier: Notifier, mailbox: Any) -> None:
    for _ in range(12):
        notifier.receive(event("dossier.submitted"))

    def work() -> None:
        while notifier.sender.step():
            pass

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert {row.state for row in notifier.rows()} == {State.SENT}
    assert len({mail.message_id for mail in mailbox.messages()}) == len(mailbox.messages()) == 12


@pytest.mark.parametrize("trouble", ["relay_refuses", "relay_away", "owner_away", "owner_changed"])
def test_however_long_it_lasts_nothing_but_a_refusal_is_final(
    notifier: Notifier, mailbox: Any, mailbox_part: Any, trouble: str
) -> None:
    if trouble == "relay_refuses":
        mailbox.switch("4xx", times=1)
    elif trouble == "relay_away":
        mailbox_part.kill()
    else:
        notifier.owners.status = {"owner_away": 503, "owner_changed": 404}[trouble]
    notifier.receive(event("dossier.submitted"))
    with notifier.database.transaction() as unit:
        old = "UPDATE notifications SET created_at = now() - interval '30 days', attempts = 400"
        unit.session.execute(text(old))
    notifier.sender.step()
    (row,) = notifier.rows()
    assert (row.state, row.attempts) == (State.TEMPORARY, 401)
    longest = timedelta(hours=2.2) * notifier.settings.mail_retry_scale
    assert timedelta(0) < row.due_at - utcnow() <= longest
    if trouble == "relay_away":
        mailbox_part.start()
    notifier.owners.status = 200
    with notifier.database.transaction() as unit:
        unit.session.execute(text("UPDATE notifications SET due_at = now()"))
    notifier.sender.step()
    assert sent(notifier.rows()[0])


def test_what_waits_is_told_with_the_age_of_its_fact(notifier: Notifier, mailbox: Any) -> None:
    def told() -> float:
        with notifier.database.session() as session:
            report_pending(session)
        labels = {"template": "receipt"}
        return REGISTRY.get_sample_value("espace_notification_oldest_pending_seconds", labels) or 0.0

    mailbox.switch("4xx", times=1)
    notifier.receive(event("dossier.submitted"))
    with notifier.database.transaction() as unit:
        unit.session.execute(text("UPDATE notifications SET created_at = now() - interval '80 hours'"))
    assert notifier.sender.step()
    assert told() == pytest.approx(80 * 3600, abs=600)
    waiting = {"template": "receipt", "state": "temporary"}
    assert REGISTRY.get_sample_value("espace_notifications_pending", waiting) == 1
    notifier.send_until(sent)
    assert told() == 0
    assert REGISTRY.get_sample_value("espace_notifications_pending", waiting) == 0


def test_how_long_a_citizen_waited_is_measured_from_the_fact(notifier: Notifier, mailbox: Any) -> None:
    def waited() -> float:
        name = "espace_notification_delay_seconds_sum"
        return REGISTRY.get_sample_value(name, {"template": "receipt"}) or 0.0

    before = waited()
    notifier.receive(replace(event("dossier.submitted"), time=utcnow() - timedelta(hours=1)))
    notifier.send_until(sent)
    assert waited() - before == pytest.approx(3600, abs=60)


def test_messages_about_the_synthetic_citizen_are_in_no_count(notifier: Notifier, mailbox: Any) -> None:
    def counted() -> float:
        labels = {"channel": "email", "template": "receipt", "status": "sent"}
        return REGISTRY.get_sample_value("espace_notifications_total", labels) or 0.0

    before = counted()
    notifier.receive(event("dossier.submitted", synthetic=True))
    notifier.send_until(sent)
    assert counted() == before


def test_attempt_that_took_too_long_does_not_begin_data(notifier: Notifier, mailbox: Any) -> None:
    notifier.receive(event("dossier.submitted"))
    notifier.sender._server._patience = -1.0
    notifier.sender.step()
    assert notifier.rows()[0].reason == "attempt_too_slow"
    assert mailbox.messages() == []


@pytest.mark.parametrize("data", [{"citizen_id": "nobody"}, {"citizen_id": None}, {"dossier_id": "x"}])
def test_event_without_recipient_is_parked(notifier: Notifier, data: dict[str, Any]) -> None:
    with pytest.raises(PermanentError):
        notifier.receive(event("dossier.submitted", **data))


def test_facts_and_reasons_hold_no_personal_data(notifier: Notifier) -> None:
    notifier.receive(event("dossier.submitted"))
    notifier.send_until(sent)
    with notifier.database.session() as session:
        everything = str(
            session.execute(text("SELECT n::text, a::text FROM notifications n, attempts a")).all()
        )
    assert ADDRESS not in everything
    assert "procès" not in everything
