"""A program's side of the bridge: the newest frames, the sound, and the face moved.

    async with connect("ws://127.0.0.1:8765/", token) as bridge:
        await bridge.say("Hello.")
        async for packet in bridge.frames():
            show(packet.frame)

It comes back by itself when the bridge was away, and shows nothing old.
"""

import asyncio
import hashlib
import json
import math
import secrets
import ssl
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from time import monotonic
from typing import Any, Final, Self

import numpy as np
from jaxtyping import Float32

from avatar3d.core.audio import AudioChunk
from avatar3d.core.blendshapes import Frame
from avatar3d.core.errors import BridgeError, InputError
from avatar3d.live import schema, wire
from avatar3d.live.clock import SlewedClock
from avatar3d.live.websocket import Link, LinkClosedError, dial
from avatar3d.live.wire import FramePacket, SoundPacket

_OLD_S: Final = 0.25
"""A frame older than this is not shown."""
_CLOCK_EVERY_S: Final = 2.0
_QUEUE: Final = 512
"""So many pieces of sound, or messages, wait for who does not fetch them; then the oldest go."""
_PIECE: Final = 16_000
"""Samples in one message: half of what the bridge takes."""
_PAUSES_S: Final = (0.2, 2.0)
_RETURNS: Final = {1001, 1006, 1011, 1012, 1013, 1014} | {schema.CLOSE[name] for name in schema.RECONNECTS}
_MESSAGES_HZ, _BURST_S = 200.0, 0.25
"""The bridge takes 300 messages a second, acknowledgements among them."""
_AHEAD_S: Final = 60.0
"""So much pushed sound may wait to be heard; the bridge holds twice as much."""
_REFUSALS: Final = ("QUEUE_FULL", "PANICKING")
_NO_TIME: Final = math.nan


def connect(
    url: str,
    token: str | None = None,
    *,
    pairing_code: str | None = None,
    fingerprint: str | None = None,
    faces: Sequence[int] | None = None,
    frames: bool = True,
    sound: bool = True,
    name: str = "python",
) -> "Bridge":
    """A bridge at ws:// or wss:// (http:// and https:// mean the same), to be used with `async with`.

    With `--lan` give its certificate's SHA-256 `fingerprint`, and the pairing code or the token got for it before.
    """
    identify = {
        "type": "identify", "version": schema.VERSION, "token": token, "pairing_code": pairing_code, "name": name,
        "frames": frames, "sound": sound, "faces": None if faces is None else list(faces),
    }  # fmt: skip
    url = url.replace("http", "ws", 1) if url.startswith("http") else url
    return Bridge(url, {key: value for key, value in identify.items() if value is not None}, fingerprint)


class Bridge:
    """A connection that comes back."""

    def __init__(self, url: str, identify: Mapping[str, Any], fingerprint: str | None) -> None:
        self.identified: Mapping[str, Any] = {}
        """What the bridge said when it let us in: client, scopes, rate_hz, faces, and a token when we gave a pairing code."""
        self.reconnections = 0
        self._url, self._identify, self._fingerprint = url, dict(identify), fingerprint
        self._link: Link | None = None
        self._failure: BridgeError | None = None
        self._running: asyncio.Task[None] | None = None
        self._clock = SlewedClock()
        self._quickest_s = math.inf
        self._newest: dict[int, bytes] = {}
        self._sounds: deque[SoundPacket] = deque(maxlen=_QUEUE)
        self._messages: deque[Mapping[str, Any]] = deque(maxlen=_QUEUE)
        self._came = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._asked: dict[int, asyncio.Future[Mapping[str, Any]]] = {}
        self._number = 0
        self._unanswered, self._seq = 0, -1
        self._message_s = 0.0
        self._pushed_until_s: dict[int, float] = {}
        self._sound_refused: InputError | None = None

    async def __aenter__(self) -> Self:
        try:
            await self._open()
        except LinkClosedError as closed:
            raise _refused(self._url, closed) from None
        self._running = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._running:
            self._running.cancel()
            with suppress(asyncio.CancelledError):
                await self._running
        if self._link:
            await self._link.close()

    # What the bridge sends.

    async def frames(self) -> AsyncIterator[FramePacket]:
        """The newest frame of each face, as it comes; what is older than a quarter of a second is left out."""
        while True:
            while self._newest:
                packet = wire.decode_frame(self._newest.pop(next(iter(self._newest))))
                if self.media_time_s() - packet.frame.time_s <= _OLD_S:
                    yield packet
            await self._wait(self._came[0])

    async def sounds(self) -> AsyncIterator[SoundPacket]:
        """Sound, ahead of its time: what has the media time of a frame belongs to it."""
        while True:
            while self._sounds:
                yield self._sounds.popleft()
            await self._wait(self._came[1])

    async def messages(self) -> AsyncIterator[Mapping[str, Any]]:
        """Events and flushes, as mappings with their type."""
        while True:
            while self._messages:
                yield self._messages.popleft()
            await self._wait(self._came[2])

    def media_time_s(self) -> float:
        """The bridge's clock, as well as we know it."""
        return self._clock.ours_s(monotonic())

    # What we tell it. Each waits until it is done, or raises what the bridge answered.

    async def say(self, text: str, **entries: Any) -> None:
        await self.ask("say", text=text, **entries)

    async def control(self, **entries: Any) -> None:
        """Emotion, intensity, gaze, head_motion, style, gesture, interrupt, listener, face."""
        await self.ask("control", **entries)

    async def panic(self) -> None:
        await self.ask("panic")

    async def resume(self) -> None:
        await self.ask("resume")

    async def ask(self, kind: str, **entries: Any) -> Mapping[str, Any]:
        """Any message of schema.TO_BRIDGE that has an id; gives its `done`."""
        self._number += 1
        number, answer = self._number, asyncio.get_running_loop().create_future()
        self._asked[number] = answer
        try:
            await self._send(json.dumps({"type": kind, "id": number} | entries))
            return await answer
        finally:
            self._asked.pop(number, None)

    async def push_sound(
        self,
        samples: Float32[np.ndarray, "N"],
        rate_hz: int,
        *,
        time_s: float = _NO_TIME,
        face: int = 0,
        last: bool = False,
    ) -> None:
        """Sound to be spoken, however long: queued, or live when it has a media time. `last` ends the utterance.

        Waits while a minute of what was pushed is still to be heard, and while messages would come too fast for the bridge.
        Raises InputError when the bridge has refused a piece before: more was waiting there already (QUEUE_FULL), or
        everything stands still (PANICKING).
        """
        for at in range(0, max(len(samples), 1), _PIECE):
            if self._sound_refused is not None:
                refused, self._sound_refused = self._sound_refused, None
                raise refused
            await self._pace(len(samples[at : at + _PIECE]) / rate_hz if math.isnan(time_s) else 0.0, face)
            piece, ends = samples[at : at + _PIECE], last and at + _PIECE >= len(samples)
            chunk = AudioChunk(time_s + at / rate_hz, rate_hz, piece)
            await self._send(wire.encode_sound(SoundPacket(chunk, 0, face, ends)))

    async def push_frame(self, frame: Frame, *, face: int = 0) -> None:
        """A face made by you."""
        await self._send(wire.encode_frame(FramePacket(frame, 0, face)))

    async def _pace(self, sound_s: float, face: int) -> None:
        """Until so much more sound may be sent."""
        self._message_s = max(self._message_s, monotonic()) + 1 / _MESSAGES_HZ
        if (early_s := self._message_s - monotonic() - _BURST_S) > 0:
            await asyncio.sleep(early_s)
        heard_s = max(self._pushed_until_s.get(face, 0.0), monotonic()) + sound_s
        self._pushed_until_s[face] = heard_s
        if (ahead_s := heard_s - monotonic() - _AHEAD_S) > 0:
            await asyncio.sleep(ahead_s)

    # How it goes on.

    async def _run(self) -> None:
        """Read for as long as it goes; come back after a pause that grows."""
        while True:
            telling = asyncio.create_task(self._tell_time())
            try:
                await self._read()
            except LinkClosedError as closed:
                if closed.code not in _RETURNS:
                    return self._fail(_refused(self._url, closed))
            except (InputError, ValueError, KeyError) as cause:
                return self._fail(BridgeError(f"The bridge said what we do not understand: {cause}.", id="PROTOCOL"))
            finally:
                telling.cancel()
            self._drop()
            try:
                await self._return()
            except BridgeError as cause:
                return self._fail(cause)

    async def _return(self) -> None:
        pause_s, longest_s = _PAUSES_S
        while True:
            await asyncio.sleep(pause_s * (0.5 + secrets.randbelow(500) / 1000))
            try:
                await self._open()
            except LinkClosedError as closed:
                if closed.code not in _RETURNS:
                    raise _refused(self._url, closed) from None
                pause_s = min(2 * pause_s, longest_s)
            else:
                self.reconnections += 1
                return

    async def _open(self) -> None:
        """Dial and identify."""
        link = await dial(self._url, schema.SUBPROTOCOLS[0], tls=_trusting() if self._url.startswith("wss") else None)
        try:
            await self._introduce(link)
        except BaseException:  # a task that is cancelled too leaves nothing open
            link.abort()
            raise
        self._link = link

    async def _introduce(self, link: Link) -> None:
        certificate = link.certificate()
        if certificate is not None and _plain(self._fingerprint) != (found := hashlib.sha256(certificate).hexdigest()):
            raise BridgeError(
                f"The bridge at {self._url} shows a certificate with another fingerprint: {found}.",
                hint="Compare it with the one shown where the bridge was started, and give that.",
                id="CERTIFICATE",
            )
        await link.receive()  # hello
        await link.send(json.dumps(self._identify))
        answer = await link.receive()
        self.identified = json.loads(answer)
        if token := self.identified.get("token"):
            self._identify = {k: v for k, v in self._identify.items() if k != "pairing_code"} | {"token": token}
        self._clock = SlewedClock().step(monotonic(), self.identified["media_time_s"])
        self._quickest_s, self._unanswered, self._seq = math.inf, 0, -1

    async def _read(self) -> None:
        link = self._link
        assert link is not None
        while True:
            message = await link.receive()
            if isinstance(message, str):
                self._take(json.loads(message), monotonic())
            elif message[0] == schema.SOUND_KIND:
                self._sounds.append(wire.decode_sound(message))
                self._came[1].set()
            else:
                await self._take_frame(link, message)

    async def _take_frame(self, link: Link, packet: bytes) -> None:
        """Keep it as the newest of its face, and acknowledge every so many ticks."""
        self._newest[packet[1] >> schema.FACE_SHIFT] = packet
        self._came[0].set()
        if (seq := int.from_bytes(packet[4:8], "little")) == self._seq:
            return
        self._seq = seq
        self._unanswered += 1
        if self._unanswered >= self.identified["ack_every"]:
            self._unanswered = 0
            await link.send(wire.encode_ack(seq))

    def _take(self, message: Mapping[str, Any], now_s: float) -> None:
        match message["type"]:
            case "clock":
                self._set_clock(message, now_s)
            case "done" | "error" if message.get("id") in self._asked:
                answer = self._asked[message["id"]]
                if message["type"] == "done":
                    answer.set_result(message)
                else:
                    answer.set_exception(InputError(message["message"], hint=message["hint"], id=message["error"]))
            case "error" if message["error"] in _REFUSALS:
                self._sound_refused = InputError(message["message"], hint=message["hint"], id=message["error"])
            case "flush":
                self._pushed_until_s.pop(message["face"], None)
                self._messages.append(message)
                self._came[2].set()
            case _:
                self._messages.append(message)
                self._came[2].set()

    def _set_clock(self, message: Mapping[str, Any], now_s: float) -> None:
        """The four stamps: the middle of ours was the middle of theirs, if both ways took as long."""
        took_s = now_s - message["sent_s"] - (message["media_time_s"] - message["received_s"])
        first = self._quickest_s == math.inf
        if took_s <= 2 * self._quickest_s + 0.001:  # a delayed one says little
            middle_s, theirs_s = (message["sent_s"] + now_s) / 2, (message["received_s"] + message["media_time_s"]) / 2
            self._clock = (SlewedClock() if first else self._clock).step(middle_s, theirs_s)
        self._quickest_s = min(self._quickest_s, took_s)

    async def _tell_time(self) -> None:
        while True:
            with suppress(BridgeError):
                await self._send(json.dumps({"type": "clock", "sent_s": monotonic()}))
            await asyncio.sleep(_CLOCK_EVERY_S)

    async def _send(self, message: str | bytes) -> None:
        if self._failure:
            raise self._failure
        try:
            if self._link is None:
                raise LinkClosedError(1006, "")
            await self._link.send(message)
        except LinkClosedError:
            raise BridgeError(f"The bridge at {self._url} is away.", hint="Try again.", id="AWAY") from None

    async def _wait(self, came: asyncio.Event) -> None:
        if self._failure:
            raise self._failure
        await came.wait()
        came.clear()

    def _drop(self) -> None:
        self._link = None
        self._newest.clear()
        for answer in self._asked.values():
            if not answer.done():
                answer.set_exception(BridgeError(f"The bridge at {self._url} went away.", hint="Try again.", id="AWAY"))

    def _fail(self, cause: BridgeError) -> None:
        self._drop()
        self._failure = cause
        for came in self._came:
            came.set()


def _plain(fingerprint: str | None) -> str:
    return (fingerprint or "").replace(":", "").lower()


def _refused(url: str, closed: LinkClosedError) -> BridgeError:
    names = {code: name for name, code in schema.CLOSE.items()}
    why = closed.reason.rstrip(".") or ("nobody answers" if closed.code == 1006 else f"code {closed.code}")
    hint = (
        "Is it running? Start it with `avatar3d live`."
        if closed.code == 1006
        else "docs/bridge.md tells what each code means."
    )
    return BridgeError(
        f"The bridge at {url} closed the connection: {why}.", hint=hint, id=names.get(closed.code, "CLOSED")
    )


def _trusting() -> ssl.SSLContext:
    """Any certificate: it signed itself, and is known by its fingerprint, which is compared before a word is said."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
