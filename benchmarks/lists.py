"""Lists and searches with few and with many dossiers there."""

import statistics
import time
from collections.abc import Iterator
from urllib.parse import quote

import psutil

from benchmarks.claim import Claim
from benchmarks.finding import Finding
from benchmarks.ground import Ground, ground
from benchmarks.lean import Lean
from benchmarks.people import People
from benchmarks.turns import percentile
from tests.e2e.app import App
from tests.e2e.pdfs import signed_claim

FEW, MANY = 10_000, 1_000_000
OWN = 60
BLOCKS, REQUESTS = 3, 500
"""The median of the blocks counts: a p99 is made by the few answers that something else delayed."""
OTHERS_EACH = 4
CHUNK = 100_000
ASKED = {
    "list of dossiers": "dossier/v1/dossiers?page=1&page_size=20",
    "list by number, third page": "dossier/v1/dossiers?page=3&page_size=20&sort=number",
    "list of the deposited": "dossier/v1/dossiers?state=submitted&page_size=20",
    "search among procedures": f"dossier/v1/procedures?q={quote('réclamation')}",
    "search among communes": "dossier/v1/communes?q=namur",
}
_COLUMNS = """procedure, procedure_version, prefilled, typed, state, version, created_at, saved_at,
    validated_at, values_sha256, received_at, deposited_sha256"""
_COPY = f"""
    INSERT INTO dossiers (id, citizen_id, number, {_COLUMNS})
    SELECT gen_random_uuid(), CASE WHEN n <= %(own)s::int THEN citizen_id ELSE
        md5((n / {OTHERS_EACH})::text)::uuid END, 'BENCH-' || n, {_COLUMNS}
    FROM (SELECT * FROM dossiers WHERE number LIKE 'ME-%%' LIMIT 1) one,
        generate_series(%(first)s::int, %(last)s::int) n
"""


def run() -> Iterator[Finding]:
    """A real claim is copied, a few times to its own citizen and often to others."""
    with ground() as at:
        (app,) = People(at).apps(1)
        gateway = Lean(at.stack.url("gateway"))
        Claim(gateway, str(app.tokens["access_token"]), signed_claim()).file()
        with at.api("dossier") as url:
            process = _process(url)
            _seed(at, 1, FEW)
            few = {name: _p99(url, app, path) for name, path in ASKED.items()}
            small = process.memory_info().rss
            _seed(at, FEW + 1, MANY)
            many = {name: _p99(url, app, path) for name, path in ASKED.items()}
            large = process.memory_info().rss
        app.http.close()
    for name in ASKED:
        yield Finding(
            what=f"{name}, {MANY:,} dossiers, p99 ms",
            ours=many[name],
            peer=few[name],
            peer_name=f"with {FEW:,}",
            goal=1.3,
            at_most=True,
        )
    yield Finding(
        what=f"memory of dossier's API, {MANY:,} dossiers, MB",
        ours=large / 1e6,
        peer=small / 1e6,
        peer_name=f"with {FEW:,}",
        goal=1.3,
        at_most=True,
    )


def _process(url: str) -> psutil.Process:
    """The program that listens there."""
    port = int(url.rsplit(":", 1)[1])
    for connection in psutil.net_connections("tcp"):
        if connection.status == psutil.CONN_LISTEN and connection.laddr[1:] == (port,) and connection.pid:
            return psutil.Process(connection.pid)
    raise RuntimeError(f"nobody listens at {url}")


def _seed(at: Ground, first: int, last: int) -> None:
    with at.connect("dossier") as connection:
        for start in range(first, last + 1, CHUNK):
            end = min(last, start + CHUNK - 1)
            connection.execute(_COPY, {"own": OWN, "first": start, "last": end})
        connection.execute("VACUUM ANALYZE dossiers")
        row = connection.execute("SELECT count(*) FROM dossiers").fetchone()
    if row != (last + 1,):
        raise RuntimeError(f"{row} dossiers and not {last + 1}")


def _p99(url: str, app: App, path: str) -> float:
    """Milliseconds of 99 of 100 answers, asked one after the other."""
    app.refresh()
    client = Lean(url)
    headers = {"Authorization": f"Bearer {app.tokens['access_token']}"}
    found = [_block(client, headers, path) for _ in range(BLOCKS)]
    client.close()
    return statistics.median(found)


def _block(client: Lean, headers: dict[str, str], path: str) -> float:
    took = []
    for _ in range(REQUESTS):
        asked = time.monotonic()
        answer = client.ask("GET", f"/api/{path}", headers)
        took.append(1000 * (time.monotonic() - asked))
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status} {answer.body[:300]!r}")
    return percentile(took, 0.99)
