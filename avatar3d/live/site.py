"""What HTTP serves: the viewer's files to everybody, the avatars to who has a token. All of it is read beforehand.

A request is looked up among the paths that exist, so no path leads out of the folder. An avatar is a face, hence private:
the viewer fetches it with `Authorization: Bearer TOKEN`, the token it was given in the fragment of its address.
"""

import hashlib
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from avatar3d.core.errors import BridgeError, LimitError
from avatar3d.core.files import open_given

_TYPES: Final[Mapping[str, str]] = {
    ".css": "text/css; charset=utf-8",
    ".glb": "model/gltf-binary",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".npz": "application/octet-stream",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wav": "audio/wav",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
_HASHED: Final = re.compile(r"[-.][\w-]{8,}\.\w+$")
"""A built file whose name tells its content."""
_LARGEST: Final = 256 << 20
_LONGEST_PATH: Final = 1024


@dataclass(frozen=True)
class Request:
    """A question by HTTP."""

    method: str
    path: str
    """With the query, as it came."""
    headers: tuple[tuple[str, str], ...]
    address: str

    def every(self, name: str) -> tuple[str, ...]:
        """All values of that header."""
        return tuple(value.strip() for key, value in self.headers if key.lower() == name.lower())


@dataclass(frozen=True)
class Answer:
    """Its answer; the length and the closing of the connection are told by who sends it."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""


@dataclass(frozen=True)
class Page:
    """A file that is served."""

    content: bytes
    type: str
    etag: str
    private: bool
    cache: str


class Site:
    """The viewer's folder, and avatars under paths of their own."""

    def __init__(self, viewer: Path | None = None) -> None:
        self._pages: dict[str, Page] = {}
        if viewer is not None:
            self._add_folder(viewer)

    def give(self, path: str, file: Path) -> None:
        """Serve a person's file at that path, such as "/avatars/0.glb", to who has a token."""
        assert path.startswith("/"), path
        self._pages[path] = _read(file, private=True)

    def take_back(self, path: str) -> None:
        self._pages.pop(path, None)

    def answer(self, request: Request, allow: Callable[[str], object]) -> Answer:
        """The answer to GET and HEAD; `allow` raises BridgeError for a token that may not see."""
        if request.method not in ("GET", "HEAD"):
            return refusal(405, "Only GET and HEAD are known here.", {"Allow": "GET, HEAD"})
        path = unquote(request.path.partition("?")[0])
        page = self._pages.get("/index.html" if path == "/" else path) if len(path) <= _LONGEST_PATH else None
        if page is None:
            hint = "The viewer is not built: run `make setup`." if path == "/" else "There is no such file."
            return refusal(404, hint)
        if page.private and (refused := _unauthorised(request, allow)):
            return refused
        headers = _headers(request) | {"Cache-Control": page.cache, "ETag": page.etag}
        if page.etag in [
            each.strip().removeprefix("W/") for each in ",".join(request.every("If-None-Match")).split(",")
        ]:
            return Answer(304, headers)
        return Answer(200, headers | {"Content-Type": page.type}, page.content)

    def _add_folder(self, viewer: Path) -> None:
        root = viewer.resolve()
        for path in sorted(root.rglob("*")):
            # A link inside may lead out of the folder.
            if path.is_file() and path.resolve().is_relative_to(root):
                self._pages["/" + path.relative_to(root).as_posix()] = _read(path, private=False)


def refusal(status: int, text: str, headers: Mapping[str, str] | None = None) -> Answer:
    """An answer in words."""
    plain = {
        "Content-Type": "text/plain; charset=utf-8",
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return Answer(status, plain | dict(headers or {}), f"{HTTPStatus(status).phrase}. {text}\n".encode())


def _unauthorised(request: Request, allow: Callable[[str], object]) -> Answer | None:
    given = request.every("Authorization")
    scheme, _, token = given[0].partition(" ") if len(given) == 1 else ("", "", "")
    if scheme.lower() != "bearer":
        return refusal(401, "Give a token: Authorization: Bearer TOKEN.", {"WWW-Authenticate": "Bearer"})
    try:
        allow(token.strip())
    except BridgeError as cause:
        if cause.id == "TOO_MANY_TRIES":
            return refusal(429, f"{cause.message} {cause.hint}", {"Retry-After": "60"})
        return refusal(401, f"{cause.message} {cause.hint}", {"WWW-Authenticate": "Bearer"})
    return None


def _headers(request: Request) -> dict[str, str]:
    host = "".join(request.every("Host"))
    # Safari's 'self' does not hold for sockets. three.js turns a GLB's pictures into blobs and fetches them.
    policy = (
        "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; worker-src 'self'; "
        f"connect-src 'self' ws://{host} wss://{host} blob:; "
        "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return {
        "Content-Security-Policy": policy,
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(self), xr-spatial-tracking=(self)",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }


def _read(file: Path, *, private: bool) -> Page:
    with open_given(file, "served") as stream:
        if os.fstat(stream.fileno()).st_size > _LARGEST:
            raise LimitError(f'expected at most {_LARGEST >> 20} MB, and "{file.name}" is larger.', file=file)
        content = stream.readall()
    hashed = not private and _HASHED.search(file.name)
    cache = "private, no-cache" if private else "public, max-age=31536000, immutable" if hashed else "no-cache"
    etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    return Page(content, _TYPES.get(file.suffix.lower(), "application/octet-stream"), etag, private, cache)
