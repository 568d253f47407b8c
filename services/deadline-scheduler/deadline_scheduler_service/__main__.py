"""``python -m deadline_scheduler_service``: see ``espace.program`` for the commands."""

from deadline_scheduler_service.settings import Settings
from espace.program import Program

if __name__ == "__main__":
    Program(
        "scheduler",
        settings=Settings,
        api="deadline_scheduler_service.app:create_app",
        worker="deadline_scheduler_service.worker:create_loops",
    ).main()
