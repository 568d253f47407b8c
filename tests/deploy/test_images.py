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


def layers(image: str) -> dict[str, int]:
    """Layer → its size in bytes, the base's first."""
    told = subprocess.run(
        ["docker", "history", "--no-trunc", "--human=false", "--format", "{{.Size}}", image],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    sizes = [int(size) for size in reversed(told.stdout.split()) if int(size)]
    digests = inspect(image)["RootFS"]["Layers"]
    return dict(zip(digests[-len(sizes) :], sizes, strict=True))


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


@pytest.mark.parametrize("image", IMAGES)
def test_labels_say_what_it_is(image: str) -> None:
    labels = inspect(f"espace/{image}:{VERSION}")["Config"]["Labels"]
    assert labels["org.opencontainers.image.version"] == VERSION
    assert labels["org.opencontainers.image.title"] == f"Mon Espace: {IMAGES[image][1]}"
    assert labels["org.opencontainers.image.licenses"] == "EUPL-1.2"


def test_all_of_them_together_add_little_to_their_base(capsys: pytest.CaptureFixture[str]) -> None:
    base = set(inspect(base_image())["RootFS"]["Layers"])
    added: dict[str, int] = {}
    for image in IMAGES:
        added |= {d: size for d, size in layers(f"espace/{image}:{VERSION}").items() if d not in base}
    total = sum(added.values())
    with capsys.disabled():
        print(f"\n{len(IMAGES)} images add {total / MEGABYTE:.0f} MB in {len(added)} layers")
    assert total <= LARGEST


def base_image() -> str:
    """The image that ours start from, as the Dockerfile says."""
    (line,) = (
        line
        for line in (ROOT / "Dockerfile").read_text().splitlines()
        if line.startswith("ARG PYTHON_IMAGE=")
    )
    return line.partition("=")[2]
