"""Looking after dead letters: ``python -m <service> dead-letters list | show ID… | replay [ID…] --by NAME``.

Who had one replayed is in the log, with the letter as it was.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pika
from pika.adapters.blocking_connection import BlockingChannel

from espace.bus import topology
from espace.bus.consumer import declare
from espace.bus.copies import ERROR, PARKED_AT, REASON, TRIES, Copies
from espace.bus.event import decode
from espace.bus.handling import Delivery
from espace.errors import PermanentError
from espace.telemetry import get_logger

log = get_logger()


@dataclass(frozen=True)
class DeadLetter:
    """An event that waits for a person.

    ``id`` is the event's, or the beginning of the body's hash where the body is no event.
    """

    id: str
    type: str
    subject: str
    reason: str
    error: str
    parked_at: str
    tries: int
    body: str


def read(service: str, amqp_url: str) -> list[DeadLetter]:
    """All dead letters of a service; they stay where they are."""
    with _channel(amqp_url) as channel:
        return [_dead_letter(delivery) for delivery in _all(channel, service)]


def replay(
    service: str, amqp_url: str, ids: Collection[str] = (), *, by: str, dry_run: bool = False
) -> list[DeadLetter]:
    """Put dead letters (all, or those named) back into their queue; which ones were.

    Args:
        by: who wants it, for the log.
        dry_run: say which would be, and leave them where they are.

    Each copy is confirmed before the dead letter goes. Replaying an event that was applied after all is
    harmless: the inbox knows it.
    """
    with _channel(amqp_url) as channel:
        copies = Copies(channel.connection.channel(), service, topology.RETRY_SECONDS)
        replayed = []
        for delivery in _all(channel, service):
            letter = _dead_letter(delivery)
            if ids and letter.id not in ids:
                continue
            replayed.append(letter)
            if not dry_run:
                copies.replay(delivery)
                channel.basic_ack(delivery.tag)
                log.info(
                    "dead_letter.replayed", event_id=letter.id, type=letter.type, reason=letter.reason, by=by
                )
        return replayed


def command(service: str, amqp_url: str, options: argparse.Namespace) -> int:
    """The command line; the exit status is 1 when an id that was named is not there."""
    if options.action == "replay":
        letters = replay(service, amqp_url, options.ids, by=options.by, dry_run=options.dry_run)
    else:
        letters = [one for one in read(service, amqp_url) if not options.ids or one.id in options.ids]
    if options.action == "show":
        for letter in letters:
            sys.stdout.write(json.dumps(_shown(letter), ensure_ascii=False, indent=2) + "\n")
    elif options.action == "list" or options.dry_run:
        for one in letters:
            sys.stdout.write(f"{one.id}  {one.parked_at}  {one.type}  {one.reason}: {one.error}\n")
    if options.action == "replay":
        sys.stdout.write(f"{len(letters)} {'to replay' if options.dry_run else 'replayed'}\n")
    missing = set(options.ids) - {letter.id for letter in letters}
    if missing:
        sys.stderr.write(f"not among the dead letters: {', '.join(sorted(missing))}\n")
    return 1 if missing else 0


@contextmanager
def _channel(amqp_url: str) -> Iterator[BlockingChannel]:
    parameters = pika.URLParameters(amqp_url)
    parameters.socket_timeout = 5
    parameters.blocked_connection_timeout = 30
    with pika.BlockingConnection(parameters) as connection:
        channel = connection.channel()
        declare(channel)
        yield channel


def _all(channel: BlockingChannel, service: str) -> Iterator[Delivery]:
    """Each dead letter once; what is not acknowledged goes back when the connection closes.

    No more than there are now: one that is replayed and fails at once is parked again, and would never end.
    """
    waiting = channel.queue_declare(topology.dead_queue(service), passive=True).method.message_count
    for _ in range(waiting):
        method, properties, body = channel.basic_get(topology.dead_queue(service))
        if method is None:
            return
        yield Delivery(method.delivery_tag, properties, body)


def _dead_letter(delivery: Delivery) -> DeadLetter:
    headers = delivery.properties.headers or {}
    try:
        event = decode(delivery.body)
        identity, type_, subject = str(event.id), event.type, event.subject
    except PermanentError:
        identity, type_, subject = hashlib.sha256(delivery.body).hexdigest()[:16], "-", "-"
    return DeadLetter(
        id=identity,
        type=type_,
        subject=subject,
        reason=_reason(headers),
        error=str(headers.get(ERROR, "")),
        parked_at=str(headers.get(PARKED_AT, "-")),
        tries=int(headers.get(TRIES, 0)),
        body=delivery.body.decode("utf-8", "replace"),
    )


def _reason(headers: Mapping[str, Any]) -> str:
    """The consumer's reason, or where the broker gave the message up its latest: each wait in a retry tier
    ends as a death too.
    """
    deaths = headers.get("x-death") or [{}]
    return str(headers.get(REASON) or deaths[0].get("reason") or "unknown")


def _shown(letter: DeadLetter) -> dict[str, Any]:
    try:
        body: Any = json.loads(letter.body)
    except ValueError:
        body = letter.body
    return {**letter.__dict__, "body": body}
