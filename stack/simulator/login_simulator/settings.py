"""What the simulator needs from its environment.

| variable | meaning |
|---|---|
| SIMULATOR_PUBLIC_URL | the issuer: its origin as browsers see it, without a slash at the end |
| SIMULATOR_CLIENT_ID, SIMULATOR_CLIENT_SECRET | the one client: identity |
| SIMULATOR_REDIRECT_URIS | comma-separated; ``<public>/identity/callback`` |
| SIMULATOR_POST_LOGOUT_REDIRECT_URIS | comma-separated, may be empty |
| SIMULATOR_REGISTER_SECRET | bearer secret that opens the register of addresses |
| SIMULATOR_EMAIL_CODE_LEVEL | assurance level of the code by e-mail; default 400 |
| SIMULATOR_PLAIN_CITIZENS | how many candidates without a story there are; by default as citizens.yaml says |

A secret may come as a file: ``SIMULATOR_CLIENT_SECRET_FILE``, ``SIMULATOR_REGISTER_SECRET_FILE``.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


class SettingsError(Exception):
    """What is missing in the environment."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The simulator's settings; all of it lives in memory, a restart starts clean."""

    public_url: str
    client_id: str
    client_secret: str
    redirect_uris: tuple[str, ...]
    register_secret: str
    post_logout_redirect_uris: tuple[str, ...] = ()
    email_code_level: int = 400
    plain_citizens: int | None = None


def load(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings.

    Raises:
        SettingsError: names every missing variable.
    """
    environ = {**environ, **_from_files(environ)}
    required = ("PUBLIC_URL", "CLIENT_ID", "CLIENT_SECRET", "REDIRECT_URIS", "REGISTER_SECRET")
    missing = [f"SIMULATOR_{name} is not set" for name in required if not environ.get(f"SIMULATOR_{name}")]
    if missing:
        raise SettingsError("\n".join(missing))
    return Settings(
        public_url=environ["SIMULATOR_PUBLIC_URL"],
        client_id=environ["SIMULATOR_CLIENT_ID"],
        client_secret=environ["SIMULATOR_CLIENT_SECRET"],
        redirect_uris=_list(environ["SIMULATOR_REDIRECT_URIS"]),
        register_secret=environ["SIMULATOR_REGISTER_SECRET"],
        post_logout_redirect_uris=_list(environ.get("SIMULATOR_POST_LOGOUT_REDIRECT_URIS", "")),
        email_code_level=int(environ.get("SIMULATOR_EMAIL_CODE_LEVEL", "400")),
        plain_citizens=int(count) if (count := environ.get("SIMULATOR_PLAIN_CITIZENS")) else None,
    )


def _from_files(environ: Mapping[str, str]) -> dict[str, str]:
    found = {}
    for name in ("SIMULATOR_CLIENT_SECRET", "SIMULATOR_REGISTER_SECRET"):
        if file := environ.get(f"{name}_FILE"):
            try:
                found[name] = Path(file).read_text(encoding="utf-8").removesuffix("\n")
            except OSError as error:
                raise SettingsError(f"{name}_FILE: {error}") from error
    return found


def _list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())
