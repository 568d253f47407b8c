"""What callers are told about documents' own exceptions, in their language."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from flask import current_app

from documents_service.language import wanted_language
from documents_service.model.document import DocumentError, NotServed, UploadMissing, UploadRefused
from documents_service.queries import DocumentNotFound
from documents_service.texts import catalogues
from espace.files import EVERY_TYPE, MEBIBYTE
from espace.http import Problem

SETTINGS: Final = "documents.settings"
_NOT_SERVED = {"document_not_ready": 409, "scan_pending": 409, "infected": 403}


def _text(error: DocumentError) -> str:
    settings = current_app.extensions[SETTINGS]
    return catalogues().gettext(
        wanted_language(),
        error.code,
        max_megabytes=settings.max_upload_bytes // MEBIBYTE,
        max_files=settings.max_files_per_dossier,
        types=", ".join(kind.rpartition("/")[2].upper() for kind in EVERY_TYPE),
    )


def _refused(error: DocumentError) -> Problem:
    text = _text(error)
    return Problem(422, error.code, text, errors={"file": [text]})


def _not_served(error: NotServed) -> Problem:
    return Problem(_NOT_SERVED[error.code], error.code, _text(error))


def _not_found(_error: DocumentNotFound) -> Problem:
    return Problem(404, "not_found", "There is nothing at this address, or it is not yours.")


problems: Final[Mapping[type[Exception], Callable[[Any], Problem]]] = MappingProxyType(
    {
        UploadRefused: _refused,
        UploadMissing: _refused,
        NotServed: _not_served,
        DocumentNotFound: _not_found,
    }
)
