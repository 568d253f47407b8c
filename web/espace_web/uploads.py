"""Bringing a file to the dossier: announce, send, verify, attach.

With JavaScript the browser sends the bytes to the object store itself and web does the rest. Without, the
bytes come to web in a multipart form (werkzeug keeps them in a temporary file) and are sent on from there.
"""

import hashlib
import uuid
from dataclasses import dataclass
from typing import IO, Any
from urllib.parse import urlsplit

from werkzeug.datastructures import FileStorage

from espace_web.context import N_, _, api, house, language
from espace_web.remote import Refused, ServiceDown

CHUNK = 256 * 1024
PDF = "application/pdf"

REASONS = {
    "file_empty": N_("Le fichier est vide. Choisissez un autre fichier."),
    "file_too_large": N_("Le fichier dépasse la taille maximale. Choisissez un fichier plus petit."),
    "hash_mismatch": N_("Le fichier est arrivé abîmé. Ajoutez-le à nouveau."),
    "not_a_pdf": N_("Le fichier n’est pas un PDF. Enregistrez-le au format PDF, puis ajoutez-le à nouveau."),
    "pdf_encrypted": N_(
        "Le PDF est protégé par un mot de passe. Enlevez la protection, puis ajoutez-le à nouveau."
    ),
    "pdf_unreadable": N_("Le PDF ne s’ouvre pas. Créez-le à nouveau, puis ajoutez-le."),
    "type_not_allowed": N_(
        "Ce type de fichier n’est pas accepté ici. Choisissez un fichier d’un des types indiqués."
    ),
    "image_unreadable": N_("L’image ne s’ouvre pas. Enregistrez-la à nouveau, puis ajoutez-la."),
    "image_too_large": N_("L’image a trop de points. Réduisez-la, puis ajoutez-la à nouveau."),
    "upload_missing": N_("Le fichier n’est pas arrivé jusqu’au bout. Ajoutez-le à nouveau."),
    "upload_expired": N_("L’envoi a pris trop de temps. Ajoutez le fichier à nouveau."),
    "slot_full": N_("Le nombre maximal de fichiers est atteint. Supprimez d’abord un fichier."),
    "filename_invalid": N_("Le nom du fichier n’est pas accepté. Renommez-le, puis ajoutez-le à nouveau."),
    "too_many_files": N_("Le nombre maximal de fichiers est atteint. Supprimez d’abord un fichier."),
    "not_editable": N_("Ce dossier ne peut plus être modifié."),
    "no_file": N_("Choisissez un fichier avant de l’envoyer."),
}
OTHERWISE = N_("Le fichier n’a pas pu être ajouté. Réessayez, ou choisissez un autre fichier.")


class FileRefused(Exception):
    """A file that was not taken; ``message`` says why in one sentence and what to do.

    Always told as 422: the gateway has its own page for 413.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code

    @property
    def message(self) -> str:
        """In the page's language."""
        return _(REASONS.get(self.code, OTHERWISE))


@dataclass(frozen=True)
class Place:
    """Where a file goes: a slot of a dossier, or of one of its requests for information."""

    dossier_id: str
    slot: dict[str, Any]
    request_id: str | None = None

    @property
    def attachments_path(self) -> str:
        """The API path that attaches to this place."""
        if self.request_id:
            return f"/dossiers/{self.dossier_id}/information-requests/{self.request_id}/attachments"
        return f"/dossiers/{self.dossier_id}/attachments"


def announce(
    place: Place, *, filename: str, size: int, content_type: str, sha256: str, key: str
) -> dict[str, Any]:
    """Ask documents for a signed form for exactly these bytes.

    Raises:
        FileRefused: such a file is not taken here.
    """
    slot = place.slot
    if size <= 0:
        raise FileRefused("file_empty")
    if size > slot["max_bytes"]:
        raise FileRefused("file_too_large")
    if not slot["can_add"]:
        raise FileRefused("slot_full")
    announced = {
        "filename": filename,
        "size": size,
        "content_type": kind_of(filename, content_type, slot["types"]),
        "sha256": sha256,
        "slot": slot["key"],
        "dossier_id": place.dossier_id,
    }
    return dict(_refusing(lambda: api("documents").post("/uploads", announced, key=key)))


def finish(place: Place, document_id: str, *, key: str) -> dict[str, Any]:
    """Have the bytes verified and attach the document: the dossier after it.

    Raises:
        FileRefused: the bytes are not what was announced, or the dossier does not take them.
    """

    def steps() -> Any:
        done = api("documents").post(
            f"/documents/{document_id}/completion", {}, key=_derived(key, "completion")
        )
        piece = {"statement": done["statement"]}
        if place.request_id is None:
            piece["slot"] = place.slot["key"]
        path = f"{place.attachments_path}?language={language()}"
        return api("dossier").post(path, piece, key=_derived(key, "attachment"))

    return dict(_refusing(steps))


def bring(place: Place, file: FileStorage | None, *, key: str) -> dict[str, Any]:
    """The whole way for a file that came to web in a form.

    Raises:
        FileRefused: at any step.
        ServiceDown: the store or a service is away.
    """
    if file is None or not file.filename:
        raise FileRefused("no_file")
    size, digest = _measure(file.stream)
    key = _derived(key, digest.hex())
    announced = announce(
        place,
        filename=file.filename,
        size=size,
        content_type=file.mimetype,
        sha256=digest.hex(),
        key=_derived(key, "announcement"),
    )
    _send(announced["form"], file.stream)
    return finish(place, announced["document_id"], key=key)


def kind_of(filename: str, content_type: str, allowed: list[str]) -> str:
    """The type to announce: what the browser says where it says something, else by the name's end."""
    if content_type in allowed:
        return content_type
    by_end = {
        "pdf": PDF,
        "jpg": "image/jpeg",
        "jpeg": "image/jpeg",
        "png": "image/png",
        "txt": "text/plain",
    }
    guessed = by_end.get(filename.rpartition(".")[2].lower())
    return guessed or content_type or "application/octet-stream"


def _measure(stream: IO[bytes]) -> tuple[int, bytes]:
    digest, size = hashlib.sha256(), 0
    stream.seek(0)
    while chunk := stream.read(CHUNK):
        digest.update(chunk)
        size += len(chunk)
    stream.seek(0)
    return size, digest.digest()


def _send(form: dict[str, Any], stream: IO[bytes]) -> None:
    """Post to the store's inside address; the signature covers the policy, not the host."""
    url = house().settings.objects_url + urlsplit(form["url"]).path
    fields = {name: str(value) for name, value in form["fields"].items()}
    kind = fields.get("Content-Type", "application/octet-stream")
    answer = house().remote.post_file(url, fields, stream, kind)
    if answer.status_code >= 500:
        raise ServiceDown("objects")
    if answer.status_code >= 300:
        raise FileRefused(_store_reason(answer.text))


def _store_reason(text: str) -> str:
    if "EntityTooLarge" in text:
        return "file_too_large"
    if "EntityTooSmall" in text:
        return "file_empty"
    return "hash_mismatch" if "BadDigest" in text else "upload_expired"


def _refusing(step: Any) -> Any:
    try:
        return step()
    except Refused as error:
        if error.status in (401, 403, 404):
            raise
        raise FileRefused(error.code) from error


def _derived(key: str, part: str) -> str:
    return str(uuid.uuid5(uuid.UUID(key), part))
