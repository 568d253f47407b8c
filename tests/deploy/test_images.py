"""The images as an operator meets them: help, a clear word on what is missing, who runs in them, their size.

They need an engine and the images that ``docker compose build`` makes; ``make test-compose`` runs them.
"""

import json
import subprocess
from typing import Any

import pytest

from espace_stack.layout import IMAGES, ROOT, SERVICES
from tests.deploy.kubernetes import VERSION

pytestmark = pytest.mark.engine
MEGABYTE = 1_000_000
LARGEST = 300 * MEGABYTE
"""What all images together may add to the base."""


def run(image: str, *arguments: str, entrypoint: str | None = None) -> subprocess.CompletedProcess[str]:
    """A container that ends by itself."""
    other = ["--entrypoint", entrypoint] if entrypoint else []
    command = ["docker", "run", "--rm", "--network", "none", "--read-only", "--tmpfs", "/tmp", *other]
    return subprocess.run(
        [*command, f"espace/{image}:{VERSION}", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def inspect(image: str) -> Any:
    """What the engine knows of an image."""
    told = subprocess.run(
        ["docker", "image", "inspect", image], capture_output=True, text=True, check=True, timeout=60
    )
    (found,) = json.loads(told.stdout)
    return found


def own_size(image: str) -> int:
    """The size of the last layer that holds anything, in bytes: the program's own."""
    told = subprocess.run(
        ["docker", "history", "--human=false", "--format", "{{.Size}}", image],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return next(int(size) for size in told.stdout.split() if int(size))


@pytest.mark.parametrize("image", IMAGES)
def test_help_says_what_the_image_does(image: str) -> None:
    told = run(image, "--help")
    assert (told.returncode, "usage: " in told.stdout) == (0, True), told.stderr


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("role", [["api", "--port", "8000"], ["worker"]], ids=lambda role: role[0])
def test_what_is_not_set_is_named_all_at_once(service: str, role: list[str]) -> None:
    told = run(service, *role)
    assert told.returncode == 2
    for name in ("DATABASE_URL", "PUBLIC_URL"):
        assert f"ESPACE_{name} (or ESPACE_{name}_FILE) is not set" in told.stderr
    assert "Traceback" not in told.stderr


@pytest.mark.parametrize("image", IMAGES)
def test_nobody_runs_as_root_and_nothing_builds(image: str) -> None:
    assert run(image, "-u", entrypoint="id").stdout == "10001\n"
    for tool in ("uv", "gcc", "make"):
        assert run(image, "-c", f"command -v {tool}", entrypoint="sh").returncode != 0, tool


def test_the_judge_of_pdfs_runs_in_its_image() -> None:
    asked = (
        "from pathlib import Path; from documents_service.pdf_check import judge; "
        "print(judge.verdict(Path('/etc/passwd')).decode())"
    )
    judged = run("documents", "-I", "-c", asked, entrypoint="python3")
    assert (judged.returncode, judged.stdout) == (0, "bu\n"), "begun, and unreadable"


@pytest.mark.parametrize("image", IMAGES)
def test_labels_say_what_it_is(image: str) -> None:
    labels = inspect(f"espace/{image}:{VERSION}")["Config"]["Labels"]
    assert labels["org.opencontainers.image.version"] == VERSION
    assert labels["org.opencontainers.image.title"] == f"Mon Espace: {IMAGES[image][1]}"
    assert labels["org.opencontainers.image.licenses"] == "EUPL-1.2"


def test_all_of_them_together_add_little_to_their_base(capsys: pytest.CaptureFixture[str]) -> None:
    known = {image: inspect(f"espace/{image}:{VERSION}") for image in IMAGES}
    layers = {image: set(told["RootFS"]["Layers"]) for image, told in known.items()}
    common = set.intersection(*layers.values())
    assert {len(mine - common) for mine in layers.values()} == {1}, "each has one layer of its own"
    own = {image: own_size(f"espace/{image}:{VERSION}") for image in IMAGES}
    (shared,) = {told["Size"] - own[image] for image, told in known.items()}
    added = shared - inspect(base_image())["Size"] + sum(own.values())
    with capsys.disabled():
        print(f"\n{len(IMAGES)} images add {added / MEGABYTE:.0f} MB to their base")
    assert added <= LARGEST


def base_image() -> str:
    """The image that ours start from, as the Dockerfile says."""
    (line,) = (
        line
        for line in (ROOT / "Dockerfile").read_text().splitlines()
        if line.startswith("ARG PYTHON_IMAGE=")
    )
    return line.partition("=")[2]
