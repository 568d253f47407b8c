"""Shapes of the API."""

import marshmallow as ma

from espace.http import Schema
from notifier_service.model import State, Template


class NotificationQuery(Schema):
    """Which messages."""

    dossier_id = ma.fields.UUID(metadata={"description": "Only those about this dossier."})


class NotificationSchema(Schema):
    """A message to the citizen and what became of it."""

    id = ma.fields.UUID(required=True)
    dossier_id = ma.fields.UUID(required=True, allow_none=True)
    template = ma.fields.Str(required=True, validate=ma.validate.OneOf([*Template]))
    state = ma.fields.Str(required=True, validate=ma.validate.OneOf([*State]))
    created_at = ma.fields.AwareDateTime(required=True, format="iso")
    sent_at = ma.fields.AwareDateTime(required=True, allow_none=True, format="iso")
    reason = ma.fields.Str(
        required=True,
        allow_none=True,
        metadata={"description": "Why it was not sent or not yet, as a stable code: `answered`, `lapsed`…"},
    )
