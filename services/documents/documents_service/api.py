"""The documents service's routes."""

import hashlib
from typing import Any, cast
from uuid import UUID

from flask import Response, current_app

from documents_service import schemas
from documents_service.commands.completion import complete_upload
from documents_service.commands.registration import register_upload
from documents_service.desk import Desk
from documents_service.language import wanted_language
from documents_service.model.document import Document
from documents_service.model.names import download_name
from documents_service.papers import LAYOUTS, PaperKind
from documents_service.queries import find_document
from documents_service.rendering import render
from espace.clock import utcnow
from espace.files import PDF
from espace.http import Blueprint, ServiceClient, bearer, database, idempotent, principal, transaction
from espace.objects import LONGEST_DOWNLOAD, content_disposition
from espace.telemetry import get_logger

log = get_logger()
DESK = "documents.desk"
DOSSIER = "documents.dossier"
PDF_SCHEMA = {"type": "string", "format": "binary"}

citizens = Blueprint(
    "documents", __name__, service="documents", auth="citizen", url_prefix="/api/documents/v1"
)
inside = Blueprint("keys", __name__, service="documents", auth="inside", url_prefix="/internal/v1")
blueprints = (citizens, inside)


@citizens.post("/uploads")
@idempotent
@citizens.arguments(schemas.UploadSchema)
@citizens.response(201, schemas.RegisteredSchema)
def post_upload(body: dict[str, Any]) -> dict[str, Any]:
    """Announce a file and get the signed form to send exactly this file with. Then complete it."""
    desk = _desk()
    with transaction() as unit:
        document = register_upload(unit, desk.settings, owner_id=principal().citizen, at=utcnow(), **body)
    form = desk.store.signed_post(
        document.incoming_key,
        size=document.size,
        content_type=document.declared_type,
        sha256=document.sha256,
        expires=desk.settings.form_lifetime,
    )
    return {
        "document_id": document.id,
        "form": {"url": form.url, "fields_": form.fields},
        "expires_at": document.expires_at,
    }


@citizens.post("/documents/<uuid:document_id>/completion")
@citizens.response(200, schemas.CompletedSchema)
def post_completion(document_id: UUID) -> dict[str, Any]:
    """Have a sent file verified. The same answer however often it is asked; no key is needed."""
    document = complete_upload(_desk(), document_id, owner_id=principal().citizen)
    return {"document": document, "statement": document.statement}


@citizens.get("/documents/<uuid:document_id>")
@citizens.response(200, schemas.DocumentSchema)
def get_document(document_id: UUID) -> Document:
    """A document of yours."""
    with database().session() as session:
        return find_document(session, document_id, owner_id=principal().citizen)


@citizens.get("/documents/<uuid:document_id>/download")
@citizens.response(200, schemas.DownloadSchema)
def get_download(document_id: UUID) -> dict[str, Any]:
    """An address that serves the file as a download, for at most a minute."""
    with database().session() as session:
        document = find_document(session, document_id, owner_id=principal().citizen)
    document.check_served()
    name = download_name(document.filename, document.content_type)
    expires_at = utcnow() + LONGEST_DOWNLOAD
    return {"url": _desk().store.signed_get(document.key, filename=name), "expires_at": expires_at}


@citizens.get("/dossiers/<uuid:dossier_id>/declaration")
@citizens.arguments(schemas.LanguageSchema, location="query")
@citizens.response(200, PDF_SCHEMA, content_type=PDF)
def get_declaration(_query: dict[str, Any], dossier_id: UUID) -> Response:
    """The validated form as a PDF. The same values give the same bytes; nothing is kept."""
    return _paper("declaration", dossier_id)


@citizens.get("/dossiers/<uuid:dossier_id>/receipt")
@citizens.arguments(schemas.LanguageSchema, location="query")
@citizens.response(200, PDF_SCHEMA, content_type=PDF)
def get_receipt(_query: dict[str, Any], dossier_id: UUID) -> Response:
    """The acknowledgement of a deposit as a PDF. The same deposit gives the same bytes; nothing is kept."""
    return _paper("receipt", dossier_id)


@inside.get("/statement-keys")
@inside.alt_response(200, schema={"type": "object"})
def get_statement_keys() -> dict[str, Any]:
    """The public keys of the signed statements."""
    return _desk().signer.jwks()


def _paper(kind: PaperKind, dossier_id: UUID) -> Response:
    """What dossier says with the citizen's own token, rendered."""
    dossier = cast(ServiceClient, current_app.extensions[DOSSIER])
    data = dossier.get(
        f"/api/dossier/v1/dossiers/{dossier_id}/{kind}",
        bearer=bearer(),
        params={"language": wanted_language()},
    )
    paper = LAYOUTS[kind](data)
    pdf = render(paper)
    log.info("document.generated", dossier_id=str(dossier_id), kind=kind)
    response = Response(pdf, mimetype=PDF)
    response.headers["Content-Disposition"] = content_disposition(paper.filename)
    response.set_etag(hashlib.sha256(pdf).hexdigest())
    return response


def _desk() -> Desk:
    return cast(Desk, current_app.extensions[DESK])
