"""A real photo becomes a folder of files, whole or not at all."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import avatar3d
from avatar3d import pipeline
from avatar3d.core.avatar import Avatar
from avatar3d.core.blendshapes import ARKIT_NAMES
from avatar3d.core.errors import MissingExtraError, NoFaceError
from avatar3d.formats.check import check_file
from avatar3d.formats.provenance import DIGITAL_SOURCE_TYPE
from avatar3d.head.load import load_head_model
from avatar3d.head.pictures import part_picture
from avatar3d.pipeline import CreateParams, Files, create_files, make_avatar
from avatar3d.report import pictures
from avatar3d.report.record import record_from_json


@pytest.fixture(scope="module")
def collins(astronaut: Path, tmp_path_factory: pytest.TempPathFactory) -> Files:
    return create_files(astronaut, tmp_path_factory.mktemp("create") / "collins", CreateParams())


def test_the_folder_holds_what_the_manifest_says(collins: Files) -> None:
    manifest = json.loads((collins.folder / "manifest.json").read_text())
    assert set(manifest["files"]) == {"collins.glb", "avatar.json", "preview.png", "report.html"}
    for name, facts in manifest["files"].items():
        content = (collins.folder / name).read_bytes()
        assert (facts["bytes"], facts["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())


def test_picture_and_manifest_say_that_they_are_synthetic(collins: Files) -> None:
    with Image.open(collins.folder / "preview.png") as preview:
        assert DIGITAL_SOURCE_TYPE in preview.info["XML:com.adobe.xmp"]
    assert json.loads((collins.folder / "manifest.json").read_text())["synthetic"] is True


def test_the_preview_shows_the_avatar_as_the_photo_shows_the_person(collins: Files) -> None:
    with Image.open(collins.folder / "preview.png") as preview:
        row = np.asarray(preview.convert("RGB"), np.float32)[:480]
    photo, alike, front = (row[150:350, left + 170 : left + 310] for left in (0, 480, 960))  # cheek to cheek
    error = {name: float(np.sqrt(np.mean((picture - photo) ** 2))) for name, picture in (("alike", alike), ("front", front))}  # fmt: skip
    assert error["alike"] < 25
    assert error["alike"] < 0.7 * error["front"]


def test_the_same_photo_gives_the_same_bytes(astronaut: Path, collins: Files, tmp_path: Path) -> None:
    again = create_files(astronaut, tmp_path / "collins", CreateParams(report=False))
    assert again.glb.read_bytes() == collins.glb.read_bytes()
    assert (again.folder / "avatar.json").read_bytes() == (collins.folder / "avatar.json").read_bytes()


@pytest.mark.parametrize("threads", [1, 2])
def test_the_bytes_do_not_depend_on_threads_or_hash_seed(
    threads: int, astronaut: Path, collins: Files, tmp_path: Path
) -> None:
    surroundings = {"OPENBLAS_NUM_THREADS": threads, "OMP_NUM_THREADS": threads, "PYTHONHASHSEED": threads}
    command = [
        sys.executable,
        "-m",
        "avatar3d",
        "create",
        astronaut,
        "-o",
        tmp_path,
        "--name",
        "collins",
        "--no-report",
    ]
    environment = os.environ | {name: str(value) for name, value in surroundings.items()}
    subprocess.run(command, check=True, capture_output=True, env=environment)
    assert (tmp_path / "collins" / "collins.glb").read_bytes() == collins.glb.read_bytes()


def test_the_glb_keeps_every_promise(collins: Files) -> None:
    report = check_file(collins.glb, khronos=False)
    assert not report.failures
    assert collins.glb.stat().st_size < 8e6


def test_hair_can_be_a_cap_or_none(astronaut: Path, collins: Files) -> None:
    cap, bare = (make_avatar(astronaut, CreateParams(hair=kind)).avatar for kind in ("cap", "none"))
    cards = Avatar.load(collins.glb).mesh("hair")
    assert 500 < len(cap.mesh("hair").triangles) < 0.4 * len(cards.triangles)
    assert "hair" not in {mesh.name for mesh in bare.meshes}
    np.testing.assert_array_equal(cap.meshes[0].positions, bare.meshes[0].positions)
    assert sum(len(mesh.triangles) for mesh in bare.meshes) < 14_200


def test_compact_is_smaller_and_moves_alike(astronaut: Path, collins: Files, tmp_path: Path) -> None:
    compact = create_files(astronaut, tmp_path / "collins", CreateParams(compact=True, report=False))
    assert compact.glb.stat().st_size < 5e6
    for dense, sparse in zip(Avatar.load(collins.glb).meshes, Avatar.load(compact.glb).meshes, strict=True):
        np.testing.assert_allclose(sparse.morphs, dense.morphs, atol=1e-6)


def test_the_record_gives_the_fit_back(collins: Files) -> None:
    stored = json.loads((collins.folder / "avatar.json").read_text())
    record = record_from_json(stored, load_head_model(stored["head"]))
    fitted = collins.creation.fitted
    np.testing.assert_allclose(record.fitted.posed, fitted.posed, atol=1e-6)
    np.testing.assert_array_equal(record.light.coefficients, collins.creation.skin.light.coefficients)


def test_create_returns_an_avatar_that_can_be_saved_and_loaded(collins: Files, tmp_path: Path) -> None:
    avatar = collins.creation.avatar
    path = avatar.save(tmp_path / "head.glb")
    loaded = avatar3d.Avatar.load(path)
    assert loaded.meshes[0].morph_names == ARKIT_NAMES
    np.testing.assert_array_equal(loaded.meshes[0].positions, avatar.meshes[0].positions)
    assert len(avatar.meshes[0].to_trimesh().faces) == len(avatar.meshes[0].triangles)


def test_nothing_of_the_photos_metadata_is_carried_on(astronaut: Path, tmp_path: Path) -> None:
    canary = "CANARY-4711"
    exif = Image.Exif()
    exif[0x010E] = exif[0x013B] = canary
    exif.get_ifd(0x8825)[29] = canary
    photo = tmp_path / "someone.jpg"
    with Image.open(astronaut) as picture:
        picture.convert("RGB").save(photo, quality=95, exif=exif)
    assert canary.encode() in photo.read_bytes()
    made = create_files(photo, tmp_path / "out" / "someone", CreateParams())
    for path in made.folder.iterdir():
        content = path.read_bytes()
        assert canary.encode() not in content, path.name
        assert str(tmp_path).encode() not in content, path.name


def test_a_refused_photo_leaves_nothing(tmp_path: Path) -> None:
    photo = tmp_path / "sky.png"
    Image.new("RGB", (320, 240), (120, 160, 220)).save(photo)
    with pytest.raises(NoFaceError):
        create_files(photo, tmp_path / "out" / "sky", CreateParams())
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_stops_the_command_and_nothing_is_left(name: str, astronaut: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    kind = getattr(signal, name)
    words = [sys.executable, "-m", "avatar3d", "create", astronaut, "-o", out, "--json"]

    def as_in_a_terminal() -> (
        None
    ):  # whoever runs the tests may have it ignored (nohup), and the command would heed that
        signal.signal(kind, signal.SIG_DFL)

    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(words, text=True, preexec_fn=as_in_a_terminal, **pipes) as run:
        waits_until = time.monotonic() + 60
        while not (out.is_dir() and list(out.iterdir())):  # the hidden folder that is being filled
            assert run.poll() is None, run.communicate()
            assert time.monotonic() < waits_until
            time.sleep(0.01)
        time.sleep(0.3)  # well into the work
        run.send_signal(kind)
        said, complained = run.communicate(timeout=60)
    assert (run.returncode, json.loads(said)["id"]) == (41, "INTERRUPTED")
    assert "Traceback" not in complained
    assert not out.exists()


def test_a_turntable_is_filmed_with_the_rest(astronaut: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    av = pytest.importorskip("av", reason='needs pip install "avatar3d[video]"')
    for module in (pictures, pipeline):
        monkeypatch.setattr(module, "TURNTABLE_FRAMES", 4)  # of 96: half a minute
    told: list[str] = []
    params = CreateParams(report=False, turntable=True)
    made = create_files(astronaut, tmp_path / "collins", params, progress=told.append)
    with av.open(str(made.folder / "turntable.mp4")) as film:
        assert len(list(film.decode(video=0))) == 4
        assert "Synthetic likeness" in film.metadata["comment"]
    assert "turntable.mp4" in json.loads((made.folder / "manifest.json").read_text())["files"]
    assert told[-1] == "  4 of 4 pictures"


def test_a_missing_extra_is_told_before_the_work_begins(
    astronaut: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)  # as if it were not installed
    told: list[str] = []
    with pytest.raises(MissingExtraError):
        create_files(astronaut, tmp_path / "out" / "collins", CreateParams(turntable=True), progress=told.append)
    assert told == []
    assert not (tmp_path / "out").exists()


def test_photos_of_one_name_do_not_collide_and_one_bad_photo_stops_nothing(astronaut: Path, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    good, bad = tmp_path / "a" / "me.png", tmp_path / "me.png"
    good.write_bytes(astronaut.read_bytes())
    bad.write_bytes(b"not a picture")
    run = subprocess.run(
        [sys.executable, "-m", "avatar3d", "create", bad, good, "-o", tmp_path / "out", "--no-report", "--json", "-q"],
        capture_output=True,
        text=True,
        check=False,
    )
    refused, made = map(json.loads, run.stdout.splitlines())
    assert run.returncode == refused["code"] == 10
    assert Path(made["glb"]) == tmp_path / "out" / "me-2" / "me-2.glb"
    assert Path(made["glb"]).is_file()
    assert not (tmp_path / "out" / "me").exists()
    assert "Traceback" not in run.stderr


def test_the_smile_in_the_photo_gives_the_asset_its_own_teeth(collins: Files) -> None:
    """Not the drawn ones: what the photo shows must outlast every step between texture and file."""
    upper = Avatar.load(collins.glb).mesh("teethUpper").material.base_colour
    drawn = part_picture("teeth")
    assert upper is not None
    assert drawn is not None
    assert upper.pixels.shape[:2] != drawn.shape[:2]
