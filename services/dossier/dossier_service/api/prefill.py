"""What identity knows of the citizen: asked while no transaction is open."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import g, request

from dossier_service.api.context import counter
from dossier_service.api.locked import locked
from dossier_service.api.refusals import refusals
from dossier_service.claims import store
from espace.errors import TransientError
from espace.http import Problem, database, principal


def ask_identity(_key: str, _body_sha256: str) -> None:
    """Ask when the request arrives. Should identity be away, a repeat gets its stored answer nevertheless."""
    try:
        g.dossier_identity = _identity()
    except TransientError as error:
        g.dossier_identity = error


def identity() -> Mapping[str, Any]:
    """What identity answered.

    Raises:
        TransientError: it was away.
    """
    found: Mapping[str, Any] | TransientError = g.dossier_identity
    if isinstance(found, TransientError):
        raise found
    return found


def complete_prefill(dossier_id: UUID) -> None:
    """Ask again for what a register did not tell when the draft was opened, and keep it.

    A change of its own, which neither a refusal of what follows takes back nor an edit's If-Match notices.

    Raises:
        Problem: 422 ``commune_not_covered``, now that the commune is known.
    """
    with refusals(), database().session() as session:
        dossier = store.own(session, principal().citizen, dossier_id)
        practice = counter().desk.version(dossier.procedure, dossier.procedure_version)
    if not dossier.incomplete(practice):
        return
    try:
        known = _identity()
    except TransientError:
        return  # the fields say that they are not available now
    with locked(dossier_id) as at:
        at.dossier.complete(at.practice, known)


def complete_before_validation(_key: str, _body_sha256: str) -> None:
    """:func:`complete_prefill` on arrival of a validation."""
    arguments = request.view_args or {}
    complete_prefill(arguments["dossier_id"])


def _identity() -> Mapping[str, Any]:
    citizen = principal().citizen
    try:
        found: Mapping[str, Any] = counter().identity.get(f"/internal/v1/citizens/{citizen}")
    except Problem as error:
        raise TransientError(f"identity does not know its citizen: {error.code}") from error
    return found
