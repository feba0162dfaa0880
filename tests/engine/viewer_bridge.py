"""A bridge whose performer is a metronome, for the viewer's tests: the real server, sound and faces of which everything is known.

    python tests/engine/viewer_bridge.py '{"dist": ..., "avatars": [...], "names": [...], "port": 0, "token": ..., "log": ..., "act": "click"}'

It prints "READY <port>". Acts: `idle` (every face at rest), `click` (each PERIOD_S a loud tone of SOUND_S begins, and in the same frame the
jaw opens for it), `talk` (syllables), `silent` (no frames). What clients ask for goes to the log, one JSON object a line.
"""

import asyncio
import json
import math
import sys
from collections.abc import Mapping
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import uvloop

from avatar3d.core.audio import AudioChunk
from avatar3d.core.blendshapes import ARKIT_INDEX, Frame
from avatar3d.live import wire
from avatar3d.live.auth import Tokens
from avatar3d.live.server import Server, ServerParams
from avatar3d.live.site import Site
from avatar3d.live.wire import FramePacket, SoundPacket

RATE_HZ = 60.0
SOUND_HZ = 16_000
PERIOD_S = 1.0
SOUND_S = 0.15
AHEAD_S = 0.25
PIECE_S = 0.1


class Metronome:
    """live.driven.Driven, which writes down what it is asked."""

    def __init__(self, told: Mapping[str, Any]) -> None:
        self._told = told
        self._began_s = monotonic()
        self.act = told.get("act", "idle")
        self.quiet = False

    def media_time_s(self) -> float:
        return monotonic() - self._began_s

    panicking = False

    def faces(self) -> list[dict[str, Any]]:
        names = self._told["names"]
        return [{"number": at, "name": name, "avatar": f"/avatars/{at}.glb"} for at, name in enumerate(names)]

    def control(self, message: Mapping[str, Any]) -> None:
        self._write(dict(message))

    def say(self, message: Mapping[str, Any]) -> None:
        self._write(dict(message))

    def push_frame(self, packet: FramePacket) -> None:
        self._write({"type": "frame", "face": packet.face, "weights": packet.frame.weights.tolist()})

    def push_sound(self, packet: SoundPacket, client: str) -> None:
        chunk = packet.chunk
        loud = float(np.abs(chunk.samples).max()) if len(chunk.samples) else 0.0
        time_s = None if math.isnan(chunk.time_s) else chunk.time_s
        self._write(
            {"type": "sound", "rate_hz": chunk.rate_hz, "samples": len(chunk.samples), "peak": loud, "media_time_s": time_s,
             "last": packet.last, "now_s": self.media_time_s()}
        )  # fmt: skip

    def panic(self) -> None:
        self.quiet = True
        self._write({"type": "panic"})

    def resume(self) -> None:
        self.quiet = False
        self._write({"type": "resume"})

    def stop(self) -> None:
        self._write({"type": "stop"})

    def left(self, client: str) -> None:
        pass

    def frame(self, time_s: float) -> Frame:
        """What the act shows at that time."""
        weights = np.zeros(52, np.float32)
        rest = np.array([1, 0, 0, 0], np.float32)
        head = rest
        if not self.quiet:
            if self.act == "click" and time_s % PERIOD_S < SOUND_S:
                weights[ARKIT_INDEX["jawOpen"]] = 1
            if self.act == "talk":
                syllable = max(0.0, math.sin(2 * math.pi * 3.1 * time_s)) * (0.6 + 0.4 * math.sin(1.7 * time_s))
                weights[ARKIT_INDEX["jawOpen"]] = 0.38 * syllable
                weights[ARKIT_INDEX["mouthFunnel"]] = 0.3 * max(0.0, math.sin(2 * math.pi * 1.3 * time_s))
                for name, weight in (
                    ("mouthSmileLeft", 0.35),
                    ("mouthSmileRight", 0.35),
                    ("browInnerUp", 0.2 + 0.2 * math.sin(time_s)),
                ):
                    weights[ARKIT_INDEX[name]] = weight  # fmt: skip
                yaw = 0.09 * math.sin(0.9 * time_s)
                head = np.array([math.cos(yaw / 2), 0, math.sin(yaw / 2), 0], np.float32)
        return Frame(time_s, weights, head, rest, rest)

    def sound(self, start: int, count: int) -> np.ndarray:
        """Samples of the act from that one on."""
        at = np.arange(start, start + count)
        seconds = at / SOUND_HZ
        if self.act == "click":
            return np.where(
                seconds % PERIOD_S < SOUND_S, 0.8 * np.sin(2 * np.pi * 500 * seconds + np.pi / 2), 0
            ).astype(np.float32)
        loud = np.maximum(0, np.sin(2 * np.pi * 3.1 * seconds))
        return (0.3 * loud * np.sin(2 * np.pi * 170 * seconds)).astype(np.float32)

    def _write(self, message: dict[str, Any]) -> None:
        with Path(self._told["log"]).open("a") as log:
            log.write(json.dumps(message) + "\n")


async def run(told: Mapping[str, Any]) -> None:
    tokens, metronome = Tokens(), Metronome(told)
    tokens.issue("viewer", told.get("scope", "drive"), token=told["token"])
    if code := told.get("pair"):
        tokens.open_pairing()
        tokens._code = code  # a code that the test knows
    site = Site(Path(told["dist"]))
    for at, avatar in enumerate(told["avatars"]):
        site.give(f"/avatars/{at}.glb", Path(avatar))
    params = ServerParams(port=told.get("port", 0), rate_hz=RATE_HZ)
    server = Server(params, tokens, metronome, site, tell=lambda line: print(line, file=sys.stderr, flush=True))
    await server.start()
    print(f"READY {server.port}", flush=True)
    seq = sounded = 0
    while True:
        seq += 1
        await asyncio.sleep(max(0.0, seq / RATE_HZ - metronome.media_time_s()))
        time_s = seq / RATE_HZ
        if metronome.act in ("click", "talk") and not metronome.quiet:
            sounded = max(sounded, int(time_s * SOUND_HZ))
            while sounded < (time_s + AHEAD_S) * SOUND_HZ:
                piece = metronome.sound(sounded, int(PIECE_S * SOUND_HZ))
                chunk = AudioChunk(sounded / SOUND_HZ, SOUND_HZ, piece)
                server.publish_sound(wire.encode_sound(SoundPacket(chunk, seq)))
                sounded += len(piece)
        if metronome.act != "silent":
            frame = metronome.frame(time_s)
            server.publish(seq, [wire.encode_frame(FramePacket(frame, seq, at)) for at in range(len(told["names"]))])


if __name__ == "__main__":
    uvloop.run(run(json.loads(sys.argv[1])))
