"""``make dev SERVICE=…``: one service in the foreground against the running stack, restarted on changes."""

import subprocess
import sys
import time
from pathlib import Path

from espace_stack.layout import ROOT
from espace_stack.parts.programs import ProgramPart
from espace_stack.process import base_environment
from espace_stack.stack import Stack

_WATCHED = {".py", ".html", ".yaml", ".po", ".typ", ".js", ".css", ".txt"}


def develop(stack: Stack, service: str) -> int:
    """Take over the programs of ``service``; give them back to the stack at Ctrl-C."""
    own = [p for p in stack.parts if isinstance(p, ProgramPart) and p.program.service == service]
    if not own:
        print(f"no service {service}", file=sys.stderr)
        return 1
    stack.start()
    folders = [_folder_of(own[0]), ROOT / "shared" / "espace"]
    for part in own:
        part.stop()
    children: list[subprocess.Popen[bytes]] = []
    try:
        while True:
            seen = _newest(folders)
            children = [_run(part) for part in own]
            print(f"--- {service} runs at {stack.url(own[0].name)}; Ctrl-C ends", flush=True)
            while _newest(folders) == seen:
                time.sleep(0.5)
            print(f"--- {service} has changed", flush=True)
            _end(children)
    except KeyboardInterrupt:
        return 0
    finally:
        _end(children)
        stack.start()


def _run(part: ProgramPart) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        part.command(), env={**base_environment(), **part.environment()}, start_new_session=True
    )


def _end(children: list["subprocess.Popen[bytes]"]) -> None:
    for child in children:
        child.terminate()
    for child in children:
        child.wait()


def _folder_of(part: ProgramPart) -> Path:
    module = __import__(part.program.package)
    return Path(str(module.__file__)).parent


def _newest(folders: list[Path]) -> float:
    files = (path for folder in folders for path in folder.rglob("*") if path.suffix in _WATCHED)
    return max(path.stat().st_mtime for path in files)
