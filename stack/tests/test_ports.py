"""Ports: remembered, replaced when taken, and never against a wish."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from espace_stack.given import WrongSetting, wanted_ports
from espace_stack.part import FailedPart
from espace_stack.ports import Ports, free_port
from espace_stack.stack import Stack


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which somebody else listens."""
    with socket.socket() as foreign:
        foreign.bind(("127.0.0.1", free_port()))
        foreign.listen()
        yield foreign.getsockname()[1]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    Stack(tmp_path, private=True).kill()


def test_port_taken_meanwhile_is_replaced(folder: Path, taken: int) -> None:
    (folder / "ports.json").write_text(json.dumps({"mailbox": taken}))
    stack = Stack(folder, private=True)
    stack.start(("mailbox",))
    assert stack.ports["mailbox"] != taken
    assert stack.part("mailbox").ready()


@pytest.mark.parametrize("name", ["objects", "weed-s3-grpc"])
def test_port_of_the_store_is_replaced_when_taken(tmp_path: Path, taken: int, name: str) -> None:
    store = Stack(tmp_path, private=True).part("objects")
    store.ports.fix(name, taken)
    store.settle_ports({})
    assert store.ports[name] != taken


def test_store_knows_every_port_it_is_started_with(tmp_path: Path) -> None:
    store = Stack(tmp_path, private=True).part("objects")
    store.command()
    assert set(json.loads((tmp_path / "ports.json").read_text())) == set(store.port_names)


def test_every_command_finds_what_another_has_chosen(tmp_path: Path) -> None:
    first, second = Ports(tmp_path / "ports.json"), Ports(tmp_path / "ports.json")
    assert first["smtp"] == second["smtp"]
    first.move("smtp")
    assert first["smtp"] == second["smtp"]


def test_port_given_to_another_is_not_used_twice(tmp_path: Path) -> None:
    ports = Ports(tmp_path / "ports.json", {"simulator": 8081})
    ports.fix("gateway", ports["simulator"])
    assert ports["simulator"] != ports["gateway"]


def test_wanted_port_is_used_and_kept(folder: Path) -> None:
    wish = free_port()
    Stack(folder, private=True, wanted={"mailbox": wish}).start(("mailbox",))
    later = Stack(folder, private=True)
    pid = later.part("mailbox").process.pid
    later.start(("mailbox",))
    assert later.ports["mailbox"] == wish
    assert later.part("mailbox").process.pid == pid


def test_part_that_runs_moves_to_a_wanted_port(folder: Path) -> None:
    stack = Stack(folder, private=True)
    stack.start(("mailbox",))
    before, wish = stack.part("mailbox").process.pid, free_port()
    stack = Stack(folder, private=True, wanted={"mailbox": wish})
    stack.start(("mailbox",))
    assert stack.part("mailbox").process.pid != before
    assert stack.mailbox.url.endswith(f":{wish}")
    assert stack.part("mailbox").ready()


def test_wanted_port_that_is_taken_is_an_error_and_nothing_is_stopped(folder: Path, taken: int) -> None:
    stack = Stack(folder, private=True)
    stack.start(("mailbox",))
    pid = stack.part("mailbox").process.pid
    with pytest.raises(FailedPart, match=f"mailbox: port {taken} is taken.*ESPACE_STACK_PORT_SMTP"):
        Stack(folder, private=True, wanted={"smtp": taken}).start(("mailbox",))
    assert stack.part("mailbox").process.pid == pid
    assert stack.ports["smtp"] != taken


def test_wanted_port_of_nobody_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WrongSetting, match=r"ESPACE_STACK_PORT_TEAPOT: there is no such port.*dossier-api"):
        Stack(tmp_path, private=True, wanted={"teapot": 80}).start(("mailbox",))


def test_wanted_ports_are_read_from_the_environment() -> None:
    environment = {"ESPACE_STACK_PORT_GATEWAY": "80", "ESPACE_STACK_PORT_DOSSIER_API": "9001", "PORT": "1"}
    assert wanted_ports(environment) == {"gateway": 80, "dossier-api": 9001}


@pytest.mark.parametrize("value", ["http", "0", "65536", "-1"])
def test_what_is_no_port_is_refused(value: str) -> None:
    with pytest.raises(WrongSetting, match="ESPACE_STACK_PORT_GATEWAY"):
        wanted_ports({"ESPACE_STACK_PORT_GATEWAY": value})


def test_one_port_for_two_is_refused() -> None:
    with pytest.raises(WrongSetting, match="two parts"):
        wanted_ports({"ESPACE_STACK_PORT_GATEWAY": "80", "ESPACE_STACK_PORT_WEB": "80"})
