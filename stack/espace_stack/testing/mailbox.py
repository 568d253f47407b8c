"""The mailbox for tests of one service."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from espace_stack.mailbox.client import Mailbox
from espace_stack.parts.mailbox import MailboxPart
from espace_stack.ports import Ports
from espace_stack.reaper import reaped


@pytest.fixture(scope="session")
def mailbox_part() -> Iterator[MailboxPart]:
    """The mail catcher's process, to kill, pause and restart."""
    folder = Path(tempfile.mkdtemp(prefix="espace-mailbox-"))
    part = MailboxPart(folder, Ports(folder / "ports.json"))
    with reaped(folder):
        part.start()
        yield part
        part.kill()


@pytest.fixture
def mailbox(mailbox_part: MailboxPart) -> Mailbox:
    """An empty, well-behaved mailbox."""
    mailbox_part.start()
    mailbox_part.client.clear()
    mailbox_part.client.switch("ok")
    return mailbox_part.client
