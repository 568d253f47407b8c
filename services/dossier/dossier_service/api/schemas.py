"""What goes out, for writing it and for the OpenAPI document."""

import marshmallow as ma

from espace.bus import rfc3339

fields = ma.fields


class Instant(fields.AwareDateTime):
    """An instant in UTC, written with ``Z``."""

    SERIALIZATION_FUNCS = {**fields.AwareDateTime.SERIALIZATION_FUNCS, "iso": rfc3339}  # noqa: RUF012  as the base class has it


class Name(ma.Schema):
    key = fields.Str()
    version = fields.Int()
    title = fields.Str()


class Label(ma.Schema):
    key = fields.Str()
    label = fields.Str()


class Choice(ma.Schema):
    value = fields.Str()
    label = fields.Str()
    note = fields.Str(allow_none=True)


class Condition(ma.Schema):
    field = fields.Str()
    equals = fields.Raw()


class Question(ma.Schema):
    key = fields.Str()
    type = fields.Str()
    label = fields.Str()
    hint = fields.Str(allow_none=True)
    required = fields.Bool()
    max_length = fields.Int(allow_none=True)
    multiline = fields.Bool()
    autocomplete = fields.Str(allow_none=True)
    visible_when = fields.Nested(Condition, allow_none=True)
    choices = fields.List(fields.Nested(Choice))


class AnsweredQuestion(Question):
    value = fields.Raw(allow_none=True)
    display = fields.Str()
    visible = fields.Bool()
    errors = fields.List(fields.Str())


_SECTION = {"key": fields.Str(), "title": fields.Str(), "intro": fields.Str(allow_none=True)}
Section = ma.Schema.from_dict({**_SECTION, "fields": fields.List(fields.Nested(Question))}, name="Section")
AnsweredSection = ma.Schema.from_dict(
    {**_SECTION, "fields": fields.List(fields.Nested(AnsweredQuestion))}, name="AnsweredSection"
)


class Statement(ma.Schema):
    key = fields.Str()
    label = fields.Str()
    required = fields.Bool()


class AnsweredStatement(Statement):
    value = fields.Bool()
    errors = fields.List(fields.Str())


class Slot(ma.Schema):
    key = fields.Str()
    title = fields.Str()
    hint = fields.Str(allow_none=True)
    mandatory = fields.Bool()
    types = fields.List(fields.Str())
    max_bytes = fields.Int()
    max_count = fields.Int()


class FillableSlot(Slot):
    can_add = fields.Bool()


class Window(ma.Schema):
    state = fields.Str()
    pv_date = fields.Date()
    fictitious = fields.Bool()
    note = fields.Str(allow_none=True)
    opens_at = Instant()
    date = fields.Date()
    closes_at = Instant()
    reasons = fields.List(fields.Str())


class PlacedWindow(Window):
    places = fields.List(fields.Str())


class ProcedureStep(Label):
    substeps = fields.List(fields.Nested(Label))


class ProcedureRow(ma.Schema):
    key = fields.Str()
    version = fields.Int()
    title = fields.Str()
    summary = fields.Str()
    state = fields.Str()
    opens_on = fields.Date(allow_none=True)
    closes_on = fields.Date(allow_none=True)


class ProcedurePage(ProcedureRow):
    conditions = fields.List(fields.Str())
    min_level = fields.Int()
    windows = fields.List(fields.Nested(PlacedWindow))
    sections = fields.List(fields.Nested(Section))
    statements = fields.List(fields.Nested(Statement))
    attachments = fields.List(fields.Nested(Slot))
    steps = fields.List(fields.Nested(ProcedureStep))


class Document(ma.Schema):
    document_id = fields.UUID()
    slot = fields.Str()
    slot_title = fields.Str()
    filename = fields.Str()
    size = fields.Int()
    sha256 = fields.Str()


class Attachment(Document):
    content_type = fields.Str()
    scan = fields.Str()
    added_at = Instant()


class RequestAttachment(Attachment):
    sent = fields.Bool()


class SubStep(Label):
    state = fields.Str()
    request_id = fields.UUID()


class DossierStep(Label):
    state = fields.Str()
    at = Instant(allow_none=True)
    substeps = fields.List(fields.Nested(SubStep))


class Form(ma.Schema):
    sections = fields.List(fields.Nested(AnsweredSection))
    statements = fields.List(fields.Nested(AnsweredStatement))


class InformationRequest(ma.Schema):
    id = fields.UUID()
    element = fields.Str()
    origin = fields.Str()
    state = fields.Str()
    late = fields.Bool()
    late_reason = fields.Str(allow_none=True)
    due_date = fields.Date()
    due_at = Instant()
    reasons = fields.List(fields.Str())
    past_due = fields.Bool()
    opened_at = Instant()
    answered_at = Instant(allow_none=True)
    lapsed_at = Instant(allow_none=True)
    content_sha256 = fields.Str()
    slot = fields.Nested(FillableSlot)
    attachments = fields.List(fields.Nested(RequestAttachment))
    actions = fields.List(fields.Str())


class DossierRow(ma.Schema):
    id = fields.UUID()
    number = fields.Str(allow_none=True)
    procedure = fields.Str()
    title = fields.Str()
    subtitle = fields.Str()
    state = fields.Str()
    step = fields.Nested(Label)
    substep = fields.Nested(Label, allow_none=True)
    action_required = fields.Bool()
    created_at = Instant()
    saved_at = Instant()
    received_at = Instant(allow_none=True)
    due_date = fields.Date(allow_none=True)


class DossierList(ma.Schema):
    items = fields.List(fields.Nested(DossierRow))
    total = fields.Int()
    page = fields.Int()
    page_size = fields.Int()


class DossierPage(ma.Schema):
    id = fields.UUID()
    version = fields.Int()
    number = fields.Str(allow_none=True)
    state = fields.Str()
    procedure = fields.Nested(Name)
    title = fields.Str()
    subtitle = fields.Str()
    created_at = Instant()
    saved_at = Instant()
    validated_at = Instant(allow_none=True)
    received_at = Instant(allow_none=True)
    withdrawn_at = Instant(allow_none=True)
    steps = fields.List(fields.Nested(DossierStep))
    values = fields.Dict()
    prefilled = fields.Dict(values=fields.Str())
    display = fields.Dict(values=fields.Str())
    errors = fields.Dict(values=fields.List(fields.Str()))
    form = fields.Nested(Form)
    values_sha256 = fields.Str(allow_none=True)
    content_sha256 = fields.Str(allow_none=True)
    slots = fields.List(fields.Nested(FillableSlot))
    attachments = fields.List(fields.Nested(Attachment))
    missing_slots = fields.List(fields.Str())
    window = fields.Nested(Window, allow_none=True)
    information_requests = fields.List(fields.Nested(InformationRequest))
    action_required = fields.Bool()
    actions = fields.List(fields.Str())
