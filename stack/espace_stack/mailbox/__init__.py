"""The mail catcher: takes every message, sends none on, shows them on a page, and can misbehave on demand."""

from espace_stack.mailbox.client import Mailbox, Message

__all__ = ["Mailbox", "Message"]
