"""The demonstration's citizens, and the register that knows their addresses."""

import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import yaml
from stdnum.be import nn

_FILE = Path(__file__).with_name("citizens.yaml")
OF_ONE_ROUND = 200
"""Plain candidates are born 60 days apart, the next round a day after the one before: all of age."""
_NAMESPACE = uuid.UUID("6f1c7f43-6f5c-4c0e-9d8e-3a2f7f1f5b10")


@dataclass(frozen=True)
class Address:
    """A domicile; ``commune_ins`` is the INS code of the commune."""

    street: str
    number: str
    postal_code: str
    locality: str
    commune_ins: str


@dataclass(frozen=True)
class Citizen:
    """A fictitious person as the federal login and the register know her."""

    username: str
    story: str
    given_name: str
    family_name: str
    national_number: str
    birthdate: date
    email: str
    language: str
    phone: str
    means: frozenset[str]
    address: Address
    country: str | None = None

    @property
    def subject(self) -> str:
        """What this source calls her, for ever."""
        return str(uuid.uuid5(_NAMESPACE, self.username))

    @property
    def label(self) -> str:
        """How a page lists her."""
        return f"{self.given_name} {self.family_name} ({self.username}), {self.address.locality}"

    def get_user_id(self) -> str:
        """Authlib's name for the subject."""
        return self.subject


class Population:
    """Every citizen there is, found by user name, subject or national number."""

    def __init__(self, citizens: Iterable[Citizen]) -> None:
        self._by_username = {citizen.username: citizen for citizen in citizens}
        self._by_subject = {citizen.subject: citizen for citizen in self._by_username.values()}
        self._by_number = {citizen.national_number: citizen for citizen in self._by_username.values()}

    def __iter__(self) -> Iterator[Citizen]:
        return iter(self._by_username.values())

    def named(self, username: str) -> Citizen | None:
        """The citizen with that user name."""
        return self._by_username.get(username)

    def with_subject(self, subject: str) -> Citizen | None:
        """The citizen this source calls ``subject``."""
        return self._by_subject.get(subject)

    def with_number(self, national_number: str) -> Citizen | None:
        """The citizen with that national number."""
        return self._by_number.get(national_number)

    def holders(self, means_id: str) -> list[Citizen]:
        """Who activated a means."""
        return [citizen for citizen in self if means_id in citizen.means]


def load(plain: int | None = None) -> Population:
    """Read the stories and make the plain candidates, as many as the file says or ``plain``."""
    data = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    stories = [_story(entry) for entry in data["citizens"]]
    return Population([*stories, *_plain(data["plain"], plain)])


def national_number(birthdate: date, sequence: int) -> str:
    """A valid number ``YYMMDD SSS CC``; births from 2000 put a 2 before the nine digits for the check."""
    nine = f"{birthdate:%y%m%d}{sequence:03d}"
    check = 97 - int(("2" if birthdate.year >= 2000 else "") + nine) % 97
    number: str = nn.validate(f"{nine}{check:02d}")
    return number


def _story(entry: Mapping[str, Any]) -> Citizen:
    number = entry.get("national_number") or national_number(entry["birthdate"], entry["sequence"])
    return Citizen(
        username=entry["username"],
        story=entry["story"],
        given_name=entry["given_name"],
        family_name=entry["family_name"],
        national_number=nn.validate(number),
        birthdate=entry["birthdate"],
        email=entry["email"],
        language=entry["language"],
        phone=entry["phone"],
        means=frozenset(entry["means"]),
        address=Address(**entry["address"]),
        country=entry.get("country"),
    )


def _plain(data: Mapping[str, Any], count: int | None) -> Iterable[Citizen]:
    places, given, family = data["places"], data["given_names"], data["family_names"]
    for index in range(1, (data["count"] if count is None else count) + 1):
        round_, of_round = divmod(index - 1, OF_ONE_ROUND)
        born = date(1960, 1, 4) + timedelta(days=60 * (of_round + 1) + round_)
        place = places[(index - 1) % len(places)]
        username = f"citoyen{index:02d}"
        yield Citizen(
            username=username,
            story=f"Candidat·e de {place['locality']}, sans histoire.",
            given_name=given[index % len(given)],
            family_name=family[index // len(given) % len(family)],
            national_number=national_number(born, 501 + of_round),
            birthdate=born,
            email=f"{username}@courriel.example",
            language="fr",
            phone=f"+32471{index:06d}",
            means=frozenset({"eid", "itsme", "email_code", "sms", "totp"}),
            address=Address(number=str(index), **place),
        )
