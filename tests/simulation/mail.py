"""A mail server in memory."""

from email.message import EmailMessage
from typing import Literal

from espace import crash
from notifier_service.model import Undeliverable
from notifier_service.smtp import Postponed

Mood = Literal["", "451", "550", "lost"]


class MemoryMail:
    """Keeps what it takes. ``ambiguous`` is how often nobody was told that it did; ``refused`` are the
    Message-IDs it will never take.
    """

    def __init__(self) -> None:
        self.taken: list[tuple[str, str]] = []  # Message-ID, recipient
        self.refused: set[str] = set()
        self.ambiguous = 0
        self._mood: Mood = ""

    def be(self, mood: Mood) -> None:
        """What it does with the next message: take it, answer 4xx or 5xx, or break off after DATA."""
        self._mood = mood

    def send(self, message: EmailMessage, *, sender: str, to: str, started: float) -> None:
        """As :meth:`notifier_service.smtp.MailServer.send`."""
        mood, self._mood = self._mood, ""
        if mood == "451":
            raise Postponed("smtp_451")
        if mood == "550":
            self.refused.add(str(message["Message-ID"]))
            raise Undeliverable("smtp_550")
        crash.point("notifier.before_data")
        self.taken.append((str(message["Message-ID"]), to))
        self.ambiguous += 1
        if mood == "lost":
            raise Postponed("connection_lost_at_data")
        crash.point("notifier.after_smtp_250")
        self.ambiguous -= 1
