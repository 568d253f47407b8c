"""Versions of what is edited (RFC 9110, 13.1.1): ETag on answers, If-Match on edits."""

import functools
from collections.abc import Callable
from copy import deepcopy
from typing import Any, TypeVar

from flask import g, request
from werkzeug.wrappers import Response

from espace.http.problems import Problem

View = TypeVar("View", bound=Callable[..., Any])
_PARAMETER = {
    "in": "header",
    "name": "If-Match",
    "required": True,
    "description": "The ETag you last got of it: the version that you edit. 412 when it is another by now.",
    "schema": {"type": "string"},
}


def etag(version: int) -> None:
    """Put the version of the resource on the response as its ETag."""
    g.espace_etag = version


def stamp(response: Response) -> None:
    """Write the ETag that the view asked for; an error has none."""
    version = g.get("espace_etag")
    if version is not None and response.status_code < 400:
        response.set_etag(str(version))


def conditional(view: View) -> View:
    """Make a route ask for If-Match, and say so; the outermost decorator, right below ``@blueprint.route``.

    The view calls :func:`require_match` once it holds what is edited.

    Raises:
        Problem: 428 ``precondition_required`` without If-Match.
    """

    @functools.wraps(view)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        if not request.headers.get("If-Match"):
            raise Problem(428, "precondition_required", "Send If-Match with the ETag you last got.")
        g.espace_conditional = True
        return view(*args, **kwargs)

    wrapper._apidoc = deepcopy(getattr(view, "_apidoc", {}))  # type: ignore[attr-defined]
    wrapper._apidoc.setdefault("arguments", {}).setdefault("parameters", []).append(_PARAMETER)  # type: ignore[attr-defined]
    return wrapper  # type: ignore[return-value]


def require_match(version: int) -> None:
    """Go on only when the client edits the version that it saw.

    Raises:
        Problem: 412 ``version_mismatch`` when it is another.
        LookupError: the route is not ``@conditional``, so its clients would not know.
    """
    if not g.get("espace_conditional"):
        raise LookupError("a route that calls require_match is decorated with @conditional")
    if not request.if_match.contains(str(version)):
        raise Problem(
            412,
            "version_mismatch",
            "It was changed meanwhile: get it again, look at it, and repeat the change.",
            headers={"ETag": f'"{version}"'},
        )
