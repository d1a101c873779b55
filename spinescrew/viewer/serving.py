"""Serving the planner: where it listens, and the server behind the door.

One process serves one user: whoever has the key sees and moves the same plan. Two users start two planners.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import re
import signal
import socket
import ssl
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web
from trame_client.module import vue3

from spinescrew.errors import InputError
from spinescrew.viewer.door import LOOPBACK_NAMES, Door, Doorway

EVERYWHERE = {"", "0.0.0.0", "::"}

# The client takes the key out of the address bar when it has read it, so a reload would come without one.
# The tab's own storage keeps it: other servers of the same machine never see that, unlike a cookie.
KEEP_KEY = """
(() => {
  const here = new URL(location);
  const key = here.searchParams.get("secret") || sessionStorage.getItem("secret");
  if (!key) return location.replace("?secret=");
  sessionStorage.setItem("secret", key);
  here.searchParams.set("secret", key);
  history.replaceState(null, "", here);
})();
"""


@dataclass(frozen=True)
class Listening:
    """Where the planner listens, and how it is reached.

    Attributes
    ----------
    host:
        Name or address of an interface of this machine; an empty one is every interface.
    port:
        0 for any free one.
    certificate, private_key:
        PEM files of TLS, both or none; the key must not be encrypted.
    behind_proxy:
        Whether a reverse proxy stands in front that speaks https to the browser and passes on ``Host`` as it came,
        or ``X-Forwarded-Host``.
    """

    host: str = "127.0.0.1"
    port: int = 0
    certificate: Path | None = None
    private_key: Path | None = None
    behind_proxy: bool = False

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it. Raises InputError for a host that is not known."""
        return self.host not in EVERYWHERE and all(ipaddress.ip_address(a).is_loopback for a in self._addresses())

    @property
    def address(self) -> str:
        """What is bound: one loopback address, so that its port is one too; any other host as it was given."""
        return self._addresses()[0] if self.is_loopback else self.host

    @property
    def scheme(self) -> str:
        """``https`` with TLS files, else ``http``."""
        return "https" if self.certificate else "http"

    @property
    def shown_host(self) -> str:
        """The host of the address that is printed."""
        return socket.gethostname() if self.host in EVERYWHERE else self.address

    @property
    def doorway(self) -> Doorway:
        """What the door must know of it."""
        names = None
        if self.is_loopback and not self.behind_proxy:
            bound = f"[{self.address}]" if ":" in self.address else self.address
            names = LOOPBACK_NAMES | {bound}
        return Doorway(names, "https" if self.behind_proxy else self.scheme, self.behind_proxy)

    def check(self) -> None:
        """Raise InputError when this cannot or must not be listened on."""
        if not 0 <= self.port <= 65535:
            raise InputError(f"Port {self.port} does not exist: give one from 1 to 65535, or 0 for a free one.")
        if not self.certificate and self.private_key:
            raise InputError(f"{self.private_key}: a private key without a certificate; give both or none.")
        if self.certificate and not self.private_key:
            raise InputError(f"{self.certificate}: a certificate without its private key; give both or none.")
        self.tls()
        if not (self.is_loopback or self.certificate or self.behind_proxy):
            raise InputError(
                f"Host {self.host or 'of every interface'} opens the planner to the network: give --tls-certificate and"
                " --tls-key, or --behind-proxy if a proxy that speaks https stands in front."
            )

    def tls(self) -> ssl.SSLContext | None:
        """The context of the two files, None without them; InputError names the file that cannot be used."""
        if self.certificate is None or self.private_key is None:
            return None
        for path in (self.certificate, self.private_key):
            if not path.is_file():
                raise InputError(f"{path}: there is no such file; give the PEM file of the TLS certificate or key.")
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(self.certificate)
        except OSError as trouble:
            raise InputError(f"{self.certificate}: cannot be read as a PEM certificate.") from trouble
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            context.load_cert_chain(self.certificate, self.private_key, password=lambda: "")  # never asks at a terminal
        except OSError as trouble:
            raise InputError(
                f"{self.private_key}: cannot be read as the unencrypted PEM private key of {self.certificate}."
            ) from trouble
        return context

    def _addresses(self) -> list[str]:
        """What the host resolves to, IPv4 first."""
        try:
            found = socket.getaddrinfo(self.host, None, type=socket.SOCK_STREAM)
        except OSError as trouble:
            raise InputError(f"Host {self.host} is not known to this machine: give one of its addresses.") from trouble
        return sorted({str(info[4][0]).partition("%")[0] for info in found}, key=lambda a: (":" in a, a))


def run_until_terminated(serving: Coroutine[Any, Any, None]) -> None:
    """Run it until the process is interrupted or terminated; both cancel it, so that it can tidy up."""

    async def watched() -> None:
        task = asyncio.current_task()
        if task is not None:
            with suppress(NotImplementedError):  # loops of Windows have no signals
                asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        await serving

    with suppress(KeyboardInterrupt, asyncio.CancelledError):
        asyncio.run(watched())


async def serve_async(server: Any, door: Door, listening: Listening, on_ready: Callable[[str], None]) -> None:
    """Serve a trame server behind a door until it is stopped or this is cancelled; the door is closed after it.

    Parameters
    ----------
    server:
        What ``trame.app.get_server`` gave, with its page built, not started.
    on_ready:
        Told the address to open, key included, once the server listens.

    Raises
    ------
    InputError
        When ``listening`` is refused by its check, or its port cannot be had.
    """
    listening.check()
    server.controller.on_server_ready.add(
        lambda **_: on_ready(door.address(listening.scheme, listening.shown_host, server.port))
    )
    site, running = _behind_door(server, door, listening)
    with _no_access_log():
        try:
            await asyncio.shield(running)  # a cancelled server would leave its socket open; it is stopped below
        except OSError as trouble:
            if server.running:
                raise
            raise InputError(
                f"Cannot listen on port {listening.port} of {listening.address or 'this machine'}"
                f" ({trouble.strerror or trouble}): give another --port, or 0 for a free one."
            ) from trouble
        finally:
            if not site.completion.done():
                await server.stop()
            door.close()


def _behind_door(server: Any, door: Door, listening: Listening) -> tuple[Any, Coroutine[Any, Any, None]]:
    """The web server with the door in it, and what makes it listen."""
    sites: list[Any] = []
    server.controller.on_server_bind.add(sites.append)
    _set_options(server.cli, door.key)
    running = server.start(
        host=listening.address,
        port=listening.port,
        timeout=0,
        backend="aiohttp",
        exec_mode="coroutine",
        open_browser=False,
        show_connection_info=False,
        disable_logging=True,
    )
    (site,) = sites
    site.config["ssl"] = listening.tls()
    door.attach(site.app, listening.doorway)
    _add_page(site.app)
    return site, running


def _set_options(parser: Any, key: str) -> None:
    """The options of the server come from here alone: it would read our command line and its environment as its own."""
    parse = parser.parse_known_args
    parser.set_defaults(authKey=key, nosignalhandlers=True)
    parser.parse_known_args = lambda *_, **__: parse([])


def _add_page(app: web.Application) -> None:
    """The client's page, its inline scripts in a file of their own, so that the policy can refuse all others."""
    html = (Path(vue3.www) / "index.html").read_text()
    inline = re.compile(r"<script>(.*?)</script>", re.DOTALL)
    script = KEEP_KEY + "\n".join(inline.findall(html))
    html = inline.sub("", html).replace("</body>", '<script src="start.js"></script></body>')

    async def page(_: web.Request) -> web.Response:
        return web.Response(text=html, content_type="text/html")

    async def start(_: web.Request) -> web.Response:
        return web.Response(text=script, content_type="text/javascript")

    app.router.add_get("/index.html", page)
    app.router.add_get("/start.js", start)


@contextmanager
def _no_access_log() -> Iterator[None]:
    """Without the log of requests, whose lines hold the key."""

    def nothing(_: logging.LogRecord) -> bool:
        return False

    log = logging.getLogger("aiohttp.access")
    log.addFilter(nothing)
    try:
        yield
    finally:
        log.removeFilter(nothing)
