"""Versions of what is edited (RFC 9110, 13.1.1): ETag on answers, If-Match on edits."""

from flask import after_this_request, request
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from espace.http.problems import Problem


def etag(version: int) -> None:
    """Put the version of the resource on the response as its ETag."""

    @after_this_request
    def stamp(response: Response) -> ResponseReturnValue:
        if response.status_code < 400:
            response.set_etag(str(version))
        return response


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
