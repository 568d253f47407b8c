"""The forms of a page, as far as a person without script needs them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser

TICKED = ("checkbox", "radio")


@dataclass
class Form:
    """One form: its fields as they stand, and the buttons that can be pressed."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)

    def filled(self, answers: Mapping[str, str]) -> dict[str, str]:
        """What is sent when the fields that ``answers`` names are filled in, and its button is pressed."""
        typed = {name: answers[name] for name in self.fields if name in answers}
        pressed = [(name, value) for name, value in self.buttons if answers.get(name) == value]
        return {**self.fields, **typed, **dict(pressed[:1])}

    def knows(self, answers: Mapping[str, str]) -> bool:
        """Whether there is something in it to answer."""
        return bool(self.fields.keys() & answers.keys()) or any(answers.get(n) == v for n, v in self.buttons)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._open: Form | None = None
        self._select: str | None = None

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attributes}
        if tag == "form":
            self._open = Form(found.get("action", ""), found.get("method", "get").upper())
            self.forms.append(self._open)
        elif self._open is not None and "disabled" not in found:
            self._control(self._open, tag, found)

    def _control(self, form: Form, tag: str, found: dict[str, str]) -> None:
        name, value, kind = found.get("name", ""), found.get("value", ""), found.get("type", "")
        if tag == "option" and self._select and "selected" in found:
            form.fields[self._select] = value
        elif not name:
            return
        elif tag == "button" or kind == "submit":
            form.buttons.append((name, value))
        elif tag in ("input", "textarea", "select") and (kind not in TICKED or "checked" in found):
            form.fields[name] = value
            self._select = name if tag == "select" else None

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        elif tag == "select":
            self._select = None


def forms(page: str) -> list[Form]:
    """The forms of an HTML page, in their order."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    return reader.forms
