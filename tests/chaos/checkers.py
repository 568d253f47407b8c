"""Seven judges. Each compares what clients were told with what is there at the end, and knows one promise.

They know nothing of faults: whatever happened in between, the promise is the same.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from tests.chaos.history import Operation

RANKS: Final = {"draft": 0, "validated": 1, "submitted": 2, "withdrawn": 3}
"""A dossier's states; a later read never shows an earlier one, but for a draft that is edited again."""


@dataclass
class Verdict:
    """What is wrong, sentence by sentence. Unknown is wrong too: nobody has seen the promise kept."""

    lost: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    @property
    def kept(self) -> bool:
        """Whether the promise was kept."""
        return not (self.lost or self.duplicated or self.wrong or self.unknown)


@dataclass(frozen=True)
class Deposit:
    """A deposited dossier as the database has it."""

    dossier_id: str
    number: str


def submissions(operations: Iterable[Operation], deposits: Sequence[Deposit]) -> Verdict:
    """What was acknowledged is there once, under the number that was told; what was refused is not."""
    verdict = Verdict()
    tries: dict[str, list[Operation]] = {}
    for operation in operations:
        if operation.f == "submit":
            tries.setdefault(operation.key, []).append(operation)
    found = Counter(deposit.dossier_id for deposit in deposits)
    numbers = {deposit.dossier_id: deposit.number for deposit in deposits}
    for key, done in tries.items():
        told = {operation.value for operation in done if operation.outcome == "ok"}
        if told and not found[key]:
            verdict.lost.append(f"{key} was acknowledged as {', '.join(map(str, sorted(told)))}")
        if len(told) > 1 or (told and found[key] and numbers[key] not in told):
            verdict.wrong.append(f"{key} was told {sorted(told)} and is {numbers.get(key)}")
        if found[key] and all(operation.outcome == "fail" for operation in done):
            verdict.wrong.append(f"{key} is there although each try was refused")
    for key, count in found.items():
        if count > 1:
            verdict.duplicated.append(f"{key} is there {count} times")
        if key not in tries:
            verdict.wrong.append(f"{key} is there and nobody deposited it")
    for number, count in Counter(deposit.number for deposit in deposits).items():
        if count > 1:
            verdict.duplicated.append(f"the number {number} was given {count} times")
    return verdict


def reads(operations: Iterable[Operation]) -> Verdict:
    """After an acknowledgement each read shows it, and no read shows less than one before it."""
    verdict = Verdict()
    by_key: dict[str, list[Operation]] = {}
    for operation in operations:
        if operation.outcome == "ok" and operation.f in ("submit", "read"):
            by_key.setdefault(operation.key, []).append(operation)
    for key, done in by_key.items():
        shown = [operation for operation in done if operation.f == "read"]
        for submitted in (operation for operation in done if operation.f == "submit"):
            for read in shown:
                if read.began > submitted.ended and RANKS[read.value] < RANKS["submitted"]:
                    verdict.lost.append(f"{key} was acknowledged and then read as {read.value}")
        for earlier, later in pairwise(sorted(shown, key=lambda read: read.began)):
            before, after = RANKS[earlier.value], RANKS[later.value]
            if later.began > earlier.ended and after < before and before >= RANKS["submitted"]:
                verdict.wrong.append(f"{key} went back from {earlier.value} to {later.value}")
    return verdict


def files(
    operations: Iterable[Operation],
    rows: Mapping[str, str],
    objects: Mapping[str, str],
    undecided: Collection[str] = (),
) -> Verdict:
    """An acknowledged file has its row and its bytes, and they are those that were sent.

    Args:
        rows: document → SHA-256 as the database has it, of verified documents.
        objects: document → SHA-256 of the bytes in the bucket.
        undecided: documents that were sent, are still there as they came, and wait for their decision.
    """
    verdict = Verdict()
    for operation in operations:
        if operation.outcome != "ok" or operation.f not in ("send", "upload"):
            continue
        if operation.f == "send" and operation.key in undecided:
            continue
        if operation.key not in rows:
            verdict.lost.append(f"{operation.key} was acknowledged ({operation.f}) and has no row")
        elif rows[operation.key] != operation.value:
            verdict.wrong.append(f"{operation.key} was sent as {operation.value}, and is told otherwise")
    for document, sha256 in rows.items():
        if document not in objects:
            verdict.lost.append(f"{document} has a row and no object")
        elif objects[document] != sha256:
            verdict.wrong.append(f"{document} has other bytes than its row tells")
    return verdict


@dataclass(frozen=True)
class Copy:
    """A message as it arrived in somebody's mailbox."""

    message_id: str
    recipient: str
    about: str
    template: str


def mails(wanted: Mapping[tuple[str, str], str], arrived: Iterable[Copy], ambiguous: int = 0) -> Verdict:
    """Each message once, to its recipient; a second copy only where a mail server left it open.

    Args:
        wanted: (what it is about, template) → recipient.
        ambiguous: how often a connection broke between DATA and its answer.
    """
    verdict = Verdict()
    copies: dict[tuple[str, str], list[Copy]] = {}
    for copy in arrived:
        copies.setdefault((copy.about, copy.template), []).append(copy)
    seconds = 0
    for what, recipient in wanted.items():
        found = copies.get(what, [])
        if not found:
            verdict.lost.append(f"{what} never arrived")
        if len({copy.message_id for copy in found}) > 1:
            verdict.duplicated.append(f"{what} arrived as {len(found)} messages of their own")
        if any(copy.recipient != recipient for copy in found):
            verdict.wrong.append(f"{what} went to somebody else")
        seconds += max(0, len(found) - 1)
    if seconds > ambiguous:
        verdict.duplicated.append(f"{seconds} second copies, of which {ambiguous} can be explained")
    verdict.wrong += [f"{what} was sent and nobody wanted it" for what in copies.keys() - wanted.keys()]
    return verdict


@dataclass(frozen=True)
class Firing:
    """A deadline that fired, by the database's legal clock."""

    deadline_id: str
    version: int
    fired_at: datetime


def deadlines(
    due: Mapping[tuple[str, int], datetime],
    cancelled: Collection[tuple[str, int]],
    fired: Sequence[Firing],
    *,
    now: datetime,
    late: timedelta,
) -> Verdict:
    """Each deadline that is due fired once, not before its instant and not much after; a cancelled one never.

    Args:
        due: (deadline, version) → its instant, of those that were kept.
        cancelled: withdrawn or moved before their instant.
        late: how much later than its instant it may fire.
    """
    verdict = Verdict()
    times = Counter((firing.deadline_id, firing.version) for firing in fired)
    for what, count in times.items():
        if count > 1:
            verdict.duplicated.append(f"{what} fired {count} times")
        if what in cancelled:
            verdict.wrong.append(f"{what} fired although it was cancelled")
        elif what not in due:
            verdict.wrong.append(f"{what} fired and nobody set it")
    for firing in fired:
        instant = due.get((firing.deadline_id, firing.version))
        if instant is None:
            continue
        if firing.fired_at < instant:
            verdict.wrong.append(f"{firing.deadline_id} fired {instant - firing.fired_at} too early")
        elif firing.fired_at - instant > late:
            verdict.wrong.append(f"{firing.deadline_id} fired {firing.fired_at - instant} late")
    for what, instant in due.items():
        if instant <= now - late and what not in cancelled and not times[what]:
            verdict.lost.append(f"{what} was due at {instant.isoformat()} and never fired")
    return verdict


OF_AN_OPEN_REQUEST: Final = frozenset(
    {
        "reminder_due",
        "information_provided",
        "information_request_lapsed",
        "information_requested",
        "withdrawn",
    }
)
"""What may happen while the citizen is asked; asked again is asked with more time."""

LEGAL: Final[Mapping[str, frozenset[str]]] = {
    "": frozenset({"submitted"}),
    "submitted": frozenset({"information_requested", "withdrawn"}),
    "information_requested": OF_AN_OPEN_REQUEST,
    "reminder_due": OF_AN_OPEN_REQUEST,
    "information_request_lapsed": frozenset({"information_provided", "information_requested", "withdrawn"}),
    "information_provided": frozenset({"withdrawn"}),
    "withdrawn": frozenset(),
}
"""What may follow what in a dossier's log; a request is asked again when it gets more time, lapsed or not."""


def status(logs: Mapping[str, Sequence[tuple[int, str]]]) -> Verdict:
    """Each dossier's log is a path of its life, its versions count up by one.

    Args:
        logs: dossier → (version, event) in the order of their recording.
    """
    verdict = Verdict()
    for dossier, log in logs.items():
        before = ""
        for _, name in log:
            if name not in LEGAL[before]:
                verdict.wrong.append(f"{dossier}: {name} after {before or 'nothing'}")
            before = name
        versions = [version for version, _ in log]
        for earlier, later in pairwise(versions):
            if later == earlier:
                verdict.duplicated.append(f"{dossier}: version {later} twice")
            elif later < earlier:
                verdict.wrong.append(f"{dossier}: version {later} after {earlier}")
    return verdict


def conservation(
    published: Mapping[str, str],
    applied: Mapping[str, Collection[str]],
    dead: Mapping[str, Collection[str]],
    subscriptions: Mapping[str, Collection[str]],
    *,
    waiting: int = 0,
) -> Verdict:
    """What was recorded is applied by each of its readers or lies with its dead letters; nothing else is.

    Args:
        published: event → type, of all event logs.
        applied: reader → the events in its inbox, or of its effects, as often as they are there.
        dead: reader → its dead letters.
        subscriptions: reader → the types it reads.
        waiting: messages that are still in queues; then nobody knows.
    """
    verdict = Verdict()
    for reader, types in subscriptions.items():
        mine = {event for event, type_ in published.items() if type_ in types}
        times = Counter(applied.get(reader, ()))
        have, parked = set(times), set(dead.get(reader, ()))
        missing = sorted(mine - have - parked)
        told = [f"{reader} has not applied {published[event]} {event}" for event in missing]
        (verdict.unknown if waiting else verdict.lost).extend(told)
        verdict.wrong += [f"{reader} has applied {event}, which nobody recorded" for event in have - mine]
        verdict.duplicated += [
            f"{reader} has applied {event} {count} times" for event, count in times.items() if count > 1
        ]
    return verdict
