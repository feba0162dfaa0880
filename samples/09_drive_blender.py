"""9. Drive Blender: the avatar that you imported there says hello when you press Enter here.

    python samples/09_drive_blender.py AVATAR.glb

Then in Blender, with the extension (docs/engines/blender.md): File > Import > avatar3d Avatar, the same AVATAR.glb; in the sidebar
(N) avatar3d > Live: paste the address that is printed here, Start. Ends when the avatar has spoken.
Tested by tests/engine/test_blender_samples.py with Blender as a Python module, without a window.
"""

import asyncio
import sys

from avatar3d.live.client import connect
from avatar3d.live.process import bridge_process

TEXT = "Hello. I am a head in Blender."


async def main(avatar: str) -> None:
    async with bridge_process(avatar) as process, connect(*process, frames=False, sound=False) as bridge:
        print(f"Paste this into Blender: {process.page}", flush=True)
        print("Press Enter, and it speaks.", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        await bridge.say(TEXT)
        async for message in bridge.messages():
            if message["type"] == "event" and message["name"] == "speech_ended":
                break
        print("It has spoken.", flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
