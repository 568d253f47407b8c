"""The pages, one module per part of the journey."""

from flask import Blueprint

from espace_web.views import (
    attachments,
    counter,
    deposit,
    dossier,
    entry,
    form,
    further_information,
    pages,
    profile,
    welcome,
)

BLUEPRINTS: tuple[Blueprint, ...] = (
    entry.views,
    welcome.views,
    counter.views,
    form.views,
    attachments.views,
    deposit.views,
    dossier.views,
    further_information.views,
    profile.views,
    pages.views,
)
