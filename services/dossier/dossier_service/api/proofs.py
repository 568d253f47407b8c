"""What goes out about deposits, answers, places, and to other services."""

import marshmallow as ma

from dossier_service.api.schemas import Document, Instant, Label, Name, Window

fields = ma.fields


class Citizen(ma.Schema):
    given_name = fields.Str()
    family_name = fields.Str()


class AskedInformation(ma.Schema):
    id = fields.UUID()
    element = fields.Str()
    due_date = fields.Date()
    due_at = Instant()
    reasons = fields.List(fields.Str())


class Receipt(ma.Schema):
    dossier_id = fields.UUID()
    number = fields.Str()
    procedure = fields.Nested(Name)
    title = fields.Str()
    subtitle = fields.Str()
    language = fields.Str()
    citizen = fields.Nested(Citizen)
    received_at = Instant()
    received_local = fields.Str()
    received_date = fields.Date()
    values_sha256 = fields.Str()
    content_sha256 = fields.Str()
    documents = fields.List(fields.Nested(Document))
    window = fields.Nested(Window, allow_none=True)
    information_request = fields.Nested(AskedInformation, allow_none=True)
    withdrawn_at = Instant(allow_none=True)


class DeclarationRow(ma.Schema):
    key = fields.Str()
    label = fields.Str()
    value = fields.Str()


class DeclarationSection(ma.Schema):
    key = fields.Str()
    title = fields.Str()
    rows = fields.List(fields.Nested(DeclarationRow))


class DeclarationStatement(Label):
    accepted = fields.Bool()


class Declaration(ma.Schema):
    dossier_id = fields.UUID()
    number = fields.Str(allow_none=True)
    procedure = fields.Nested(Name)
    title = fields.Str()
    language = fields.Str()
    validated_at = Instant()
    values_sha256 = fields.Str()
    sections = fields.List(fields.Nested(DeclarationSection))
    statements = fields.List(fields.Nested(DeclarationStatement))


class Answer(ma.Schema):
    request_id = fields.UUID()
    dossier_id = fields.UUID()
    number = fields.Str(allow_none=True)
    received_at = Instant()
    late = fields.Bool()
    late_reason = fields.Str(allow_none=True)
    documents = fields.List(fields.Nested(Document))


class Commune(ma.Schema):
    ins = fields.Str()
    name = fields.Str()
    province = fields.Str()
    covered = fields.Bool()
    reason = fields.Str(allow_none=True)


class InternalRequest(ma.Schema):
    id = fields.UUID()
    state = fields.Str()
    late = fields.Bool()
    origin = fields.Str()
    element = fields.Str()
    due_date = fields.Date()
    due_at = Instant()
    answered_at = Instant(allow_none=True)
    reasons = fields.Dict()
    documents = fields.List(fields.Nested(Document))


class InternalDossier(ma.Schema):
    dossier_id = fields.UUID()
    citizen_id = fields.UUID()
    number = fields.Str(allow_none=True)
    procedure = fields.Str()
    procedure_version = fields.Int()
    titles = fields.Dict()
    state = fields.Str()
    received_at = Instant(allow_none=True)
    withdrawn_at = Instant(allow_none=True)
    documents = fields.List(fields.Nested(Document))
    information_requests = fields.List(fields.Nested(InternalRequest))
