"""``python -m dossier_service outsiders``: who outside is told what becomes of dossiers."""

from functools import partial

from espace.outside.command import command as of_service

command = partial(of_service, "dossier")
