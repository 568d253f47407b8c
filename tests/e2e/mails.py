"""The messages that really arrived."""

import re
from typing import Protocol

from espace.testing import until
from espace_stack.mailbox.client import Message
from espace_stack.testing.platform import Platform
from tests.e2e.canaries import remember

LINK = re.compile(r"https?://\S+/confirmation/(\S+)")


class Addressee(Protocol):
    """Whoever has an address: a citizen, or her application."""

    @property
    def email(self) -> str:
        """Where messages go."""


def mails(platform: Platform, to: Addressee, words: str) -> list[Message]:
    """The messages to this citizen whose text has these words."""
    return [m for m in platform.mail.messages(to=to.email) if words in (m.text or "")]


def mail(platform: Platform, to: Addressee, words: str, seconds: float = 60) -> Message:
    """The one message with these words, waited for."""
    found = until(f"a mail with {words!r} to {to.email}", lambda: mails(platform, to, words), seconds)
    assert len(found) == 1, [m.subject for m in found]
    return found[0]


def link(platform: Platform, to: Addressee) -> str:
    """The address that confirms the citizen's own, from the latest message that has one."""
    message = until(f"a mail with a link to {to.email}", lambda: mails(platform, to, "/confirmation/"))[-1]
    found = LINK.search(message.text or "")
    assert found
    remember("link of a mail", found[1])
    return found.group()
