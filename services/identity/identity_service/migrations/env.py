from espace.db.migrations import run_env
from identity_service.tables import Base

run_env(Base.metadata)
