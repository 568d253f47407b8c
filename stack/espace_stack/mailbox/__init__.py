"""The mail catcher: takes every message, sends none on, shows them on a page, misbehaves on demand.

Tests read it through :class:`espace_stack.mailbox.client.Mailbox`.
"""
