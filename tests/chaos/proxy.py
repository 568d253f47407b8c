"""A TCP proxy of ours between any two parts, with the ways in which a network fails.

The verbs are those of Shopify's toxiproxy: ``cut`` is its reset_peer and its ``down``, ``slow`` its latency,
``half_open`` its timeout 0, ``answers_lost`` its limit_data on the way back.
"""

import asyncio
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Literal, get_args

Mode = Literal["pass", "cut", "slow", "half_open", "answers_lost"]
MODES: tuple[Mode, ...] = get_args(Mode)
SLOW_SECONDS = 0.3
"""How long each piece of data waits, in either direction."""
RESET = struct.pack("ii", 1, 0)
"""The value of SO_LINGER by which a close is an RST."""


class Proxies:
    """The thread that all proxies of an experiment run in."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxies", daemon=True)
        self._thread.start()
        self._made: dict[str, Proxy] = {}

    def __getitem__(self, name: str) -> "Proxy":
        return self._made[name]

    def __contains__(self, name: str) -> bool:
        return name in self._made

    def add(self, name: str, target: Callable[[], int]) -> "Proxy":
        """Listen on a free port; each connection is led to the loopback port that ``target`` tells then."""
        proxy = Proxy(target)
        self._made[name] = proxy
        self._do(proxy.listen())
        return proxy

    def set(self, name: str, mode: Mode) -> None:
        """Change how ``name`` behaves, for what is open too."""
        self._do(self._made[name].become(mode))

    def heal(self) -> None:
        """All pass again."""
        for name, proxy in self._made.items():
            if proxy.mode != "pass":
                self.set(name, "pass")

    def close(self) -> None:
        """End all of them."""
        for proxy in self._made.values():
            self._do(proxy.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(30)


class Proxy:
    """One address in front of another."""

    def __init__(self, target: Callable[[], int]) -> None:
        self._target = target
        self.mode: Mode = "pass"
        self.port = 0
        self._open: set[asyncio.StreamWriter] = set()
        self._links: set[asyncio.Task[None]] = set()
        self._flows = asyncio.Event()

    async def listen(self) -> None:
        """Take a free loopback port."""
        self._flows.set()
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def become(self, mode: Mode) -> None:
        """From now on; a connection that was half open is reset when that is over, as peers find it dead."""
        was, self.mode = self.mode, mode
        if mode == "half_open":
            self._flows.clear()
        else:
            self._flows.set()
        if mode == "cut" or was == "half_open":
            self._reset()

    async def close(self) -> None:
        """Listen no more, end what is open."""
        self._server.close()
        self._reset()
        for link in self._links:
            link.cancel()
        await asyncio.gather(*self._links, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._links.add(task)
        self._open.add(writer)
        try:
            await self._connect(reader, writer)
        finally:
            self._links.discard(task)
            self._end(writer)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.mode == "cut":
            _reset(writer)
            return
        try:
            there, upstream = await asyncio.open_connection("127.0.0.1", self._target())
        except OSError:
            _reset(writer)
            return
        self._open.add(upstream)
        try:
            await asyncio.gather(self._pump(reader, upstream), self._pump(there, writer, answers=True))
        finally:
            self._end(upstream)

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: bool = False
    ) -> None:
        try:
            while data := await reader.read(65536):
                if self.mode == "slow":
                    await asyncio.sleep(SLOW_SECONDS)
                await self._flows.wait()
                if answers and self.mode == "answers_lost":
                    _reset(writer)
                    break
                writer.write(data)
                await writer.drain()
            if writer.can_write_eof():
                writer.write_eof()
        except OSError:
            _reset(writer)  # as without us: who resets one end resets the other

    def _reset(self) -> None:
        for writer in list(self._open):
            _reset(writer)

    def _end(self, writer: asyncio.StreamWriter) -> None:
        self._open.discard(writer)
        writer.close()


def _reset(writer: asyncio.StreamWriter) -> None:
    """End it with RST in place of FIN."""
    end = writer.get_extra_info("socket")
    if end is not None and end.fileno() >= 0:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    writer.transport.abort()
