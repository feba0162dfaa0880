"""7. A meeting room: several avatars on one bridge; who speaks is looked at, and whoever listens nods.

    python samples/07_meeting_room.py ANNA.glb BEN.glb CARA.glb

All of them are in one page of the viewer, and in one stream of frames. Tested by tests/integration/test_live_samples.py.
"""

import asyncio
import sys

from avatar3d.core.blendshapes import ARKIT_INDEX
from avatar3d.live.client import Bridge, connect
from avatar3d.live.process import bridge_process

LINES = ("Good morning, everybody.", "Good morning. Shall we begin?", "Yes, please. I have good news.")


async def main(avatars: list[str]) -> None:
    async with bridge_process(*avatars) as process, connect(*process) as bridge:
        names = [face["name"] for face in bridge.identified["faces"]]
        print(f"{', '.join(names)}: {process.page}", flush=True)
        moved = [0.0] * len(names)
        watching = asyncio.create_task(watch(bridge, moved))
        for turn, line in enumerate(LINES):
            speaker = turn % len(names)
            await look_at(bridge, speaker, len(names))
            await bridge.say(line, face=speaker)
            print(f"{names[speaker]}: {line}", flush=True)
            await until_said(bridge)
            await bridge.control(face=(speaker + 1) % len(names), gesture="nod")
        watching.cancel()
        for name, jaw in zip(names, moved, strict=True):
            print(f"{name}'s jaw opened to {jaw:.2f}")


async def look_at(bridge: Bridge, speaker: int, count: int) -> None:
    """They sit side by side and turn to who speaks; the speaker looks at us."""
    for face in range(count):
        if face == speaker:
            await bridge.control(face=face, listener=True)
        else:
            # The next chair is to one's left, 40 degrees aside.
            await bridge.control(face=face, gaze=[0.8 if speaker > face else -0.8, 0.0, 1.0])


async def until_said(bridge: Bridge) -> None:
    async for message in bridge.messages():
        if message.get("name") == "speech_ended":
            return


async def watch(bridge: Bridge, moved: list[float]) -> None:
    async for packet in bridge.frames():
        moved[packet.face] = max(moved[packet.face], float(packet.frame.weights[ARKIT_INDEX["jawOpen"]]))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
