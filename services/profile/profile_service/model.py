"""A citizen's profile: private e-mail and its confirmation, the citizen space, language, notices seen."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

LINK_LIFE = timedelta(hours=24)
"""The guide: « La durée de validité de ce mail est de 24 heures »."""
MESSAGES_PER_HOUR = 5
REPEAT_WINDOW = timedelta(minutes=1)
"""The same address given again within this time is a double click, not a wish for another message."""


class Space(StrEnum):
    """What there is of the citizen space."""

    NONE = "none"
    PENDING = "pending"
    CONFIRMED = "confirmed"


class Notice(StrEnum):
    """What a citizen is told until he has seen it."""

    NEWS = "news"
    COOKIES = "cookies"
    DATA_PROTECTION = "data_protection"


class LinkState(StrEnum):
    """What a confirmation link is worth."""

    OPEN = "open"
    USED = "used"
    REPLACED = "replaced"
    EXPIRED = "expired"


class TooManyMessages(Exception):
    """The citizen asked for more messages in an hour than we send; ``retry_after`` says when again."""

    def __init__(self, retry_after: timedelta) -> None:
        super().__init__(f"again in {retry_after}")
        self.retry_after = retry_after


class NothingToConfirm(Exception):
    """No address waits for its confirmation."""


class LinkRefused(Exception):
    """The link is expired or replaced."""

    def __init__(self, state: LinkState) -> None:
        super().__init__(state)
        self.state = state


@dataclass
class Confirmation:
    """One message with one link to one address; used once or never."""

    id: UUID
    email: str
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = None
    replaced_at: datetime | None = None

    def state(self, now: datetime) -> LinkState:
        """What its link is worth at ``now``."""
        if self.used_at:
            return LinkState.USED
        if self.replaced_at:
            return LinkState.REPLACED
        return LinkState.EXPIRED if now >= self.expires_at else LinkState.OPEN


@dataclass
class Profile:
    """What one citizen told us about himself; ``version`` counts its published changes."""

    citizen_id: UUID
    language: str = "fr"
    private_email: str | None = None
    space_confirmed_at: datetime | None = None
    version: int = 0
    pending: Confirmation | None = field(default=None)

    def space(self) -> Space:
        """The state of the citizen space."""
        if self.space_confirmed_at:
            return Space.CONFIRMED
        return Space.PENDING if self.pending else Space.NONE

    def ask(self, confirmation_id: UUID, email: str, now: datetime, recent: list[datetime]) -> Confirmation:
        """A new confirmation of ``email``, in place of the one that waits; the confirmed address stays.

        Args:
            recent: when messages were asked for during the last hour.

        Raises:
            TooManyMessages: it would be one too many.
        """
        if len(recent) >= MESSAGES_PER_HOUR:
            raise TooManyMessages(sorted(recent)[-MESSAGES_PER_HOUR] + timedelta(hours=1) - now)
        if self.pending:
            self.pending.replaced_at = now
        # Whole seconds: the link is derived from this instant, which has to survive the database.
        expires_at = (now + LINK_LIFE).replace(microsecond=0)
        self.pending = Confirmation(confirmation_id, email, now, expires_at)
        self.version += 1
        return self.pending

    def asks_again(self, email: str, now: datetime) -> bool:
        """Whether ``email`` was given a moment ago, and a message for it is on its way already."""
        waits = self.pending
        return waits is not None and waits.email == email and now - waits.created_at < REPEAT_WINDOW

    def keep_confirmed(self, now: datetime) -> None:
        """The citizen went back to the address he has: what waits is not wanted any more."""
        if self.pending:
            self.pending.replaced_at = now
            self.pending = None

    def confirm(self, confirmation: Confirmation, now: datetime) -> bool:
        """Use the link.

        Returns:
            False when it was used before, which is harmless.

        Raises:
            LinkRefused: it is replaced or expired.
        """
        state = confirmation.state(now)
        if state is LinkState.USED:
            return False
        if state is not LinkState.OPEN:
            raise LinkRefused(state)
        confirmation.used_at = now
        self.private_email = confirmation.email
        self.pending = None
        return True

    def open_space(self, now: datetime) -> bool:
        """Create the citizen space; False when there is one."""
        if self.space_confirmed_at:
            return False
        self.space_confirmed_at = now
        self.version += 1
        return True
