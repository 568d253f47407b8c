"""What tests do with the mailbox."""

from dataclasses import dataclass, field
from typing import Any

import httpx

from espace.auth import tls
from espace.testing import until
from espace_stack.mailbox.smtp import Mode


@dataclass(frozen=True)
class Message:
    """A received message; ``to`` are the envelope's recipients."""

    id: str
    sender: str
    to: tuple[str, ...]
    subject: str
    message_id: str
    text: str | None
    html: str | None
    received_at: str
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Message":
        """From the mailbox's own JSON."""
        known = {name: data[name] for name in ("id", "subject", "message_id", "text", "html", "received_at")}
        return cls(sender=data["from"], to=tuple(data["to"]), headers=data["headers"], **known)


class Mailbox:
    """Reads a mail catcher and turns its switches."""

    def __init__(self, url: str, smtp_port: int, smtp_host: str = "127.0.0.1") -> None:
        self.url = url
        self.smtp_host = smtp_host
        self.smtp_port = smtp_port

    def messages(self, to: str | None = None) -> list[Message]:
        """What has arrived (for one address), the oldest first."""
        answer = self._ask("GET", "messages", params={"to": to} if to else {})
        return [Message.from_json(entry) for entry in answer.json()]

    def wait_for(
        self, to: str | None = None, *, count: int = 1, subject: str = "", seconds: float = 30
    ) -> list[Message]:
        """Wait until ``count`` messages (to that address, with that part in the subject) are there.

        Raises:
            AssertionError: with what has come instead.
        """

        def arrived() -> list[Message] | None:
            found = [message for message in self.messages(to) if subject in message.subject]
            return found if len(found) >= count else None

        def told() -> str:
            came = [(message.to, message.subject) for message in self.messages()]
            return f"{count} messages to {to} ({subject!r}); all: {came}"

        return until(told, arrived, seconds)

    def switch(self, mode: Mode, times: int | None = None) -> None:
        """Answer the next ``times`` deliveries (or all from now on) in that mode."""
        wish = {"mode": mode, "times": times}
        self._ask("POST", "switches", json=wish)

    def clear(self) -> None:
        """Forget all messages."""
        self._ask("DELETE", "messages")

    def _ask(self, method: str, what: str, **options: Any) -> httpx.Response:
        url = f"{self.url}/api/{what}"
        answer = httpx.request(method, url, timeout=10, verify=tls.context(url), **options)
        return answer.raise_for_status()
