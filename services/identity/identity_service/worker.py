"""Identity's loops: deliver back-channel logouts, forget what is over, report."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import delete, select

from espace.clock import utcnow
from espace.db import Database
from espace.db.reports import reporting
from espace.worker import Loop, Periodic
from identity_service import logouts
from identity_service.clients import ClientRegistry
from identity_service.settings import Settings
from identity_service.signing import SigningKeys
from identity_service.tables import CodeRow, FamilyRow, LimitRow, LoginRow, LogoutRow, RefreshRow, SessionRow

KEPT = timedelta(days=30)


def create_loops(settings: Settings, database: Database) -> Sequence[Loop]:
    """The loops ``logout``, ``forget`` and ``report``."""
    clients = ClientRegistry.read(settings.clients_file)
    keys = SigningKeys(settings.signing_keys)
    deliverer = logouts.Deliverer(database, clients, keys, settings.issuer, logouts.caller())

    def forget_old() -> bool:
        forget(database)
        return False

    return (
        Periodic("logout", deliverer.step, 0.3),
        Periodic("forget", forget_old, 600, leader_of=database),
        reporting(database, logouts.report_waiting),
    )


def forget(database: Database) -> None:
    """Delete rows that nothing can need any more; used codes and tokens outlive their family a while."""
    now = utcnow()
    with database.transaction() as unit:
        run = unit.session.execute
        run(delete(LoginRow).where(LoginRow.expires_at < now))
        run(delete(LimitRow).where(LimitRow.minute < int(now.timestamp()) // 60 - 5))
        run(delete(LogoutRow).where(LogoutRow.ended_at < now - KEPT))
        old = select(FamilyRow.id).where(FamilyRow.expires_at < now - KEPT)
        for table in (CodeRow, RefreshRow):
            run(delete(table).where(table.family_id.in_(old)))
        run(delete(FamilyRow).where(FamilyRow.expires_at < now - KEPT))
        in_use = select(FamilyRow.session_id)
        run(delete(SessionRow).where(SessionRow.expires_at < now - KEPT, SessionRow.id.not_in(in_use)))
