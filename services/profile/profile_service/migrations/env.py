"""Alembic's entry."""

from espace.db.migrations import run_env
from profile_service.tables import metadata

run_env(metadata)
