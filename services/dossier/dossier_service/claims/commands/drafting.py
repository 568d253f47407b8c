"""Opening a draft."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import uuid4

from dossier_service.claims.model import Dossier
from dossier_service.claims.practice import Practice
from espace.auth import Principal
from espace.db import UnitOfWork
from espace.telemetry import get_logger

log = get_logger()


class NotOffered(Exception):
    """The procedure is ``upcoming`` or ``closed`` everywhere."""

    def __init__(self, state: str) -> None:
        self.state = state
        super().__init__(state)


def open_dossier(
    unit: UnitOfWork, practice: Practice, opener: Principal, identity: Mapping[str, Any], now: datetime
) -> Dossier:
    """Open a draft, prefilled with what identity knows.

    Raises:
        NotOffered: no constituency's window is open.
        NotCovered: the citizen's commune votes elsewhere.
    """
    state = practice.state(now)
    if state != "open":
        raise NotOffered(state)
    dossier = Dossier(
        id=uuid4(),
        citizen_id=opener.citizen,
        procedure=practice.procedure.key,
        procedure_version=practice.procedure.version,
        prefilled=practice.prefill(identity),
        created_at=now,
        saved_at=now,
        synthetic=opener.synthetic,
    )
    unit.session.add(dossier)
    log.info("dossier.created", dossier_id=str(dossier.id), procedure=dossier.procedure)
    return dossier
