"""A request for further information and what may become of it."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from dossier_service.localized import LANGUAGES
from dossier_service.pieces import FileFacts, Piece, check_fits, listing, sha256
from dossier_service.procedures.model import InformationRequestPolicy
from espace.calendar import deadline, local_date, start_of_day

KIND = "information_request"


class RequestState(StrEnum):
    OPEN = "open"
    ANSWERED = "answered"
    LAPSED = "lapsed"
    WITHDRAWN = "withdrawn"


class RequestRefused(Exception):
    """The command does not fit the request's state.

    Attributes:
        code: ``already_answered``, ``request_withdrawn``, ``attachments_missing``, ``content_changed``.
    """

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


@dataclass(eq=False, kw_only=True)
class RequestPiece(Piece):
    """A file added to a request. ``sent_at`` is None as long as it was not sent with an answer."""

    request_id: UUID
    sent_at: datetime | None = None


@dataclass(eq=False, kw_only=True)
class InformationRequest:
    """What is asked (``element``), by whom (``origin``), until when.

    ``due_at`` is the first instant that is too late. ``reasons`` are the words of the count as they were when
    the request was opened, by language. ``deadline_version`` is that of the deadline the scheduler keeps.
    """

    id: UUID
    dossier_id: UUID
    origin: str
    element: str
    opened_at: datetime
    due_date: date
    due_at: datetime
    reasons: dict[str, list[str]]
    state: str = RequestState.OPEN
    deadline_version: int = 1
    answered_at: datetime | None = None
    late: bool = False
    lapsed_at: datetime | None = None
    pieces: list[RequestPiece] = field(default_factory=list)

    @classmethod
    def opened_by_citizen(
        cls, dossier_id: UUID, element: str, policy: InformationRequestPolicy, received_at: datetime
    ) -> "InformationRequest":
        """Open a request at the citizen's wish; the days count from the local day of the deposit."""
        due = deadline(local_date(received_at, policy.rule.zone), policy.rule)
        return cls(
            id=uuid4(),
            dossier_id=dossier_id,
            origin="citizen",
            element=element,
            opened_at=received_at,
            due_date=due.date,
            due_at=due.last_instant,
            reasons={language: due.words(language) for language in LANGUAGES},
        )

    @property
    def open(self) -> bool:
        """Whether an answer in time is still awaited."""
        return self.state == RequestState.OPEN

    @property
    def content_sha256(self) -> str:
        """The hash of the pieces as they are now."""
        return sha256(listing(self.pieces))

    @property
    def content_since(self) -> datetime:
        """Since when all its pieces are there."""
        return max((piece.added_at for piece in self.pieces), default=self.opened_at)

    def add(self, facts: FileFacts, policy: InformationRequestPolicy, now: datetime) -> bool:
        """Add a file; whether it was new."""
        self._check_answerable()
        if any(piece.document_id == facts.document_id for piece in self.pieces):
            return False
        check_fits(facts, policy.slot, self.pieces)
        piece = RequestPiece(
            request_id=self.id,
            document_id=facts.document_id,
            slot=facts.slot,
            filename=facts.filename,
            size=facts.size,
            sha256=facts.sha256,
            content_type=facts.content_type,
            added_at=now,
        )
        self.pieces.append(piece)
        return True

    def remove(self, document_id: UUID) -> bool:
        """Remove a file that was not sent; whether it was there."""
        self._check_answerable()
        found = [piece for piece in self.pieces if piece.document_id == document_id]
        for piece in found:
            self.pieces.remove(piece)
        return bool(found)

    def answer(self, received_at: datetime, seen: str) -> None:
        """Answer with the pieces, whose hash the citizen saw; late is kept and marked so.

        An answer stamped in time is in time even when the lapse was noted meanwhile, but no piece arrives
        before it exists.
        """
        self._check_answerable()
        if not self.pieces:
            raise RequestRefused("attachments_missing")
        if seen != self.content_sha256 or received_at < self.content_since:
            raise RequestRefused("content_changed")
        self.answered_at = received_at
        self.late = received_at >= self.due_at
        for piece in self.pieces:
            piece.sent_at = received_at
        if self.late:
            self.lapse(received_at)
        else:
            self.state = RequestState.ANSWERED
            self.lapsed_at = None

    def lapse(self, now: datetime) -> bool:
        """End the request without an answer in time; whether that is new."""
        if not self.open:
            return False
        self.state = RequestState.LAPSED
        self.lapsed_at = now
        return True

    @property
    def extendable(self) -> bool:
        """Whether more time is of use: it is not answered, and its dossier not withdrawn."""
        return self.answered_at is None and self.state != RequestState.WITHDRAWN

    def extend(self, days: int, policy: InformationRequestPolicy, words: dict[str, str]) -> None:
        """Give more calendar days; one that has lapsed is open again.

        Args:
            words: why, by language; from then on the last of the reasons of the date.
        """
        self.due_date += timedelta(days=days)
        self.due_at = start_of_day(self.due_date + timedelta(days=1), policy.rule.zone)
        self.reasons = {language: [*self.reasons[language], words[language]] for language in self.reasons}
        self.state, self.lapsed_at = RequestState.OPEN, None
        self.deadline_version += 1

    def withdraw(self) -> bool:
        """End the request because its dossier is withdrawn; whether it was still open.

        One that has lapsed ends too: no late answer is awaited any more. ``lapsed_at`` keeps what was.
        """
        was_open = self.open
        if self.answered_at is None:
            self.state = RequestState.WITHDRAWN
        return was_open

    def reminders(self, policy: InformationRequestPolicy) -> list[tuple[int, datetime]]:
        """(days before the last day, instant) of each reminder that lies after the opening."""
        zone = ZoneInfo(policy.rule.zone)
        planned = []
        for reminder in policy.reminders:
            day = self.due_date - timedelta(days=reminder.days_before)
            instant = datetime.combine(day, reminder.at, tzinfo=zone).astimezone(UTC)
            if instant > self.opened_at:
                planned.append((reminder.days_before, instant))
        return planned

    def documents(self) -> list[dict[str, Any]]:
        """The pieces as events name them."""
        return listing(self.pieces)

    def _check_answerable(self) -> None:
        if self.answered_at is not None:
            raise RequestRefused("already_answered")
        if self.state == RequestState.WITHDRAWN:
            raise RequestRefused("request_withdrawn")
