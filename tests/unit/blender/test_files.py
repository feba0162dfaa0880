"""What the Blender extension reads and writes without Blender: GLB, polygons, pins, jobs, its manifest."""

import json
import sys
import tomllib
from contextlib import suppress
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatar3d.formats.gltf import encode_glb
from avatar3d.head.load import load_head_model
from avatar3d.rig.surface import split_part
from blender_addon import glb, pins
from blender_addon.job import Job, words_of
from blender_addon.topology import split, topology_of
from tests.synthetic import synthetic_avatar
from tools import build_topology

ADDON = Path(__file__).parents[3] / "blender_addon"
NOT_BPY = (
    "bridge",
    "client",
    "frame",
    "glb",
    "job",
    "livelink",
    "livelink_csv",
    "order",
    "pins",
    "restoring",
    "topology",
    "vmc",
    "websocket",
    "wire",
)


@pytest.fixture(scope="module")
def egg() -> bytes:
    return encode_glb(synthetic_avatar())


@cache
def _egg() -> bytes:
    return encode_glb(synthetic_avatar())


@pytest.mark.parametrize("compact", [False, True])
def test_a_glb_of_ours_is_read_to_the_bit(compact: bool) -> None:
    avatar = synthetic_avatar()
    told = glb.read(encode_glb(avatar, compact=compact))
    assert told.joint_names == avatar.skeleton.names
    assert told.joint_parents.tolist() == avatar.skeleton.parents.tolist()
    np.testing.assert_allclose(told.joint_positions, avatar.skeleton.positions, atol=1e-7)
    for part, mesh in zip(told.parts, avatar.meshes, strict=True):
        np.testing.assert_array_equal(part.positions, mesh.positions)
        np.testing.assert_array_equal(part.triangles, mesh.triangles)
        assert part.shape_names == mesh.morph_names
        np.testing.assert_allclose(part.shapes, mesh.morphs, atol=1e-6 if compact else 0)


@settings(max_examples=300, deadline=None)
@given(
    changes=st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(0, 255)), min_size=1, max_size=8),
    cut=st.integers(0, 1 << 20),
)
def test_a_damaged_glb_is_read_or_refused_and_nothing_else(changes: list[tuple[int, int]], cut: int) -> None:
    data = bytearray(_egg())
    for at, value in changes:
        data[at % min(len(data), 40_000)] = value
    with suppress(glb.GlbError):
        glb.read(bytes(data[: len(data) - cut % 5000]))


def test_what_was_packed_again_is_the_same_file(egg: bytes) -> None:
    told, binary = glb.chunks(egg)
    assert glb.chunks(glb.pack(told, binary)) == (told, binary)


def test_the_table_of_polygons_is_what_the_head_makes_of_it() -> None:
    assert build_topology.main(["--check"]) == 0


def test_a_stale_table_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build_topology, "FILE", tmp_path / "topology.npz")
    assert build_topology.main(["--check"]) == 1
    assert build_topology.main([]) == 0
    assert build_topology.main(["--check"]) == 0


def test_the_heads_own_parts_get_their_quads_back_and_the_same_triangles() -> None:
    model = load_head_model()
    for part in model.part_names:
        if not len(model.part(part)):
            continue
        surface = split_part(model, part)
        how = topology_of(surface.triangles, model.rest[surface.source])
        assert how.known, part
        assert how.quad_share >= (0.99 if part == "face" else 0.8), part
        assert triangles(how.corners, how.starts) == {tuple(sorted(row)) for row in surface.triangles.tolist()}, part


def test_a_mesh_that_nobody_knows_gets_the_quads_its_writer_split() -> None:
    rows = np.array([[0, 1, 4], [1, 2, 5], [0, 4, 3], [1, 5, 4]])
    places = np.array([[x, y, 0] for y in (0, 1) for x in (0, 1, 2)], np.float32)
    how = topology_of(rows, places)
    assert (how.known, how.quad_share) == (False, 1.0)
    assert triangles(how.corners, how.starts) == {tuple(sorted(row)) for row in rows.tolist()}
    undone = split(how, np.array([True, False]))
    assert np.diff(np.append(undone.starts, len(undone.corners))).tolist() == [3, 3, 4]


def triangles(corners: np.ndarray, starts: np.ndarray) -> set[tuple[int, ...]]:
    found = set()
    for begin, end in zip(starts, [*starts[1:], len(corners)], strict=True):
        polygon = corners[begin:end].tolist()
        found |= {tuple(sorted((polygon[0], *polygon[at : at + 2]))) for at in range(1, len(polygon) - 1)}
    return found


def test_only_pins_that_were_dragged_are_written(tmp_path: Path) -> None:
    observed = [[float(at), 2.0 * at] for at in range(478)]
    now = {1: (1.01, 2.0), 33: (40.5, 66.0), 152: (152.0, 300.0)}
    dragged = pins.moved(observed, now)
    assert sorted(dragged) == [33, 152]
    pins.write(tmp_path / "pins.json", "ab" * 32, (640, 480), dragged)
    told = json.loads((tmp_path / "pins.json").read_text())
    assert told["schema"] == "avatar3d-pins-1"
    assert told["size_px"] == [640, 480]
    assert told["pins"][0] == {"landmark": 33, "x_px": 40.5, "y_px": 66.0}


def test_every_pin_is_a_landmark_that_the_head_can_place() -> None:
    chosen = [landmark for group in pins.GROUPS.values() for landmark in group]
    assert len(set(chosen)) == len(chosen)
    assert (load_head_model().landmark_confidence[chosen] > 0).all()


@pytest.mark.parametrize(("orientation", "turns"), [(1, 0), (3, 2), (6, 3), (8, 1)])
def test_a_phones_photo_is_turned_upright(orientation: int, turns: int, tmp_path: Path) -> None:
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.new("RGB", (4, 2)).save(tmp_path / "a.jpg", exif=exif)
    assert pins.quarter_turns(tmp_path / "a.jpg") == turns


def test_a_job_runs_beside_and_tells_progress_answer_and_failure() -> None:
    good = Job(
        "Good",
        [sys.executable, "-c", "import sys, json; print('at work', file=sys.stderr); print(json.dumps({'a': 1}))"],
    )
    assert good.wait(20)
    assert (good.code, good.answer(), good.progress) == (0, {"a": 1}, "at work")
    said = "import json, sys; print(json.dumps({'message': 'No.', 'hint': 'Try.'})); sys.exit(13)"
    bad = Job("Bad", [sys.executable, "-c", said])
    assert bad.wait(20)
    assert (bad.code, bad.failure()) == (13, "No. Try.")


def test_a_job_that_will_not_end_is_ended() -> None:
    stubborn = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('{}', flush=True); time.sleep(60)"
    )
    job = Job("Stubborn", [sys.executable, "-c", stubborn])
    while not job._out:
        job.wait(0.05)
    job.cancel()
    assert job.wait(10)
    assert job.cancelled


def test_a_command_with_spaces_may_stand_in_quotes() -> None:
    assert words_of('"/my folder/avatar3d" --quiet') == ["/my folder/avatar3d", "--quiet"]
    assert words_of("") == ["avatar3d"]


@pytest.mark.parametrize("name", NOT_BPY)
def test_what_needs_no_blender_imports_none(name: str) -> None:
    text = (ADDON / f"{name}.py").read_text()
    assert "import bpy" not in text
    assert "from mathutils" not in text


def test_the_manifest_says_what_the_platform_asks_for() -> None:
    told = tomllib.loads((ADDON / "blender_manifest.toml").read_text())
    assert told["license"] == ["SPDX:GPL-3.0-or-later"]
    assert set(told["permissions"]) == {"files", "network"}
    assert all(len(why) <= 64 and not why.endswith(".") for why in told["permissions"].values())
    assert len(told["tagline"]) <= 64
    assert not told["tagline"].endswith(".")
    assert "GNU GENERAL PUBLIC LICENSE" in (ADDON / "LICENSE").read_text()


def test_every_file_of_the_extension_bears_its_licence_and_none_imports_avatar3d() -> None:
    files = list(ADDON.rglob("*.py"))
    assert len(files) > 40
    for file in files:
        text = file.read_text()
        assert text.startswith("# SPDX-FileCopyrightText"), file
        assert "SPDX-License-Identifier: GPL-3.0-or-later" in text.splitlines()[1], file
        assert not any(line.strip().startswith(("import avatar3d", "from avatar3d")) for line in text.splitlines()), (
            file
        )
        assert len(text.splitlines()) <= 260, file
