"""The pytest plugin: real servers, fresh databases, the mailbox, the whole platform and a browser."""

from espace_stack.testing.servers import Objects, amqp_url, fresh_database, objects, parts

__all__ = ["Objects", "amqp_url", "fresh_database", "objects", "parts"]
