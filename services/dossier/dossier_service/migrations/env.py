"""Alembic's entry: the kit does the work."""

from dossier_service.tables import metadata
from espace.db.migrations import run_env

run_env(metadata)
