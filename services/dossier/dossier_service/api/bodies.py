"""What comes in: bodies and queries; unknown fields are refused."""

from marshmallow import fields, validate

from dossier_service.claims.queries import SORTS
from dossier_service.localized import LANGUAGES
from espace.http import Schema

SHA256 = validate.Regexp(r"\A[0-9a-f]{64}\Z")


class LanguageQuery(Schema):
    """``language`` of texts."""

    language = fields.Str(validate=validate.OneOf(LANGUAGES))


class SearchQuery(LanguageQuery):
    q = fields.Str(load_default="", validate=validate.Length(max=200))


class CommuneQuery(SearchQuery):
    on = fields.Date(load_default=None)


class ListQuery(LanguageQuery):
    page = fields.Int(load_default=1, validate=validate.Range(1, 10_000))
    page_size = fields.Int(load_default=20, validate=validate.Range(1, 100))
    state = fields.Str(
        load_default=None, validate=validate.OneOf(("draft", "validated", "submitted", "withdrawn"))
    )
    sort = fields.Str(load_default="-saved_at", validate=validate.OneOf(tuple(SORTS)))


class OpenBody(Schema):
    procedure = fields.Str(required=True, validate=validate.Length(1, 100))


class ValuesBody(Schema):
    values = fields.Dict(keys=fields.Str(), values=fields.Raw(allow_none=True), required=True)


class EmptyBody(Schema):
    """No field at all."""


class AttachmentBody(Schema):
    slot = fields.Str(required=True, validate=validate.Length(1, 100))
    statement = fields.Str(required=True, validate=validate.Length(1, 8000))


class PieceBody(Schema):
    statement = fields.Str(required=True, validate=validate.Length(1, 8000))


class ContentBody(Schema):
    """The hash of what the citizen saw and confirms."""

    content_sha256 = fields.Str(required=True, validate=SHA256)
