"""``python -m profile_service``."""

from espace.program import Program
from profile_service.settings import Settings

Program(
    "profile",
    settings=Settings,
    api="profile_service.app:create_app",
    worker="profile_service.worker:create_loops",
).main()
