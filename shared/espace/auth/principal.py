"""Who is behind a request."""

import re
from dataclasses import dataclass
from typing import Final
from uuid import UUID

SYNTHETIC_CLIENT: Final = "synthetic"
"""The client by which the platform files a dossier with itself every few minutes, to see that one can."""
ACR = re.compile(r"urn:be:fedict:iam:fas:(?:citizen:)?Level([0-9]{3})", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Principal:
    """A citizen who came by a client, or a service in its own name (then ``citizen_id`` is None).

    ``level`` is the number in ``acr`` (100 to 500), 0 for a service.
    """

    citizen_id: UUID | None
    client_id: str
    acr: str = ""
    level: int = 0
    amr: tuple[str, ...] = ()
    language: str | None = None
    session_id: str | None = None

    @property
    def key(self) -> str:
        """A stable name, by which stored answers are kept apart."""
        return f"citizen:{self.citizen_id}" if self.citizen_id else f"service:{self.client_id}"

    @property
    def synthetic(self) -> bool:
        """Whether this is the synthetic citizen, who counts in no statistics."""
        return self.client_id == SYNTHETIC_CLIENT

    @property
    def citizen(self) -> UUID:
        """The citizen's id; only for routes that citizens use."""
        if self.citizen_id is None:
            raise LookupError("this principal is a service, not a citizen")
        return self.citizen_id


def level_of(acr: str) -> int:
    """The number in an ``acr`` value such as ``urn:be:fedict:iam:fas:Level450``; 0 for any other text."""
    found = ACR.fullmatch(acr)
    return int(found[1]) if found else 0
