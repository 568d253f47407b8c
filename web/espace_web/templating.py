"""What every template can use."""

import hashlib
import uuid
from collections.abc import MutableMapping
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from flask import Flask, g, request, url_for
from flask.templating import Environment as FlaskEnvironment
from markupsafe import Markup, escape

from espace.calendar import local_date
from espace.config import SettingsError
from espace.i18n import format_date, format_instant
from espace_web import csrf
from espace_web.confirming import CONTENT_FIELD, confirmation_key
from espace_web.context import COOKIES_COOKIE, KEY_FIELD, N_, _, house, language, way_back
from espace_web.guard import form_token
from espace_web.journey import COOKIES_VERSION
from espace_web.sessions import INACTIVITY

LANGUAGE_NAMES = {"fr": "Français", "nl": "Nederlands", "de": "Deutsch", "en": "English"}
STATES = {
    "draft": (N_("Brouillon"), "quiet"),
    "validated": (N_("Prêt à soumettre"), "quiet"),
    "submitted": (N_("Introduit"), "good"),
    "withdrawn": (N_("Retiré"), "quiet"),
}
SCANS = {
    "pending": (N_("Analyse en cours"), "busy"),
    "clean": (N_("Accepté"), "good"),
    "infected": (N_("Refusé : logiciel malveillant"), "bad"),
    "not_scanned": (N_("Non analysé"), "quiet"),
}
STEP_STATES = {
    "done": N_("Terminé"),
    "current": N_("En cours"),
    "todo": N_("À venir"),
    "lapsed": N_("Échu sans réponse"),
}


class Environment(FlaskEnvironment):
    """Flask's, with one dictionary of globals for all templates.

    At each import of macros Jinja compares the names of its globals, which in a chain of dictionaries, its
    default, took a sixteenth of the pages' time.
    """

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """Those of a template; chained only where it is given some of its own."""
        return super().make_globals(d) if d else self.globals


def install(app: Flask) -> None:
    """Give the templates their functions and filters."""
    app.jinja_env.globals.update(
        {
            "_": _,
            "asset": asset,
            "csrf": csrf_field,
            "csrf_token": form_token,
            "once": once_field,
            "confirmation": confirmation_fields,
            "legal_time": legal_time,
            "days_left": days_left,
            "cookies_answered": cookies_answered,
            "languages": LANGUAGE_NAMES,
            "inactivity_seconds": int(INACTIVITY.total_seconds()),
            "state_of": state_of,
            "scan_of": scan_of,
            "step_state": lambda state: _(STEP_STATES.get(state, STEP_STATES["todo"])),
            "accepted_types": accepted_types,
        }
    )
    app.jinja_env.filters.update(
        {"day": day, "instant": instant, "instant_seconds": instant_seconds, "size": size, "nrn": nrn}
    )

    @app.context_processor
    def common() -> dict[str, Any]:
        session = g.get("session")
        return {
            "lang": language(),
            "session": session,
            "person": (session.data.get("person") or {}) if session else None,
            "here": way_back(),
            "request_id": g.get("request_id", ""),
            "errors": None,
        }


@cache
def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def asset(name: str) -> str:
    """The address of a static file, new whenever its content is."""
    folder = Path(__file__).parent / "static"
    return url_for("static", filename=name, v=_digest(folder / name))


def csrf_field() -> Markup:
    """The hidden field that proves that a form is ours."""
    return _hidden(csrf.FIELD, form_token())


def once_field() -> Markup:
    """The hidden field with the form's own idempotency key: the form sent twice counts once."""
    return _hidden(KEY_FIELD, str(uuid.uuid4()))


def confirmation_fields(target_id: str, content: str) -> Markup:
    """The hidden fields of « Confirmer »: what is confirmed, and the key that comes from it."""
    return _hidden(KEY_FIELD, confirmation_key(target_id, content)) + _hidden(CONTENT_FIELD, content)


def _hidden(name: str, value: str) -> Markup:
    return Markup('<input type="hidden" name="{}" value="{}">').format(name, value)


def legal_time() -> str | None:
    """The legal instant in words when it is not the real one, for the banner on every page."""
    try:
        clock = house().clock
        return None if clock.state().is_real else format_instant(clock.approximate_now(), language())
    except SettingsError:
        return None


def days_left(due_date: str) -> int | None:
    """Whole days of legal time until a due date: 0 on it, 1 on its eve; None when the clock is not known."""
    try:
        return (date.fromisoformat(due_date) - local_date(house().clock.approximate_now())).days
    except SettingsError:
        return None


def cookies_answered() -> bool:
    """Whether this browser has accepted the present notice on cookies."""
    return request.cookies.get(COOKIES_COOKIE) == COOKIES_VERSION


def day(value: str | date | None) -> str:
    """``2024-10-21`` as ``lundi 21 octobre 2024``."""
    if not value:
        return ""
    return format_date(date.fromisoformat(value) if isinstance(value, str) else value, language())


def instant(value: str | datetime | None, *, seconds: bool = False) -> str:
    """An instant as date and hour in Brussels."""
    if not value:
        return ""
    found = datetime.fromisoformat(value) if isinstance(value, str) else value
    return format_instant(found, language(), seconds=seconds)


def instant_seconds(value: str | None) -> str:
    """As :func:`instant`, with the seconds: for receipts."""
    return instant(value, seconds=True)


def size(count: int) -> str:
    """A number of bytes for people."""
    unit = "o" if language() == "fr" else "B"
    if count < 1024:
        return f"{count}\u00a0{unit}"
    name, value = ("k", count / 1024) if count < 1024 * 1024 else ("M", count / 1024 / 1024)
    number = f"{value:.1f}".removesuffix(".0")
    return (number if language() == "en" else number.replace(".", ",")) + f"\u00a0{name}{unit}"


def nrn(number: str | None) -> str:
    """``85073003328`` as ``85.07.30-033.28``."""
    digits = "".join(letter for letter in number or "" if letter.isdigit())
    if len(digits) != 11:
        return str(escape(number or ""))
    return f"{digits[:2]}.{digits[2:4]}.{digits[4:6]}-{digits[6:9]}.{digits[9:]}"


def state_of(state: str) -> tuple[str, str]:
    """A dossier's state in words, and its tone."""
    words, tone = STATES.get(state, (state, "quiet"))
    return (_(words) if state in STATES else words), tone


def scan_of(scan: str) -> tuple[str, str]:
    """What the malware scan said, in words, and its tone."""
    words, tone = SCANS.get(scan, SCANS["pending"])
    return _(words), tone


def accepted_types(types: list[str]) -> str:
    """Media types for people: ``PDF, JPEG``."""
    names = {
        "application/pdf": "PDF",
        "image/jpeg": "JPEG",
        "image/png": "PNG",
        "text/plain": "TXT",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "DOCX",
        "application/vnd.oasis.opendocument.text": "ODT",
    }
    return ", ".join(names.get(kind, kind.rpartition("/")[2].upper()) for kind in types)
