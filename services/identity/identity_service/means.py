"""The guide's six means of login and what each is worth at the federal login (data, not law)."""

from dataclasses import dataclass

LEVEL_PREFIX = "urn:be:fedict:iam:fas:Level"
MEANS_PREFIX = "urn:espace:means:"


@dataclass(frozen=True)
class Means:
    """One means: ``floor`` is the level we ask for and at least expect, ``ceiling`` what it can reach."""

    id: str
    floor: int
    ceiling: int


def catalogue(email_code_level: int) -> dict[str, Means]:
    """The means in the guide's order; the texts ``means.<id>`` and ``means.<id>.hint`` are its words."""
    every = (
        Means("eid", 500, 500),
        Means("itsme", 450, 450),
        Means("email_code", email_code_level, email_code_level),
        Means("sms", 400, 400),
        Means("totp", 400, 400),
        Means("eidas", 400, 500),
    )
    return {means.id: means for means in every}


def acr(level: int) -> str:
    """A level as an authentication context class."""
    return f"{LEVEL_PREFIX}{level}"


def requested_level(acr_values: str) -> int:
    """The highest level named; 0 when none is."""
    return max((level_of(value) for value in acr_values.split()), default=0)


def requested_means(acr_values: str) -> str | None:
    """The means hinted at, if any."""
    hints = (v.removeprefix(MEANS_PREFIX) for v in acr_values.split() if v.startswith(MEANS_PREFIX))
    return next(hints, None)


def level_of(value: object) -> int:
    """The number in a level, 0 when it is none; the citizen form is understood too."""
    name, found, digits = str(value).rpartition("Level")
    known = found and name.startswith("urn:be:fedict:iam:fas:") and digits.isascii() and digits.isdigit()
    return int(digits[:4]) if known else 0
