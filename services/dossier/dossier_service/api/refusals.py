"""The domain's refusals as problems, in the reader's language: the one mapping."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dossier_service.api.context import language
from dossier_service.claims.attempts import KeyReused
from dossier_service.claims.commands.drafting import NotOffered
from dossier_service.claims.model import DossierRefused, InvalidValues, OutsideWindow, SlotsEmpty
from dossier_service.claims.store import NotFound
from dossier_service.claims.windows import window_view
from dossier_service.information_requests.model import RequestRefused
from dossier_service.pieces import PieceRefused
from dossier_service.places.model import NotCovered
from dossier_service.procedures.catalogue import UnknownProcedure
from dossier_service.procedures.model import Field, Procedure
from dossier_service.statements import InvalidStatement
from dossier_service.texts import errors_in_words, texts
from espace.bus import rfc3339
from espace.calendar import local_date
from espace.http import Problem
from espace.i18n import format_date, format_instant


@contextmanager
def refusals(procedure: Procedure | None = None) -> Iterator[None]:
    """Turn what the domain refuses into a problem; ``procedure`` gives the labels of its fields."""
    try:
        yield
    except NotFound:
        raise problem(404, "not_found") from None
    except UnknownProcedure:
        raise problem(404, "unknown_procedure") from None
    except NotOffered as refusal:
        code = "procedure_closed" if refusal.state == "closed" else "procedure_not_open"
        raise problem(409, code) from None
    except NotCovered as refusal:
        place = refusal.name[language()]
        text = texts().gettext(language(), f"problem.commune_not_covered.{refusal.reason}", place=place)
        errors = {field.key: [text] for field in _places(procedure)}
        raise Problem(422, "commune_not_covered", text, errors=errors, reason=refusal.reason) from None
    except InvalidValues as refusal:
        assert procedure is not None, "values are judged by a procedure"
        errors = errors_in_words(procedure, refusal.errors, language())
        raise problem(422, "validation_failed", errors=errors) from None
    except SlotsEmpty as refusal:
        assert procedure is not None, "slots are a procedure's"
        raise problem(
            422,
            "attachments_missing",
            errors={key: [_slot_message(procedure, key)] for key in refusal.slots},
        ) from None
    except OutsideWindow as refusal:
        raise _outside(refusal) from None
    except PieceRefused as refusal:
        raise _piece(refusal) from None
    except InvalidStatement:
        raise problem(422, "statement_invalid") from None
    except KeyReused:
        detail = "This key was used with another body: make a new one."
        raise Problem(422, "idempotency_key_reused", detail) from None
    except (DossierRefused, RequestRefused) as refusal:
        raise problem(422 if refusal.code == "attachments_missing" else 409, refusal.code) from None


def problem(status: int, code: str, *, errors: dict[str, list[str]] | None = None, **params: Any) -> Problem:
    """A problem whose detail is the text ``problem.<code>``."""
    return Problem(status, code, texts().gettext(language(), f"problem.{code}", **params), errors=errors)


def _places(procedure: Procedure | None) -> Iterator[Field]:
    """The fields that a commune fills in."""
    for field in procedure.fields() if procedure else ():
        if (field.prefill or "").startswith("places."):
            yield field


def _slot_message(procedure: Procedure, key: str) -> str:
    slot = procedure.slot(key)
    label = slot.title[language()] if slot else key
    return texts().gettext(language(), "problem.attachment_missing", label=label)


def _outside(refusal: OutsideWindow) -> Problem:
    window, instant, lang = refusal.window, refusal.instant, language()
    view = window_view(window, instant, lang)
    if view["state"] == "upcoming":
        code, params = "window_not_open", {"date": format_date(local_date(window.opens_at), lang)}
    else:
        code = "window_closed"
        params = {
            "date": format_date(window.deadline.date, lang),
            "received": format_instant(instant, lang, seconds=True),
        }
    text = texts().gettext(lang, f"problem.{code}", **params)
    shown = {
        **view,
        "pv_date": view["pv_date"].isoformat(),
        "date": view["date"].isoformat(),
        "opens_at": rfc3339(view["opens_at"]),
        "closes_at": rfc3339(view["closes_at"]),
    }
    return Problem(409, code, text, reasons=view["reasons"], window=shown, received_at=rfc3339(instant))


def _piece(refusal: PieceRefused) -> Problem:
    slot = refusal.slot
    if slot is None:
        return problem(422, refusal.code)
    params: dict[str, dict[str, Any]] = {
        "type_not_allowed": {"types": ", ".join(slot.types)},
        "file_too_large": {"max_mb": slot.max_bytes // (1024 * 1024)},
        "slot_full": {"label": slot.title[language()], "max_count": slot.max_count},
    }
    status = 409 if refusal.code == "slot_full" else 422
    return problem(status, refusal.code, **params[refusal.code])
