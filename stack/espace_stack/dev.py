"""``make dev SERVICE=…``: one service in the foreground against the running stack, restarted on changes."""

import contextlib
import os
import signal
import sys
import time
from pathlib import Path
from typing import NoReturn

from espace_stack.layout import ROOT
from espace_stack.parts.programs import ProgramPart
from espace_stack.servers import together
from espace_stack.stack import Stack

_WATCHED = {".py", ".html", ".yaml", ".po", ".typ", ".js", ".css", ".txt"}


def develop(stack: Stack, service: str) -> int:
    """Take over the programs of ``service``; give them back to the stack at Ctrl-C.

    They are recorded like those of the stack: ``up`` leaves them alone, ``down`` stops them and ends this.
    """
    own = [p for p in stack.parts if isinstance(p, ProgramPart) and p.program.service == service]
    if not own:
        print(f"no service {service}", file=sys.stderr)
        return 1
    signal.signal(signal.SIGINT, _end)  # whoever started this may have had it ignored
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGHUP, _hang_up)
    stack.start()
    folders = [_folder_of(own[0]), ROOT / "shared" / "espace"]
    try:
        while True:
            seen = look(folders)
            with stack.lock():
                together([part.stop for part in own])
                for part in own:
                    part.begin(to_terminal=True)
            print(f"--- {service} runs at {stack.url(own[0].name)}; Ctrl-C ends", flush=True)
            while look(folders) == seen:
                if not _ours(own):
                    print(f"--- {service} was stopped", flush=True)
                    return 0
                time.sleep(0.5)
            print(f"--- {service} has changed", flush=True)
    except KeyboardInterrupt:
        return 0
    finally:
        _give_back(stack, own)


def look(folders: list[Path]) -> dict[Path, int]:
    """Every watched file with the time of its last change; files may come and go meanwhile."""
    found = {}
    for folder in folders:
        for place, _, names in os.walk(folder):
            for file in (Path(place, name) for name in names):
                if file.suffix in _WATCHED:
                    with contextlib.suppress(FileNotFoundError):
                        found[file] = file.stat().st_mtime_ns
    return found


def _ours(own: list[ProgramPart]) -> bool:
    """Whether nobody else has stopped the programs; those that ended by themselves wait for a change."""
    return any(part.process.recorded for part in own)


def _give_back(stack: Stack, own: list[ProgramPart]) -> None:
    if _ours(own):
        together([part.stop for part in own])
        stack.start()


def _end(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def _hang_up(*_: object) -> NoReturn:
    """The terminal is gone: nothing more is said there."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.dup2(nowhere, sys.stderr.fileno())
    raise KeyboardInterrupt


def _folder_of(part: ProgramPart) -> Path:
    module = __import__(part.program.package)
    return Path(str(module.__file__)).parent
