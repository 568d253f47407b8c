"""``python -m dossier_service api|worker|migrate|openapi|dead-letters|refill|extend-requests``."""

import sys

from dossier_service.settings import Settings
from espace.program import Program


def main() -> None:
    """Do what the command line says."""
    if sys.argv[1:2] == ["extend-requests"]:
        from dossier_service import extensions

        sys.exit(extensions.command(sys.argv[2:]))
    Program(
        "dossier",
        settings=Settings,
        api="dossier_service.app:create_app",
        worker="dossier_service.worker:create_loops",
    ).main()


if __name__ == "__main__":
    main()
