"""The pytest plugin: real servers, fresh databases, the mailbox, the whole platform and a browser."""

from espace_stack.testing.mailbox import mailbox, mailbox_part
from espace_stack.testing.servers import (
    FreshDatabase,
    Objects,
    _templates,
    amqp_url,
    fresh_database,
    objects,
    parts,
)

__all__ = [
    "FreshDatabase",
    "Objects",
    "_templates",
    "amqp_url",
    "fresh_database",
    "mailbox",
    "mailbox_part",
    "objects",
    "parts",
]
