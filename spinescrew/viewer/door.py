"""The closed door of the planner: who may speak to its server, and what every answer carries."""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from spinescrew.viewer.downloads import ROUTE, Downloads

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})
HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d{1,5})?")
REFUSAL = (
    "This planner is closed.\n\n"
    "Open the address that the terminal printed when the planner was started: the key is in it.\n"
    "An address from an earlier start no longer opens anything.\n"
)
POLICY = {
    "default-src": "'self'",
    "script-src": "'self' 'unsafe-eval'",  # templates of the page are compiled in the browser
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' blob: data:",
    "font-src": "'self' data:",
    "worker-src": "'self' blob:",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}
HEADERS = {
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True)
class Doorway:
    """Where a door stands.

    Attributes
    ----------
    names:
        Hosts that a request may be addressed to, without port; None for any. On a loopback address the three names of
        it, so that no foreign name that is made to resolve to this machine gets in.
    scheme:
        What the browser speaks, ``http`` or ``https``; behind a proxy that is the proxy's.
    behind_proxy:
        Whether ``X-Forwarded-Host`` is believed.
    """

    names: frozenset[str] | None = LOOPBACK_NAMES
    scheme: str = "http"
    behind_proxy: bool = False


class Door:
    """A fresh key, and a server that answers nobody without it.

    The key opens everything. Who brought it once gets a cookie, which opens page, files and the handshake of the
    socket; the socket itself then asks for the key again. So the cookie alone, which a browser also shows to other
    servers on the same host, reaches nothing of a case but downloads, whose addresses are random as well.

    Parameters
    ----------
    downloads:
        Files that are handed out behind this door; an empty collection when left out.
    """

    def __init__(self, downloads: Downloads | None = None) -> None:
        self.key = secrets.token_urlsafe(32)
        self.downloads = downloads or Downloads()
        self._pass = secrets.token_urlsafe(32)

    def address(self, scheme: str, host: str, port: int) -> str:
        """What a person opens, key included."""
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}/?secret={self.key}"

    def attach(self, app: web.Application, doorway: Doorway | None = None) -> None:
        """Stand in front of every request of a server that has not started, and add the route of downloads."""
        way = doorway or Doorway()

        @web.middleware
        async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
            if not (_addressed(request, way) and _same_origin(request, way) and self._opens(request)):
                return web.Response(status=web.HTTPForbidden.status_code, text=REFUSAL)
            try:
                response = await handler(request)
            except web.HTTPException as answer:
                self._hand_pass(request, answer, way)
                raise
            self._hand_pass(request, response, way)
            return response

        async def seal(request: web.Request, response: web.StreamResponse) -> None:
            response.headers.update(HEADERS)
            response.headers["Content-Security-Policy"] = _policy(request)

        app.middlewares.insert(0, guard)
        app.on_response_prepare.append(seal)
        app.router.add_get(ROUTE, self.downloads.answer)

    def close(self) -> None:
        """Take back every download."""
        self.downloads.close()

    def _opens(self, request: web.Request) -> bool:
        """With the right key, or with the pass and no key at all."""
        keys = request.query.getall("secret", [])
        if keys:
            return all(_equal(key, self.key) for key in keys)
        return _equal(request.cookies.get(_cookie_name(request), ""), self._pass)

    def _hand_pass(self, request: web.Request, response: web.StreamResponse, way: Doorway) -> None:
        """Give the cookie to who came with the key; the answer of a socket is on its way already."""
        if "secret" in request.query and not response.prepared:
            response.set_cookie(
                _cookie_name(request),
                self._pass,
                path="/",
                httponly=True,
                samesite="Strict",
                secure=way.scheme == "https",
            )


def _equal(brought: str, right: str) -> bool:
    """In constant time; bytes, because only they may hold anything."""
    return hmac.compare_digest(brought.encode(errors="surrogatepass"), right.encode())


def _cookie_name(request: web.Request) -> str:
    """With the port, which cookies do not tell apart: two planners on one machine keep their own."""
    own = request.transport.get_extra_info("sockname") if request.transport else None
    return f"spinescrew-{own[1] if own else 0}"


def _host(request: web.Request) -> str:
    return request.headers.get("Host", "").lower()


def _addressed(request: web.Request, way: Doorway) -> bool:
    """Whether the request means this server by a name that it goes by."""
    match = HOST.fullmatch(_host(request))
    return match is not None and (way.names is None or match[1] in way.names)


def _same_origin(request: web.Request, way: Doorway) -> bool:
    """Whether the page that asks, if a browser names one, is our own."""
    origins = request.headers.getall("Origin", [])
    hosts = [_host(request)]
    if way.behind_proxy:
        hosts += [host.strip().lower() for host in request.headers.get("X-Forwarded-Host", "").split(",")]
    default_port = ":443" if way.scheme == "https" else ":80"
    own = {f"{way.scheme}://{host.removesuffix(default_port)}" for host in hosts if host}
    return all(origin.lower() in own for origin in origins)


def _policy(request: web.Request) -> str:
    """What a page of ours may load: nothing from elsewhere. The socket is named for browsers whose 'self' omits it."""
    host = _host(request)
    sockets = f" ws://{host} wss://{host}" if HOST.fullmatch(host) else ""
    return "; ".join(f"{what} {where}" for what, where in {**POLICY, "connect-src": f"'self'{sockets}"}.items())
