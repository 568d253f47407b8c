"""Alembic's entry; the kit does the work."""

from espace.db.migrations import run_env
from notifier_service.tables import metadata

run_env(metadata)
