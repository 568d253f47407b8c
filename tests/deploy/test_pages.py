"""The pages lead where they say."""

import re
from pathlib import Path

import pytest

from espace_stack.layout import ROOT

ROOMS = ("docs", "deploy", "services", "shared", "stack", "synthetic", "web")
FOUND = [page for room in ROOMS for page in sorted((ROOT / room).rglob("*.md"))]
PAGES = [ROOT / "README.md", *(page for page in FOUND if "node_modules" not in page.parts)]
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """The places in a page that a link may name, as GitHub makes them."""
    titles = HEADING.findall(page.read_text("utf-8"))
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_file_of_ours_leads_there(page: Path) -> None:
    for link in LINK.findall(page.read_text("utf-8")):
        place, _, anchor = link.partition("#")
        if "://" in link or link.startswith("mailto:"):
            continue
        target = (page.parent / place).resolve() if place else page
        assert target.exists(), link
        if anchor and target.suffix == ".md":
            assert anchor in anchors(target), link


def test_there_are_pages() -> None:
    assert len(PAGES) > 50


def test_pages_of_operations_are_listed() -> None:
    folder = ROOT / "docs" / "operations"
    listed = (folder / "README.md").read_text("utf-8")
    for page in folder.glob("*.md"):
        assert page.name == "README.md" or f"({page.name})" in listed, page.name
