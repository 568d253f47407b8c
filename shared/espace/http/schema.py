"""What comes in: unknown fields are refused, and so are characters that PostgreSQL cannot store."""

import re
from typing import Any

import marshmallow as ma
from flask import Request
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import UnsupportedMediaType

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class Schema(ma.Schema):
    """Base of all schemas; an unknown field on input is an error."""

    class Meta:
        """Marshmallow's options."""

        unknown = ma.RAISE


class Parser(FlaskParser):
    """Reads bodies and queries strictly."""

    DEFAULT_UNKNOWN_BY_LOCATION = {  # noqa: RUF012  an override of the library's
        **FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION,
        "json": ma.RAISE,
        "form": ma.RAISE,
        "query": ma.RAISE,
        "querystring": ma.RAISE,
    }

    def load_json(self, req: Request, schema: ma.Schema) -> Any:
        """The JSON body; another kind of body is 415."""
        if req.mimetype != "application/json" and not req.mimetype.endswith("+json") and req.get_data():
            raise UnsupportedMediaType
        body = super().load_json(req, schema)
        _refuse_unstorable(body)
        return body

    def load_querystring(self, req: Request, schema: ma.Schema) -> Any:
        """The query's parameters."""
        _refuse_unstorable(req.args.to_dict(flat=False))
        return super().load_querystring(req, schema)


def _refuse_unstorable(value: Any) -> None:
    problems = _unstorable(value)
    if problems:
        raise ma.ValidationError(problems)


def _unstorable(value: Any) -> Any:
    """Messages at the places of ``value`` that hold NUL or half a character, in its own shape."""
    if isinstance(value, str):
        return ["Contains a character that cannot be stored."] if _UNSTORABLE.search(value) else None
    if isinstance(value, dict):
        found = {key: _unstorable(key) or _unstorable(item) for key, item in value.items()}
    elif isinstance(value, list):
        found = {index: _unstorable(item) for index, item in enumerate(value)}
    else:
        return None
    return {key: messages for key, messages in found.items() if messages}
