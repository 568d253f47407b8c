"""Composition root of the worker: it sweeps, scans, seals deposits, speaks on the bus, and reports."""

from collections.abc import Sequence
from functools import partial

from documents_service.commands.deposit import handlers, write_manifest
from documents_service.commands.scan import scan_next
from documents_service.commands.sweep import remove_incoming, sweep_uploads
from documents_service.desk import open_desk
from documents_service.settings import Settings
from documents_service.watching import watching
from espace.bus.consumer import Consumer
from espace.bus.relay import Relay
from espace.db import Database
from espace.db.housekeeping import housekeeping
from espace.db.reports import reporting
from espace.worker import Loop, Periodic


def create_loops(settings: Settings, database: Database) -> Sequence[Loop]:
    """The loops of the documents service."""
    desk = open_desk(settings, database)
    pause = settings.idle_seconds
    return [
        Consumer("documents", handlers(desk.signer), database, settings.amqp_url, concurrency=2),
        Relay("documents", database, settings.amqp_url),
        Periodic("sweep", partial(sweep_uploads, desk), pause),
        Periodic("remove", partial(remove_incoming, desk), 10 * pause, leader_of=database),
        Periodic("scan", partial(scan_next, desk), pause),
        Periodic("manifest", partial(write_manifest, desk), pause, leader_of=database),
        housekeeping(database),
        reporting(database, watching(desk.scanner)),
    ]
