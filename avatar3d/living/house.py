"""A bridge with everything around it: avatars, tokens, the viewer's page, TLS, and the loop it runs on."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Callable, Coroutine, Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from avatar3d import __version__
from avatar3d.live.auth import Tokens
from avatar3d.live.dialects import DIALECTS
from avatar3d.live.receive import UdpSource
from avatar3d.live.server import Server, ServerParams
from avatar3d.live.site import Site
from avatar3d.living.avatars import find_avatars
from avatar3d.living.bridge import Bridge, LiveParams, Ran, Speaker
from avatar3d.living.sinks import SinkUrl, parse_source
from avatar3d.speech.performance.controls import Controls

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
    speaker: bool = False
    rate_hz: float = 60.0
    serve: bool = True
    host: str = "127.0.0.1"
    port: int = 8765
    lan: bool = False
    stay: bool = False
    controls: Controls = field(default_factory=Controls)
    seed: int = 0
    opened: Callable[[str], object] | None = None
    """Called with the viewer's address: opens a browser."""


def keep_house(params: HouseParams, *, tell: Tell, show: Show) -> Ran:
    """Run until the source ends, somebody stops it, or Ctrl-C. `show` is given the addresses as soon as they are known.

    Raises InputError for avatars and sources that cannot be used, BridgeError (50) where a port is taken, UsageError (2).
    """
    return _run(_keep(params, tell, show))


def _run(main: Coroutine[Any, Any, T]) -> T:
    if sys.platform == "win32":
        return asyncio.run(main)
    import uvloop  # noqa: PLC0415  Windows has none

    return uvloop.run(main)


async def _keep(params: HouseParams, tell: Tell, show: Show) -> Ran:
    given = find_avatars(params.avatars)
    names = tuple(each.name for each in given) or ("avatar",)
    site = _site(params) if params.serve else None
    paths = tuple(f"/avatars/{number}.glb" for number in range(len(given))) or ("",)
    if site is not None:
        for path, each in zip(paths, given, strict=False):
            site.give(path, each.path)
    async with contextlib.AsyncExitStack() as stack:
        visitor = None
        if params.heard is not None:
            visitor = _receiver(params.heard, tell)
            where = await visitor.start()
            tell(f"Listening for {params.heard.partition(':')[0]} at {where[0]}:{where[1]}.")
        bridge = Bridge(
            LiveParams(
                names,
                paths,
                params.order,
                visitor,
                params.sinks,
                params.rate_hz,
                params.stay,
                params.controls,
                params.seed,
            ),
            tell=tell,
        )
        _stop_by_signals(bridge)
        server = await _serve(params, bridge, site, stack, tell, show) if site is not None else None
        speaker = stack.enter_context(_loudspeaker(bridge)) if params.speaker else None
        return await bridge.run(server, speaker)


def _stop_by_signals(bridge: Bridge) -> None:
    """Ctrl-C is the usual end of a bridge: sinks are closed, recordings written, and the exit code is 0."""
    loop = asyncio.get_running_loop()
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        with contextlib.suppress(NotImplementedError, AttributeError, ValueError, RuntimeError):  # Windows; not the main thread
            loop.add_signal_handler(getattr(signal, name), bridge.stop)


def _receiver(url: str, tell: Tell) -> UdpSource:
    dialect, host, port = parse_source(url)
    return UdpSource(DIALECTS[dialect], host, port, tell=tell)


async def _serve(
    params: HouseParams, bridge: Bridge, site: Site, stack: contextlib.AsyncExitStack, tell: Tell, show: Show
) -> Server:
    """The server, listening; everybody is told where."""
    tokens = Tokens()
    viewer = tokens.issue("viewer", "admin")
    server = Server(
        ServerParams(params.host, params.port, rate_hz=params.rate_hz, software=f"avatar3d {__version__}"),
        tokens,
        bridge.stage,
        site,
        tell=tell,
    )
    address = await server.start()
    stack.push_async_callback(server.close)
    page = f"http{address.removeprefix('ws')}#token={viewer}"
    show(page, {"page": page, "bridge": address, "token": viewer})
    if params.opened is not None:
        params.opened(page)
    return server


def _site(params: HouseParams) -> Site:
    """The viewer where it is built; without it the bridge works all the same."""
    return Site()


@contextlib.contextmanager
def _loudspeaker(bridge: Bridge) -> Generator[Speaker]:
    from avatar3d.speech.sound.sounddevice import Loudspeaker  # noqa: PLC0415  an extra

    with Loudspeaker(clock=bridge.clock.now_s) as loudspeaker:
        yield Speaker(loudspeaker)
