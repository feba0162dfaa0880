"""An avatar comes back from nerfstudio refined, or stays as it was."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from avatar3d import refining
from avatar3d.cli import main
from avatar3d.core.splats import Gaussians
from avatar3d.formats.gltf import load_glb, load_splats, save_glb
from avatar3d.formats.splat_binding import load_binding
from avatar3d.formats.splat_ply import encode_ply, half_turned, rotations_half_turned
from avatar3d.report.publish import write_manifest
from avatar3d.splat.trainer import COMMAND_VARIABLE
from tests.unit.formats.splat_examples import rest
from tests.unit.splat.eggs import CALM
from tests.unit.splat.stand_in import install
from tests.unit.splat.test_nerfstudio import SCALE, SHIFT, TURN, moved
from tests.unit.splat.test_repaint import BACK_M, EGG, LIGHT, PLACES, RED, front, learnt, seen_at

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the stand-in is a script with a first line for POSIX")

MOVED = {"transform": np.concatenate([TURN, SHIFT[:, None]], axis=1).tolist(), "scale": SCALE}
MINE = "a" * 64


def splatfacto_ply(gaussians: Gaussians) -> bytes:
    """As ns-export gaussian-splat writes it: with normals of zero and 45 coefficients of higher degrees."""
    turned = replace(
        gaussians, mean=half_turned(gaussians.mean), rotation_wxyz=rotations_half_turned(gaussians.rotation_wxyz)
    )
    head, rows = encode_ply(turned).split(b"end_header\n", 1)
    table = np.frombuffer(rows, "<f4").reshape(-1, 17)
    wide = np.concatenate([table[:, :9], np.full((len(table), 45), 0.01, "<f4"), table[:, 9:]], axis=1)
    more = b"".join(b"property float f_rest_%d\n" % number for number in range(45))
    head = head.replace(b"property float opacity\n", more + b"property float opacity\n")
    return head + b"end_header\n" + wide.astype("<f4").tobytes()


def points_ply() -> bytes:
    """As ns-export pointcloud writes it through Open3D: double places and normals, colours of 8 bits."""
    cloud = learnt()
    row = np.dtype(
        [
            *((name, "<f8") for name in ("x", "y", "z", "nx", "ny", "nz")),
            *((name, "u1") for name in ("red", "green", "blue")),
        ]
    )
    rows = np.zeros(len(cloud.places), row)
    srgb = np.where(cloud.colours <= 0.0031308, 12.92 * cloud.colours, 1.055 * cloud.colours ** (1 / 2.4) - 0.055)
    for at in range(3):
        rows["xyz"[at]] = (SCALE * (cloud.places @ TURN.T + SHIFT))[:, at]
        rows[("red", "green", "blue")[at]] = np.round(255 * np.clip(srgb[:, at], 0, 1))
    names = "".join(f"property {'double' if row[name].kind == 'f' else 'uchar'} {name}\n" for name in row.names or ())
    return (
        f"ply\nformat binary_little_endian 1.0\ncomment Created by Open3D\nelement vertex {len(rows)}\n{names}end_header\n".encode()
        + rows.tobytes()
    )


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An avatar on disk; the photos are seen through the test's cameras."""
    own = tmp_path / "my avatars" / "egg"
    own.mkdir(parents=True)
    save_glb(EGG, own / "egg.glb")
    (own / "avatar.json").write_text("{}")
    (own / "preview.png").write_bytes(b"old")
    write_manifest(own, {"name": "egg", "photo_sha256": MINE, "others_sha256": []})
    side = replace(front(), camera=replace(front().camera))
    shown = refining.Shown((front(), side), (MINE, "b" * 64), CALM, LIGHT, "own", ())
    monkeypatch.setattr(refining, "look_again", lambda photos, progress: shown)
    return own


def refine(
    folder: Path, mood: str, *, method: str = "splatfacto", learnt: bytes = b"", more: tuple[str, ...] = ()
) -> Result:
    command = install(folder.parents[1] / "ns env", mood, learnt=learnt, transforms=MOVED)
    photo = folder.parents[1] / "photo.png"
    photo.write_bytes(b"")
    words = ["refine", str(folder), "--nerfstudio", method, "--ns-train", str(command), "--steps", "20", str(photo)]
    return CliRunner().invoke(main, [*words, "--json", *more])


def contents(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_splatfactos_cloud_is_bound_and_stands_beside_the_avatar(folder: Path) -> None:
    before, gaussians = contents(folder), rest().gaussians
    result = refine(folder, "well", learnt=splatfacto_ply(moved(gaussians)))
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["splats"] + told["left_out"] == 300
    read = load_splats(folder / "egg-splats.glb")
    assert read is not None
    assert len(read.triangle) == told["splats"] > 280
    assert len(load_binding(folder / "egg.splats").cloud.triangle) == told["splats"]
    near = np.linalg.norm(read.gaussians.mean[:, None] - gaussians.mean[None], axis=2)
    assert near.min(axis=1).max() < 1e-5
    after = contents(folder)
    assert {name: after[name] for name in ("egg.glb", "preview.png")} == {
        name: before[name] for name in ("egg.glb", "preview.png")
    }
    assert set(after) == set(before) | {"egg-splats.glb", "egg.splats", "egg.ply", "egg.spz"}
    assert json.loads((folder / "manifest.json").read_text())["nerfstudio"]["method"] == "splatfacto"
    assert sorted(path.name for path in folder.parent.iterdir()) == ["egg", "egg-nerfstudio.log"]


def test_nerfactos_points_colour_the_unseen_side(folder: Path) -> None:
    result = refine(folder, "well", method="nerfacto", learnt=points_ply())
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["points"] > 3000
    back = PLACES[:, 2] < BACK_M - 0.015
    assert np.median(np.abs(seen_at(load_glb(folder / "egg.glb"), back) / RED - 1)) < 0.1
    assert set(contents(folder)) == {"egg.glb", "avatar.json", "manifest.json"}  # the preview showed the old textures


@pytest.mark.parametrize(
    ("mood", "learnt", "id", "exit_code"),
    [
        ("fail", b"", "NERFSTUDIO_FAILED", 70),
        ("silent", b"", "NERFSTUDIO_EMPTY", 70),
        ("garbage", b"", "SPLATS_INVALID", 10),
        ("well", points_ply(), "SPLATS_FORMAT", 11),
        (
            "well",
            splatfacto_ply(replace(rest().gaussians, mean=rest().gaussians.mean + np.float32(50))),
            "SPLATS_FAR",
            10,
        ),
    ],
    ids=["fails", "writes nothing", "writes garbage", "writes points for splats", "writes something else"],
)
def test_what_fails_leaves_the_avatar_as_it_was(
    mood: str, learnt: bytes, id: str, exit_code: int, folder: Path
) -> None:
    before = contents(folder)
    result = refine(folder, mood, learnt=learnt)
    told = json.loads(result.stdout)
    assert (told["id"], result.exit_code) == (id, exit_code), result.output
    assert contents(folder) == before
    assert sorted(path.name for path in folder.parent.iterdir()) == ["egg", "egg-nerfstudio.log"]


def test_with_o_the_avatar_itself_stays_and_work_keeps_the_checkpoints(folder: Path, tmp_path: Path) -> None:
    before = contents(folder)
    more = ("-o", str(tmp_path / "new"), "--work", str(tmp_path / "kept"))
    result = refine(folder, "well", learnt=splatfacto_ply(moved(rest().gaussians)), more=more)
    assert result.exit_code == 0, result.output
    assert contents(folder) == before
    assert (tmp_path / "new" / "egg" / "egg-splats.glb").is_file()
    assert list((tmp_path / "kept").rglob("*.ckpt"))
    again = refine(folder, "well", learnt=b"", more=more)
    assert (again.exit_code, json.loads(again.stdout)["id"]) == (2, "USAGE")


def test_a_field_needs_two_photos(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = refining.Shown((front(),), (MINE,), CALM, LIGHT, "own", ())
    monkeypatch.setattr(refining, "look_again", lambda photos, progress: shown)
    result = refine(folder, "well", method="nerfacto", learnt=points_ply())
    assert (result.exit_code, json.loads(result.stdout)["id"]) == (2, "USAGE")


def test_ctrl_c_leaves_the_avatar_as_it_was_and_no_process(folder: Path) -> None:
    command = install(folder.parents[1] / "ns env", "hang")
    before = contents(folder)
    program = (
        "import sys; import tests.unit.splat.test_refining as t; from avatar3d import refining; from avatar3d.cli import main; "
        "shown = refining.Shown((t.front(), t.front()), (t.MINE, 'b'), t.CALM, t.LIGHT, 'own', ()); "
        "refining.look_again = lambda photos, progress: shown; main(sys.argv[1:])"
    )
    photo = folder.parents[1] / "photo.png"
    photo.write_bytes(b"")
    words = ["refine", str(folder), "--nerfstudio", "splatfacto", str(photo), "--json"]
    ours = subprocess.Popen([sys.executable, "-c", program, *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                            env=os.environ | {COMMAND_VARIABLE: str(command)}, text=True)  # fmt: skip
    until = time.monotonic() + 60
    while not command.with_name("pids.txt").exists() and time.monotonic() < until:
        time.sleep(0.05)
    time.sleep(0.5)
    ours.send_signal(signal.SIGINT)
    out, _ = ours.communicate(timeout=20)
    assert (ours.returncode, json.loads(out)["id"]) == (41, "INTERRUPTED")
    assert contents(folder) == before
    assert sorted(path.name for path in folder.parent.iterdir()) == ["egg", "egg-nerfstudio.log"]


@pytest.mark.parametrize(
    "manifest", [None, "[]", "{", '{"name": "../egg", "files": {}}', '{"name": "egg", "files": {}}']
)
def test_a_folder_that_is_no_avatars_is_refused(manifest: str | None, folder: Path) -> None:
    (folder / "manifest.json").unlink()
    if manifest is not None:
        (folder / "manifest.json").write_text(manifest)
    result = refine(folder, "well")
    assert (result.exit_code, json.loads(result.stdout)["id"]) == (10, "AVATAR_FOLDER")
