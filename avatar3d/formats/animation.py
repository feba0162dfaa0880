"""Puts a clip into a GLB of ours as one glTF animation, `talk`; everything else in the file stays as it was.

    weights               one sampler per list of target names, which all meshes with that list share (the tongue has its own)
    head, both eyes       rotations of their joints; joints of ours rest unrotated (gltf_read refuses others), so a rotation
                          relative to rest is the node's own

**The jaw's joint is not animated.** Lower teeth, tongue, mouth lining and the skin of the jaw are bound to it, but they carry
jawOpen, jawForward, jawLeft and jawRight as morphs, too: in each of those the teeth turn rigidly with this person's mandible about
its hinge (rig/jaw.py, rig/riders.py). So the weights alone move the teeth right, and a turned joint would move them twice.
Nothing hangs on jaw or tongue without these morphs: hair, beards and glasses ride on `head`. Eyes are half and half: eyeLook
weights turn the eyeballs some of the way, the joints the rest (render/gaze.py).

Keys are reduced (formats/keyframes.py): a sampler's weights together, each that moves one of its meshes to 0.002; each
rotation for itself, to 0.05 degrees. Times are those of the frames, in seconds of the sound. glTF 2.0, sections 3.11 and 3.6.2.5.
"""

import copy
from collections.abc import Iterable, Mapping
from itertools import compress
from pathlib import Path
from typing import Any, Final

import numpy as np
from jaxtyping import Float32, Float64, Int32

from avatar3d.core.avatar import Avatar, Mesh
from avatar3d.core.blendshapes import SHAPE_INDEX, BlendshapeClip
from avatar3d.core.durable import write_atomically
from avatar3d.core.errors import LimitError, UnsupportedFormatError
from avatar3d.formats.accessors import BufferWriter
from avatar3d.formats.clip_arrays import ClipArrays, stack_clip
from avatar3d.formats.glb import GlbDocument, Json, glb_bytes, read_glb
from avatar3d.formats.gltf_read import avatar_from_document
from avatar3d.formats.keyframes import ROTATION_ERROR_RAD, WEIGHT_ERROR, linear_keys, rotation_keys
from avatar3d.render.gaze import Eyeball

NAME: Final = "talk"
_JOINTS: Final = ("head", "leftEye", "rightEye")
# A shape that moves a mesh no further than this does not move it: what we promise engines.
_MOVES_M: Final = 1e-6


def save_animated_glb(
    avatar_glb: Path | str, clip: BlendshapeClip, out: Path | str, *, provenance: Mapping[str, Any] | None = None
) -> Path:
    """Write `avatar_glb` with `clip` as its animation `talk`, atomically; `out` may be the same file.

    `provenance` (clip_provenance.py) becomes asset.extras.motion. Raises as load_glb for a file that is no avatar of ours
    (10, 11, 12), LimitError (12) or OutputInvalidError (30) for a clip that glTF cannot hold, DiskError (40).
    """
    return write_atomically(out, animated_glb(read_glb(avatar_glb), clip, provenance=provenance))


def animated_glb(document: GlbDocument, clip: BlendshapeClip, *, provenance: Mapping[str, Any] | None = None) -> bytes:
    """The bytes of the animated file. The same document, clip and provenance give the same bytes."""
    avatar = avatar_from_document(document)
    _refuse_unfit(document, avatar)
    animation = _Animation(stack_clip(clip))
    animation.add_weights(document, avatar)
    animation.add_rotations(document, avatar)
    return animation.encode(document, provenance)


class _Animation:
    """Channels and samplers so far, and the arrays that will stand behind the file's own."""

    def __init__(self, arrays: ClipArrays) -> None:
        self._arrays = arrays
        self._buffer = BufferWriter()
        self._samplers: list[Json] = []
        self._channels: list[Json] = []
        # As players will see them: the reduction must not rely on digits that the file does not hold.
        self._times_s: Float64[np.ndarray, "T"] = arrays.time_s.astype(np.float32).astype(np.float64)
        if not (np.diff(self._times_s) > 0).all():
            raise LimitError("The frames lie too close for glTF's times.", hint="Cut the clip.", id="CLIP_TOO_LARGE")

    def add_weights(self, document: GlbDocument, avatar: Avatar) -> None:
        """A channel for every node whose mesh morphs; meshes with the same target names share a sampler."""
        nodes = [at for at, node in enumerate(document.items("nodes")) if "mesh" in node]
        values = np.concatenate([self._arrays.weights, self._arrays.tongue], axis=1)
        for names in dict.fromkeys(mesh.morph_names for mesh in avatar.meshes if mesh.morph_names):
            alike = [mesh.morph_names == names for mesh in avatar.meshes]
            keys = linear_keys(self._times_s, values[:, _moving(compress(avatar.meshes, alike))], WEIGHT_ERROR)
            sampler = self._add_sampler(keys, _columns(values[keys], names).reshape(-1))
            for node in compress(nodes, alike):
                self._channels.append({"sampler": sampler, "target": {"node": node, "path": "weights"}})

    def add_rotations(self, document: GlbDocument, avatar: Avatar) -> None:
        """A channel each for the head's and the eyes' joints."""
        nodes = {str(document.items("nodes")[at].get("name")): at for at in document.items("skins")[0]["joints"]}
        weights, eyes = self._arrays.weights, self._arrays.eyes
        turns = (
            self._arrays.head,
            Eyeball.of(avatar, "leftEye").left_to_turn(weights, eyes[:, 0]),
            Eyeball.of(avatar, "rightEye").left_to_turn(weights, eyes[:, 1]),
        )
        for name, wxyz in zip(_JOINTS, turns, strict=True):
            turned = _continuous(wxyz)
            keys = rotation_keys(self._times_s, turned, ROTATION_ERROR_RAD)
            sampler = self._add_sampler(keys, turned[keys][:, [1, 2, 3, 0]])
            self._channels.append({"sampler": sampler, "target": {"node": nodes[name], "path": "rotation"}})

    def encode(self, document: GlbDocument, provenance: Mapping[str, Any] | None) -> bytes:
        """The whole file: the document's JSON and buffer, then ours."""
        made = copy.deepcopy(document.json)
        declared = made["buffers"][0]["byteLength"]
        binary = document.binary[:declared] + b"\0" * (-declared % 4)
        views, accessors = len(made["bufferViews"]), len(made["accessors"])
        made["bufferViews"] += [view | {"byteOffset": view["byteOffset"] + len(binary)} for view in self._buffer.views]
        made["accessors"] += [each | {"bufferView": each["bufferView"] + views} for each in self._buffer.accessors]
        binary += bytes(self._buffer.binary)
        made["buffers"][0]["byteLength"] = len(binary)
        samplers = [
            sampler | {end: sampler[end] + accessors for end in ("input", "output")} for sampler in self._samplers
        ]
        animation = {"name": NAME, "channels": self._channels, "samplers": samplers}
        made["animations"] = [*made.get("animations", []), animation]
        if provenance:
            made["asset"]["extras"] = {**made["asset"].get("extras", {}), "motion": dict(provenance)}
        return glb_bytes(made, binary)

    def _add_sampler(self, keys: Int32[np.ndarray, "K"], values: Float32[np.ndarray, "..."]) -> int:
        times = self._times_s[keys].astype(np.float32)[:, None]
        sampler = {
            "input": self._buffer.dense(times, target=None, bounds=True),
            "interpolation": "LINEAR",
            "output": self._buffer.dense(values, target=None),
        }
        self._samplers.append(sampler)
        return len(self._samplers) - 1


def _refuse_unfit(document: GlbDocument, avatar: Avatar) -> None:
    """Raise when the file has no place for the animation, or has one already."""
    missing = [name for name in _JOINTS if name not in avatar.skeleton.names]
    what = ""
    if missing:
        what = f"its skeleton has no {', '.join(missing)}"
    elif not any(name in SHAPE_INDEX for mesh in avatar.meshes for name in mesh.morph_names):
        what = "no mesh has blendshapes that we know"
    elif any(item.get("name") == NAME for item in document.items("animations")):
        what = "it has an animation of that name already"
    if what:
        raise UnsupportedFormatError(
            f'"{document.file.name}" cannot be made to talk: {what}.',
            hint="Give the GLB that `avatar3d create` wrote.",
            id="GLB_NOT_AN_AVATAR",
            file=document.file,
        )


def _moving(meshes: Iterable[Mesh]) -> list[int]:
    """Places in SHAPE_INDEX of the shapes that move a vertex of these meshes: only their weights can be wrong."""
    names = {
        name
        for mesh in meshes
        for name, morph in zip(mesh.morph_names, mesh.morphs, strict=True)
        if name in SHAPE_INDEX and float(np.abs(morph).max()) > _MOVES_M
    }
    return sorted(SHAPE_INDEX[name] for name in names)


def _columns(values: Float32[np.ndarray, "K S"], names: tuple[str, ...]) -> Float32[np.ndarray, "K M"]:
    """The values of a mesh's targets in its own order; one that we do not know stays 0."""
    still = np.zeros(len(values), np.float32)
    return np.stack([values[:, SHAPE_INDEX[name]] if name in SHAPE_INDEX else still for name in names], axis=1)


def _continuous(wxyz: Float32[np.ndarray, "T 4"]) -> Float32[np.ndarray, "T 4"]:
    """The same rotations, each unit quaternion in its predecessor's half space: players that mix components need it."""
    unit = wxyz / np.linalg.norm(wxyz, axis=1, keepdims=True)
    flips = np.where(np.sum(unit[1:] * unit[:-1], axis=1) < 0, -1, 1)
    signs = np.cumprod(np.concatenate([[1 if unit[0, 0] >= 0 else -1], flips]))
    return (unit * signs[:, None]).astype(np.float32)
