"""The POST that opens a dossier, against the least a Flask program can do with two inserts."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

from benchmarks import bare
from benchmarks.finding import Finding
from benchmarks.ground import Ground, ground
from benchmarks.lean import Lean
from benchmarks.people import People
from benchmarks.turns import in_turns
from espace_stack.ports import free_port
from espace_stack.probe import status_of
from espace_stack.servers import together
from tests.e2e.claims import QUESTION

CLIENTS = 4
SECONDS = 6.0
BODY = json.dumps({"procedure": QUESTION}).encode()


def run() -> Iterator[Finding]:
    """Both programs idle beside each other, asked in turns by four clients."""
    with ground() as at:
        (app,) = People(at).apps(1)
        token = str(app.tokens["access_token"])
        app.http.close()
        with at.connect("dossier") as connection:
            connection.execute(bare.TABLES.encode())
        with _bare(at) as peer, at.api("dossier") as ours:
            found = in_turns(
                {
                    "ours": lambda: _rate(at, ours, "/api/dossier/v1/dossiers", "dossiers", token),
                    "bare": lambda: _rate(at, peer, "/notes", "bench_lines", token),
                }
            )
    yield Finding(
        what="POST that opens a dossier (token, idempotency, identity asked), answers/s",
        ours=found["ours"],
        peer=found["bare"],
        peer_name="a bare Flask POST of two inserts",
        goal=0.5,
    )


@contextmanager
def _bare(at: Ground) -> Iterator[str]:
    port = free_port()
    command = ["-m", "benchmarks.bare", "api", "--port", str(port)]
    with at.program("bare", command, at.stack.env("dossier-api")) as process:
        url = f"http://127.0.0.1:{port}"
        at.await_("the bare program", lambda: status_of(f"{url}/readyz") == 200, process)
        yield url


def _rate(at: Ground, url: str, path: str, table: str, token: str) -> float:
    """Answers of 201 a second; each has left its row."""
    before = _count(at, table)
    end = time.monotonic() + SECONDS
    counts: list[int] = []

    def ask() -> None:
        client, made = Lean(url), 0
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        while time.monotonic() < end:
            answer = client.ask("POST", path, {**headers, "Idempotency-Key": str(uuid4())}, BODY)
            if answer.status != 201:
                raise RuntimeError(f"{answer.status} {answer.body[:300]!r}")
            made += 1
        client.close()
        counts.append(made)

    together([ask] * CLIENTS)
    made, rows = sum(counts), _count(at, table) - before
    if len(counts) != CLIENTS or made != rows:
        raise RuntimeError(f"{made} answers of {len(counts)} clients, {rows} rows")
    return made / SECONDS


def _count(at: Ground, table: str) -> int:
    ((count,),) = at.rows("dossier", f"SELECT count(*) FROM {table}")
    return int(count)
