"""Settings from the environment, read once and frozen.

Each field of a settings class is read from ``ESPACE_<FIELD>``; a secret may come as a file named by
``ESPACE_<FIELD>_FILE`` instead, whose content (without the final newline) is the value. An empty variable is
one that is not set: an empty secret would be no secret.
"""

import dataclasses
import os
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeVar

PREFIX = "ESPACE_"
Settings = TypeVar("Settings")
Environment = Literal["production", "demo", "test"]


class SettingsError(Exception):
    """What is missing or wrong in the environment, every problem on a line of its own."""


class Ratio(float):
    """A part of a whole, from 0 to 1.

    Raises:
        ValueError: it is no number, or not within these.
    """

    def __new__(cls, value: float | str) -> "Ratio":
        ratio = super().__new__(cls, value)
        if not 0 <= ratio <= 1:
            raise ValueError(f"{value} is not between 0 and 1")
        return ratio


SAMPLED = Ratio(0.1)
"""Which part of the traces is sampled where nothing else is said."""


@dataclass(frozen=True, kw_only=True)
class ServiceSettings:
    """What every service needs; a service's own settings extend it.

    URLs have no trailing slash. ``public_url`` is the gateway's origin as browsers see it, the others
    are inside addresses. ``otlp_endpoint`` is the base address of a receiver of traces; without one there are
    none. A subclass that calls other services names itself in ``client_id`` (its short name, by which the
    token endpoint knows it).
    """

    client_id: ClassVar[str] = ""

    database_url: str
    amqp_url: str
    public_url: str
    identity_url: str
    client_secret: str
    environment: Environment = "production"
    legal_clock_file: Path | None = None
    log_level: str = "INFO"
    database_pool_size: int = 5
    worker_port: int = 0
    otlp_endpoint: str | None = None
    trace_sample_ratio: Ratio = SAMPLED

    @property
    def issuer(self) -> str:
        """The OpenID provider's issuer identifier."""
        return f"{self.public_url}/identity"


def load(cls: type[Settings], environ: Mapping[str, str] = os.environ) -> Settings:
    """Read ``cls`` (a dataclass) from the environment.

    Raises:
        SettingsError: names every missing or malformed variable at once.
    """
    values: dict[str, Any] = {}
    problems: list[str] = []
    hints = typing.get_type_hints(cls)
    for field in dataclasses.fields(cls):  # type: ignore[arg-type]
        name = PREFIX + field.name.upper()
        try:
            text = _text(name, environ)
            if text is not None:
                values[field.name] = _parse(text, hints[field.name])
            elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
                problems.append(f"{name} (or {name}_FILE) is not set")
        except (ValueError, OSError) as error:
            problems.append(f"{name}: {error}")
    if problems:
        raise SettingsError("\n".join(problems))
    return cls(**values)


def _text(name: str, environ: Mapping[str, str]) -> str | None:
    if environ.get(name):
        return environ[name]
    file = environ.get(f"{name}_FILE")
    if not file:
        return None
    text = Path(file).read_text(encoding="utf-8").removesuffix("\n")
    if not text:
        raise ValueError(f"{file} is empty")
    return text


def _parse(text: str, wanted: Any) -> Any:
    origin, arguments = typing.get_origin(wanted), typing.get_args(wanted)
    if origin in (typing.Union, types.UnionType):
        return _parse(text, next(a for a in arguments if a is not type(None)))
    if origin is Literal:
        if text not in arguments:
            raise ValueError(f"{text!r} is not one of {', '.join(map(repr, arguments))}")
        return text
    if origin is tuple:
        return tuple(_parse(part.strip(), arguments[0]) for part in text.split(",") if part.strip())
    if wanted is bool:
        if text.lower() not in ("true", "false", "1", "0"):
            raise ValueError(f"{text!r} is neither true nor false")
        return text.lower() in ("true", "1")
    return wanted(text)
