"""``python -m notifier_service api|worker|migrate|openapi|dead-letters|notifications``."""

import sys

from espace.program import Program
from notifier_service.settings import Settings


def main() -> None:
    """Do what the command line says."""
    if sys.argv[1:2] == ["notifications"]:
        from notifier_service import desk

        sys.exit(desk.command(sys.argv[2:]))
    Program(
        "notifier",
        settings=Settings,
        api="notifier_service.app:create_app",
        worker="notifier_service.worker:create_loops",
    ).main()


if __name__ == "__main__":
    main()
