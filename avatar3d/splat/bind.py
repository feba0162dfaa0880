"""Splats ride on triangles: where an avatar's pose carries them, and what a step in the world means to them.

posed vertices --frames_of--> Frames --place--> Gaussians;  gradients of Gaussians --pull_back--> gradients of a cloud
a cloud --at_rest--> RestSplats, which files hold --rebind--> the cloud again
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int32

from avatar3d.core.splats import Gaussians, RestSplats, SplatCloud

_TINY_M = 1e-9
"""Shorter sides count as this long: a triangle without area has some frame, but no infinite one."""


@dataclass(frozen=True, eq=False)
class Frames:
    """The triangles under some splats, one row per splat."""

    corners: Float32[np.ndarray, "S 3 3"]
    """Metres."""
    axes: Float32[np.ndarray, "S 3 3"]
    """world_from_triangle: its columns are the frame's x, y and z."""
    size_m: Float32[np.ndarray, "S"]

    @property
    def normal(self) -> Float32[np.ndarray, "S 3"]:
        return self.axes[:, :, 2]


def frames_of(
    vertices: Float32[np.ndarray, "V 3"], triangles: Int32[np.ndarray, "F 3"], chosen: Int32[np.ndarray, "S"]
) -> Frames:
    """Frame and size of the chosen triangles, as SplatCloud defines them; vertices in metres."""
    corners = vertices[triangles[chosen]].astype(np.float64)
    side, other = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    length = np.maximum(np.linalg.norm(side, axis=1), _TINY_M)
    x = side / length[:, None]
    across = np.cross(side, other)
    area = np.maximum(np.linalg.norm(across, axis=1), _TINY_M * length)
    z = across / area[:, None]
    axes = np.stack([x, np.cross(z, x), z], axis=2)
    return Frames(
        corners.astype(np.float32), axes.astype(np.float32), ((length + area / length) / 2).astype(np.float32)
    )


@dataclass(frozen=True, eq=False)
class Shown:
    """How splats meet light and eye; both are factors."""

    light: Float32[np.ndarray, "S 3"]
    """Of colour, linear RGB."""
    facing: Float32[np.ndarray, "S"]
    """Of opacity: 0 for what lies on a surface that is seen from behind."""


def place(cloud: SplatCloud, frames: Frames, shown: Shown | None = None) -> Gaussians:
    """The cloud on its posed triangles; colour is albedo and nothing faces away when `shown` is None."""
    on_surface = np.einsum("sk,skc->sc", cloud.barycentric, frames.corners)
    mean = on_surface + (cloud.offset * frames.size_m)[:, None] * frames.normal
    return Gaussians(
        mean=mean.astype(np.float32),
        rotation_wxyz=_multiply(_quaternions(frames.axes), cloud.rotation_wxyz),
        scale=cloud.scale * frames.size_m[:, None],
        colour=cloud.colour if shown is None else cloud.colour * shown.light,
        opacity=cloud.opacity if shown is None else cloud.opacity * shown.facing,
    )


def at_rest(cloud: SplatCloud, vertices: Float32[np.ndarray, "V 3"], triangles: Int32[np.ndarray, "F 3"]) -> RestSplats:
    """Where the resting avatar (vertices in metres) has its splats: what a file that knows no binding holds."""
    return RestSplats(place(cloud, frames_of(vertices, triangles, cloud.triangle)), cloud.triangle)


def rebind(splats: RestSplats, vertices: Float32[np.ndarray, "V 3"], triangles: Int32[np.ndarray, "F 3"]) -> SplatCloud:
    """The cloud again of what `at_rest` made: `place`, backwards. Rotations come back up to their sign.

    Barycentric weights may be negative or above 1, where a splat hangs beside its triangle.
    """
    frames = frames_of(vertices, triangles, splats.triangle)
    arm = splats.gaussians.mean.astype(np.float64) - frames.corners[:, 0]
    across = np.einsum("sc,sck->sk", arm, frames.axes.astype(np.float64))
    sides = (frames.corners[:, 1:] - frames.corners[:, :1]).astype(np.float64) @ frames.axes.astype(np.float64)
    # In the frame b is at (length, 0) and c at (along, height), so that two divisions give its weights.
    third = across[:, 1] / np.maximum(sides[:, 1, 1], _TINY_M)
    second = (across[:, 0] - third * sides[:, 1, 0]) / np.maximum(sides[:, 0, 0], _TINY_M)
    turned_back = _quaternions(frames.axes) * np.array([1, -1, -1, -1], np.float32)
    return SplatCloud(
        triangle=splats.triangle,
        barycentric=np.stack([1 - second - third, second, third], axis=1).astype(np.float32),
        offset=(across[:, 2] / frames.size_m).astype(np.float32),
        rotation_wxyz=_multiply(turned_back, splats.gaussians.rotation_wxyz),
        scale=splats.gaussians.scale / frames.size_m[:, None],
        colour=splats.gaussians.colour,
        opacity=splats.gaussians.opacity,
    )


def pull_back(gradients: Gaussians, frames: Frames, shown: Shown | None = None) -> SplatCloud:
    """What `place` makes of each number of a cloud, backwards: gradients of the Gaussians become the cloud's.

    `triangle` of the result is zero; the gradient of `barycentric` is along its plane of sum 1.
    """
    bary = np.einsum("skc,sc->sk", frames.corners, gradients.mean)
    turned = _multiply(_quaternions(frames.axes) * np.array([1, -1, -1, -1], np.float32), gradients.rotation_wxyz)
    return SplatCloud(
        triangle=np.zeros(len(bary), np.int32),
        barycentric=bary - bary.mean(axis=1, keepdims=True),
        offset=frames.size_m * np.einsum("sc,sc->s", frames.normal, gradients.mean),
        rotation_wxyz=turned,
        scale=gradients.scale * frames.size_m[:, None],
        colour=gradients.colour if shown is None else gradients.colour * shown.light,
        opacity=gradients.opacity if shown is None else gradients.opacity * shown.facing,
    )


def turned_by(
    turn_wxyz: Float32[np.ndarray, "4"], rotations_wxyz: Float32[np.ndarray, "S 4"]
) -> Float32[np.ndarray, "S 4"]:
    """All rotations, turned once more."""
    return _multiply(np.broadcast_to(turn_wxyz, rotations_wxyz.shape), rotations_wxyz)


def _multiply(first: Float32[np.ndarray, "S 4"], second: Float32[np.ndarray, "S 4"]) -> Float32[np.ndarray, "S 4"]:
    """Hamilton's product of quaternions wxyz: turns by `second` first."""
    w1, x1, y1, z1 = first.T
    w2, x2, y2, z2 = second.T
    product = [
        w1 * w2 - x1 * x2 - y1 * y2 - z1 * z2,
        w1 * x2 + x1 * w2 + y1 * z2 - z1 * y2,
        w1 * y2 - x1 * z2 + y1 * w2 + z1 * x2,
        w1 * z2 + x1 * y2 - y1 * x2 + z1 * w2,
    ]
    return np.stack(product, axis=1).astype(np.float32)


def _quaternions(m: Float32[np.ndarray, "S 3 3"]) -> Float32[np.ndarray, "S 4"]:
    """Unit quaternions wxyz of rotation matrices (Shepperd's method, as in core.transforms, for many at once)."""
    m = m.astype(np.float64)
    xx, yy, zz = m[:, 0, 0], m[:, 1, 1], m[:, 2, 2]
    a, b, c = m[:, 2, 1] - m[:, 1, 2], m[:, 0, 2] - m[:, 2, 0], m[:, 1, 0] - m[:, 0, 1]
    d, e, f = m[:, 0, 1] + m[:, 1, 0], m[:, 0, 2] + m[:, 2, 0], m[:, 1, 2] + m[:, 2, 1]
    candidates = np.array(
        [
            [1 + xx + yy + zz, a, b, c],
            [a, 1 + xx - yy - zz, d, e],
            [b, d, 1 - xx + yy - zz, f],
            [c, e, f, 1 - xx - yy + zz],
        ]
    )
    largest = np.argmax(np.einsum("iis->is", candidates), axis=0)
    rows = candidates[largest, :, np.arange(len(m))]
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
