"""Versions of what is edited (RFC 9110, 13.1.1): ETag on answers, If-Match on edits."""

from flask import g, request
from werkzeug.wrappers import Response

from espace.http.problems import Problem


def etag(version: int) -> None:
    """Put the version of the resource on the response as its ETag."""
    g.espace_etag = version


def stamp(response: Response) -> None:
    """Write the ETag that the view asked for; an error has none."""
    version = g.get("espace_etag")
    if version is not None and response.status_code < 400:
        response.set_etag(str(version))


def require_match(version: int) -> None:
    """Go on only when the client edits the version that it saw.

    Raises:
        Problem: 428 ``precondition_required`` without If-Match, 412 ``version_mismatch`` when it is another.
    """
    if not request.headers.get("If-Match"):
        raise Problem(428, "precondition_required", "Send If-Match with the ETag you last got.")
    if not request.if_match.contains(str(version)):
        raise Problem(
            412,
            "version_mismatch",
            "It was changed meanwhile: get it again, look at it, and repeat the change.",
            headers={"ETag": f'"{version}"'},
        )
