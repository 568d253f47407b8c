"""What is on offer: the procedures with the state of their windows."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from dossier_service.claims.practice import Practice
from dossier_service.claims.windows import window_view
from dossier_service.procedures.pages import procedure_view
from espace.calendar import local_date


def offer_list(practices: Iterable[Practice], now: datetime, language: str) -> list[dict[str, Any]]:
    """The list of the catalogue."""
    return [
        {
            "key": practice.procedure.key,
            "version": practice.procedure.version,
            "title": practice.procedure.title[language],
            "summary": practice.procedure.summary[language],
            **_span(practice, now),
        }
        for practice in practices
    ]


def offer_view(practice: Practice, now: datetime, language: str) -> dict[str, Any]:
    """The page of one procedure."""
    windows = [
        {**window_view(window, now, language), "places": [name[language] for name in names]}
        for window, names in practice.windows()
    ]
    return {
        **procedure_view(practice.procedure, language),
        **_span(practice, now),
        "windows": windows,
    }


def _span(practice: Practice, now: datetime) -> dict[str, Any]:
    windows = [window for window, _ in practice.windows()]
    return {
        "state": practice.state(now),
        "opens_on": min((local_date(window.opens_at) for window in windows), default=None),
        "closes_on": max((window.deadline.date for window in windows), default=None),
    }
