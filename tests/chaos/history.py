"""What clients did and learned, a line each: the only truth the checkers start from.

An operation is *invoked*, and then it is ``ok`` (the answer says that it happened), ``fail`` (the answer
proves that it did not) or ``info`` (nobody knows: a timeout, a reset, a 5xx). One that never ended is
``info`` too. Taking an ``info`` for a ``fail`` would let the platform do things nobody is told of.
"""

import json
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from espace.clock import utcnow

Outcome = Literal["ok", "fail", "info"]


@dataclass(frozen=True)
class Line:
    """One line: ``i`` ties an end to its beginning; ``t_mono`` in seconds, ``t_wall`` as RFC 3339."""

    i: int
    process: str
    type: Literal["invoke", "ok", "fail", "info"]
    f: str
    key: str
    value: Any
    t_mono: float
    t_wall: str


@dataclass(frozen=True)
class Operation:
    """A beginning with its end; ``value`` is the answer's, or what was asked where there was none."""

    process: str
    f: str
    key: str
    outcome: Outcome
    value: Any
    began: float
    ended: float


class History:
    """A file of lines, each with the disk before the client goes on. For many threads."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._next = 0

    def invoke(self, process: str, f: str, key: str, value: Any = None) -> int:
        """Say that an operation begins; its number."""
        with self._lock:
            number, self._next = self._next, self._next + 1
            self._write(Line(number, process, "invoke", f, key, value, time.monotonic(), _wall()))
        return number

    def end(self, number: int, process: str, outcome: Outcome, f: str, key: str, value: Any = None) -> None:
        """Say how it ended."""
        with self._lock:
            self._write(Line(number, process, outcome, f, key, value, time.monotonic(), _wall()))

    def operations(self) -> list[Operation]:
        """Every operation, in the order in which they began."""
        begun: dict[int, Line] = {}
        ended: dict[int, Line] = {}
        for line in self._lines():
            (begun if line.type == "invoke" else ended)[line.i] = line
        return [_paired(line, ended.get(number)) for number, line in sorted(begun.items())]

    def _lines(self) -> Iterator[Line]:
        for written in self._file.read_text(encoding="utf-8").splitlines():
            yield Line(**json.loads(written))

    def _write(self, line: Line) -> None:
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(line)) + "\n")
            file.flush()
            os.fsync(file.fileno())


def _paired(begun: Line, ended: Line | None) -> Operation:
    if ended is None or ended.type == "invoke":
        return Operation(begun.process, begun.f, begun.key, "info", begun.value, begun.t_mono, float("inf"))
    value = begun.value if ended.value is None else ended.value
    return Operation(begun.process, begun.f, begun.key, ended.type, value, begun.t_mono, ended.t_mono)


def _wall() -> str:
    return utcnow().isoformat()
