"""3. Hello, avatar: a bridge, a sentence, a nod, and the frames that an engine of yours would show.

    python samples/03_hello_avatar.py AVATAR.glb      (the voice needs the extra `espeak`)

Tested by tests/integration/test_live_samples.py.
"""

import asyncio
import sys

from avatar3d.core.blendshapes import ARKIT_INDEX
from avatar3d.live.client import connect
from avatar3d.live.process import bridge_process


async def main(avatar: str) -> None:
    # Where a bridge runs already (`avatar3d live`), its address and token are all that connect() needs.
    async with bridge_process(avatar) as process, connect(*process) as bridge:
        print(f"{bridge.identified['faces'][0]['name']} at {process.url}; in a browser: {process.page}")
        await bridge.control(emotion="joy", intensity=0.5)
        await bridge.say("Hello! I am glad to see you.")
        await bridge.control(gesture="nod")
        widest, shown, until_s = 0.0, 0, bridge.media_time_s() + 4.0
        async for packet in bridge.frames():
            # 52 weights in ARKit's order, and the rotations of head and eyes: 60 times a second.
            widest = max(widest, float(packet.frame.weights[ARKIT_INDEX["jawOpen"]]))
            shown += 1
            if packet.frame.time_s > until_s:
                break
        print(f"{shown} frames; the jaw opened to {widest:.2f}")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
