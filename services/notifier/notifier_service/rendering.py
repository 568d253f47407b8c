"""From a template and its values to subject, text and HTML.

One source per template, version and language: ``templates/<template>/v<n>/<language>.txt``. Its first
line is the subject; blank lines part the blocks: paragraphs, ``- `` lists, ``> `` quotations, and
``[label](address)`` for a link. Text and HTML are made from the same blocks and so cannot differ. Values
are made one line long, so that none can begin a block; HTML escapes every one.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from notifier_service.model import Template

TEMPLATES = Path(__file__).parent / "templates"
LAYOUT_VERSION = 1
_LINK = re.compile(r"\[([^\]]+)\]\((\S+)\)")
_SUBJECT = "Subject: "
_MARKS = {"- ": "list", "> ": "quote"}


@dataclass(frozen=True)
class Block:
    """A paragraph, list, quotation or link; ``address`` is the link's."""

    kind: str
    lines: tuple[str, ...]
    address: str = ""


@dataclass(frozen=True)
class Rendered:
    """A message as a person reads it."""

    language: str
    subject: str
    text: str
    html: str


class Renderer:
    """Loads the templates once. Safe to share between threads."""

    def __init__(self, folder: Path = TEMPLATES) -> None:
        loader = FileSystemLoader(folder)
        options: dict[str, Any] = {"undefined": StrictUndefined, "trim_blocks": True, "lstrip_blocks": True}
        self._source = Environment(loader=loader, autoescape=False, finalize=_one_line, **options)  # noqa: S701
        self._page = Environment(loader=loader, autoescape=True, **options)

    def render(self, template: Template, version: int, language: str, values: Mapping[str, Any]) -> Rendered:
        """Write the message.

        Raises:
            jinja2.UndefinedError: a value is missing.
            jinja2.TemplateNotFound: there is no such template, version or language.
        """
        source = self._source.get_template(f"{template}/v{version}/{language}.txt").render(values)
        head, _, body = source.partition("\n")
        if not head.startswith(_SUBJECT):
            raise ValueError(f"{template} v{version} {language} does not begin with a subject")
        subject = head.removeprefix(_SUBJECT).strip()
        layout = f"layout/v{LAYOUT_VERSION}"
        blocks = parse(body)
        footer = parse(self._source.get_template(f"{layout}/{language}.txt").render())
        html = self._page.get_template(f"{layout}/layout.html").render(
            lang=language, subject=subject, blocks=blocks, footer=footer
        )
        text = "\n\n".join([*map(_plain, blocks), "-- \n" + "\n\n".join(map(_plain, footer))]) + "\n"
        return Rendered(language, subject, text, html)


def parse(source: str) -> list[Block]:
    """The blocks of a rendered source."""
    return [_block(part.strip().split("\n")) for part in re.split(r"\n\s*\n", source) if part.strip()]


def _block(lines: list[str]) -> Block:
    link = _LINK.fullmatch(lines[0]) if len(lines) == 1 else None
    if link:
        return Block("link", (link[1],), link[2])
    kind = _MARKS.get(lines[0][:2], "paragraph")
    if kind != "paragraph" and all(_MARKS.get(line[:2]) == kind for line in lines):
        return Block(kind, tuple(line[2:].strip() for line in lines))
    return Block("paragraph", tuple(line.strip() for line in lines))


def _plain(block: Block) -> str:
    if block.kind == "link":
        return f"{block.lines[0]}\n{block.address}"
    if block.kind == "list":
        return "\n".join(f"- {line}" for line in block.lines)
    if block.kind == "quote":
        return "\n".join(f"> {line}" for line in block.lines)
    return " ".join(block.lines)


def _one_line(value: Any) -> Any:
    """Turn line ends and control characters into spaces, drop what changes the direction of writing."""
    if not isinstance(value, str):
        return value
    shown = (" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in value)
    return re.sub(r"  +", " ", "".join(c for c in shown if c not in _DIRECTION)).strip()


_DIRECTION = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
