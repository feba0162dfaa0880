"""What USD itself makes of a USDZ: its shapes evaluated by UsdSkel, its poses, its units. For checks and tests."""

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

from avatar3d.core.errors import UnreadableError
from avatar3d.formats.pxr import load_pxr


@dataclass(frozen=True, eq=False)
class UsdMesh:
    """One mesh, as UsdSkel evaluates it."""

    rest: Float32[np.ndarray, "V 3"]
    shapes: dict[str, Float32[np.ndarray, "V 3"]]
    """Displacement per blend shape at full weight."""
    triangles: int
    materials: int


@dataclass(frozen=True, eq=False)
class UsdAvatar:
    """A package's contents."""

    meshes: dict[str, UsdMesh]
    joints: tuple[str, ...]
    metres_per_unit: float
    up_axis: str
    provenance: dict[str, Any]
    has_default: bool
    animation_shapes: tuple[str, ...]


def read_usdz(path: Path | str) -> UsdAvatar:
    """Open and evaluate. Raises UnreadableError (10), MissingExtraError (2) without usd-core."""
    pxr = load_pxr()
    try:
        stage = pxr.Usd.Stage.Open(str(path))
    except Exception as cause:
        raise broken(Path(path), str(cause).splitlines()[0][:120]) from cause
    meshes: dict[str, UsdMesh] = {}
    joints: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    cache = pxr.UsdSkel.Cache()
    for root in (prim for prim in stage.Traverse() if prim.IsA(pxr.UsdSkel.Root)):
        cache.Populate(pxr.UsdSkel.Root(root), pxr.Usd.PrimDefaultPredicate)
        for binding in cache.ComputeSkelBindings(pxr.UsdSkel.Root(root), pxr.Usd.PrimDefaultPredicate):
            query = cache.GetSkelQuery(binding.GetSkeleton())
            joints = tuple(query.GetJointOrder())
            if query.GetAnimQuery():
                named = tuple(query.GetAnimQuery().GetBlendShapeOrder())
            for target in binding.GetSkinningTargets():
                mesh = pxr.UsdGeom.Mesh(target.GetPrim())
                rest = np.array(mesh.GetPointsAttr().Get(), np.float32)
                shapes = _shapes(pxr, target, rest)
                counts = mesh.GetFaceVertexCountsAttr().Get()
                bound = pxr.UsdShade.MaterialBindingAPI(target.GetPrim()).ComputeBoundMaterial()[0]
                meshes[target.GetPrim().GetName()] = UsdMesh(rest, shapes, len(counts), int(bool(bound)))
    layer = stage.GetRootLayer()
    return UsdAvatar(
        meshes,
        joints,
        float(pxr.UsdGeom.GetStageMetersPerUnit(stage)),
        str(pxr.UsdGeom.GetStageUpAxis(stage)),
        dict(layer.customLayerData.get("avatar3d", {})),
        bool(stage.GetDefaultPrim()),
        named,
    )


def _shapes(pxr: Any, target: Any, rest: np.ndarray) -> dict[str, np.ndarray]:
    """Each shape alone at full weight, through UsdSkel's own deformation."""
    if not target.HasBlendShapes():
        return {}
    order, query = (
        list(target.GetBlendShapeOrder()),
        pxr.UsdSkel.BlendShapeQuery(pxr.UsdSkel.BindingAPI(target.GetPrim())),
    )
    indices, offsets = query.ComputeBlendShapePointIndices(), query.ComputeSubShapePointOffsets()
    shapes: dict[str, np.ndarray] = {}
    for at, name in enumerate(order):
        weights = [0.0] * len(order)
        weights[at] = 1.0
        sub = query.ComputeSubShapeWeights(weights)
        points = pxr.Vt.Vec3fArray.FromNumpy(rest.copy())
        if not query.ComputeDeformedPoints(*sub, indices, offsets, points):
            raise AssertionError(f"UsdSkel does not evaluate {name}")
        shapes[name] = np.array(points, np.float32) - rest
    return shapes


def entries(path: Path) -> list[tuple[str, int, bool]]:
    """Name, offset of the contents and whether they are compressed, of every file of the package."""
    try:
        with zipfile.ZipFile(path) as archive, path.open("rb") as stream:
            told: list[tuple[str, int, bool]] = []
            for entry in archive.infolist():
                stream.seek(entry.header_offset + 26)
                name, extra = (int.from_bytes(stream.read(2), "little") for _ in range(2))
                told.append((entry.filename, entry.header_offset + 30 + name + extra, entry.compress_type != 0))
            return told
    except (OSError, zipfile.BadZipFile) as cause:
        raise broken(path, str(cause)[:120]) from cause


def broken(path: Path, why: str) -> UnreadableError:
    """One sentence about a package that cannot be opened."""
    return UnreadableError(
        f'"{path.name}" is no sound USDZ: {why}.', hint="Export it again.", id="USDZ_BROKEN", file=path
    )


def posed_points(path: Path | str, rotations: dict[str, np.ndarray]) -> dict[str, Float32[np.ndarray, "V 3"]]:
    """Every mesh skinned by USD with joints turned by wxyz quaternions from their rest; no shape on."""
    pxr = load_pxr()
    stage = pxr.Usd.Stage.Open(str(path))
    cache, posed = pxr.UsdSkel.Cache(), {}
    for root in (prim for prim in stage.Traverse() if prim.IsA(pxr.UsdSkel.Root)):
        animation = next(pxr.UsdSkel.Animation(prim) for prim in stage.Traverse() if prim.IsA(pxr.UsdSkel.Animation))
        turns = [
            rotations.get(joint.rpartition("/")[2], np.array([1, 0, 0, 0])) for joint in animation.GetJointsAttr().Get()
        ]
        animation.GetRotationsAttr().Set([pxr.Gf.Quatf(*map(float, turn)) for turn in turns])
        cache.Populate(pxr.UsdSkel.Root(root), pxr.Usd.PrimDefaultPredicate)
        for binding in cache.ComputeSkelBindings(pxr.UsdSkel.Root(root), pxr.Usd.PrimDefaultPredicate):
            moved = cache.GetSkelQuery(binding.GetSkeleton()).ComputeSkinningTransforms(pxr.Usd.TimeCode.Default())
            for target in binding.GetSkinningTargets():
                points = pxr.Vt.Vec3fArray(pxr.UsdGeom.Mesh(target.GetPrim()).GetPointsAttr().Get())
                target.ComputeSkinnedPoints(moved, points)
                posed[target.GetPrim().GetName()] = np.array(points, np.float32)
    return posed
