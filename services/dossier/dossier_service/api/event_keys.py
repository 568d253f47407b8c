"""Route: the public keys of what outsiders are told."""

from flask import Response, jsonify

from dossier_service.api.context import counter
from espace.http import Blueprint

blueprint = Blueprint("event_keys", __name__, service="dossier", auth="public", url_prefix="/api/dossier/v1")


@blueprint.get("/event-keys")
@blueprint.alt_response(200, schema={"type": "object"})
def get_event_keys() -> Response:
    """The public keys (RFC 7517) by which events outside are verified; a new one is here before it signs."""
    response = jsonify(counter().event_keys)
    response.headers["Cache-Control"] = "public, max-age=300"
    return response
