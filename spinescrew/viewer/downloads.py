"""Files that the planner hands to the browser: each under a random address, a few at a time."""

from __future__ import annotations

import re
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from aiohttp import web

from spinescrew.errors import InputError

ROUTE = "/download/{token}/{name}"


@dataclass(frozen=True)
class Offer:
    """One file, and the name it is saved under."""

    path: Path
    name: str

    @property
    def disposition(self) -> str:
        """The header that makes a browser save it; names beyond ASCII after RFC 5987."""
        plain = self.name.encode("ascii", "replace").decode().replace("?", "_")
        return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(self.name, safe='')}"


class Downloads:
    """The files on offer.

    A request names an offer by its random token; nothing else of a request is ever looked up, least of all a path.

    Parameters
    ----------
    keep:
        How many offers stand at once. The oldest is forgotten first, and its file with it if it lies in
        :attr:`folder`.
    """

    def __init__(self, keep: int = 16) -> None:
        self._keep = keep
        self._offers: dict[str, Offer] = {}
        self._temporary: tempfile.TemporaryDirectory[str] | None = None

    @property
    def folder(self) -> Path:
        """A temporary folder only this user can read; made when first asked for, gone after :meth:`close`."""
        if self._temporary is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="spinescrew-")
        return Path(self._temporary.name)

    def offer(self, path: Path, name: str) -> str:
        """Offer one file and return its address on this server, ``/download/<token>/<name>``.

        Raises
        ------
        InputError
            When there is no such file.
        """
        if not path.is_file():
            raise InputError(f"{path}: there is no such file to download.")
        token = secrets.token_urlsafe(32)
        offer = Offer(path, _plain_name(name))
        self._offers[token] = offer
        while len(self._offers) > self._keep:
            self._forget(next(iter(self._offers)))
        return f"/download/{token}/{quote(offer.name, safe='')}"

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """The file of an offer as an attachment, or 404."""
        offer = self._offers.get(request.match_info["token"])
        if offer is None or offer.name != request.match_info["name"]:
            raise web.HTTPNotFound
        return web.FileResponse(offer.path, headers={"Content-Disposition": offer.disposition})

    def close(self) -> None:
        """Forget every offer and remove the temporary folder."""
        self._offers.clear()
        if self._temporary is not None:
            self._temporary.cleanup()
            self._temporary = None

    def _forget(self, token: str) -> None:
        path = self._offers.pop(token).path
        own = self._temporary is not None and path.resolve().is_relative_to(self.folder.resolve())
        if own and all(other.path != path for other in self._offers.values()):
            path.unlink(missing_ok=True)


def _plain_name(name: str) -> str:
    """Without what a file system or a header would read something into."""
    return re.sub(r'[\x00-\x1f\x7f/\\"]', "_", name).strip(". ") or "download"
