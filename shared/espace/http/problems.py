"""The one kind of error an API answers with (RFC 9457), and nothing of Flask."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from espace.errors import EspaceError

URN = "urn:espace:problem:"


class Problem(EspaceError):
    """An answer that is not the wanted one; raised anywhere below a route, mapped once.

    Args:
        status: of HTTP, 400 to 599.
        code: stable, snake_case; clients and catalogues of texts key on it.
        detail: an English sentence that says what to do.
        errors: messages by field; nested fields are joined with dots.
        headers: further response headers.
        extra: further members of the problem object.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str = "",
        *,
        errors: Mapping[str, Sequence[str]] | None = None,
        headers: Mapping[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(f"{status} {code}: {detail}")
        self.status, self.code, self.detail = status, code, detail
        self.errors = {field: list(messages) for field, messages in (errors or {}).items()}
        self.headers = dict(headers or {})
        self.extra = extra

    def as_dict(self) -> dict[str, Any]:
        """The problem object, without the ``instance``, which the answering app adds."""
        return {
            "type": URN + self.code,
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "code": self.code,
            "detail": self.detail or HTTPStatus(self.status).description,
            **({"errors": self.errors} if self.errors else {}),
            **self.extra,
        }

    @classmethod
    def from_dict(cls, status: int, data: Mapping[str, Any]) -> "Problem":
        """The problem another service answered with."""
        known = {"type", "title", "status", "code", "detail", "errors", "instance"}
        errors = data.get("errors")
        return cls(
            status,
            str(data.get("code", "unknown")),
            str(data.get("detail", "")),
            errors=errors if isinstance(errors, Mapping) else None,
            **{key: value for key, value in data.items() if key not in known and key.isidentifier()},
        )


def flatten(messages: Any, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], str]]:
    """Marshmallow's nested messages as (path, message), in their order."""
    if isinstance(messages, Mapping):
        return [
            found
            for key, value in messages.items()
            for found in flatten(value, path if key == "_schema" else (*path, str(key)))
        ]
    if isinstance(messages, (list, tuple)):
        return [found for value in messages for found in flatten(value, path)]
    return [(path, str(messages))]


def pointer(path: Sequence[str]) -> str:
    """A JSON pointer (RFC 6901) as a URI fragment."""
    return "#" + "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in path)
