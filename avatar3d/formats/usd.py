"""Avatar to USDZ: UsdSkel with blend shapes, UsdPreviewSurface, pictures inside.

    Avatar -> stage (SkelRoot > Skeleton, Animation, Materials, a Mesh per part with its BlendShapes) -> .usdc + pictures -> .usdz

Metres, +Y up. A shape lists only the points it moves; one that moves none of a mesh is left out there. The package is a
zip without compression whose files begin at multiples of 64 bytes (openusd.org, USDZ File Format Specification).
"""

import re
import struct
import tempfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from jaxtyping import Float32, Float64

from avatar3d.core.avatar import Avatar, Material, Mesh, Skeleton, Texture
from avatar3d.core.durable import write_atomically
from avatar3d.formats.images import encode_texture
from avatar3d.formats.pxr import load_pxr

ALIGNMENT: Final = 64
_MOVED_M: Final = 1e-7
_LOCAL, _CENTRAL, _END = struct.Struct("<IHHHHHIIIHH"), struct.Struct("<IHHHHHHIIIHHHHHII"), struct.Struct("<IHHHHIIH")
_EPOCH: Final = (1 << 5) | 1
"""1 January 1980, as DOS dates are: no time goes in."""


def save_usdz(avatar: Avatar, path: Path | str) -> Path:
    """Write `avatar` as .usdz, atomically. Raises MissingExtraError (2) without the package usd-core."""
    return write_atomically(path, encode_usdz(avatar))


def encode_usdz(avatar: Avatar) -> bytes:
    """The bytes of a .usdz; the same avatar gives the same ones."""
    pxr = load_pxr()
    pictures = _Pictures()
    with tempfile.TemporaryDirectory(prefix="avatar3d-usd-") as folder:
        layer = Path(folder) / "avatar.usdc"
        stage = pxr.Usd.Stage.CreateNew(str(layer))
        _describe(pxr, stage, avatar, pictures)
        stage.GetRootLayer().Save()
        del stage
        return package([("avatar.usdc", layer.read_bytes()), *pictures.files.items()])


class _Pictures:
    """Files beside the layer; the same picture once."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def add(self, texture: Texture, *, normal: bool = False) -> str:
        mime, content = encode_texture(texture, normal=normal)
        suffix = "png" if mime == "image/png" else "jpg"
        name = f"textures/{identifier(texture.name)}.{suffix}"
        count = 2
        while self.files.get(name, content) != content:
            name, count = f"textures/{identifier(texture.name)}_{count}.{suffix}", count + 1
        self.files[name] = content
        return name


def identifier(name: str) -> str:
    """A name that a USD prim may have."""
    bare = re.sub(r"[^A-Za-z0-9_]", "_", name)
    return bare if re.match(r"[A-Za-z_]", bare) else f"_{bare}"


def _describe(pxr: Any, stage: Any, avatar: Avatar, pictures: _Pictures) -> None:
    geom, skel = pxr.UsdGeom, pxr.UsdSkel
    geom.SetStageUpAxis(stage, geom.Tokens.y)
    geom.SetStageMetersPerUnit(stage, 1.0)
    root = skel.Root.Define(stage, "/Avatar")
    pxr.Usd.ModelAPI(root.GetPrim()).SetKind("component")
    stage.SetDefaultPrim(root.GetPrim())
    stage.GetRootLayer().customLayerData = {"avatar3d": _plain(pxr, avatar.extras)}
    stage.GetRootLayer().comment = str(avatar.extras.get("copyright", ""))
    points = np.concatenate([mesh.positions for mesh in avatar.meshes])
    root.CreateExtentAttr(_extent(pxr, points))
    skeleton = _skeleton(pxr, stage, avatar)
    made: dict[int, Any] = {}
    for mesh in avatar.meshes:
        prim = _mesh(pxr, stage, mesh, skeleton)
        if id(mesh.material) not in made:
            made[id(mesh.material)] = _material(pxr, stage, mesh.material, pictures, len(made))
        pxr.UsdShade.MaterialBindingAPI.Apply(prim.GetPrim()).Bind(made[id(mesh.material)])


def _extent(pxr: Any, points: Float32[np.ndarray, "V 3"]) -> list[Any]:
    corners: Any = (points.min(0).tolist(), points.max(0).tolist())
    return [pxr.Gf.Vec3f(*corner) for corner in corners]


def _plain(pxr: Any, value: Any) -> Any:
    """JSON as USD dictionaries hold it: lists become arrays of strings."""
    if isinstance(value, dict):
        entries: dict[Any, Any] = value
        return {identifier(str(key)): _plain(pxr, each) for key, each in entries.items()}
    if isinstance(value, list | tuple):
        return pxr.Vt.StringArray([str(each) for each in value])
    return value if isinstance(value, bool | int | float) else str(value)


def joint_paths(skeleton: Skeleton) -> list[str]:
    """root/neck/head and so on."""
    paths: list[str] = []
    for name, parent in zip(skeleton.names, skeleton.parents.tolist(), strict=True):
        paths.append(identifier(name) if parent < 0 else f"{paths[parent]}/{identifier(name)}")
    return paths


def _skeleton(pxr: Any, stage: Any, avatar: Avatar) -> Any:
    """The skeleton, and an animation at rest, which names every shape for whoever sets weights."""
    own, joints = avatar.skeleton, joint_paths(avatar.skeleton)
    world = own.positions.astype(np.float64)
    local = np.where(own.parents[:, None] >= 0, world - world[np.maximum(own.parents, 0)], world)
    skeleton = pxr.UsdSkel.Skeleton.Define(stage, "/Avatar/Skeleton")
    skeleton.CreateJointsAttr(joints)
    skeleton.CreateBindTransformsAttr(_moved(pxr, world))
    skeleton.CreateRestTransformsAttr(_moved(pxr, local))
    animation = pxr.UsdSkel.Animation.Define(stage, "/Avatar/Skeleton/Animation")
    animation.CreateJointsAttr(joints)
    animation.CreateTranslationsAttr(pxr.Vt.Vec3fArray.FromNumpy(local.astype(np.float32)))
    animation.CreateRotationsAttr([pxr.Gf.Quatf(1, 0, 0, 0)] * len(joints))
    animation.CreateScalesAttr([pxr.Gf.Vec3h(1, 1, 1)] * len(joints))
    names = list(dict.fromkeys(identifier(name) for mesh in avatar.meshes for name in mesh.morph_names))
    animation.CreateBlendShapesAttr(names)
    animation.CreateBlendShapeWeightsAttr([0.0] * len(names))
    binding = pxr.UsdSkel.BindingAPI.Apply(skeleton.GetPrim())
    binding.CreateAnimationSourceRel().SetTargets([animation.GetPath()])
    return skeleton


def _moved(pxr: Any, offsets: Float64[np.ndarray, "J 3"]) -> list[Any]:
    places: Any = offsets.tolist()
    return [pxr.Gf.Matrix4d(1).SetTranslate(pxr.Gf.Vec3d(*place)) for place in places]


def _mesh(pxr: Any, stage: Any, mesh: Mesh, skeleton: Any) -> Any:
    vt, types = pxr.Vt, pxr.Sdf.ValueTypeNames
    path = f"/Avatar/{identifier(mesh.name)}"
    path += "Mesh" if path == "/Avatar/Skeleton" else ""
    prim = pxr.UsdGeom.Mesh.Define(stage, path)
    prim.CreatePointsAttr(vt.Vec3fArray.FromNumpy(np.ascontiguousarray(mesh.positions, np.float32)))
    prim.CreateFaceVertexCountsAttr(vt.IntArray.FromNumpy(np.full(len(mesh.triangles), 3, np.int32)))
    prim.CreateFaceVertexIndicesAttr(vt.IntArray.FromNumpy(mesh.triangles.reshape(-1).astype(np.int32)))
    prim.CreateNormalsAttr(vt.Vec3fArray.FromNumpy(np.ascontiguousarray(mesh.normals, np.float32)))
    prim.SetNormalsInterpolation(pxr.UsdGeom.Tokens.vertex)
    prim.CreateSubdivisionSchemeAttr(pxr.UsdGeom.Tokens.none)
    prim.CreateDoubleSidedAttr(mesh.material.double_sided)
    prim.CreateExtentAttr(_extent(pxr, mesh.positions))
    primvars = pxr.UsdGeom.PrimvarsAPI(prim)
    flipped = (mesh.uvs * np.array([1, -1]) + np.array([0, 1])).astype(np.float32)  # USD's origin is the lower left
    primvars.CreatePrimvar("st", types.TexCoord2fArray, pxr.UsdGeom.Tokens.vertex).Set(vt.Vec2fArray.FromNumpy(flipped))
    binding = pxr.UsdSkel.BindingAPI.Apply(prim.GetPrim())
    binding.CreateSkeletonRel().SetTargets([skeleton.GetPath()])
    binding.CreateGeomBindTransformAttr(pxr.Gf.Matrix4d(1))
    binding.CreateJointIndicesPrimvar(False, 4).Set(vt.IntArray.FromNumpy(mesh.joints.reshape(-1).astype(np.int32)))
    binding.CreateJointWeightsPrimvar(False, 4).Set(
        vt.FloatArray.FromNumpy(mesh.weights.reshape(-1).astype(np.float32))
    )
    _shapes(pxr, stage, mesh, path, binding)
    return prim


def _shapes(pxr: Any, stage: Any, mesh: Mesh, path: str, binding: Any) -> None:
    names: list[str] = []
    for name, morph in zip(mesh.morph_names, mesh.morphs, strict=True):
        moved = np.flatnonzero(np.abs(morph).max(axis=1) > _MOVED_M).astype(np.int32)
        if len(moved):
            names.append(identifier(name))
            shape = pxr.UsdSkel.BlendShape.Define(stage, f"{path}/{names[-1]}")
            shape.CreateOffsetsAttr(pxr.Vt.Vec3fArray.FromNumpy(np.ascontiguousarray(morph[moved], np.float32)))
            shape.CreatePointIndicesAttr(pxr.Vt.IntArray.FromNumpy(moved))
    if names:
        binding.CreateBlendShapesAttr(names)
        binding.CreateBlendShapeTargetsRel().SetTargets([pxr.Sdf.Path(f"{path}/{name}") for name in names])


def _material(pxr: Any, stage: Any, material: Material, pictures: _Pictures, number: int) -> Any:
    """UsdPreviewSurface, metallic workflow (openusd.org, UsdPreviewSurface Specification 2.6)."""
    types, path = pxr.Sdf.ValueTypeNames, f"/Avatar/Materials/m{number}_{identifier(material.name)}"
    pxr.UsdGeom.Scope.Define(stage, "/Avatar/Materials")
    made = pxr.UsdShade.Material.Define(stage, path)
    surface = _shader(pxr, stage, f"{path}/Surface", "UsdPreviewSurface")
    made.CreateSurfaceOutput().ConnectToSource(surface.ConnectableAPI(), "surface")
    reader = _shader(pxr, stage, f"{path}/St", "UsdPrimvarReader_float2")
    reader.CreateInput("varname", types.String).Set("st")
    red, green, blue, alpha = material.colour_factor
    see_through = material.alpha_mode != "OPAQUE"
    surface.CreateInput("useSpecularWorkflow", types.Int).Set(0)
    if material.base_colour is None:
        surface.CreateInput("diffuseColor", types.Color3f).Set(pxr.Gf.Vec3f(red, green, blue))
    else:
        colour = _picture(pxr, stage, f"{path}/Colour", reader, pictures.add(material.base_colour), "sRGB")
        colour.CreateInput("scale", types.Float4).Set(pxr.Gf.Vec4f(red, green, blue, alpha))
        surface.CreateInput("diffuseColor", types.Color3f).ConnectToSource(colour.ConnectableAPI(), "rgb")
        if see_through and material.base_colour.pixels.shape[2] == 4:
            surface.CreateInput("opacity", types.Float).ConnectToSource(colour.ConnectableAPI(), "a")
    if see_through and surface.GetInput("opacity").GetAttr().IsValid() is False:
        surface.CreateInput("opacity", types.Float).Set(float(alpha))
    if material.alpha_mode == "MASK":
        surface.CreateInput("opacityThreshold", types.Float).Set(float(material.alpha_cutoff))
    if material.normal is not None:
        relief = _picture(pxr, stage, f"{path}/Normal", reader, pictures.add(material.normal, normal=True), "raw")
        relief.CreateInput("scale", types.Float4).Set(pxr.Gf.Vec4f(2, 2, 2, 1))
        relief.CreateInput("bias", types.Float4).Set(pxr.Gf.Vec4f(-1, -1, -1, 0))
        surface.CreateInput("normal", types.Normal3f).ConnectToSource(relief.ConnectableAPI(), "rgb")
    packed = material.occlusion_roughness_metallic
    if packed is not None:
        orm = _picture(pxr, stage, f"{path}/Orm", reader, pictures.add(packed), "raw")
        orm.CreateInput("scale", types.Float4).Set(pxr.Gf.Vec4f(1, material.roughness, material.metallic, 1))
        for name, channel in (("occlusion", "r"), ("roughness", "g"), ("metallic", "b")):
            surface.CreateInput(name, types.Float).ConnectToSource(orm.ConnectableAPI(), channel)
    else:
        surface.CreateInput("roughness", types.Float).Set(float(material.roughness))
        surface.CreateInput("metallic", types.Float).Set(float(material.metallic))
    return made


def _shader(pxr: Any, stage: Any, path: str, kind: str) -> Any:
    shader = pxr.UsdShade.Shader.Define(stage, path)
    shader.CreateIdAttr(kind)
    return shader


def _picture(pxr: Any, stage: Any, path: str, reader: Any, file: str, space: str) -> Any:
    types = pxr.Sdf.ValueTypeNames
    shader = _shader(pxr, stage, path, "UsdUVTexture")
    shader.CreateInput("file", types.Asset).Set(pxr.Sdf.AssetPath(file))
    shader.CreateInput("st", types.Float2).ConnectToSource(reader.ConnectableAPI(), "result")
    shader.CreateInput("sourceColorSpace", types.Token).Set(space)
    shader.CreateInput("wrapS", types.Token).Set("clamp")
    shader.CreateInput("wrapT", types.Token).Set("clamp")
    return shader


def package(files: Sequence[tuple[str, bytes]]) -> bytes:
    """A zip that stores its files, each beginning at a multiple of ALIGNMENT; the first one is the layer that is opened.

    PKWARE APPNOTE 4.3: local headers, then the directory. The padding is an extra field of a kind that nobody reads.
    """
    out, directory = bytearray(), bytearray()
    for name, content in files:
        encoded, check = name.encode(), zlib.crc32(content)
        here, begin = len(out), len(out) + _LOCAL.size + len(encoded)
        padding = -begin % ALIGNMENT
        padding += ALIGNMENT if 0 < padding < 4 else 0
        extra = struct.pack("<HH", 0x1986, padding - 4) + bytes(padding - 4) if padding else b""
        size = len(content)
        out += _LOCAL.pack(0x04034B50, 10, 0, 0, 0, _EPOCH, check, size, size, len(encoded), len(extra))
        out += encoded + extra + content
        directory += _CENTRAL.pack(
            0x02014B50, 10, 10, 0, 0, 0, _EPOCH, check, size, size, len(encoded), 0, 0, 0, 0, 0, here
        ) + encoded  # fmt: skip
    count = len(files)
    return bytes(out + directory + _END.pack(0x06054B50, 0, 0, count, count, len(directory), len(out), 0))
