"""``python -m dossier_service api|worker|migrate|openapi|dead-letters|refill|extend-requests|outsiders``."""

from dossier_service.settings import Settings
from espace.program import Program

if __name__ == "__main__":
    Program(
        "dossier",
        settings=Settings,
        api="dossier_service.app:create_app",
        worker="dossier_service.worker:create_loops",
        commands={
            "extend-requests": "dossier_service.extensions:command",
            "outsiders": "dossier_service.outsiders:command",
        },
    ).main()
