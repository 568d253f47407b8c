"""What is there at the end, straight from databases, bucket and broker, in the words of the checkers."""

from datetime import timedelta

from deploy.backup.reconcile import sha256_of
from espace.bus import dead_letters, topology
from espace_stack.layout import BUCKET
from espace_stack.testing.platform import PUBLISHERS, Platform
from tests.chaos.checkers import Firing, Verdict, conservation, deadlines, files, status

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


def files_whole(platform: Platform) -> Verdict:
    """Every verified document against its bytes in the bucket."""
    query = "select id, sha256 from documents where state = 'verified'"
    rows = {str(document): sha256 for document, sha256 in platform.rows("documents", query)}
    keys = [
        str(found.object_name) for found in platform.store.list_objects(BUCKET, "documents/", recursive=True)
    ]
    objects = {key.removeprefix("documents/"): str(sha256_of(platform.store, BUCKET, key)) for key in keys}
    assert rows
    return files([], rows, objects)


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
