"""Messages on disk, one file each, so that a restart forgets nothing."""

import email.policy
import json
import secrets
import threading
import time
from datetime import UTC, datetime
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Any


class MessageStore:
    """The folder of received messages, in order of arrival."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._read: dict[str, dict[str, Any]] = {}  # a message never changes
        folder.mkdir(parents=True, exist_ok=True)

    def add(self, sender: str, recipients: list[str], content: bytes) -> str:
        """Keep a message; returns its id."""
        name = f"{time.time_ns():020d}-{secrets.token_hex(4)}"
        envelope = {"from": sender, "to": recipients}
        with self._lock:
            (self._folder / f"{name}.eml").write_bytes(content)
            temporary = self._folder / f"{name}.new"
            temporary.write_text(json.dumps(envelope))
            temporary.replace(self._folder / f"{name}.json")
        return name

    def all(self, to: str | None = None) -> list[dict[str, Any]]:
        """Every message (to one address), the oldest first."""
        found = [self.get(path.stem) for path in sorted(self._folder.glob("*.json"))]
        messages = [message for message in found if message is not None]
        return [message for message in messages if to is None or to in message["to"]]

    def get(self, name: str) -> dict[str, Any] | None:
        """One message with its parts, or nothing."""
        if name not in self._read:
            raw = self.raw(name)
            if raw is None:
                return None
            self._read[name] = self._parsed(name, raw)
        return self._read[name]

    def _parsed(self, name: str, raw: bytes) -> dict[str, Any]:
        envelope = json.loads((self._folder / f"{name}.json").read_text())
        arrived = (self._folder / f"{name}.eml").stat().st_mtime
        message = BytesParser(policy=email.policy.default).parsebytes(raw)
        assert isinstance(message, EmailMessage)
        return {
            "id": name,
            **envelope,
            "received_at": datetime.fromtimestamp(arrived, UTC).isoformat(),
            "subject": str(message["Subject"] or ""),
            "message_id": str(message["Message-ID"] or ""),
            "headers": {key: str(value) for key, value in message.items()},
            "text": _body(message, "plain"),
            "html": _body(message, "html"),
        }

    def raw(self, name: str) -> bytes | None:
        """The message as it came."""
        path = self._folder / f"{Path(name).name}.eml"
        return path.read_bytes() if path.exists() else None

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            for path in self._folder.iterdir():
                path.unlink()
            self._read.clear()


def _body(message: EmailMessage, kind: str) -> str | None:
    part = message.get_body(preferencelist=(kind,))
    return part.get_content() if part is not None else None
