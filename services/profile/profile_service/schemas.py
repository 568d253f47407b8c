"""What goes in and out of the profile API."""

from typing import Any

from email_validator import EmailNotValidError, validate_email
from marshmallow import ValidationError, fields, validate

from espace.http.schema import Schema
from espace.i18n import LANGUAGES
from profile_service.model import LinkState, Notice, Space


class Email(fields.String):
    """An address that can exist by its form; the domain is compared in lower case, as DNS does."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            address = validate_email(
                (text or "").strip(), check_deliverability=False, allow_smtputf8=False, strict=True
            )
        except EmailNotValidError as error:
            raise ValidationError(f"Give an e-mail address such as name@domain.be. {error}") from None
        return address.normalized


class EmailSchema(Schema):
    """A private address."""

    email = Email(required=True, metadata={"format": "email", "maxLength": 254})


class LanguageSchema(Schema):
    """The language to write in."""

    language = fields.String(required=True, validate=validate.OneOf(LANGUAGES))


class NoticeSchema(Schema):
    """Up to which version a notice was seen, and whether it is not to be shown again."""

    version = fields.String(required=True, validate=validate.Regexp(r"[\w.-]{1,32}\Z"))
    hidden = fields.Boolean(required=True)


class NoticesSchema(Schema):
    """Each notice."""

    news = fields.Nested(NoticeSchema)
    cookies = fields.Nested(NoticeSchema)
    data_protection = fields.Nested(NoticeSchema)


class ProfileSchema(Schema):
    """A profile."""

    citizen_id = fields.UUID(required=True)
    language = fields.String(required=True, validate=validate.OneOf(LANGUAGES))
    private_email = fields.String(required=True, allow_none=True)
    pending_email = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "Given, and not confirmed yet; the private address stays until then."},
    )
    space = fields.String(required=True, validate=validate.OneOf([s.value for s in Space]))
    confirmation_expires_at = fields.AwareDateTime(required=True, allow_none=True)
    notices = fields.Nested(NoticesSchema, required=True)


class LinkSchema(Schema):
    """The token of a confirmation link."""

    token = fields.String(required=True, validate=validate.Length(min=1, max=128))


class ConfirmedSchema(Schema):
    """What became of a link's use."""

    status = fields.String(required=True, validate=validate.OneOf(["confirmed", "already"]))


class ContactSchema(Schema):
    """Where to write to a citizen."""

    email = fields.String(required=True, allow_none=True)
    language = fields.String(required=True)
    space = fields.String(required=True)


class ConfirmationSchema(Schema):
    """What the message with the link needs."""

    email = fields.String(required=True)
    language = fields.String(required=True)
    link = fields.String(required=True, allow_none=True)
    expires_at = fields.AwareDateTime(required=True)
    state = fields.String(required=True, validate=validate.OneOf([s.value for s in LinkState]))


NOTICES = [notice.value for notice in Notice]
