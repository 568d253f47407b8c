"""The dossier and its states: draft, validated, submitted, withdrawn."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from dossier_service.claims.practice import Practice, Window
from dossier_service.pieces import FileFacts, Piece, PieceRefused, check_fits, listing, sha256
from dossier_service.procedures.validation import Errors, refuse_patch, trimmed


class DossierState(StrEnum):
    DRAFT = "draft"
    VALIDATED = "validated"
    SUBMITTED = "submitted"
    WITHDRAWN = "withdrawn"


class DossierRefused(Exception):
    """The command does not fit the dossier's state.

    Attributes:
        code: ``not_editable``, ``not_validated``, ``not_submitted``, ``already_submitted``,
            ``content_changed``, ``claim_exists``.
    """

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


class InvalidValues(Exception):
    """Some values are wrong: every error at its field."""

    def __init__(self, errors: Errors) -> None:
        self.errors = errors
        super().__init__(", ".join(errors))


class SlotsEmpty(Exception):
    """Mandatory slots have no file."""

    def __init__(self, slots: tuple[str, ...]) -> None:
        self.slots = slots
        super().__init__(", ".join(slots))


class OutsideWindow(Exception):
    """The act came before the window opened or after it closed; ``instant`` is when it came."""

    def __init__(self, window: Window, instant: datetime) -> None:
        self.window = window
        self.instant = instant
        super().__init__(window.state(instant))


@dataclass(eq=False, kw_only=True)
class Attachment(Piece):
    """A file of the dossier itself."""

    dossier_id: UUID


@dataclass(eq=False, kw_only=True)
class Dossier:
    """One citizen's case.

    ``version`` grows with every change and every published fact. One that is ``synthetic`` was filed by the
    platform itself: it counts in no statistics, and is forgotten after a while.
    """

    id: UUID
    citizen_id: UUID
    procedure: str
    procedure_version: int
    prefilled: dict[str, str]
    created_at: datetime
    saved_at: datetime
    typed: dict[str, Any] = field(default_factory=dict)
    state: str = DossierState.DRAFT
    version: int = 1
    validated_at: datetime | None = None
    values_sha256: str | None = None
    number: str | None = None
    received_at: datetime | None = None
    deposited_sha256: str | None = None
    unique_key: str | None = None
    withdrawn_at: datetime | None = None
    synthetic: bool = False
    attachments: list[Attachment] = field(default_factory=list)

    @property
    def values(self) -> dict[str, Any]:
        """The prefilled values with the typed ones over them; read-only ones are never typed.

        Without the spaces around them: what is judged is what decides the window and the claim's place.
        """
        return {key: trimmed(value) for key, value in {**self.prefilled, **self.typed}.items()}

    @property
    def editable(self) -> bool:
        """Whether it is not deposited yet."""
        return self.state in (DossierState.DRAFT, DossierState.VALIDATED)

    def content_sha256(self) -> str | None:
        """The hash of the frozen values and the pieces; None while the values are not frozen."""
        if self.values_sha256 is None:
            return None
        return sha256({"values": self.values_sha256, "pieces": listing(self.attachments)})

    @property
    def content_since(self) -> datetime:
        """Since when values and pieces are what they are."""
        return max(self.saved_at, self.validated_at or self.saved_at)

    def touch(self) -> int:
        """The next version."""
        self.version += 1
        return self.version

    def incomplete(self, practice: Practice) -> bool:
        """Whether what a draft takes from the registers is not all there yet."""
        return self.state == DossierState.DRAFT and practice.lacks(self.prefilled)

    def complete(self, practice: Practice, identity: Mapping[str, Any]) -> None:
        """Add to a draft what the registers did not tell before; what is there stays.

        Raises:
            NotCovered: the citizen's commune votes elsewhere.
        """
        if self.incomplete(practice):
            self.prefilled = {**practice.prefill(identity), **self.prefilled}

    def type_in(self, practice: Practice, patch: dict[str, Any], now: datetime) -> None:
        """Keep what was typed, right or wrong; None empties a field. Un-freezes what was validated.

        Raises:
            InvalidValues: something cannot even be kept (unknown or read-only field, not a value).
        """
        self._check_editable()
        faults = refuse_patch(practice.procedure, patch)
        if faults:
            raise InvalidValues(faults)
        self.typed = {**self.typed, **patch}
        self.saved_at = now
        self.state = DossierState.DRAFT
        self.validated_at = self.values_sha256 = None
        self.touch()

    def validate(self, practice: Practice, now: datetime) -> None:
        """Freeze the values by their hash; again without a change it does nothing.

        Raises:
            InvalidValues: every error at its field.
        """
        self._check_editable()
        errors = practice.errors(self.values)
        if errors:
            raise InvalidValues(errors)
        if self.state == DossierState.VALIDATED:
            return
        self.state = DossierState.VALIDATED
        self.validated_at = now
        self.values_sha256 = sha256(
            {
                "procedure": self.procedure,
                "version": self.procedure_version,
                "values": practice.declared(self.values),
            }
        )
        self.touch()

    def attach(self, practice: Practice, facts: FileFacts, now: datetime) -> bool:
        """Add a file to its slot; whether it was new.

        Raises:
            PieceRefused: it does not fit the slot.
        """
        self._check_editable()
        if any(piece.document_id == facts.document_id for piece in self.attachments):
            return False
        slot = practice.procedure.slot(facts.slot)
        if slot is None:
            raise PieceRefused("unknown_slot", None)
        check_fits(facts, slot, self.attachments)
        piece = Attachment(
            dossier_id=self.id,
            document_id=facts.document_id,
            slot=facts.slot,
            filename=facts.filename,
            size=facts.size,
            sha256=facts.sha256,
            content_type=facts.content_type,
            added_at=now,
        )
        self.attachments.append(piece)
        self.saved_at = now
        self.touch()
        return True

    def detach(self, document_id: UUID, now: datetime) -> bool:
        """Remove a file; whether it was there."""
        self._check_editable()
        found = [piece for piece in self.attachments if piece.document_id == document_id]
        for piece in found:
            self.attachments.remove(piece)
            self.saved_at = now
            self.touch()
        return bool(found)

    def missing_slots(self, practice: Practice) -> tuple[str, ...]:
        """The mandatory slots without a file."""
        filled = {piece.slot for piece in self.attachments}
        wanted = practice.procedure.mandatory_slots(
            more_time_asked=practice.procedure.asks_more_time(self.values)
        )
        return tuple(slot.key for slot in wanted if slot.key not in filled)

    def check_depositable(self, practice: Practice, received_at: datetime, seen: str) -> None:
        """Whether what the citizen saw may be deposited at that instant; raises the first reason why not.

        Nothing arrives before it exists: a hash can be computed before its content is here.
        """
        if self.state == DossierState.SUBMITTED:
            raise DossierRefused("already_submitted")
        self._check_editable()
        window = practice.window(self.values)
        if window and window.state(received_at) != "open":
            raise OutsideWindow(window, received_at)
        place_missing = practice.procedure.window is not None and window is None
        if self.state != DossierState.VALIDATED or place_missing:
            raise DossierRefused("not_validated")
        if seen != self.content_sha256() or received_at < self.content_since:
            raise DossierRefused("content_changed")
        missing = self.missing_slots(practice)
        if missing:
            raise SlotsEmpty(missing)

    def deposit(self, practice: Practice, received_at: datetime, number: str) -> None:
        """Make the deposit that was checked, under its number."""
        self.state = DossierState.SUBMITTED
        self.number = number
        self.received_at = received_at
        self.deposited_sha256 = self.content_sha256()
        self.unique_key = practice.unique_key(self.values)
        self.touch()

    def withdraw(self, practice: Practice, arrived_at: datetime) -> None:
        """Take the deposit back while the window is open; the constituency is free for a new one."""
        deposited = self.received_at is not None and self.received_at <= arrived_at
        if self.state != DossierState.SUBMITTED or not deposited:
            raise DossierRefused("not_submitted")
        window = practice.window(self.values)
        if window and window.state(arrived_at) != "open":
            raise OutsideWindow(window, arrived_at)
        self.state = DossierState.WITHDRAWN
        self.withdrawn_at = arrived_at
        self.unique_key = None
        self.touch()

    def _check_editable(self) -> None:
        if not self.editable:
            raise DossierRefused("not_editable")
