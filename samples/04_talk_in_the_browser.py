"""4. Talk in the browser: the viewer shows an avatar, and what you type, line by line, it says.

    python samples/04_talk_in_the_browser.py AVATAR.glb

An empty line interrupts what is being said; end with Ctrl-D. Tested by tests/integration/test_live_samples.py.
"""

import asyncio
import sys
import webbrowser

from avatar3d.live.client import connect
from avatar3d.live.process import bridge_process


async def main(avatar: str) -> None:
    async with bridge_process(avatar) as process, connect(*process, frames=False) as bridge:
        print(f"Open {process.page}", flush=True)
        if sys.stdin.isatty():
            webbrowser.open(process.page)
        told = asyncio.create_task(tell_events(bridge.messages()))
        while line := await asyncio.to_thread(sys.stdin.readline):
            if line.strip():
                await bridge.say(line.strip())
            else:
                await bridge.control(interrupt=True)
        await asyncio.wait_for(told, 60)


async def tell_events(messages) -> None:
    """Until the first thing that was said has been said."""
    async for message in messages:
        if message["type"] == "event":
            print(message["name"], flush=True)
            if message["name"] == "speech_ended":
                return


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
