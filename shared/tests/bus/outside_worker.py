"""A forwarder for tests, run as a process of its own; addresses and key come from the environment."""

import os
import sys

from espace import worker
from espace.auth.signing import Signer
from espace.db import Database
from espace.outside.forwarder import Forwarder
from espace.telemetry import configure_logging

if __name__ == "__main__":
    configure_logging("dossier", "worker", strict=True)
    database = Database(os.environ["ESPACE_DATABASE_URL"], application_name="outside worker")
    forwarder = Forwarder(
        "dossier", database, os.environ["ESPACE_AMQP_URL"], Signer(os.environ["ESPACE_EVENT_KEY"])
    )
    status = worker.run([forwarder], database, "dossier_service")
    database.dispose()
    sys.exit(status)
