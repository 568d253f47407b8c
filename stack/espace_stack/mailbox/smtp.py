"""The SMTP side, with the switches that make it fail in the ways a real relay does."""

import asyncio
import threading
from dataclasses import dataclass
from typing import Literal, get_args

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from espace_stack.mailbox.store import MessageStore

Mode = Literal["ok", "4xx", "5xx", "hang", "drop_after_data"]
MODES: tuple[str, ...] = get_args(Mode)


@dataclass
class Switch:
    """How the next deliveries are answered; ``times`` counts down to normal, nothing means until changed."""

    mode: Mode = "ok"
    times: int | None = None

    def __post_init__(self) -> None:
        self._lock = threading.Lock()

    def set(self, mode: Mode, times: int | None) -> None:
        """Change it."""
        with self._lock:
            self.mode, self.times = mode, times

    def take(self) -> Mode:
        """The mode for one delivery."""
        with self._lock:
            mode = self.mode
            if mode != "ok" and self.times is not None:
                self.times -= 1
                if self.times <= 0:
                    self.mode, self.times = "ok", None
            return mode


class Receiver:
    """aiosmtpd's handler: one call a message."""

    def __init__(self, store: MessageStore, switch: Switch) -> None:
        self._store = store
        self._switch = switch

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: ARG002, N802
        """Answer the end of DATA as the switch says."""
        mode = self._switch.take()
        if mode == "4xx":
            return "451 4.3.0 Try again later"
        if mode == "5xx":
            return "550 5.1.1 No such mailbox"
        if mode == "hang":
            await asyncio.sleep(3600)
        content = envelope.content or b""
        raw = content if isinstance(content, bytes) else content.encode()
        self._store.add(envelope.mail_from or "", list(envelope.rcpt_tos), raw)
        if mode == "drop_after_data" and isinstance(server.transport, asyncio.Transport):
            server.transport.abort()
        return "250 2.0.0 Kept"


def start_smtp(host: str, port: int, store: MessageStore, switch: Switch) -> Controller:
    """Listen in a thread of its own."""
    controller = Controller(
        Receiver(store, switch),
        hostname=host,
        port=port,
        data_size_limit=20 * 1024 * 1024,
        enable_SMTPUTF8=True,
    )
    controller.start()
    return controller
