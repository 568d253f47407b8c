"""What a file is, told by its bytes and never by its name. Which slot takes it is the dossier's to say."""

import struct
from pathlib import Path
from typing import BinaryIO, Final

from documents_service.model.document import UploadRefused
from espace.files import JPEG, PDF, PNG

MOST_PIXELS: Final = 100_000_000
_TAIL = 64 * 1024


def content_type_of(path: Path, *, declared: str) -> str:
    """The type of the file's bytes.

    Args:
        declared: what the client took it for; it only words the refusal.

    Raises:
        UploadRefused: ``not_a_pdf`` or ``type_not_allowed``, ``pdf_unreadable`` when something else hides
            behind the PDF's end, ``image_unreadable``, ``image_too_large``.
    """
    with path.open("rb") as file:
        head = file.read(16)
        if head.startswith(b"%PDF-"):
            _check_pdf_end(file)
            found = PDF
        elif head.startswith(b"\x89PNG\r\n\x1a\n"):
            found = PNG
        elif head.startswith(b"\xff\xd8\xff"):
            found = JPEG
        else:
            raise UploadRefused("not_a_pdf" if declared == PDF else "type_not_allowed")
        if found in (PNG, JPEG):
            _check_image(file, found)
    return found


def _check_pdf_end(file: BinaryIO) -> None:
    """A PDF that goes on after its end is two files in one."""
    tail = _tail(file)
    end = tail.rfind(b"%%EOF")
    if end < 0 or tail[end + 5 :].strip(b"\0\t\n\f\r \x1a"):
        raise UploadRefused("pdf_unreadable")


def _check_image(file: BinaryIO, found: str) -> None:
    size = _png_size(file) if found == PNG else _jpeg_size(file)
    if size is None or 0 in size:
        raise UploadRefused("image_unreadable")
    if size[0] * size[1] > MOST_PIXELS:
        raise UploadRefused("image_too_large")


def _png_size(file: BinaryIO) -> tuple[int, int] | None:
    file.seek(8)
    header = file.read(16)
    if len(header) < 16 or header[4:8] != b"IHDR" or not _tail(file).endswith(b"IEND\xaeB`\x82"):
        return None
    width, height = struct.unpack(">II", header[8:])
    return width, height


def _jpeg_size(file: BinaryIO) -> tuple[int, int] | None:
    """Walk the segments up to the frame header (SOF0..SOF15 but the three tables in that range)."""
    if b"\xff\xd9" not in _tail(file):
        return None
    file.seek(2)
    while len(marker := file.read(4)) == 4 and marker[0] == 0xFF:
        kind, length = marker[1], int.from_bytes(marker[2:], "big")
        if 0xC0 <= kind <= 0xCF and kind not in (0xC4, 0xC8, 0xCC):
            frame = file.read(5)
            if len(frame) < 5:
                return None
            height, width = struct.unpack(">HH", frame[1:])
            return width, height
        if length < 2:
            return None
        file.seek(length - 2, 1)
    return None


def _tail(file: BinaryIO) -> bytes:
    size = file.seek(0, 2)
    file.seek(max(0, size - _TAIL))
    return file.read()
