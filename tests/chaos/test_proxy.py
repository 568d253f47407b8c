"""The proxy does to a connection what it says."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.chaos.proxy import RESET, SLOW_SECONDS, Proxies

pytestmark = pytest.mark.asynchronous
SECONDS = 10.0


class Echo:
    """A server that says back what it is told, and remembers it."""

    def __init__(self) -> None:
        self.heard = b""
        self.ended = threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                with connection, suppress(OSError):
                    connection.settimeout(SECONDS)
                    while data := connection.recv(100):
                        self.heard += data
                        connection.sendall(data)
                self.ended.set()

    def close(self) -> None:
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(SECONDS)


@pytest.fixture
def echo() -> Iterator[Echo]:
    made = Echo()
    yield made
    made.close()


@pytest.fixture
def proxies(echo: Echo) -> Iterator[Proxies]:
    made = Proxies()
    made.add("echo", lambda: echo.port)
    yield made
    made.close()


@pytest.fixture
def client(proxies: Proxies) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", proxies["echo"].port), SECONDS) as connection:
        yield connection


def said(client: socket.socket, word: bytes) -> bytes:
    client.sendall(word)
    return client.recv(100)


def said_anew(proxies: Proxies, word: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", proxies["echo"].port), SECONDS) as connection:
        return said(connection, word)


def test_what_passes_passes(client: socket.socket) -> None:
    assert said(client, b"hello") == b"hello"


def test_who_resets_one_end_resets_the_other(echo: Echo, client: socket.socket) -> None:
    """As the kernel does for a program that was killed with an answer unread."""
    assert said(client, b"hello") == b"hello"
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    client.close()
    assert echo.ended.wait(SECONDS / 2)


def test_cut_resets_what_is_open_and_what_comes(proxies: Proxies, client: socket.socket) -> None:
    assert said(client, b"hello") == b"hello"
    proxies.set("echo", "cut")
    with pytest.raises(ConnectionError):
        said(client, b"again")
    with pytest.raises(ConnectionError):
        said_anew(proxies, b"hello")
    proxies.heal()
    assert said_anew(proxies, b"hello") == b"hello"


def test_slow_is_slow_both_ways(proxies: Proxies, client: socket.socket) -> None:
    proxies.set("echo", "slow")
    before = time.monotonic()
    assert said(client, b"hello") == b"hello"
    assert time.monotonic() - before >= 2 * SLOW_SECONDS


def test_half_open_says_nothing_until_it_is_found_dead(
    proxies: Proxies, client: socket.socket, echo: Echo
) -> None:
    assert said(client, b"hello") == b"hello"
    proxies.set("echo", "half_open")
    client.settimeout(0.2)
    with pytest.raises(TimeoutError):
        said(client, b"lost")
    client.settimeout(SECONDS)
    proxies.heal()
    with pytest.raises(ConnectionError):
        client.recv(100)
    assert echo.heard == b"hello"


def test_a_lost_answer_is_lost_after_the_work_was_done(
    proxies: Proxies, client: socket.socket, echo: Echo
) -> None:
    proxies.set("echo", "answers_lost")
    with pytest.raises(ConnectionError):
        said(client, b"work")
    assert echo.heard == b"work"
