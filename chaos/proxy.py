"""A proxy of our own between the workers and a server: it drops, delays and doubles replies when told to.

A reply is what comes back after a request that a fault is meant for: the work is done by then. Nothing is decoded; a
request is known by words in it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]
CHUNK = 65536
PAUSE_SECONDS = 0.1


@dataclass(frozen=True)
class Trouble:
    """`drop`: the connection is cut instead of the reply. `delay`: it comes so much later. `double`: it comes twice.
    `repeat`: the request is sent once more on a connection of its own, as a careless middleman would.
    """

    kind: str
    seconds: float = 0.0


@dataclass
class Proxy:
    """Listens on loopback and passes bytes on; `upstream` opens a connection to the server behind it."""

    upstream: Callable[[], Awaitable[Connection]]
    marks: tuple[bytes, ...] = ()
    """Words of the requests that trouble is meant for; none: any request."""
    port: int = 0
    armed: deque[Trouble] = field(default_factory=deque)
    on_strike: Callable[[str], None] = lambda _kind: None
    """Told the kind when trouble has really happened."""

    def arm(self, trouble: Trouble) -> None:
        """Trouble for the next request that it is meant for."""
        self.armed.append(trouble)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Proxy]:
        """Serve while the block runs."""
        open_: set[asyncio.StreamWriter] = set()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            open_.add(writer)
            try:
                await self._serve(reader, writer)
            finally:
                open_.discard(writer)

        server = await asyncio.start_server(serve, "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for writer in open_:
                writer.transport.abort()
            while open_:  # noqa: ASYNC110  # each ends by itself now: a handler that is cancelled is complained of
                await asyncio.sleep(0.01)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        caught: deque[tuple[Trouble, bytes]] = deque()
        async with AsyncExitStack() as on_exit:
            on_exit.callback(writer.close)
            with suppress(OSError, asyncio.IncompleteReadError):
                there, back = await self.upstream()
                on_exit.callback(back.close)
                pumps = {
                    asyncio.create_task(self._requests(reader, back, caught)),
                    asyncio.create_task(self._replies(there, writer, caught)),
                }
                try:
                    await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for pump in pumps:
                        pump.cancel()
                    await asyncio.gather(*pumps, return_exceptions=True)

    async def _requests(
        self, reader: asyncio.StreamReader, back: asyncio.StreamWriter, caught: deque[tuple[Trouble, bytes]]
    ) -> None:
        while chunk := await reader.read(CHUNK):
            meant = not self.marks or any(mark in chunk for mark in self.marks)
            if meant and self.armed and not caught:
                caught.append((self.armed.popleft(), chunk))
            elif caught:
                caught[0] = (caught[0][0], caught[0][1] + chunk)  # the rest of the same request
            back.write(chunk)
            await back.drain()

    async def _replies(
        self, there: asyncio.StreamReader, writer: asyncio.StreamWriter, caught: deque[tuple[Trouble, bytes]]
    ) -> None:
        while chunk := await there.read(CHUNK):
            if caught:
                trouble, request = caught.popleft()
                self.on_strike(trouble.kind)
                if trouble.kind == "drop":
                    writer.transport.abort()
                    return
                if trouble.kind == "delay":
                    await asyncio.sleep(trouble.seconds)
                if trouble.kind == "double":
                    chunk = await _to_its_end(there, chunk)
                    writer.write(chunk)
                if trouble.kind == "repeat":
                    await self._once_more(request)
            writer.write(chunk)
            await writer.drain()

    async def _once_more(self, request: bytes) -> None:
        there, back = await self.upstream()
        try:
            back.write(request)
            async with asyncio.timeout(10):
                await there.read(CHUNK)
        finally:
            back.close()


async def _to_its_end(there: asyncio.StreamReader, reply: bytes) -> bytes:
    """The whole reply: its head and its body may come one after the other."""
    with suppress(TimeoutError):
        async with asyncio.timeout(PAUSE_SECONDS):
            while chunk := await there.read(CHUNK):
                reply += chunk
    return reply


def tcp(port: int) -> Callable[[], Awaitable[Connection]]:
    """The server on this port of loopback."""
    return lambda: asyncio.open_connection("127.0.0.1", port)


def unix(path: str) -> Callable[[], Awaitable[Connection]]:
    """The server behind this socket."""
    return lambda: asyncio.open_unix_connection(path)
