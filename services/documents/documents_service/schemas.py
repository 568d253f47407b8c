"""What the API takes and gives."""

from marshmallow import fields, validate

from espace.http import Schema
from espace.i18n import LANGUAGES


class UploadSchema(Schema):
    """A file that is going to be sent."""

    filename = fields.Str(required=True, validate=validate.Length(1, 1024))
    size = fields.Int(
        required=True, strict=True, validate=validate.Range(0), metadata={"description": "Bytes."}
    )
    content_type = fields.Str(
        load_default="",
        validate=validate.Length(0, 255),
        metadata={"description": "Nothing is decided by it."},
    )
    sha256 = fields.Str(
        required=True,
        validate=validate.Regexp(r"^[0-9a-fA-F]{64}\Z", error="64 hexadecimal digits."),
        metadata={"description": "Of the whole file, hexadecimal."},
    )
    slot = fields.Str(required=True, validate=validate.Regexp(r"^[a-z0-9_-]{1,64}\Z"))
    dossier_id = fields.UUID(required=True)


class FormSchema(Schema):
    """A signed form: multipart/form-data with ``fields`` in their order, then the file as ``file``."""

    url = fields.Str(required=True)
    fields_ = fields.Dict(keys=fields.Str(), values=fields.Str(), data_key="fields", required=True)


class RegisteredSchema(Schema):
    """Where the file goes."""

    document_id = fields.UUID(required=True)
    form = fields.Nested(FormSchema, required=True)
    expires_at = fields.AwareDateTime(required=True)


class DocumentSchema(Schema):
    """A document."""

    id = fields.UUID(required=True)
    dossier_id = fields.UUID(required=True)
    slot = fields.Str(required=True)
    filename = fields.Str(required=True)
    size = fields.Int(required=True)
    sha256 = fields.Str(required=True)
    content_type = fields.Str(required=True, allow_none=True)
    state = fields.Str(
        required=True, validate=validate.OneOf(("registered", "verified", "refused", "expired"))
    )
    refusal = fields.Str(required=True, allow_none=True)
    scan = fields.Str(
        required=True,
        allow_none=True,
        validate=validate.OneOf(("pending", "clean", "infected", "not_scanned")),
    )
    created_at = fields.AwareDateTime(required=True)
    verified_at = fields.AwareDateTime(required=True, allow_none=True)


class CompletedSchema(Schema):
    """A verified file, and the signed statement about it that the dossier takes."""

    document = fields.Nested(DocumentSchema, required=True)
    statement = fields.Str(required=True, metadata={"description": "A JWS (ES256), typ statement+jwt."})


class DownloadSchema(Schema):
    """An address that serves the file, for a short while."""

    url = fields.Str(required=True)
    expires_at = fields.AwareDateTime(required=True)


class LanguageSchema(Schema):
    """In which language; by default the request's."""

    language = fields.Str(validate=validate.OneOf(LANGUAGES), metadata={"description": "Of the texts in it."})
