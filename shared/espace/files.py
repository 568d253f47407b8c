"""Which files citizens may send at all: what documents can verify, and a procedure may therefore ask for."""

from typing import Final

PDF: Final = "application/pdf"
PNG: Final = "image/png"
JPEG: Final = "image/jpeg"

EVERY_TYPE: Final = (PDF, PNG, JPEG)
MEBIBYTE: Final = 1024 * 1024
LARGEST: Final = 20 * MEBIBYTE
"""Bytes. The gateway takes somewhat more, for the form around the file."""
