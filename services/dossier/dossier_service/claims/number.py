"""The number of a dossier, short enough for the telephone."""

import re

_SHAPE = re.compile(r"ME-(\d{4})-(\d{6,})-(\d)")


def number(year: int, sequence: int) -> str:
    """``ME-<year>-<sequence>-<check digit>``; the check (Luhn over both) finds one wrong digit."""
    digits = f"{year:04}{sequence:06}"
    return f"ME-{year:04}-{sequence:06}-{_check_digit(digits)}"


def is_number(text: str) -> bool:
    """Whether ``text`` is a number whose check digit is right."""
    found = _SHAPE.fullmatch(text)
    return found is not None and _check_digit(found[1] + found[2]) == int(found[3])


def _check_digit(digits: str) -> int:
    total = 0
    for index, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if index % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return -total % 10
