"""``python -m documents_service``."""

from documents_service.settings import Settings
from espace.program import Program

Program(
    "documents",
    settings=Settings,
    api="documents_service.app:create_app",
    worker="documents_service.worker:create_loops",
).main()
