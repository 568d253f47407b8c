"""What the API shows."""

from marshmallow import fields

from espace.http import Schema


class ReminderSchema(Schema):
    """One reminder of one version of the deadline."""

    version = fields.Int(required=True)
    days_before = fields.Int(required=True)
    remind_at = fields.AwareDateTime(required=True)
    state = fields.Str(required=True)
    reason = fields.Str(required=True, allow_none=True)
    handled_at = fields.AwareDateTime(required=True, allow_none=True)


class DeadlineSchema(Schema):
    """A deadline; a withdrawal that came before its setting has no kind and no instant."""

    deadline_id = fields.UUID(required=True)
    version = fields.Int(required=True)
    owner = fields.Str(required=True)
    state = fields.Str(required=True)
    kind = fields.Str(required=True, allow_none=True)
    due_at = fields.AwareDateTime(required=True, allow_none=True)
    reason = fields.Str(required=True, allow_none=True)
    fired_at = fields.AwareDateTime(required=True, allow_none=True)
    reminders = fields.List(fields.Nested(ReminderSchema), required=True)
