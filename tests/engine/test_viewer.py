"""The web viewer in Chromium, used as people use it, at a real bridge (viewer_bridge.py): drive_viewer.mjs acts, here it is judged.

told.json holds one entry for each scenario; moved.f32 holds, for each slider, how far each vertex went [vertices 3], little-endian.
"""

import json
import os
import shutil
import subprocess
import sys
import wave
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from avatar3d.core.avatar import Avatar
from avatar3d.core.blendshapes import ARKIT_INDEX, ARKIT_NAMES, BlendshapeClip, Frame
from avatar3d.core.splats import RestSplats
from avatar3d.core.transforms import quaternion_from_rotation_vector
from avatar3d.formats.animation import save_animated_glb
from avatar3d.formats.clip_csv import write_csv
from avatar3d.formats.clip_npz import save_clip
from avatar3d.formats.glb import glb_bytes, read_glb
from avatar3d.formats.gltf import save_glb
from avatar3d.formats.khronos import find_node
from avatar3d.render.pose import pose_stage
from avatar3d.render.stage import stage_avatar
from avatar3d.splat.bind import at_rest, frames_of, place, rebind
from avatar3d.splat.still import cover
from tests.synthetic import synthetic_avatar

pytestmark = pytest.mark.engine

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
DIST = ROOT / "avatar3d/viewer/dist"
IWER = ROOT / "avatar3d/viewer/web/node_modules/iwer/build/iwer.min.js"
FIRST_PAINT_MS = 2000
DRAW_CALLS = 8
TOLERANCE_M = 2e-6
# EBU R37: sound may lead the picture by 15 ms and lag behind it by 45 ms at most.
SOUND_LEADS_S, SOUND_LAGS_S = 0.015, 0.045
HOSTILE = '<img src=x onerror="window.hacked=1"></script><script>window.hacked=2</script>\u202egnp.exe'
SPLATS = 25_000
POSE = {"weights": [[ARKIT_INDEX["jawOpen"], 0.8], [ARKIT_INDEX["mouthSmileLeft"], 0.5]],
        "head": quaternion_from_rotation_vector(np.array([0.1, 0.4, 0], np.float32)).tolist()}  # fmt: skip
POSED_MS = 8
"""Half a frame at 60 Hz, for posing and sorting."""
YAW = quaternion_from_rotation_vector(np.array([0, 0.3, 0], np.float32))


@pytest.fixture(scope="module")
def driven(created_avatar: Avatar, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict, Path]:
    """What happened, and the folder of the files that were saved."""
    node = find_node()
    chromium = os.environ.get("AVATAR3D_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if node is None or not chromium:
        pytest.skip("no node or no Chromium: apt-get install nodejs chromium")
    if (
        not (HERE / "node_modules/playwright-core").is_dir()
        or not IWER.is_file()
        or not (DIST / "index.html").is_file()
    ):
        pytest.skip("the viewer or its tests' packages are not there: make setup")
    folder = tmp_path_factory.mktemp("viewer")
    glb = save_glb(created_avatar, folder / "ada.glb")
    request = {
        "python": sys.executable, "root": str(ROOT), "bridge": str(HERE / "viewer_bridge.py"), "chromium": chromium,
        "dist": str(DIST), "iwer": str(IWER), "avatar": str(glb), "light": str(save_glb(synthetic_avatar(), folder / "egg.glb")), "hostile": str(_hostile(glb, folder / "hostile.glb")),
        "names": [HOSTILE, "Ben"], "clip": str(write_csv(_clip(), folder / "open.csv")),
        "talking": str(save_animated_glb(glb, _clip(), folder / "talking.glb")),
        "splats": str(save_glb(created_avatar, folder / "ana.glb", splats=_splats(created_avatar))), "pose": POSE,
        "npz": str(save_clip(_clip(), folder / "open.npz")), "sound": str(_sound(folder / "tone.wav")),
        "only": [each for each in os.environ.get("VIEWER_ONLY", "").split(",") if each] or None,
    }  # fmt: skip
    (folder / "request.json").write_text(json.dumps(request))
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [str(node), str(HERE / "drive_viewer.mjs"), str(folder / "request.json"), str(folder)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=240, env=environment, cwd=ROOT)
    assert run.returncode == 0, run.stdout[-2000:] + run.stderr[-4000:]
    told = json.loads((folder / "told.json").read_text())
    print(json.dumps({"took_ms": told["tookMs"]}))
    return told, folder


def _splats(avatar: Avatar) -> RestSplats:
    """As many as `create --refine splat` makes, evenly over the avatar; magenta on the chin, of the skin's colour elsewhere."""
    stage = stage_avatar(avatar)
    cloud = cover(stage, SPLATS)
    places = np.einsum("sk,skc->sc", cloud.barycentric, stage.positions[stage.triangles[cloud.triangle]])
    eyes = avatar.skeleton.positions[[avatar.skeleton.names.index(each) for each in ("leftEye", "rightEye")]].mean(
        axis=0
    )
    chin = (np.abs(places - eyes - [0, -0.1, 0]) < [0.03, 0.02, 0.05]).all(axis=1) & (
        stage.triangle_mesh[cloud.triangle] == 0
    )
    colour = np.where(chin[:, None], np.float32([0.8, 0.01, 0.6]), cloud.colour)
    return at_rest(replace(cloud, colour=colour, offset=np.abs(cloud.offset)), stage.positions, stage.triangles)


def _clip() -> BlendshapeClip:
    """The jaw opens within a second; the head turns, the eyes and the tongue go with it."""
    frames: list[Frame] = []
    for step in range(61):
        weights = np.zeros(52, np.float32)
        weights[ARKIT_INDEX["jawOpen"]] = step / 60
        rest = np.array([1, 0, 0, 0], np.float32)
        turn = YAW if step else rest
        frames.append(Frame(step / 60, weights, turn, turn, rest, np.full(4, step / 60, np.float32)))
    return BlendshapeClip(tuple(frames))


def _sound(path: Path) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes((0.5 * 32767 * np.sin(np.arange(24_000) * 0.2)).astype("<i2").tobytes())
    return path


def _hostile(glb: Path, path: Path) -> Path:
    """The same avatar by somebody who wants to run a script in the page, and to have it fetch something."""
    document = read_glb(glb)
    asset = dict(document.json["asset"])
    asset |= {
        "copyright": HOSTILE,
        "extras": dict(asset["extras"]) | {"licences": [HOSTILE], "source": {"kind": HOSTILE}},
    }
    nodes = [
        dict(node) | ({"name": HOSTILE} if node.get("name") == "teethUpper" else {}) for node in document.json["nodes"]
    ]
    path.write_bytes(glb_bytes({**document.json, "asset": asset, "nodes": nodes}, document.binary))
    return path


def of(driven: tuple[dict, Path], name: str) -> dict:
    """What was told of a scenario."""
    told, _ = driven
    scenario = "step" if name == "restart" else name
    failed = told.get(f"{scenario}_failed") or told.get("first_failed")
    assert name in told, failed
    return told[name]


def test_shows_a_real_avatar_soon_with_few_draw_calls(driven: tuple[dict, Path]) -> None:
    first = of(driven, "first")
    print(f"marks, ms: {first['marks']}")
    assert first["calls"] <= DRAW_CALLS
    # On a box that has other things to do everything takes longer, not only ours: up to twice as long is borne.
    crowded = min(max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1)), 2.0)
    assert min(each["pixels"] for each in first["marks"]) < FIRST_PAINT_MS * crowded


def test_fetches_nothing_from_elsewhere_and_keeps_its_policy(driven: tuple[dict, Path]) -> None:
    first = of(driven, "first")
    assert "foreign" in first, driven[0].get("first_failed")
    assert first["foreign"] == []
    assert first["troubles"] == []
    assert "default-src 'self'" in first["policy"]
    assert "unsafe" not in first["policy"]
    html = (DIST / "index.html").read_text()
    assert "https://" not in html
    assert "<script>" not in html


def test_takes_the_token_out_of_the_address(driven: tuple[dict, Path]) -> None:
    assert "secret" not in of(driven, "first")["hash"]


def test_every_slider_moves_the_vertices_of_its_shape_and_no_others(
    driven: tuple[dict, Path], created_avatar: Avatar
) -> None:
    told = of(driven, "sliders")
    assert sorted(told["shapes"]) == sorted(ARKIT_NAMES)
    assert set(told["texts"]) == {"1.00"}
    total = sum(mesh["count"] for mesh in told["parts"])
    moved = np.fromfile(driven[1] / "moved.f32", "<f4").reshape(52, total, 3)
    meshes = {mesh.name: mesh for mesh in created_avatar.meshes}
    seen: set[str] = set()
    start = 0
    for drawn in told["parts"]:
        for part in drawn["parts"]:
            mesh = meshes[{"tongueMesh": "tongue"}.get(part["name"], part["name"])]
            seen.add(mesh.name)
            rows = slice(start + part["start"], start + part["start"] + part["count"])
            for shape, way in zip(told["shapes"], moved, strict=True):
                meant = (
                    mesh.morphs[mesh.morph_names.index(shape)]
                    if shape in mesh.morph_names
                    else np.zeros_like(mesh.positions)
                )
                worst = float(np.abs(way[rows] - meant).max())
                assert worst < TOLERANCE_M, f"{shape} moves {mesh.name} wrongly by {worst:.2e} m"
        start += drawn["count"]
    assert seen == set(meshes)


def test_what_is_drawn_changes_where_the_shape_is(driven: tuple[dict, Path]) -> None:
    told = of(driven, "sliders")
    assert told["chin"] > 1.0
    assert told["chin"] > 4 * told["brow"]


def test_splats_ride_on_the_posed_mesh(driven: tuple[dict, Path], created_avatar: Avatar) -> None:
    told = of(driven, "splats")
    splats, stage = _splats(created_avatar), stage_avatar(created_avatar)
    assert (told["count"], told["troubles"]) == (len(splats.triangle), [])
    weights = np.zeros(52, np.float32)
    for shape, weight in POSE["weights"]:
        weights[shape] = weight
    turns = {"head": np.array(POSE["head"], np.float32)}
    posed = pose_stage(stage, weights, turns, np.float32([0, 0, 1]), sky=None, pixel_m=1e-3)
    cloud = rebind(splats, stage.positions, stage.triangles)
    there = place(cloud, frames_of(posed.vertices, stage.triangles, cloud.triangle)).mean[::50]
    assert np.abs(there - splats.gaussians.mean[::50]).max() > 0.02
    np.testing.assert_allclose(told["places"], there, atol=1e-5)


def test_splats_are_seen_where_they_are_and_only_when_wanted(driven: tuple[dict, Path]) -> None:
    told = of(driven, "splats")
    assert told["calm"]["count"] > 20
    assert (told["mesh"]["count"], told["other"]["count"]) == (0, 0)
    assert told["both"]["count"] == pytest.approx(told["calm"]["count"], rel=0.1)
    assert told["open"]["row"] > told["calm"]["row"] + 1  # the jaw opens: the chin goes down
    assert told["calls"] <= DRAW_CALLS + 1


def test_posing_and_sorting_25_000_splats_leaves_time_for_60_pictures_a_second(driven: tuple[dict, Path]) -> None:
    took = sorted(of(driven, "splats")["tookMs"])
    print(f"posing and sorting {SPLATS} splats, ms: median {took[20]:.1f}, most {took[-1]:.1f}")
    assert took[20] < POSED_MS


def test_every_control_has_a_name(driven: tuple[dict, Path]) -> None:
    told = of(driven, "accessible")
    assert not [each for each in told["found"] if not each["name"].strip()]
    roles = [each["role"] for each in told["found"] if each["tab"] == "Pose"]
    assert roles.count("slider") >= 52
    names = [each["name"] for each in told["found"] if each["role"] == "slider" and each["tab"] == "Pose"]
    assert len(set(names)) == len(names)
    assert {"Panic", "Interrupt", "Speak", "Microphone"} <= {
        each["name"] for each in told["found"] if each["tab"] == "Live"
    }
    assert told["regions"] >= 2


def test_everything_is_reached_by_keyboard_and_the_focus_is_seen(driven: tuple[dict, Path]) -> None:
    told = of(driven, "keyboard")
    assert told["turned"] == pytest.approx(7.5, abs=0.5)
    assert told["tab"] == "Live"
    assert told["smiles"] > 0.5
    assert sorted(told["found"]) == ["eyeBlinkLeft", "eyeBlinkRight"]
    assert told["reset"] == 0
    shapes = {stop["shape"] for stop in told["stops"]} - {None}
    assert shapes == set(ARKIT_NAMES)
    names = {stop["name"] for stop in told["stops"]}
    assert {"Turn by itself", "Save a picture", "Record a film", "Pose", "Joy", "Open a file…"} <= names
    assert not [stop for stop in told["stops"] if not stop["seen"]]


def test_every_view_looks_different_and_shaded_comes_back(driven: tuple[dict, Path]) -> None:
    told = dict(of(driven, "views"))
    assert told.pop("back") < 0.5
    assert min(told.values()) > 2.0, told


def test_light_and_dark(driven: tuple[dict, Path]) -> None:
    told = of(driven, "tones")
    assert told["light"] - told["dark"] > 20
    assert (told["chosen"], told["automatic"]) == ("dark", "dark")


def test_pictures_and_films_are_files_that_say_what_they_are(driven: tuple[dict, Path]) -> None:
    told = of(driven, "files")
    picture = (driven[1] / "picture.png").read_bytes()
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    assert b"compositeSynthetic" in picture
    from PIL import Image

    with Image.open(driven[1] / "picture.png") as image:
        image.load()  # checks the sums
        assert image.size == (840, 560)
        corner = np.asarray(image.convert("RGB"))[-36:-12, 12:160]
    assert np.ptp(corner.astype(int)) > 100  # the words in the corner
    assert (driven[1] / "film.webm").read_bytes()[:4] == b"\x1a\x45\xdf\xa3"
    assert (driven[1] / "film.webm").stat().st_size > 5000
    assert told["film"].endswith(".webm")


def test_clips_are_played(driven: tuple[dict, Path]) -> None:
    told = of(driven, "files")
    assert told["clip"]["jaw"] == pytest.approx(0.5, abs=0.02)
    assert told["clip"]["seconds"] == pytest.approx(1.0)
    npz = told["npz"]
    assert npz["jaw"] == pytest.approx(1)
    assert npz["tongue"] == pytest.approx(1)
    assert npz["head"] == pytest.approx(YAW.tolist(), abs=1e-6)
    assert npz["left"] == pytest.approx(YAW.tolist(), abs=1e-6)
    assert told["broken"].startswith("broken.glb")
    talk = told["talk"]
    assert talk["name"] == "talking"
    assert talk["seconds"] == pytest.approx(1.0)
    assert talk["jaw"] == pytest.approx(0.5, abs=0.02)
    assert talk["tongue"] == pytest.approx(0.5, abs=0.02)
    assert talk["head"] == pytest.approx(YAW.tolist(), abs=1e-3)


def test_directs_the_performer(driven: tuple[dict, Path]) -> None:
    told = of(driven, "performance")
    controls = [each for each in told["asks"] if each["type"] == "control"]
    assert {"joy"} == {each["emotion"] for each in controls if "emotion" in each}
    assert [each["gesture"] for each in controls if "gesture" in each] == ["wink_left"]
    left, up, ahead = [each["gaze"] for each in controls if "gaze" in each][-1]
    assert left > 0
    assert up > 0
    assert ahead == 1
    assert [each["head_motion"] for each in controls if "head_motion" in each][-1] == 2
    assert any(each.get("interrupt") for each in controls)
    kinds = [each["type"] for each in told["asks"]]
    assert [each["text"] for each in told["asks"] if each["type"] == "say"] == ["Hello there"]
    assert kinds.index("panic") < kinds.index("resume")
    assert told["troubles"] == []


def test_a_sound_file_and_the_microphone_reach_the_bridge(driven: tuple[dict, Path]) -> None:
    told = of(driven, "performance")
    file = [each for each in told["asks"] if each["type"] == "sound"]
    assert sum(each["samples"] for each in file) == 24_000
    assert {each["rate_hz"] for each in file} == {16_000}
    assert {each["media_time_s"] for each in file} == {None}
    assert [each["last"] for each in file] == [False] * (len(file) - 1) + [True]
    assert max(each["peak"] for each in file) == pytest.approx(0.5, abs=0.03)
    spoken = [each for each in told["spoken"] if each["type"] == "sound"]
    assert sum(each["samples"] for each in spoken) > 8_000  # half a second of the fake microphone's beeps
    assert max(each["peak"] for each in spoken) > 0.05
    assert spoken[-1]["last"]
    ages_s = [each["now_s"] - each["media_time_s"] for each in spoken[5:-1]]
    assert 0 < np.median(ages_s) < 0.15, ages_s


def test_fits_a_phone(driven: tuple[dict, Path]) -> None:
    told = of(driven, "phone")
    assert max(told["wide"]) <= 390
    assert told["outside"] == []
    assert told["small"] == []


def test_several_faces_stand_side_by_side_and_hostile_names_are_text(driven: tuple[dict, Path]) -> None:
    told = of(driven, "together")
    assert told["names"] == [HOSTILE, "Ben"]
    assert [cell["face"] for cell in told["cells"]] == [0, 1]
    assert told["cells"][0]["left"] + told["cells"][0]["width"] <= told["cells"][1]["left"] + 0.5
    assert told["active"] == 1
    assert told["hacked"] is None
    assert told["images"] == 0
    assert told["troubles"] == []


def test_enters_a_headset_and_comes_back(driven: tuple[dict, Path]) -> None:
    told = of(driven, "headset")
    assert told["calls"] <= 2 * DRAW_CALLS  # two eyes
    x, y, z = told["place"]
    assert abs(x) < 0.1
    assert 1.3 < y < 1.7
    assert -1.2 < z < -0.4
    assert told["back"] == [0, 0, 0]
    assert told["troubles"] == []


def test_sound_and_face_are_in_step(driven: tuple[dict, Path]) -> None:
    told = of(driven, "step")
    leads_s = []
    for heard_s in told["sounds"]:
        face_s = min(told["faces"], key=lambda at: abs(at - heard_s))
        if abs(face_s - heard_s) < 0.4:
            leads_s.append(face_s - heard_s)  # positive: the sound came first
    print(
        f"sound before face, ms: {[round(1000 * each) for each in leads_s]}, delay {told['delayS']:.3f} s, latency {told['latencyS']:.3f} s"
    )
    assert len(leads_s) >= 3, told
    assert -SOUND_LAGS_S <= np.median(leads_s) <= SOUND_LEADS_S, leads_s


def test_comes_back_by_itself_when_the_bridge_does(driven: tuple[dict, Path]) -> None:
    told = of(driven, "restart")
    print(told)
    assert told["backMs"] < 3000
    assert told["flowsMs"] < 3500


def test_a_stranger_is_asked_for_a_code_and_a_wrong_token_is_told(driven: tuple[dict, Path]) -> None:
    told = of(driven, "strangers")
    assert told["asks"]
    assert told["token"]
    connection, alarm, fragment = told["refused"]
    assert connection["state"] == "refused"
    assert "token" in alarm
    assert fragment == ""
