"""A window in words, the same in page, problem and receipt."""

from datetime import datetime
from typing import Any

from dossier_service.claims.practice import Window
from dossier_service.texts import texts


def window_view(window: Window, now: datetime, language: str) -> dict[str, Any]:
    """A window as pages show it, with the reasons for its last day."""
    fictitious = window.constituency.fictitious
    return {
        "state": window.state(now),
        "pv_date": window.constituency.report_date,
        "fictitious": fictitious,
        "note": texts().gettext(language, "note.fictitious_report") if fictitious else None,
        "opens_at": window.opens_at,
        "date": window.deadline.date,
        "closes_at": window.closes_at,
        "reasons": window.deadline.words(language),
    }
