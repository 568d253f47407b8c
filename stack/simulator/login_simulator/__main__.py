"""``python -m login_simulator --host 127.0.0.1 --port 8081``."""

import argparse
import os
import sys

from granian.constants import Interfaces
from granian.server import Server

from login_simulator.settings import SettingsError, load


def main() -> int:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(prog="login_simulator", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8081)
    arguments = parser.parse_args()
    try:
        load()
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    os.environ.setdefault("AUTHLIB_INSECURE_TRANSPORT", "1")  # a demonstration on the loopback has no TLS
    Server(
        "login_simulator.app:create_app",
        factory=True,
        address=arguments.host,
        port=arguments.port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=4,
        websockets=False,
        workers_kill_timeout=5,
        log_access=False,
    ).serve()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
