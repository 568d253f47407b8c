"""What tracing costs the request that opens a dossier: two of its programs, one of them traced, in turns."""

import math
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import uuid4

import httpx

from espace_stack.ports import free_port
from espace_stack.probe import status_of
from espace_stack.process import base_environment
from espace_stack.stack import Stack
from espace_stack.testing.otlp import receiving
from espace_stack.testing.platform import Platform
from login_simulator.citizens import load
from tests.e2e.app import App
from tests.e2e.claims import QUESTION
from tests.e2e.conftest import confirm_space

PAIRS, REQUESTS = 240, 20
GOAL = 0.03
NORMAL_95 = 1.96


def cost(folder: Path) -> int:
    """Print the cost with its interval; 1 when all of the interval is above the goal."""
    stack = Stack(folder, private=True)
    try:
        stack.start()
        person = next(citizen for citizen in load() if citizen.username.startswith("citoyen"))
        app = App(stack.url("gateway"), person).login()
        confirm_space(Platform(stack), app)
        with ExitStack() as running:
            receiver = running.enter_context(receiving())
            plain = running.enter_context(_program(stack, {}))
            traced = running.enter_context(_program(stack, {"ESPACE_OTLP_ENDPOINT": receiver.url}))
            headers = {"Authorization": f"Bearer {app.tokens['access_token']}"}
            for url in (plain, traced):
                _seconds(url, headers)
            ratios = []
            for turn in range(PAIRS):
                order = (plain, traced) if turn % 2 else (traced, plain)
                took = {url: _seconds(url, headers) for url in order}
                ratios.append(math.log(took[traced] / took[plain]))
            recorded = len(receiver.spans())
        app.http.close()
    finally:
        stack.kill()
    if not recorded:
        raise RuntimeError("nothing was recorded: this would measure nothing")
    middle = statistics.fmean(ratios)
    half = NORMAL_95 * statistics.stdev(ratios) / math.sqrt(PAIRS)
    low, mean, high = (math.expm1(value) for value in (middle - half, middle, middle + half))
    verdict = "ok" if low <= GOAL else f"ABOVE {GOAL:.0%}"
    print(
        f"tracing, opening a dossier: {mean:+.1%} of time (95 %: {low:+.1%} to {high:+.1%}; "
        f"{PAIRS} pairs of {REQUESTS}; {recorded} spans), {verdict}"
    )
    return 0 if low <= GOAL else 1


@contextmanager
def _program(stack: Stack, more: dict[str, str]) -> Iterator[str]:
    """One more of dossier's APIs; its address."""
    port = free_port()
    command = [sys.executable, "-m", "dossier_service", "api", "--port", str(port)]
    environment = {**base_environment(), **stack.env("dossier-api"), **more}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    try:
        while status_of(f"http://127.0.0.1:{port}/readyz") != 200:
            if process.poll() is not None:
                raise RuntimeError(f"dossier's API ended with {process.returncode}")
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


def _seconds(url: str, headers: dict[str, str]) -> float:
    """Time for a block of requests over one connection, each as a client that is not traced sends it."""
    with httpx.Client(base_url=url, headers=headers, timeout=30) as client:
        began = time.perf_counter()
        for _ in range(REQUESTS):
            key = {"Idempotency-Key": str(uuid4())}
            client.post(
                "/api/dossier/v1/dossiers", json={"procedure": QUESTION}, headers=key
            ).raise_for_status()
        return time.perf_counter() - began
