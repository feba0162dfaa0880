"""8. Drive Unity: a project gets the package and an avatar, and the avatar says hello when you press Enter.

    python samples/08_drive_unity.py AVATAR.glb PROJECT      (PROJECT: the folder of a Unity project, 2022.3 or later)

Then in Unity: Window > avatar3d > Live, paste the token, Connect; or press Play with an AvatarReceiver in the scene
(docs/engines/unity.md tells it step by step). Ends when the avatar has spoken. Tested by tests/engine/test_unity_sample.py with the
package's core under mono in Unity's place; nobody has run it with Unity itself.
"""

import asyncio
import json
import shutil
import sys
from pathlib import Path

from avatar3d.live.client import Bridge, connect
from avatar3d.live.process import bridge_process

PACKAGE = Path(__file__).resolve().parents[1] / "unity_bridge"
NAME = "com.avatar3d.unity"
GLTFAST = ("com.unity.cloud.gltfast", "6.10.3")
"""The first that imports what we write in every pipeline; a later one that the project has stays."""
PORT = 8765
"""Where the package looks if nobody tells it otherwise."""


def prepare(project: Path, avatar: Path) -> None:
    """The package and glTFast into the project's manifest, the avatar into its Assets. Unity imports both when it is next in front."""
    manifest = project / "Packages/manifest.json"
    if not manifest.is_file():
        raise SystemExit(
            f"{project} is no Unity project: it has no Packages/manifest.json. Make one in Unity Hub first."
        )
    told = json.loads(manifest.read_text(encoding="utf-8"))
    packages = told.setdefault("dependencies", {})
    packages[NAME] = f"file:{PACKAGE.as_posix()}"
    packages.setdefault(*GLTFAST)
    told["testables"] = sorted(
        {*told.get("testables", ()), NAME}
    )  # the Test Runner shows a package's tests where it is named here
    manifest.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    (project / "Assets").mkdir(exist_ok=True)
    shutil.copyfile(avatar, project / "Assets" / avatar.name)


async def perform(bridge: Bridge) -> None:
    """A greeting with everything in it that a face has."""
    await bridge.control(emotion="joy", intensity=0.5, gesture="nod")
    await bridge.say("Hello! Now I live in Unity.")
    async for message in bridge.messages():
        if message.get("name") == "speech_ended":
            break
    await bridge.control(emotion="neutral", gesture="wink_left")
    await asyncio.sleep(1.0)


async def main(avatar: Path, project: Path, port: int = PORT) -> None:
    prepare(project, avatar)
    print(f"{avatar.name} and the package are in {project.name}; Unity imports them now.")
    async with bridge_process(str(avatar), port=port) as process, connect(*process, frames=False) as bridge:
        print(f"Window > avatar3d > Live in Unity:\n  address {process.url}\n  token   {process.token}", flush=True)
        print("Press Enter when Unity is live.", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        await perform(bridge)
        print("said")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else PORT))
