"""Runs web's migrations."""

from espace.db.migrations import run_env
from espace_web.tables import metadata

run_env(metadata)
