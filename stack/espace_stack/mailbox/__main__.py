"""``python -m espace_stack.mailbox``: SMTP and the pages, on the loopback address."""

import argparse
import logging
import signal
from pathlib import Path

from werkzeug.serving import make_server

from espace_stack.mailbox.pages import create_app
from espace_stack.mailbox.smtp import Switch, start_smtp
from espace_stack.mailbox.store import MessageStore


def main() -> None:
    """Serve until asked to end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="where messages are kept")
    parser.add_argument("--smtp-port", type=int, required=True)
    parser.add_argument("--http-port", type=int, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    options = parser.parse_args()
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    store, switch = MessageStore(options.folder), Switch()
    smtp = start_smtp(options.host, options.smtp_port, store, switch)
    server = make_server(options.host, options.http_port, create_app(store, switch), threaded=True)
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        smtp.stop()


if __name__ == "__main__":
    main()
