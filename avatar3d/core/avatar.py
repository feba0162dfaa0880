"""The asset: meshes, textures, materials and a skeleton, independent of any file format."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Float32, Int32, UInt8

from avatar3d.core.errors import UnsupportedFormatError
from avatar3d.core.photo import Light


@dataclass(frozen=True, eq=False)
class Texture:
    """An 8-bit image with its meaning."""

    name: str
    pixels: UInt8[np.ndarray, "H W C"]
    """C is 3 or 4. Colour textures are sRGB; normal and occlusion-roughness-metallic ones are linear."""


@dataclass(frozen=True, eq=False)
class Material:
    """glTF 2.0 metallic-roughness material."""

    name: str
    base_colour: Texture | None = None
    normal: Texture | None = None
    """Tangent space, +Y up (OpenGL)."""
    occlusion_roughness_metallic: Texture | None = None
    colour_factor: tuple[float, float, float, float] = (1.0, 1.0, 1.0, 1.0)
    """Linear."""
    roughness: float = 0.6
    metallic: float = 0.0
    specular: float = 1.0
    """Share of a dielectric's reflection (KHR_materials_specular); readers that do not know it mirror all of it."""
    alpha_mode: Literal["OPAQUE", "MASK", "BLEND"] = "OPAQUE"
    alpha_cutoff: float = 0.5
    double_sided: bool = False


@dataclass(frozen=True, eq=False)
class Skin:
    """What the photo told about the face's surface."""

    albedo: Texture
    """De-lit base colour of the face atlas, sRGB."""
    normal: Texture
    confidence: Float32[np.ndarray, "H W"]
    """1 where the photo saw the texel well, 0 where it was filled in."""
    light: Light
    tone: Float32[np.ndarray, "3"]
    """Median skin albedo, linear RGB."""
    parts: Mapping[str, Texture] = field(default_factory=dict[str, Texture])
    """Base colour (sRGB) of the other parts that the photo shows, by part name: teethUpper, teethLower, mouth, tongue.
    Empty when the lips are closed."""


@dataclass(frozen=True, eq=False)
class Mesh:
    """One primitive: what engines draw. Vertices are split where UVs or materials need it."""

    name: str
    positions: Float32[np.ndarray, "V 3"]
    """Metres, +Y up, face to +Z."""
    normals: Float32[np.ndarray, "V 3"]
    uvs: Float32[np.ndarray, "V 2"]
    """(0, 0) is the image's upper left corner."""
    triangles: Int32[np.ndarray, "F 3"]
    material: Material
    morph_names: tuple[str, ...]
    """Empty for a mesh that only rides on joints; otherwise ARKIT_NAMES."""
    morphs: Float32[np.ndarray, "M V 3"]
    """Displacement per morph target, metres."""
    joints: Int32[np.ndarray, "V 4"]
    weights: Float32[np.ndarray, "V 4"]
    """Sum to 1; unused slots have joint 0 and weight 0."""

    def to_trimesh(self) -> Any:
        """This mesh as a trimesh.Trimesh with its UVs (no morphs). Needs the package trimesh."""
        return _plugin("avatar3d.converters", "trimesh")(self)


@dataclass(frozen=True, eq=False)
class Skeleton:
    """Joints with identity rest rotations."""

    names: tuple[str, ...]
    parents: Int32[np.ndarray, "J"]
    """-1 for the one root, which comes first; parents come before children."""
    positions: Float32[np.ndarray, "J 3"]
    """Rest positions in the avatar's frame (not relative to the parent), metres."""


@dataclass(frozen=True, eq=False)
class Avatar:
    """A rigged head, ready to be written in any format."""

    name: str
    meshes: tuple[Mesh, ...]
    """The first is the face: one primitive, one material, all 52 blendshapes."""
    skeleton: Skeleton
    extras: dict[str, Any] = field(default_factory=dict[str, Any])
    """JSON for asset.extras: licence, provenance, the synthetic mark."""

    def mesh(self, name: str) -> Mesh:
        """The mesh of that name; KeyError when there is none."""
        return {mesh.name: mesh for mesh in self.meshes}[name]

    def save(self, path: Path | str, **choices: Any) -> Path:
        """Write in the format the suffix names (.glb, .web.glb, .usdz, .fbx); atomic. Returns the path."""
        target = Path(path)
        kinds = [suffix.lstrip(".").lower() for suffix in target.suffixes[-2:]]
        whole = ".".join(kinds)  # .web.glb before .glb; anna.v2.glb is a .glb
        known = whole in {point.name for point in entry_points(group="avatar3d.writers")}
        _plugin("avatar3d.writers", whole if known else target.suffix.lstrip(".").lower())(self, target, **choices)
        return target

    @staticmethod
    def load(path: Path | str) -> "Avatar":
        """Read a file that `save` wrote."""
        source = Path(path)
        return _plugin("avatar3d.readers", source.suffix.lstrip(".").lower())(source)


def _plugin(group: str, name: str) -> Any:
    """A function another room (or a third party) registered by entry point."""
    known = {point.name: point.value for point in entry_points(group=group)}
    if name not in known:
        raise UnsupportedFormatError(
            f"{group} knows {', '.join(sorted(known)) or 'nothing'}, not {name!r}.",
            hint="Choose one of these, or install the package that adds it.",
        )
    module, attribute = known[name].split(":")
    return getattr(import_module(module), attribute)
