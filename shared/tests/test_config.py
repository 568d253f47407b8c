"""Settings: complete, or the program does not start and says why."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from espace.config import SettingsError, load


@dataclass(frozen=True, kw_only=True)
class Settings:
    session_key: str
    port: int = 25
    scanner: str | None = None


def test_an_empty_secret_is_none(tmp_path: Path) -> None:
    empty = tmp_path / "key"
    empty.write_text("\n")
    for environ in ({"ESPACE_SESSION_KEY": ""}, {"ESPACE_SESSION_KEY_FILE": str(empty)}):
        with pytest.raises(SettingsError, match="ESPACE_SESSION_KEY"):
            load(Settings, environ)


def test_an_empty_variable_leaves_the_file_and_the_default(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("secret\n")
    environ = {"ESPACE_SESSION_KEY": "", "ESPACE_SESSION_KEY_FILE": str(key), "ESPACE_PORT": ""}
    assert load(Settings, environ | {"ESPACE_SCANNER": ""}) == Settings(session_key="secret")


def test_every_problem_is_named_at_once() -> None:
    with pytest.raises(SettingsError, match=r"(?s)ESPACE_SESSION_KEY .*ESPACE_PORT: invalid literal"):
        load(Settings, {"ESPACE_PORT": "many"})
