"""The extension while it is driven: by a bridge, by an iPhone's packets, by VMC, and by somebody who means it ill.

usage: PYTHON_WITH_BPY live.py REQUEST.json OUT.json      (glb, url, token, seconds, livelink [hex], vmc [[hex]], hostile [hex], take)
"""

import json
import logging
import socket
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
import extension
from extension import bpy, house, np, refused

ops = bpy.ops.avatar3d
lines: list[tuple[float, str]] = []


def install(asked: dict[str, Any]) -> None:
    extension.install(extension.build(Path(tempfile.mkdtemp())))
    ops.import_avatar(filepath=asked["glb"])
    logging.getLogger("avatar3d").addHandler(Listening())


class Listening(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        lines.append((time.monotonic(), record.getMessage()))


def follow_a_bridge(asked: dict[str, Any]) -> dict[str, Any]:
    """Live for some seconds, and recorded all the while; what a frame costs is measured without drawing."""
    session, scene, actions = house("session"), house("scene"), house("actions")
    told = bpy.context.window_manager.avatar3d
    without = refused(ops.start_live)
    told.kind, told.url = "BRIDGE", f"{asked['url'].replace('ws', 'http')}/#token={asked['token']}"
    blend = Path(asked["take"]).with_suffix(".blend")
    bpy.ops.wm.save_as_mainfile(filepath=str(blend), copy=True, compress=False)
    stored = told.url, told.token == asked["token"], asked["token"].encode() in blend.read_bytes()
    bpy.context.scene.render.fps = 60
    ops.start_live()
    until = time.monotonic() + 20
    while session.NOW.receiver.tally.taken < 10 and time.monotonic() < until:
        extension.poll_for(0.05)
    ops.record()
    head = scene.face(scene.avatars()[0])
    costs, walls, taken, until = [], [], session.NOW.receiver.tally.taken, time.monotonic() + asked["seconds"]
    while time.monotonic() < until:
        fresh = session.NOW.receiver._newest is not None
        began, clock = time.thread_time(), time.perf_counter()
        session.poll()
        bpy.context.view_layer.update()
        if fresh:
            costs.append(time.thread_time() - began)
            walls.append(time.perf_counter() - clock)
        time.sleep(1 / 240)
    shown = [key.value for key in head.data.shape_keys.key_blocks[1:]]
    newest = session.NOW.last
    status, taken = session.NOW.receiver.status, session.NOW.receiver.tally.taken - taken
    ops.record()
    keys, rig = head.data.shape_keys, scene.rig(scene.avatars()[0])
    curves = {curve.data_path: curve for curve in actions.curves_of(keys.animation_data.action)}
    points = np.array([
        [[point.co.x, point.co.y] for point in curves[f'key_blocks["{name}"].value'].keyframe_points]
        for name in house("wire_generated").ARKIT_NAMES
    ])  # fmt: skip
    turns = [c for c in actions.curves_of(rig.animation_data.action) if '"head"' in c.data_path]
    np.savez(asked["take"], points=points, head=np.array([[p.co.y for p in c.keyframe_points] for c in turns]))
    return {
        "without": without, "stored": stored, "status": status, "taken": taken, "seconds": asked["seconds"],
        "median_ms": 1000 * float(np.median(costs)), "p99_ms": 1000 * float(np.percentile(costs, 99)),
        "wall_median_ms": 1000 * float(np.median(walls)), "wall_p99_ms": 1000 * float(np.percentile(walls, 99)), "applied": len(costs),
        "shown_off": float(np.abs(np.array(shown) - newest.weights).max()), "stopped": session.NOW.receiver is None,
    }  # fmt: skip


def survive_undo(asked: dict[str, Any]) -> dict[str, Any]:
    """Undo takes blocks away under the receiver; nothing is kept that could point into them."""
    session = house("session")
    bpy.ops.ed.undo_push(message="one")
    ops.start_live()
    extension.poll_for(0.3)
    bpy.ops.ed.undo_push(message="two")
    for _ in range(3):
        bpy.ops.ed.undo()
        extension.poll_for(0.2)
        bpy.ops.ed.redo()
        extension.poll_for(0.2)
    alive = session.NOW.receiver is not None and session.NOW.receiver.running
    began = time.monotonic()
    ops.panic()
    head = house("scene").face(house("scene").avatars()[0])
    return {"alive": alive, "panic_s": time.monotonic() - began, "receiver": session.NOW.receiver is None,
            "neutral": max(key.value for key in head.data.shape_keys.key_blocks)}  # fmt: skip


def _listen(kind: str, packets: list[list[str]]) -> dict[str, Any]:
    """One datagram group after the other; what was shown after each."""
    session, told = house("session"), bpy.context.window_manager.avatar3d
    told.kind, told.port = kind, _free_port()
    ops.start_live()
    head = house("scene").face(house("scene").avatars()[0])
    keys, rig, seen = head.data.shape_keys.key_blocks, house("scene").rig(house("scene").avatars()[0]), []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for group in packets:
            before, until = session.NOW.receiver.tally.taken, time.monotonic() + 3
            for packet in group:
                sender.sendto(bytes.fromhex(packet), ("127.0.0.1", told.port))
            while session.NOW.receiver.tally.taken == before and time.monotonic() < until:
                time.sleep(0.002)
            session.poll()
            seen.append({"weights": {name: keys[name].value for name in house("wire_generated").ARKIT_NAMES},
                         "head": list(rig.pose.bones["head"].rotation_quaternion)})  # fmt: skip
    told_status = session.NOW.receiver.status
    time.sleep(1.0)
    session.poll()
    eased = max(key.value for key in keys)
    ops.stop_live()
    return {"seen": seen, "status": told_status, "eased": eased}


def follow_livelink(asked: dict[str, Any]) -> dict[str, Any]:
    return _listen("LIVELINK", [[packet] for packet in asked["livelink"]])


def follow_vmc(asked: dict[str, Any]) -> dict[str, Any]:
    return _listen("VMC", asked["vmc"])


def ignore_hostile(asked: dict[str, Any]) -> dict[str, Any]:
    """Bad packets for three seconds, one good one at the end."""
    session, told, figures = house("session"), bpy.context.window_manager.avatar3d, {}
    for kind, good in (("LIVELINK", asked["livelink"][-1:]), ("VMC", asked["vmc"][-1])):
        told.kind, told.port = kind, _free_port()
        ops.start_live()
        lines.clear()
        receiver, until, sent = session.NOW.receiver, time.monotonic() + 3, 0
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            while time.monotonic() < until:
                for packet in asked["hostile"]:
                    sender.sendto(bytes.fromhex(packet), ("127.0.0.1", told.port))
                    sent += 1
                session.poll()
                time.sleep(0.02)
            refusals, shown = receiver.tally.refused, receiver.tally.taken
            time.sleep(1.1)
            for packet in good:
                sender.sendto(bytes.fromhex(packet), ("127.0.0.1", told.port))
            time.sleep(0.3)
        figures[kind] = {"sent": sent, "refused": refusals, "shown": shown, "after": receiver.tally.taken - shown,
                         "running": receiver.running, "lines": len(lines)}  # fmt: skip
        ops.stop_live()
    return figures


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


if __name__ == "__main__":
    steps = [install, follow_a_bridge, survive_undo, follow_livelink, follow_vmc, ignore_hostile]
    extension.run(steps, json.loads(Path(sys.argv[-2]).read_text()), Path(sys.argv[-1]))
