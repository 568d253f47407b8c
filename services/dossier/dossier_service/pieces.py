"""Attached files as a dossier knows them, and the hash of what a citizen deposits."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from dossier_service.procedures.model import Slot


@dataclass(frozen=True, kw_only=True)
class FileFacts:
    """What documents vouches for: these bytes, of this owner, for this slot of this dossier."""

    document_id: UUID
    dossier_id: UUID
    owner_id: UUID
    slot: str
    filename: str
    size: int
    sha256: str
    content_type: str


@dataclass(eq=False, kw_only=True)
class Piece:
    """A file in its place. Where it is kept is decided by the class that derives from this."""

    document_id: UUID
    slot: str
    filename: str
    size: int
    sha256: str
    content_type: str
    added_at: datetime

    def facts(self) -> dict[str, Any]:
        """The piece as events and hashes name it; no personal data."""
        return {
            "document_id": str(self.document_id),
            "slot": self.slot,
            "sha256": self.sha256,
            "size": self.size,
        }


class PieceRefused(Exception):
    """The file does not fit its slot.

    Attributes:
        code: ``type_not_allowed``, ``file_too_large``, ``slot_full`` or ``unknown_slot``.
        slot: the slot it was meant for, if there is one.
    """

    def __init__(self, code: str, slot: Slot | None) -> None:
        self.code = code
        self.slot = slot
        super().__init__(code)


def check_fits(facts: FileFacts, slot: Slot, present: Iterable[Piece]) -> None:
    """Raise :class:`PieceRefused` unless the file may join what is in the slot."""
    if facts.content_type not in slot.types:
        raise PieceRefused("type_not_allowed", slot)
    if facts.size > slot.max_bytes:
        raise PieceRefused("file_too_large", slot)
    if sum(piece.slot == slot.key for piece in present) >= slot.max_count:
        raise PieceRefused("slot_full", slot)


def canonical(value: Any) -> bytes:
    """One way to write a JSON value: sorted keys, no spaces, UTF-8."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def sha256(value: Any) -> str:
    """The hash (hex) of a JSON value in its canonical form."""
    return hashlib.sha256(canonical(value)).hexdigest()


def listing(pieces: Iterable[Piece]) -> list[dict[str, Any]]:
    """The pieces as a list in one fixed order."""
    facts = (piece.facts() for piece in pieces)
    return sorted(facts, key=lambda fact: (fact["slot"], fact["document_id"]))
