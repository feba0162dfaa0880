"""Where the faces go besides the WebSocket, by URL: livelink://host:port, vmc://, ifacialmocap://, vrchat://, speaker://, CLIP.npz.

Every sink takes ?delay_ms=: what it shows comes later (for apps whose sound travels elsewhere), what speaker:// says comes later; clients of
ws:// see faces later than they hear sound. Each that shows one face takes ?face= (its number or name).
"""

import asyncio
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from avatar3d.core.blendshapes import BlendshapeClip, Frame, FrameSink
from avatar3d.core.errors import DiskError, UsageError
from avatar3d.formats.clip_csv import write_csv, write_livelink_csv
from avatar3d.formats.clip_npz import save_clip
from avatar3d.live.dialects import DIALECTS
from avatar3d.live.udp import UdpSink

_CLIPS: Final = {".npz": save_clip, ".livelink.csv": write_livelink_csv, ".csv": write_csv}
_MOST_DELAY_MS: Final = 2_000.0
_MOST_FRAMES: Final = 60 * 60 * 120
"""An hour at 120 a second: 400 MB."""
Tell = Callable[[str], None]


@dataclass(frozen=True)
class SinkUrl:
    """A sink as it was asked for."""

    scheme: str
    """ws, speaker, a dialect's name, or clip."""
    host: str = ""
    port: int = 0
    path: Path = Path()
    face: str = "0"
    delay_s: float = 0.0
    replace_it: bool = False
    """Of a recording: whether it may be written over what is there."""
    options: tuple[tuple[str, str], ...] = ()


def is_sink(text: str) -> bool:
    """Whether a word of the command line is meant as a sink."""
    return "://" in text or any(text.partition("?")[0].lower().endswith(ending) for ending in _CLIPS)


def parse_sink(text: str) -> SinkUrl:
    """Raises UsageError (2) with what was expected."""
    known = ("ws", "speaker", *DIALECTS)
    if "://" not in text:
        if not is_sink(text):
            raise UsageError(
                f"{text!r} is no sink.",
                hint=f"Expected {', '.join(f'{name}://' for name in known)}, or CLIP.npz or CLIP.csv.",
            )
        path, _, query = text.partition("?")
        options = dict(parse_qsl(query, keep_blank_values=True))
        face, delay_s = _face_and_delay(options)
        _no_more("a recording", options)
        return SinkUrl("clip", path=Path(path), face=face, delay_s=delay_s)
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError as cause:
        raise UsageError(f"{text!r} is no URL: {cause}.", hint="For example: vmc://127.0.0.1:39539") from cause
    if url.scheme not in known:
        raise UsageError(
            f"no sink named {url.scheme!r}; choose one of: {', '.join(known)}.",
            hint="For example: vmc://127.0.0.1:39539",
        )
    options = dict(parse_qsl(url.query, keep_blank_values=True))
    if url.scheme in ("ws", "speaker") and "face" in options:
        raise UsageError(f"{url.scheme}:// has all faces, and knows no option 'face'.", hint="Leave it out.")
    face, delay_s = _face_and_delay(options)
    if url.scheme in ("ws", "speaker"):
        _no_more(f"{url.scheme}://", options)
    if url.scheme in DIALECTS:
        DIALECTS[url.scheme].encoder(options)  # says what is wrong with them now
        port = port or DIALECTS[url.scheme].port
    host = url.hostname or "127.0.0.1"
    return SinkUrl(url.scheme, host, port or 0, face=face, delay_s=delay_s, options=tuple(options.items()))


def parse_source(text: str) -> tuple[str, str, int]:
    """Dialect, host and port of a place to listen at: loopback if it names none. Raises UsageError (2)."""
    url = parse_sink(text) if "://" in text else None
    if url is None or url.scheme not in DIALECTS or url.options or url.delay_s or url.face != "0":
        raise UsageError(
            f"{text!r} is no place to listen at.",
            hint=f"Expected NAME://:PORT, NAME being one of: {', '.join(DIALECTS)}; for a phone NAME://0.0.0.0:PORT.",
        )
    return url.scheme, url.host, url.port


def _face_and_delay(options: dict[str, str]) -> tuple[str, float]:
    """Taken out of the options."""
    return options.pop("face", "0"), _delay_s(options.pop("delay_ms", "0"))


def _no_more(what: str, options: dict[str, str]) -> None:
    if options:
        raise UsageError(f"{what} knows no option {next(iter(options))!r}.", hint="It knows delay_ms.")


def _delay_s(text: str) -> float:
    try:
        delay_ms = float(text)
    except ValueError:
        delay_ms = -1.0
    if not 0 <= delay_ms <= _MOST_DELAY_MS:
        raise UsageError(f"delay_ms must lie between 0 and {_MOST_DELAY_MS:g}, not {text!r}.")
    return delay_ms / 1000


def open_sink(url: SinkUrl, tell: Tell) -> FrameSink:
    """The sink of a dialect or a clip. Raises BridgeError (50) for a host that is not known."""
    if url.scheme == "clip":
        return ClipSink(url.path, tell, replace_it=url.replace_it)
    dialect, options = DIALECTS[url.scheme], dict(url.options)
    return UdpSink(dialect.encoder(options), url.host, url.port, tell=tell, farewell=dialect.farewell(options))


class ClipSink:
    """Records; the file is written when the bridge ends. Its time begins with 0. The constructor raises DiskError (40)."""

    def __init__(self, path: Path, tell: Tell, *, replace_it: bool = False) -> None:
        self._path, self._tell, self._replace_it = path, tell, replace_it
        _see_to_folder(path)
        self._frames: list[Frame] = []
        self._full = False

    async def send(self, frame: Frame) -> None:
        if len(self._frames) < _MOST_FRAMES:
            self._frames.append(frame)
        elif not self._full:
            self._full = True
            self._tell(f'"{self._path.name}" is full (an hour at 120 frames a second): what comes now is not recorded.')

    async def close(self) -> None:
        """Raises DiskError (40) when it cannot be written."""
        if not self._frames:
            return
        began_s = self._frames[0].time_s
        clip = BlendshapeClip(tuple(replace(frame, time_s=frame.time_s - began_s) for frame in self._frames))
        self._frames = []
        ending, write = next(each for each in _CLIPS.items() if self._path.name.lower().endswith(each[0]))
        path = self._path
        if path.exists() and not self._replace_it:
            path = _free_path(path, len(ending))
            self._tell(f'"{self._path.name}" is there by now; the recording is "{path.name}".')
        await asyncio.to_thread(write, clip, path)


def _see_to_folder(path: Path) -> None:
    """A recording's folder, made if need be: better now than when an hour has been recorded."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise IsADirectoryError
        path.exists()  # or its name is too long
        with tempfile.TemporaryFile(dir=path.parent):
            pass  # it can be written to: os.access() says so to root of anything
    except (OSError, RuntimeError) as cause:
        raise DiskError(f'cannot record to "{path}".', hint="Give a file in a folder of yours.", file=path) from cause


def _free_path(path: Path, ending: int) -> Path:
    stem, suffix = path.name[:-ending], path.name[-ending:]
    return next(free for n in range(2, 10_000) if not (free := path.with_name(f"{stem}-{n}{suffix}")).exists())


def number_of(url: SinkUrl, names: Sequence[str]) -> int:
    """The number of the face a sink asks for."""
    if url.face in names:
        return names.index(url.face)
    if url.face.isdecimal() and int(url.face) < len(names):
        return int(url.face)
    raise UsageError(f"no face {url.face!r}.", hint=f"Choose one of: {', '.join(names)}, or 0 to {len(names) - 1}.")
