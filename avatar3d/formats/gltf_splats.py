"""Splats inside a GLB: KHR_gaussian_splatting (ratified text of 2026), and which triangle of the file each rides on.

    POINTS  POSITION COLOR_0 KHR_gaussian_splatting:{ROTATION SCALE OPACITY SH_DEGREE_0_COEF_0} _TRIANGLE

Rotations are xyzw, scales and opacities linear, colours sRGB. Readers without the extension draw coloured points. The
extension knows no skins and no morph targets, and no reader moves splats by them: the node hangs on the joint of the
head, so that any reader turns splats with it, and `_TRIANGLE` (float, as application-specific attributes may not be
u32) says what each rides on. Its place in the resting triangle gives the rest (splat.bind.rebind), so that nothing in
the file can contradict it.
"""

from typing import Final

import numpy as np
from jaxtyping import Float32

from avatar3d.core.avatar import Avatar
from avatar3d.core.errors import OutputInvalidError
from avatar3d.core.splats import Gaussians, RestSplats
from avatar3d.formats import splat_file as door
from avatar3d.formats.accessors import BufferReader, BufferWriter
from avatar3d.formats.glb import GlbDocument, Json, is_index

SPLATTING: Final = "KHR_gaussian_splatting"
NODE_NAME: Final = "splats"
_POINTS: Final = 0
_HOLDER: Final = "head"
_ROTATION, _SCALE, _OPACITY, _COLOUR = (
    f"{SPLATTING}:{name}" for name in ("ROTATION", "SCALE", "OPACITY", "SH_DEGREE_0_COEF_0")
)
_TRIANGLE: Final = "_TRIANGLE"
SPLAT_BYTES: Final = 64
"""Of each in a file."""
_COUNTABLE: Final = 2**24
"""A float counts no further."""


def describe_splats(splats: RestSplats, avatar: Avatar, buffer: BufferWriter) -> Json:
    """The glTF mesh of one primitive, its arrays laid into `buffer`. Raises OutputInvalidError (30)."""
    counts = [len(mesh.triangles) for mesh in avatar.meshes]
    gaussians = splats.gaussians
    if not len(splats.triangle) or int(splats.triangle.max()) >= sum(counts) or sum(counts) > _COUNTABLE:
        raise OutputInvalidError("Splats ride on triangles that the avatar does not have.", hint="Please report it.")
    colours = np.concatenate([np.clip(gaussians.colour, 0, 1), gaussians.opacity[:, None]], axis=1)
    attributes = {
        "POSITION": buffer.dense(gaussians.mean, bounds=True),
        "COLOR_0": buffer.dense(np.round(colours * 255).astype(np.uint8), normalised=True),
        _ROTATION: buffer.dense(_unit(gaussians.rotation_wxyz)[:, [1, 2, 3, 0]]),
        _SCALE: buffer.dense(gaussians.scale),
        _OPACITY: buffer.dense(gaussians.opacity),
        _COLOUR: buffer.dense(door.coefficients_of(gaussians.colour)),
        _TRIANGLE: buffer.dense(splats.triangle.astype(np.float32)),
    }
    told = {
        "kernel": "ellipse",
        "colorSpace": "srgb_rec709_display",
        "projection": "perspective",
        "sortingMethod": "cameraDistance",
    }
    return {
        "name": NODE_NAME,
        "primitives": [
            {
                "attributes": attributes,
                "mode": _POINTS,
                "extensions": {SPLATTING: told},
                "extras": {"triangles": [{"mesh": at, "count": count} for at, count in enumerate(counts)]},
            }
        ],
    }


def hang_splats(nodes: list[Json], avatar: Avatar, mesh: int) -> None:
    """Adds the node of the splats below the joint of the head; at rest it stands where the world does."""
    skeleton = avatar.skeleton
    holder = skeleton.names.index(_HOLDER) if _HOLDER in skeleton.names else 0
    nodes[holder].setdefault("children", []).append(len(nodes))
    back = -skeleton.positions[holder].astype(np.float64)
    nodes.append({"name": NODE_NAME, "mesh": mesh, "translation": back.tolist()})


def is_splats(document: GlbDocument, mesh: object) -> bool:
    """Whether a mesh of the file is made of splats, ours or not."""
    primitives = document.item("meshes", mesh, "a node").get("primitives")
    if not isinstance(primitives, list) or not primitives or not all(isinstance(each, dict) for each in primitives):
        return False
    return all(isinstance(each.get("extensions"), dict) and SPLATTING in each["extensions"] for each in primitives)


def splats_from_document(document: GlbDocument) -> RestSplats | None:
    """The splats of an avatar of ours; None when it has none.

    Raises UnreadableError (10, GLB_INVALID) where they break a rule of the extension or of ours above.
    """
    found = [node["mesh"] for node in document.items("nodes") if "mesh" in node and is_splats(document, node["mesh"])]
    if not found:
        return None
    if len(found) > 1:
        raise document.broken(f"it has {len(found)} nodes of splats, expected one")
    where = f"meshes[{found[0]}]"
    primitives: list[Json] = document.item("meshes", found[0], "a node")["primitives"]
    primitive, attributes = primitives[0], primitives[0].get("attributes")
    if len(primitives) > 1 or primitive.get("mode") != _POINTS or not isinstance(attributes, dict):
        raise document.broken(f"{where}: splats are one primitive of points")
    described = primitive["extensions"][SPLATTING]
    if not isinstance(described, dict) or described.get("kernel") != "ellipse" or "colorSpace" not in described:
        raise document.broken(f"{where}: {SPLATTING} needs a colorSpace and the kernel ellipse")
    missing = [name for name in ("POSITION", _ROTATION, _SCALE, _OPACITY, _COLOUR, _TRIANGLE) if name not in attributes]
    if missing:
        raise document.broken(f"{where} has no {', '.join(missing)}")
    reader = BufferReader(document)

    def floats(name: str, width: str) -> Float32[np.ndarray, "N W"]:
        return reader.floats(attributes[name], width, f"{where} {name}")

    places, scale, colour = floats("POSITION", "VEC3"), floats(_SCALE, "VEC3"), floats(_COLOUR, "VEC3")
    rotation = floats(_ROTATION, "VEC4")[:, [3, 0, 1, 2]]
    opacity, triangle = floats(_OPACITY, "SCALAR")[:, 0], floats(_TRIANGLE, "SCALAR")[:, 0]
    if len({len(values) for values in (places, scale, colour, rotation, opacity, triangle)}) > 1:
        raise document.broken(f"{where} has attributes of different lengths")
    if any(np.abs(values).max() > door.FARTHEST for values in (places, scale, colour)):
        raise document.broken(f"{where} holds numbers beyond any head")
    if np.abs(np.linalg.norm(rotation, axis=1) - 1).max() > 1e-2:
        raise document.broken(f"{where} has rotations that are not unit quaternions")
    if scale.min() < 0 or opacity.min() < 0 or opacity.max() > 1:
        raise document.broken(f"{where} has a negative width or an opacity beyond 0 to 1")
    if triangle.min() < 0 or triangle.max() >= _counted(document, primitive, where) or (triangle % 1).any():
        raise document.broken(f"{where} has splats that ride on triangles which do not exist")
    gaussians = Gaussians(places, rotation, scale, door.colour_of(colour), opacity)
    return RestSplats(gaussians, triangle.astype(np.int32))


def _counted(document: GlbDocument, primitive: Json, where: str) -> int:
    """Triangles of all meshes that the splats count through, which must be those of the file."""
    extras = primitive.get("extras")
    listed = extras.get("triangles") if isinstance(extras, dict) else None
    meshes = [
        node["mesh"] for node in document.items("nodes") if "mesh" in node and not is_splats(document, node["mesh"])
    ]
    wanted: list[Json] = []
    for mesh in meshes:
        primitives = document.item("meshes", mesh, "a node").get("primitives")
        first = primitives[0] if isinstance(primitives, list) and primitives and isinstance(primitives[0], dict) else {}
        indices = document.item("accessors", first.get("indices"), f"meshes[{mesh}]").get("count")
        wanted.append({"mesh": mesh, "count": indices // 3 if is_index(indices) else 0})
    if listed != wanted:
        raise document.broken(f"{where}: extras.triangles do not list the meshes of the file")
    return min(sum(each["count"] for each in wanted), _COUNTABLE)


def _unit(wxyz: Float32[np.ndarray, "S 4"]) -> Float32[np.ndarray, "S 4"]:
    return (wxyz / np.linalg.norm(wxyz.astype(np.float64), axis=1, keepdims=True)).astype(np.float32)
