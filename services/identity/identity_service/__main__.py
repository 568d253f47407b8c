"""``python -m identity_service api|worker|migrate|openapi``, and ``disable|enable|erase <citizen>``."""

from espace.program import Program
from identity_service.settings import Settings

if __name__ == "__main__":
    Program(
        "identity",
        settings=Settings,
        api="identity_service.app:create_app",
        worker="identity_service.worker:create_loops",
        commands={name: f"identity_service.desk:{name}" for name in ("disable", "enable", "erase")},
    ).main()
