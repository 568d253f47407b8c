"""The mail catcher as a part."""

import sys
from pathlib import Path

from espace_stack.mailbox.client import Mailbox
from espace_stack.part import Part
from espace_stack.ports import Ports, answers


class MailboxPart(Part):
    """``python -m espace_stack.mailbox``; messages stay in the stack's folder."""

    port_names = ("mailbox", "smtp")
    stop_seconds = 5

    def __init__(self, folder: Path, ports: Ports) -> None:
        super().__init__("mailbox", folder, ports)

    @property
    def url(self) -> str:
        """The page's address."""
        return f"http://127.0.0.1:{self.ports['mailbox']}"

    @property
    def client(self) -> Mailbox:
        """To read it and turn its switches."""
        return Mailbox(self.url, self.ports["smtp"])

    def command(self) -> list[str]:
        ports = ["--smtp-port", str(self.ports["smtp"]), "--http-port", str(self.ports["mailbox"])]
        folder = ["--folder", str(self.folder / "mailbox")]
        return [sys.executable, "-m", "espace_stack.mailbox", *folder, *ports]

    def ready(self) -> bool:
        return answers(self.ports["mailbox"]) and answers(self.ports["smtp"])
