"""``python -m notifier_service api|worker|migrate|openapi|dead-letters|refill|notifications``."""

from espace.program import Program
from notifier_service.settings import Settings

if __name__ == "__main__":
    Program(
        "notifier",
        settings=Settings,
        api="notifier_service.app:create_app",
        worker="notifier_service.worker:create_loops",
        commands={"notifications": "notifier_service.desk:command"},
    ).main()
