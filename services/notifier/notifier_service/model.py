"""A message to a citizen and what can become of it. Pure: no SQL, SMTP, HTTP or clock."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID, uuid5


class Template(StrEnum):
    """What a message says."""

    SPACE_CONFIRMATION = "space_confirmation"
    RECEIPT = "receipt"
    DRC_OPENED = "drc_opened"
    DRC_REMINDER = "drc_reminder"
    DRC_ANSWERED = "drc_answered"
    DRC_LAPSED = "drc_lapsed"


class State(StrEnum):
    """What became of a message: created → sending → sent, or temporary → sending …, failed, not_sent."""

    CREATED = "created"
    SENDING = "sending"
    TEMPORARY = "temporary"
    SENT = "sent"
    FAILED = "failed"
    NOT_SENT = "not_sent"


PENDING: Final = (State.CREATED, State.SENDING, State.TEMPORARY)
CHANNEL: Final = "email"
CURRENT_VERSION: Final[Mapping[Template, int]] = dict.fromkeys(Template, 1)
"""The version of each template that new messages get; a message keeps its own."""

_PAUSES: Final = (2.0, 10.0, 60.0, 300.0, 1800.0, 7200.0)
"""Seconds before the next attempt, by attempts made; the last one repeats, for as long as it takes."""


@dataclass(frozen=True)
class Outcome:
    """How an attempt ended.

    Attributes:
        state: sent, temporary, failed or not_sent.
        reason: a code without personal data, e.g. ``answered``, ``smtp_550``.
        language: in which it was written, when it was.
        body_sha256: of the text as written, when it was.
    """

    state: State
    reason: str | None = None
    language: str | None = None
    body_sha256: bytes | None = None


@dataclass(frozen=True)
class Claimed:
    """A message in one worker's hands.

    Attributes:
        attempt: its number, from 1; a report under an older number is ignored.
        facts: the data of the event that asked for it.
        since: when that happened.
    """

    id: UUID
    template: Template
    template_version: int
    recipient_id: UUID
    facts: Mapping[str, Any]
    attempt: int
    since: datetime
    request_id: str | None = None
    traceparent: str | None = None

    @property
    def synthetic(self) -> bool:
        """Whether it is about the synthetic citizen, who counts in no statistics."""
        return self.facts.get("synthetic") is True


class NotSent(Exception):
    """The message lost its reason before it was sent."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Undeliverable(Exception):
    """The message can never be sent."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def notification_id(event_id: UUID, template: Template, recipient_id: UUID) -> UUID:
    """The same event asks for the same message: a duplicate finds it there."""
    return uuid5(event_id, f"{template}:{recipient_id}")


def pause_after(attempts: int, scale: float, jitter: float) -> timedelta:
    """How long to wait after ``attempts`` failed ones; ``jitter`` is 0 to 1 and spreads by a tenth."""
    seconds = _PAUSES[min(attempts, len(_PAUSES)) - 1]
    return timedelta(seconds=seconds * scale * (1 + jitter / 10))
