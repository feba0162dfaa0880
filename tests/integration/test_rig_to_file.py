"""A person of the real head, rigged, written and read back: what the rig promises still holds in the file."""

from pathlib import Path

import numpy as np

from avatar3d.core.avatar import Avatar, Skin, Texture
from avatar3d.core.blendshapes import ARKIT_INDEX
from avatar3d.core.head import HeadFit
from avatar3d.core.photo import Camera, Light
from avatar3d.head.load import load_head_model
from avatar3d.render.raycast import Scene
from avatar3d.rig.assemble import assemble_avatar

MEGABYTE = 1_000_000


def someone() -> Avatar:
    """A random person whose skin is as busy as a photo's."""
    model = load_head_model()
    identity = (0.7 * np.random.default_rng(9).normal(size=len(model.identity))).astype(np.float32)
    neutral = (model.rest + np.tensordot(identity, model.identity, 1)).astype(np.float32)
    still = np.array([1, 0, 0, 0], np.float32)
    camera = Camera(500.0, np.array([256, 256], np.float32), 512, 512, still, np.array([0, 0, 0.6], np.float32))
    zero = np.zeros(52, np.float32)
    fitted = HeadFit(identity, zero, zero, camera, still, still, neutral, neutral, 0.01)
    coarse = np.random.default_rng(1).integers(120, 200, (256, 256, 3), np.uint8)
    light = np.zeros((9, 3), np.float32)
    light[0] = 1
    skin = Skin(
        albedo=Texture("albedo", np.kron(coarse, np.ones((4, 4, 1), np.uint8))),
        normal=Texture("normal", np.full((1024, 1024, 3), (128, 128, 255), np.uint8)),
        confidence=np.ones((1024, 1024), np.float32),
        light=Light(light),
        tone=np.array([0.5, 0.3, 0.2], np.float32),
    )
    eyes = Texture("eyes", np.full((64, 64, 3), 220, np.uint8))
    return assemble_avatar(model, fitted, skin, eyes, None, name="someone", extras={"synthetic": True})


def seen_from_the_front(avatar: Avatar, weights: dict[str, float], box: tuple[float, float, float, float]) -> list[str]:
    """Names of the meshes that rays from the front meet inside box (left, right, bottom, top; metres)."""
    vertices, triangles, owner = [], [], []
    start = 0
    for mesh in avatar.meshes:
        if mesh.material.alpha_mode != "OPAQUE":
            continue
        posed = mesh.positions.copy()
        for name, weight in weights.items():
            if mesh.morph_names:
                posed += np.float32(weight) * mesh.morphs[ARKIT_INDEX[name]]
        vertices.append(posed)
        triangles.append(mesh.triangles + start)
        owner += [mesh.name] * len(mesh.triangles)
        start += len(posed)
    x, y = np.meshgrid(np.linspace(box[0], box[1], 80), np.linspace(box[2], box[3], 80))
    origins = np.stack([x.ravel(), y.ravel(), np.full(x.size, 0.4)], axis=1).astype(np.float32)
    hits = Scene(np.concatenate(vertices), np.concatenate(triangles).astype(np.int32)).cast(
        origins, np.tile(np.array([0, 0, -1], np.float32), (len(origins), 1))
    )
    return [owner[triangle] for triangle in hits.triangle if triangle >= 0]


def test_what_the_rig_promises_holds_in_the_file(tmp_path: Path) -> None:
    made = someone()
    path = made.save(tmp_path / "someone.glb")
    assert path.stat().st_size < 8 * MEGABYTE
    read = Avatar.load(path)
    assert [mesh.name for mesh in read.meshes] == [mesh.name for mesh in made.meshes]
    for before, after in zip(made.meshes, read.meshes, strict=True):
        np.testing.assert_allclose(after.positions, before.positions, atol=1e-6)
        np.testing.assert_allclose(after.morphs, before.morphs, atol=1e-6)
        np.testing.assert_allclose(after.weights.sum(1), 1, atol=1e-5)
    eye = read.mesh("eyeLeft").positions.mean(0)
    window = (eye[0] - 0.016, eye[0] + 0.016, eye[1] - 0.014, eye[1] + 0.014)
    assert seen_from_the_front(read, {}, window).count("eyeLeft") > 200
    # Closed lids leave no more than a hairline of the eyeball.
    assert seen_from_the_front(read, {"eyeBlinkLeft": 1}, window).count("eyeLeft") <= 6
    lips = (-0.02, 0.02, -0.06, -0.015)
    inside = {"teethUpper", "teethLower", "tongue", "mouth"}

    def mouth(weights: dict[str, float]) -> int:
        return sum(name in inside for name in seen_from_the_front(read, weights, lips))

    assert mouth({"jawOpen": 0.8}) > 500
    for weight in (0.4, 1.0):
        assert mouth({"jawOpen": weight, "mouthClose": weight}) <= 25
    assert mouth({}) <= 25
