"""``python -m synthetic_citizen [--once]``."""

import argparse
import sys

from espace import worker
from espace.config import SettingsError, load
from espace.telemetry import configure_logging
from espace.telemetry.metrics import describe
from synthetic_citizen.settings import Settings
from synthetic_citizen.vigil import NAME, Vigil


def main() -> int:
    """Go on for ever, or once: then the status says whether it went well."""
    parser = argparse.ArgumentParser(prog="python -m synthetic_citizen", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="where probes and metrics are served")
    parser.add_argument("--once", action="store_true", help="one journey, and say how it went")
    options = parser.parse_args()
    try:
        settings = load(Settings)
    except SettingsError as error:
        sys.stderr.write(f"{NAME}: the environment is not complete\n{error}\n")
        return 2
    configure_logging(NAME, "once" if options.once else "worker", strict=settings.environment == "test")
    describe(NAME, "worker")
    vigil = Vigil(settings)
    if options.once:
        return 0 if vigil.journey(worker.Stop()) else 1
    return worker.run([vigil], host=options.host, port=settings.worker_port)


if __name__ == "__main__":
    sys.exit(main())
