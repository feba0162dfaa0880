"""10. Record a performance in Blender and export it: an avatar follows a bridge for some seconds, and becomes an animated GLB.

    blender --background --python samples/10_record_and_export.py -- AVATAR.glb ADDRESS SECONDS OUT.glb
    PYTHON_WITH_BPY samples/10_record_and_export.py AVATAR.glb ADDRESS SECONDS OUT.glb

ADDRESS is what `avatar3d live` or sample 9 prints, with all behind its #. In Blender's window the same is done by hand: Start, Record,
End the take, Export with Animation. Tested by tests/engine/test_blender_samples.py.
"""

import os
import sys
import time
import traceback
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import blender_addon


def main(avatar: str, address: str, seconds: str, out: str) -> None:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    blender_addon.register()  # from this checkout; an installed extension is there already
    from blender_addon import session  # noqa: PLC0415, it needs what the line above made

    bpy.ops.avatar3d.import_avatar(filepath=avatar)
    bpy.context.scene.render.fps = 60
    bpy.context.window_manager.avatar3d.url = address
    bpy.ops.avatar3d.start_live()
    until = time.monotonic() + 10
    while session.NOW.last is None and time.monotonic() < until:
        session.poll()  # without a window nobody else does
        time.sleep(1 / 60)
    print(f"Following: {session.NOW.receiver.status}", flush=True)
    bpy.ops.avatar3d.record()
    until = time.monotonic() + float(seconds)
    while time.monotonic() < until:
        session.poll()
        time.sleep(1 / 60)
    bpy.ops.avatar3d.record()  # pressed again: the take becomes an Action
    take = bpy.data.actions["Take face"]
    print(f"Recorded {take.frame_range[1] - take.frame_range[0]:.0f} frames.", flush=True)
    bpy.ops.avatar3d.export_avatar(filepath=out, animation=True, check=False)
    print(f"Wrote {Path(out).name}.", flush=True)


if __name__ == "__main__":
    try:
        main(*(sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:]))
        code = 0
    except Exception:  # noqa: BLE001, whatever it was is told, and Blender ends
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    os._exit(code)  # as a Python module Blender may not end by itself
