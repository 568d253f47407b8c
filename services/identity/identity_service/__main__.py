"""``python -m identity_service api|worker|migrate|openapi``, and ``disable|enable|erase <citizen>``."""

import sys

from espace.program import Program
from identity_service.settings import Settings

PROGRAM = Program(
    "identity",
    settings=Settings,
    api="identity_service.app:create_app",
    worker="identity_service.worker:create_loops",
)


def main() -> None:
    """Do what the command line says."""
    if len(sys.argv) > 1 and sys.argv[1] in ("disable", "enable", "erase"):
        from identity_service import desk

        sys.exit(desk.command(sys.argv[1], sys.argv[2:]))
    PROGRAM.main()


if __name__ == "__main__":
    main()
