"""``python -m notifier_service api|worker|migrate|openapi|dead-letters``."""

from espace.program import Program
from notifier_service.settings import Settings

if __name__ == "__main__":
    Program(
        "notifier",
        settings=Settings,
        api="notifier_service.app:create_app",
        worker="notifier_service.worker:create_loops",
    ).main()
