"""What no log may hold. Every test remembers what it met of it; the last file of the session looks for it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import httpx

from login_simulator.citizens import Citizen

SECRET_LENGTH = 16
_met: dict[str, str] = {}
_OUTSIDE_WORDS = r"(?<![\w-]){}(?![\w-])"


def remember(what: str, *values: str) -> None:
    """Words that no log may hold, and what they are."""
    _met.update(dict.fromkeys(filter(None, values), what))


def remember_person(person: Citizen) -> None:
    """Whom a log may name by no other word than the citizen's id."""
    number = person.national_number
    dotted = f"{number[:2]}.{number[2:4]}.{number[4:6]}-{number[6:9]}.{number[9:]}"
    remember("national number", number, dotted)
    remember("name", person.given_name, person.family_name)
    remember("e-mail address", person.email)
    remember("telephone", person.phone)
    remember("street", person.address.street)


def remember_tokens(tokens: dict[str, str]) -> None:
    """Tokens, whole and by their signatures."""
    for name in ("access_token", "id_token", "refresh_token"):
        if token := tokens.get(name):
            remember(name, token, token.rsplit(".", 1)[-1])


def remember_cookie(name: str, value: str) -> None:
    """The secret that a cookie holds; a language is none."""
    if len(value) >= SECRET_LENGTH:
        remember(f"cookie {name}", value)


def remember_address(address: str) -> None:
    """The authorization code in an address."""
    remember("authorization code", *parse_qs(urlsplit(address).query).get("code", []))


def remember_answer(answer: httpx.Response) -> None:
    """The cookies that an answer sets and the code that it passes on; for httpx's hooks."""
    for cookie in answer.headers.get_list("set-cookie"):
        name, _, rest = cookie.partition("=")
        remember_cookie(name, rest.partition(";")[0])
    remember_address(answer.headers.get("location", ""))


def kinds() -> set[str]:
    """What has been met."""
    return set(_met.values())


def found_in(log: Path) -> list[str]:
    """What of it this log holds, as it is, behind JSON's escapes or in an address's."""
    text = log.read_text(encoding="utf-8", errors="replace")
    readable = text + unquote("\n".join(_unescaped(text)))
    return [
        f"{what} in {log.name}: {_around(readable, value)}"
        for value, what in _met.items()
        if value in readable and (len(value) >= SECRET_LENGTH or _alone(value, readable))
    ]


def _unescaped(text: str) -> Iterator[str]:
    for line in text.splitlines():
        if "\\u" in line or "%" in line:
            try:
                yield json.dumps(json.loads(line), ensure_ascii=False)
            except ValueError:
                yield line


def _alone(value: str, text: str) -> bool:
    """Short words count where they stand for themselves: six digits are part of many an id."""
    return re.search(_OUTSIDE_WORDS.format(re.escape(value)), text) is not None


def _around(text: str, value: str) -> str:
    at = text.index(value)
    return text[max(0, at - 200) : at + 60]
