"""A bridge with everything around it: avatars, tokens, the viewer's page, TLS, and the loop it runs on."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Coroutine, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

from avatar3d import __version__
from avatar3d.core.errors import Avatar3dError, DiskError, UnreadableError
from avatar3d.live.auth import Tokens
from avatar3d.live.dialects import DIALECTS
from avatar3d.live.hosts import lan_addresses
from avatar3d.live.private import TokenFile, state_folder, write_private
from avatar3d.live.qr import pairing_url, qr_lines
from avatar3d.live.receive import UdpSource
from avatar3d.live.server import Server, ServerParams
from avatar3d.live.site import Site
from avatar3d.live.tls import lan_certificate
from avatar3d.living.avatars import find_avatars
from avatar3d.living.bridge import Bridge, LiveParams, Ran, Speaker
from avatar3d.living.remembered import Remembered
from avatar3d.living.sinks import SinkUrl, parse_source
from avatar3d.speech.performance.controls import Controls
from avatar3d.viewer.bundle import viewer_folder

_SAVED_S: Final = 0.2
Tell = Callable[[str], None]
Show = Callable[[str, Mapping[str, Any]], None]
T = TypeVar("T")


@dataclass(frozen=True)
class HouseParams:
    """What `avatar3d live` and `view` were asked for."""

    avatars: tuple[Path, ...] = ()
    """GLBs, or folders that `create` wrote; without one there is a face, and nobody to show it."""
    order: Mapping[str, Any] | None = None
    heard: str | None = None
    """Where an app sends its faces: livelink://:11111."""
    sinks: tuple[SinkUrl, ...] = ()
    frames_late_s: float = 0.0
    """By so much WebSocket clients see faces later than they hear sound."""
    speaker: SinkUrl | None = None
    """The loudspeaker."""
    rate_hz: float = 60.0
    serve: bool = True
    host: str = "127.0.0.1"
    port: int = 8765
    lan: bool = False
    stay: bool = False
    controls: Controls = field(default_factory=Controls)
    seed: int = 0
    page: bool = False
    """Nothing starts without the viewer's page; else the bridge works without it."""
    opened: Callable[[str], object] | None = None
    """Called with the viewer's address: opens a browser."""


def keep_house(params: HouseParams, *, tell: Tell, show: Show) -> Ran:
    """Run until the source ends, somebody stops it, or Ctrl-C. `show` is given the addresses as soon as they are known.

    Raises InputError for avatars and sources that cannot be used, BridgeError (50) where a port is taken, UsageError (2).
    """
    return run_loop(_keep(params, tell, show))


def run_loop(main: Coroutine[Any, Any, T]) -> T:
    """On uvloop, where there is one."""
    if sys.platform == "win32":
        return asyncio.run(main)
    import uvloop  # noqa: PLC0415  Windows has none

    return uvloop.run(main)


async def _keep(params: HouseParams, tell: Tell, show: Show) -> Ran:
    given = find_avatars(params.avatars)
    names = tuple(each.name for each in given) or ("avatar",)
    site = _site(params, tell) if params.serve else None
    paths = tuple(f"/avatars/{number}.glb" for number in range(len(given))) or ("",)
    if site is not None:
        for path, each in zip(paths, given, strict=False):
            site.give(path, each.path)
    async with contextlib.AsyncExitStack() as stack:
        visitor = None
        if params.heard is not None:
            visitor = _receiver(params.heard, tell)
            where = await visitor.start()
            stack.callback(visitor.close)
            tell(f"Listening for {params.heard.partition(':')[0]} at {where[0]}:{where[1]}.")
        bridge = Bridge(
            LiveParams(
                names=names,
                avatars=paths,
                order=params.order,
                visitor=visitor,
                sinks=params.sinks,
                frames_late_s=params.frames_late_s,
                rate_hz=params.rate_hz,
                stay=params.stay,
                controls=params.controls,
                seed=params.seed,
            ),
            tell=tell,
        )
        stack.push_async_callback(bridge.stage.close)
        await bridge.start()
        _stop_by_signals(bridge)
        server = await _serve(params, bridge, site, stack, tell, show) if site is not None else None
        speaker = stack.enter_context(_loudspeaker(bridge, params.speaker)) if params.speaker is not None else None
        return await bridge.run(server, speaker)


def _stop_by_signals(bridge: Bridge) -> None:
    """Ctrl-C is the usual end of a bridge: sinks are closed, recordings written, and the exit code is 0."""
    loop = asyncio.get_running_loop()
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        with contextlib.suppress(
            NotImplementedError, AttributeError, ValueError, RuntimeError
        ):  # Windows; not the main thread
            loop.add_signal_handler(getattr(signal, name), bridge.stop)


def _receiver(url: str, tell: Tell) -> UdpSource:
    dialect, host, port = parse_source(url)
    return UdpSource(DIALECTS[dialect], host, port, tell=tell)


async def _serve(
    params: HouseParams, bridge: Bridge, site: Site, stack: contextlib.AsyncExitStack, tell: Tell, show: Show
) -> Server:
    """The server, listening; everybody is told where."""
    folder = state_folder()
    beside = folder / f"bridge-{params.port}.json"
    grants = folder / f"grants-{params.port}.json"
    remembered = Remembered(Tokens(), {}) if params.port == 0 else Remembered.load(grants, time.time())
    tokens = remembered.tokens
    page_token = tokens.issue("viewer", "admin")
    token = (None if params.port == 0 else _left_behind(beside, tokens, tell)) or tokens.issue("program", "drive")
    names = lan_names() if params.lan else ()
    certificate = lan_certificate(names, folder) if params.lan else None
    host = "0.0.0.0" if params.lan and params.host == "127.0.0.1" else params.host  # noqa: S104  --lan asks for it
    server = Server(
        ServerParams(
            host,
            params.port,
            names,
            certificate.context if certificate else None,
            params.rate_hz,
            f"avatar3d {__version__}",
        ),
        tokens,
        bridge.stage,
        site,
        tell=tell,
    )
    address = await server.start()
    stack.push_async_callback(server.close)
    if params.port != 0:
        save = partial(_save_grants, remembered, server, grants)
        save()
        stack.callback(save)
        # A token that was taken back is so on disk before anybody is told; who asked is told when it cannot be.
        tokens.changed = partial(save, insist=True)
        saving = asyncio.create_task(_again_and_again(save))
        stack.callback(saving.cancel)
    beside = folder / f"bridge-{server.port}.json"
    TokenFile(address, token, os.getpid()).write(beside)
    stack.callback(beside.unlink, missing_ok=True)
    if certificate is not None:
        _show_pairing(names, server.port, tokens.open_pairing(), certificate.fingerprint, tell)
        address = address.replace("0.0.0.0", "localhost")  # noqa: S104  shown, not bound
    page = f"http{address.removeprefix('ws')}#token={page_token}"
    show(
        f"viewer   {page}\nbridge   {address}\nprograms {beside}",
        {"page": page, "bridge": address, "token": token, "token_file": str(beside)},
    )
    if params.opened is not None:
        params.opened(page)
    return server


def _left_behind(beside: Path, tokens: Tokens, tell: Tell) -> str | None:
    """The token of a bridge that was killed here, if nobody took it back: programs that hold it find the new one."""
    try:
        left = TokenFile.read(beside)
    except UnreadableError as error:
        tell(f"{error.message} {error.hint}")
        return None
    return left.token if left is not None and left.is_stale and tokens.find(left.token) else None


def _save_grants(remembered: Remembered, server: Server, path: Path, *, insist: bool = False) -> None:
    """If somebody was let in or sent away, or used his token: a bridge that is killed knows him again.

    Raises DiskError (40) if one insists; else it is tried again.
    """
    if (content := remembered.step(server.in_use, time.time())) is not None:
        try:
            write_private(path, content)
            remembered.wrote()
        except DiskError:
            if insist:
                raise


async def _again_and_again(save: Callable[[], None]) -> None:
    while True:
        await asyncio.sleep(_SAVED_S)
        save()


def _show_pairing(names: Sequence[str], port: int, code: str, fingerprint: str, tell: Tell) -> None:
    address = pairing_url(names[0] if names else socket.gethostname(), port, code)
    for line in qr_lines(address):
        tell(line)
    tell(f"On the other device: {address}  (pairing code {code}, for one device)")
    tell(f"It will warn of a certificate it does not know. Ours has the SHA-256 fingerprint {fingerprint}")


def lan_names() -> tuple[str, ...]:
    """This machine's addresses in its network, and its names."""
    name = socket.gethostname()
    return tuple(dict.fromkeys([*lan_addresses(), name, f"{name}.local"]))


def _site(params: HouseParams, tell: Tell) -> Site:
    """With the viewer where it is built. Raises ModelMissingError (20) where it is not, and the page is what was asked for."""
    try:
        return Site(viewer_folder())
    except Avatar3dError as error:
        if params.page:
            raise
        tell(f"{error.message} {error.hint}")
        return Site()


@contextlib.contextmanager
def _loudspeaker(bridge: Bridge, url: SinkUrl) -> Generator[Speaker]:
    from avatar3d.speech.sound.sounddevice import Loudspeaker  # noqa: PLC0415  an extra

    with Loudspeaker(clock=bridge.clock.now_s) as loudspeaker:
        yield Speaker(loudspeaker, url.delay_s)
