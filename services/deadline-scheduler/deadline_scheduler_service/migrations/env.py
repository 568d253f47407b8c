from deadline_scheduler_service.tables import metadata
from espace.db.migrations import run_env

run_env(metadata)
