"""The means of login, what each is worth, and which are out of order."""

from dataclasses import dataclass, field
from threading import Lock
from typing import Literal

LEVEL_PREFIX = "urn:be:fedict:iam:fas:Level"
MEANS_PREFIX = "urn:espace:means:"

Kind = Literal["card", "app", "code", "country"]


@dataclass(frozen=True)
class Means:
    """One way to show who you are; ``level`` is the assurance level that the federal login gives it."""

    id: str
    label: str
    level: int
    kind: Kind
    channel: str = ""


COUNTRIES = {
    "DE": "Allemagne",
    "AT": "Autriche",
    "HR": "Croatie",
    "DK": "Danemark",
    "ES": "Espagne",
    "EE": "Estonie",
    "LU": "Grand-Duché de Luxembourg",
    "IT": "Italie",
    "LV": "Lettonie",
    "LI": "Liechtenstein",
    "LT": "Lituanie",
    "MT": "Malte",
    "NL": "Pays-Bas",
    "PL": "Pologne",
    "PT": "Portugal",
    "CZ": "République tchèque",
    "SK": "Slovaquie",
    "SI": "Slovénie",
    "SE": "Suède",
}


def catalogue(email_code_level: int = 400) -> dict[str, Means]:
    """The six means of the guide, in its order."""
    every = (
        Means("eid", "Carte d’identité (eID)", 500, "card"),
        Means("itsme", "itsme", 450, "app"),
        Means("email_code", "Code de sécurité via e-mail", email_code_level, "code", "l’e-mail"),
        Means("sms", "Code de sécurité via SMS", 400, "code", "le SMS"),
        Means("totp", "Code de sécurité via une application mobile", 400, "code", "l’application mobile"),
        Means("eidas", "eIDAS", 500, "country"),
    )
    return {means.id: means for means in every}


@dataclass
class Switches:
    """Which means are out of order, and why. Kept in memory: a restart repairs everything."""

    _down: dict[str, str] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def set(self, means_id: str, *, down: bool, reason: str = "") -> None:
        """Take a means out of order, or back into it."""
        with self._lock:
            if down:
                self._down[means_id] = reason
            else:
                self._down.pop(means_id, None)

    def is_down(self, means_id: str) -> bool:
        """Whether the means is out of order."""
        return means_id in self._down

    def reason(self, means_id: str) -> str:
        """Why it is out of order; empty when it works."""
        return self._down.get(means_id, "")


def requested_level(acr_values: str) -> int:
    """The highest level named in ``acr_values``; 0 when none is. The citizen form is understood too."""
    levels = [0]
    for value in acr_values.split():
        name, found, digits = value.rpartition("Level")
        if found and name.startswith("urn:be:fedict:iam:fas:") and digits.isdigit():
            levels.append(int(digits))
    return max(levels)


def requested_means(acr_values: str) -> str | None:
    """The means hinted at in ``acr_values``, if any."""
    hints = (v.removeprefix(MEANS_PREFIX) for v in acr_values.split() if v.startswith(MEANS_PREFIX))
    return next(hints, None)
