"""A planner's server with a page of one line, running beside the tests, and a client to knock at its door."""

from __future__ import annotations

import asyncio
import itertools
import struct
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from queue import Queue
from types import SimpleNamespace

import aiohttp
import msgpack
import pytest
from trame.app import get_server
from trame.ui.html import DivLayout
from yarl import URL

from spinescrew.viewer.door import Door
from spinescrew.viewer.serving import Listening, serve_async

NUMBERS = itertools.count()


@dataclass(frozen=True)
class Answer:
    """What came back: ``headers`` of it alone, ``cookies`` as name to its whole Set-Cookie."""

    status: int
    headers: dict[str, str]
    cookies: dict[str, str]
    text: str


class Client:
    """Requests to one planner, each as a browser with nothing but what it is given."""

    def __init__(self, address: str, door: Door) -> None:
        self.door = door
        self.root = URL(address).origin()
        self.key = door.key

    def get(self, path: str, **options) -> Answer:
        """One answer, redirects not followed. ``path`` goes out as it stands."""
        return asyncio.run(self._get(path, **options))

    def cookie(self) -> str:
        """The cookie header of a browser that opened the printed address."""
        (cookie,) = self.get(f"/?secret={self.key}").cookies.values()
        return cookie.partition(";")[0]

    def hello(self, *messages: dict, path: str = "/ws", **options) -> list[dict]:
        """Replies of the socket to each message in turn."""
        return asyncio.run(self._hello(messages, path, **options))

    async def _get(self, path: str, method: str = "GET", **options) -> Answer:
        url = URL(f"{self.root}{path}", encoded=True)
        async with self._session() as session, session.request(method, url, allow_redirects=False, **options) as got:
            cookies = {name: morsel.OutputString() for name, morsel in got.cookies.items()}
            return Answer(got.status, dict(got.headers), cookies, await got.text())

    async def _hello(self, messages, path, **options) -> list[dict]:
        async with self._session() as session, session.ws_connect(f"{self.root}{path}", **options) as socket:
            return [await exchange(socket, message) for message in messages]

    def _session(self) -> aiohttp.ClientSession:
        timeout = aiohttp.ClientTimeout(total=30)
        return aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), timeout=timeout)


async def exchange(socket: aiohttp.ClientWebSocketResponse, message: dict) -> dict:
    """One message in the socket's own framing: number, offset and size of it, then msgpack."""
    body = msgpack.packb({"wslink": "1.0", "kwargs": {}, **message})
    await socket.send_bytes(struct.pack("<III", 7, 0, len(body)) + body)
    reply = b""
    while True:
        chunk = await socket.receive_bytes(timeout=20)
        reply += chunk[12:]
        if len(reply) >= struct.unpack("<III", chunk[:12])[2]:
            return msgpack.unpackb(reply)


def greeting(secret) -> dict:
    """The first message of a client."""
    return {"id": "system:c0:0", "method": "wslink.hello", "args": [{"secret": secret}]}


def question() -> dict:
    """The state of the page, which is everything that the planner shows."""
    return {"id": "rpc:c0:1", "method": "trame.state.get", "args": []}


def small_page():
    """A trame server with a page of one line, not started."""
    server = get_server(f"planner-{next(NUMBERS)}")
    with DivLayout(server) as layout:
        layout.root.add_child("A planner")
    return server


@contextmanager
def running(listening: Listening, door: Door | None = None):
    """A client of a server that runs in a thread of its own for as long as this is open."""
    door, started = door or Door(), Queue()

    async def live() -> None:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        try:
            await serve_async(small_page(), door, listening, lambda address: started.put((address, loop, task)))
        except asyncio.CancelledError:
            pass
        except Exception as trouble:
            started.put(trouble)

    thread = threading.Thread(target=asyncio.run, args=(live(),))
    thread.start()
    begun = started.get(timeout=60)
    if isinstance(begun, Exception):
        thread.join()
        raise begun
    address, loop, task = begun
    try:
        yield Client(address, door)
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join(timeout=60)
    assert not thread.is_alive()


@pytest.fixture(scope="session")
def planner():
    """A planner on loopback, shared: nothing that a test does to it is kept."""
    with running(Listening()) as client:
        yield client


@pytest.fixture(scope="session")
def tools():
    """What tests say to a planner, and how they start another."""
    return SimpleNamespace(Client=Client, running=running, greeting=greeting, question=question, small_page=small_page)
