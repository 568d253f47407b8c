"""Fixtures of every test: the stack's plugin."""

pytest_plugins = ["espace_stack.testing"]
