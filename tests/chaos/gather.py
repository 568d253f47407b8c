"""What is there at the end, straight from databases, bucket and broker, in the words of the checkers."""

from collections.abc import Collection, Sequence
from datetime import timedelta

from deploy.backup.reconcile import sha256_of
from espace.bus import dead_letters, topology
from espace_stack.layout import BUCKET
from espace_stack.testing.platform import PUBLISHERS, Platform
from tests.chaos.checkers import (
    Copy,
    Deposit,
    Firing,
    Verdict,
    conservation,
    deadlines,
    files,
    mails,
    status,
)
from tests.chaos.citizen import Claim
from tests.chaos.history import Operation

PREFIX = "be.espace.dossier."
OF_A_DOSSIER = "type like 'be.espace.dossier.%' and type not like '%.deadline_%'"


def all_events(platform: Platform) -> dict[str, str]:
    """Event → type, of every event log."""
    rows = [row for service in PUBLISHERS for row in platform.rows(service, "select id, type from event_log")]
    return {str(event): type_ for event, type_ in rows}


def events_conserved(platform: Platform) -> Verdict:
    """Every event of every service against every reader's inbox and dead letters."""
    applied, dead = {}, {}
    for reader in topology.SUBSCRIPTIONS:
        applied[reader] = {str(row[0]) for row in platform.rows(reader, "select event_id from inbox")}
        dead[reader] = {letter.id for letter in dead_letters.read(reader, platform.stack.addresses.amqp)}
    return conservation(all_events(platform), applied, dead, topology.SUBSCRIPTIONS)


def lives_legal(platform: Platform) -> Verdict:
    """Every dossier's events in the order of their recording."""
    logs: dict[str, list[tuple[int, str]]] = {}
    query = f"select subject, version, type from event_log where {OF_A_DOSSIER} order by position"
    for subject, version, type_ in platform.rows("dossier", query):
        name = str(type_).removeprefix(PREFIX).removesuffix(".v1")
        logs.setdefault(subject, []).append((version, name))
    assert logs
    return status(logs)


def deposits(platform: Platform) -> list[Deposit]:
    """Every dossier that was deposited, by its events."""
    query = f"select subject, data->>'number' from event_log where type = '{PREFIX}submitted.v1'"
    return [Deposit(str(dossier), str(number)) for dossier, number in platform.rows("dossier", query)]


def files_whole(platform: Platform, operations: Sequence[Operation] = ()) -> Verdict:
    """Every verified document against its bytes in the bucket, and against what was sent."""
    query = "select id, sha256 from documents where state = 'verified'"
    rows = {str(document): sha256 for document, sha256 in platform.rows("documents", query)}
    kept = {
        key: str(sha256_of(platform.store, BUCKET, f"documents/{key}"))
        for key in _below(platform, "documents")
    }
    assert rows
    return files(operations, rows, kept, _below(platform, "incoming"))


def _below(platform: Platform, folder: str) -> list[str]:
    """What the bucket has in a folder, by the documents' ids."""
    found = platform.store.list_objects(BUCKET, f"{folder}/", recursive=True)
    return [str(entry.object_name).removeprefix(f"{folder}/") for entry in found]


def deadlines_kept(platform: Platform, *, late: timedelta) -> Verdict:
    """Every deadline against its firings, by the scheduler's own clock."""
    query = "select id::text, version, due_at, state, fired_at from deadlines where due_at is not null"
    rows = platform.rows("scheduler", query)
    due = {(id_, version): at for id_, version, at, state, _ in rows if state != "withdrawn"}
    cancelled = {(id_, version) for id_, version, _, state, _ in rows if state == "withdrawn"}
    fired = [Firing(id_, version, at) for id_, version, _, state, at in rows if state == "fired"]
    published = "select subject, version from event_log where type = 'be.espace.deadline.expired.v1'"
    told = platform.rows("scheduler", published)
    assert len(told) == len(set(told)) >= len(fired), "each firing is one event"
    assert due
    return deadlines(due, cancelled, fired, now=platform.legal.now(), late=late)


def mails_once(platform: Platform, claims: Sequence[Claim], ambiguous: int) -> Verdict:
    """Each claim's messages in the citizen's mailbox, against what has happened to the claim.

    Reminders are wanted as far as the scheduler says that it has published them; and nobody is told of a
    request that was answered before it could be told.
    """
    wanted = {(claim.dossier_id, "receipt"): claim.person.email for claim in claims}
    asked = [claim for claim in claims if claim.request_id]
    for claim in asked:
        end = "drc_answered" if claim.answered else "drc_lapsed"
        wanted |= {(claim.dossier_id, told): claim.person.email for told in ("drc_opened", end)}
    query = "select deadline_id::text, days_before from reminders where state = 'published'"
    about = {claim.request_id: claim for claim in asked}
    for deadline, days in platform.rows("scheduler", query):
        if deadline in about:
            wanted[about[deadline].dossier_id, f"drc_reminder {days}"] = about[deadline].person.email
    query = "select dossier_id::text, template from notifications where reason = 'answered'"
    overtaken = {(claim.dossier_id, "drc_opened") for claim in asked if claim.answered}
    for what in overtaken & set(platform.rows("notifier", query)):
        del wanted[what]
    return mails(wanted, _copies(platform, {claim.dossier_id for claim in claims}), ambiguous)


def _copies(platform: Platform, dossiers: Collection[str]) -> list[Copy]:
    query = "select id::text, dossier_id::text, template, facts->>'days_before' from notifications"
    sent = {
        id_: (dossier, f"{template} {days}" if template == "drc_reminder" else template)
        for id_, dossier, template, days in platform.rows("notifier", query)
    }
    copies = []
    for message in platform.mail.messages():
        dossier, template = sent[message.message_id.strip("<>").split("@")[0]]
        if dossier in dossiers:
            copies.append(Copy(message.message_id, message.to[0], dossier, template))
    return copies


def lapsed(platform: Platform, claims: Sequence[Claim]) -> Verdict:
    """A request that was answered in time has not lapsed; one that was not has."""
    query = f"select distinct data->>'request_id', type from event_log where {OF_A_DOSSIER}"
    verdict, told = Verdict(), set(platform.rows("dossier", query))
    for claim in claims:
        ends = {
            name
            for name in ("information_provided", "information_request_lapsed")
            if (claim.request_id, f"{PREFIX}{name}.v1") in told
        }
        wanted = {"information_provided" if claim.answered else "information_request_lapsed"}
        if claim.request_id and ends != wanted:
            verdict.wrong.append(f"the request of {claim.dossier_id} ended as {ends}, not as {wanted}")
    return verdict
