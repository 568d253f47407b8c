"""The forwarder: puts into each outsider's queue what comes next for it in the log, signed."""

from collections.abc import Sequence
from typing import Final

from espace import crash
from espace.auth.signing import Signer
from espace.bus import topology
from espace.bus.event import Event, encode, envelope
from espace.bus.holds import Holds
from espace.bus.publisher import BROKER_ERRORS, Message, Publisher
from espace.clock import utcnow
from espace.db import Database
from espace.outside.outsiders import Outsider, Recorded, after, move, outsiders
from espace.telemetry import get_logger
from espace.telemetry.metrics import OUTSIDER_OLDEST_AGE
from espace.worker import Periodic, Stop

log = get_logger()
BATCH = 200
IDLE_SECONDS = 1.0
SIGNATURE: Final = "jws"
"""The header of a message that carries the signature of its body: a JWS without its payload."""
SIGNATURE_TYPE: Final = "event+jws"


class Forwarder:
    """One service's forwarder; among many workers one leads, the others wait.

    An outsider's mark moves when the broker has confirmed, so what was confirmed just before a crash is sent
    once more: the same id, in the same order.
    """

    name = "forward"

    def __init__(
        self,
        service: str,
        database: Database,
        amqp_url: str,
        signer: Signer,
        *,
        quota: int = topology.OUTSIDER_QUOTA,
    ) -> None:
        self._service = service
        self._database = database
        self._signer = signer
        self._quota = quota
        self._publisher = Publisher(amqp_url, f"{service} forwarder")
        self._holds = Holds()
        self._known: set[str] = set()

    def run(self, stop: Stop) -> None:
        try:
            Periodic(self.name, self.step, IDLE_SECONDS, leader_of=self._database).run(stop)
        finally:
            self.close()

    def close(self) -> None:
        """Drop the connection to the broker."""
        self._publisher.close()

    def step(self) -> bool:
        """Serve each outsider once; whether one of them wants more."""
        self._publisher.keep_alive()
        with self._database.session() as session:
            served = outsiders(session)
        self._forget(self._known - {outsider.name for outsider in served})
        waiting = set(self._holds.held) - set(self._holds.due())
        more = [self._serve(outsider) for outsider in served if outsider.name not in waiting]
        return any(more)

    def _serve(self, outsider: Outsider) -> bool:
        with self._database.session() as session:
            following = after(session, outsider.mark, BATCH)
        served = self._publish(outsider, following) if following else 0
        if served:
            with self._database.transaction() as unit:
                move(unit.session, outsider, following[served - 1].mark)
        left = following[served:]
        age = (utcnow() - left[0].event.time).total_seconds() if left else 0.0
        OUTSIDER_OLDEST_AGE.labels(outsider.name).set(age)
        self._known.add(outsider.name)
        return served == BATCH

    def _publish(self, outsider: Outsider, following: Sequence[Recorded]) -> int:
        """How many, from the first, need not be sent any more."""
        queue = topology.outsider_queue(outsider.name)
        try:
            room = self._quota - self._publisher.declare(queue, topology.OUTSIDE)
        except BROKER_ERRORS as error:
            self._hold(outsider, error)
            return 0
        wanted = [recorded.event for recorded in following if outsider.wants(recorded.event)]
        sent = [_message(event, self._service, queue.name, self._signer) for event in wanted[: max(0, room)]]
        outcome = self._publisher.publish(topology.OUTSIDE, sent)
        crash.point("forwarder.after_confirm")
        if len(outcome.confirmed) < len(sent):
            self._hold(outsider, outcome.error)
        else:
            self._holds.release(outsider.name)
        if outcome.confirmed:
            log.info("forwarder.published", outsider=outsider.name, count=len(outcome.confirmed))
        missing = {event.id for event in wanted if str(event.id) not in outcome.confirmed}
        places = (place for place, recorded in enumerate(following) if recorded.event.id in missing)
        return next(places, len(following))

    def _hold(self, outsider: Outsider, error: Exception | None) -> None:
        seconds = self._holds.hold(outsider.name)
        log.warning(
            "forwarder.held", outsider=outsider.name, seconds=seconds, reason=error or "the queue is full"
        )

    def _forget(self, gone: set[str]) -> None:
        for name in gone:
            self._holds.release(name)
            OUTSIDER_OLDEST_AGE.remove(name)
        self._known -= gone


def _message(event: Event, service: str, key: str, signer: Signer) -> Message:
    data = {name: value for name, value in event.data.items() if name not in topology.OURS_ALONE}
    body = encode({**envelope(event, service=service), "data": data})
    return Message(
        str(event.id), key, event.type, body, headers={SIGNATURE: signer.detached(SIGNATURE_TYPE, body)}
    )
