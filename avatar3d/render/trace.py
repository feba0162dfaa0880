"""Rays through a posed avatar: nearest triangle, texture, normal map, light, and on through what is transparent."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Int32

from avatar3d.core.photo import Light
from avatar3d.render.blend import blend_corners
from avatar3d.render.lights import main_direction
from avatar3d.render.pose import Posed, tangents_of
from avatar3d.render.raycast import Hits, Scene
from avatar3d.render.stage import Stage, unit

_MOST_LAYERS: Final = 12
"""Transparent surfaces a ray passes at most."""
_STEP_M: Final = 2e-6
_DIELECTRIC: Final = np.float32(0.04)
"""Reflectance at normal incidence of skin, teeth and corneas (glTF 2.0, appendix B: index 1.5)."""
_REMAP_WIDTH: Final = 4096
"""cv2.remap takes pictures of at most 32,767 rows and columns."""
_ENVIRONMENT_SHEEN: Final = 0.35
"""Share of the surroundings that a rough surface mirrors; by eye."""
_NORMAL, _OPENNESS, _TANGENT = slice(0, 3), 3, slice(4, 8)
"""Columns of Tracer.values."""


@dataclass(frozen=True, eq=False)
class Tracer:
    """What answers rays: the triangles of a posed stage that the rays can meet."""

    stage: Stage
    scene: Scene
    triangles: Int32[np.ndarray, "N"]
    """Of the stage, in the scene's order."""
    away: Bool[np.ndarray, "N"]
    """Seen from behind."""
    values: Float32[np.ndarray, "V C"]
    """Per vertex what is interpolated; its columns are named at the head of this file."""
    light: Light
    levels: Int32[np.ndarray, "M"]
    """Pyramid level per mesh."""
    exact: bool
    """Only albedo times light."""

    def trace(
        self, origin: Float32[np.ndarray, "3"], directions: Float32[np.ndarray, "N 3"]
    ) -> Float32[np.ndarray, "N 4"]:
        """Premultiplied linear RGB and coverage per ray."""
        result = np.zeros((len(directions), 4), np.float32)
        rays = np.arange(len(directions))
        left = np.ones(len(directions), np.float32)  # what is still seen through the layers so far
        distance = np.zeros(len(directions), np.float32)
        for _ in range(_MOST_LAYERS):
            toward = directions[rays]
            hits = self.scene.cast(origin + toward * distance[:, None], toward)
            met = np.flatnonzero(hits.triangle >= 0)
            rays, left, distance, toward = rays[met], left[met], distance[met] + hits.distance[met], toward[met]
            colour = self._shade(Hits(hits.triangle[met], hits.barycentric[met], hits.distance[met]), toward)
            share = left * colour[:, 3]
            colour[:, 3] = 1
            result[rays] += share[:, None] * colour
            left = left - share
            onward = np.flatnonzero(left > 1 / 256)
            if len(onward) == 0:
                break
            rays, left, distance = rays[onward], left[onward], distance[onward] + np.float32(_STEP_M)
        return result

    def _shade(self, hits: Hits, toward: Float32[np.ndarray, "N 3"]) -> Float32[np.ndarray, "N 4"]:
        """Linear RGB and alpha of each hit, mesh by mesh; what nobody can see is not lit."""
        result = np.zeros((len(toward), 4), np.float32)
        triangles = self.triangles[hits.triangle]
        meshes = self.stage.triangle_mesh[triangles]
        for mesh in np.flatnonzero(np.bincount(meshes)):
            surface, level = self.stage.surfaces[mesh], int(self.levels[mesh])
            chosen = np.flatnonzero(meshes == mesh)
            corners, share = self.stage.triangles[triangles[chosen]], hits.barycentric[chosen]
            uvs = blend_corners(self.stage.uvs, corners, share)
            colour = _sample(surface.colour, uvs, level, (1, 1, 1, 1)) * np.float32(surface.material.colour_factor)
            if surface.material.alpha_mode == "OPAQUE":
                colour[:, 3] = 1
            elif surface.material.alpha_mode == "MASK":
                there = np.flatnonzero(colour[:, 3] >= surface.material.alpha_cutoff)
                chosen, corners, share, uvs, colour = (rows[there] for rows in (chosen, corners, share, uvs, colour))
                colour[:, 3] = 1
            values = blend_corners(self.values, corners, share)
            normals = unit(values[:, _NORMAL])
            normals[self.away[hits.triangle[chosen]]] *= -1
            if self.exact:
                colour[:, :3] *= self.light.shade(normals)
            else:
                if surface.normal and values.shape[1] > _TANGENT.start:
                    normals = _relieve(normals, values[:, _TANGENT], _sample(surface.normal, uvs, level, (0, 0, 1)))
                properties = _sample(surface.properties, uvs, level, (1, 1, 1))
                openness = values[:, _OPENNESS] * properties[:, 0]
                roughness = np.clip(properties[:, 1] * np.float32(surface.material.roughness), 0.08, 1)
                specular = np.float32(surface.material.specular)
                colour[:, :3] = self._light(colour[:, :3], normals, toward[chosen], openness, roughness, specular)
            result[chosen] = colour
        return result

    def _light(
        self,
        albedo: Float32[np.ndarray, "N 3"],
        normals: Float32[np.ndarray, "N 3"],
        view: Float32[np.ndarray, "N 3"],
        openness: Float32[np.ndarray, "N"],
        roughness: Float32[np.ndarray, "N"],
        specular: np.float32,
    ) -> Float32[np.ndarray, "N 3"]:
        """Diffuse light under occlusion, one glossy lamp (normalised Blinn-Phong, Schlick's Fresnel) and a sheen."""
        toward, lamp = main_direction(self.light)
        power = 2 / roughness**4 - 2
        lit = np.maximum(_dot(normals, unit(toward - view)), 1e-6) ** power * (power + 8) / 8
        lit *= np.maximum(normals @ toward, 0)
        grazing = 1 - np.clip(-_dot(normals, view), 0, 1)
        # A rough surface mirrors less at grazing angles, and what looks down sees the body and not the surroundings.
        fresnel = _DIELECTRIC + (np.maximum(1 - roughness, _DIELECTRIC) - _DIELECTRIC) * grazing**5
        sheen = _ENVIRONMENT_SHEEN * fresnel * np.clip((1 + normals[:, 1]) / 2, 0, 1) ** 2
        gloss = (_DIELECTRIC * lit)[:, None] * lamp + sheen[:, None] * np.maximum(self.light.coefficients[0], 0)
        return (albedo * self.light.shade(normals) + specular * gloss) * openness[:, None]


def make_tracer(
    stage: Stage,
    posed: Posed,
    shown: Bool[np.ndarray, "F"],
    eye: Float32[np.ndarray, "3"],
    light: Light,
    levels: Int32[np.ndarray, "M"],
    *,
    exact: bool,
    relief: bool,
) -> Tracer:
    """A tracer of the triangles `shown`, less those whose back, which is nowhere, is all that `eye` sees."""
    triangles = np.flatnonzero(shown)
    first, second, third = (posed.vertices[stage.triangles[triangles, corner]] for corner in range(3))
    away = _dot(np.cross(second - first, third - first), first - eye) > 0
    double_sided = np.array([surface.material.double_sided for surface in stage.surfaces])
    kept = ~away | double_sided[stage.triangle_mesh[triangles]]
    triangles, away = triangles[kept].astype(np.int32), away[kept]
    columns = [posed.normals, posed.openness[:, None]]
    if relief:
        columns.append(tangents_of(posed.vertices, posed.normals, stage.uvs, stage.triangles))
    return Tracer(
        stage,
        Scene(posed.vertices, stage.triangles[triangles]),
        triangles,
        away,
        np.concatenate(columns, axis=1),
        light,
        levels,
        exact,
    )


def _relieve(
    normals: Float32[np.ndarray, "N 3"], tangents: Float32[np.ndarray, "N 4"], relief: Float32[np.ndarray, "N 3"]
) -> Float32[np.ndarray, "N 3"]:
    """Normals under a normal map: `relief` is along tangent, bitangent and normal."""
    along = tangents[:, :3]
    side = np.cross(normals, along) * np.sign(tangents[:, 3:])
    return unit(relief[:, :1] * along + relief[:, 1:2] * side + relief[:, 2:] * normals)


def _dot(first: Float32[np.ndarray, "N 3"], second: Float32[np.ndarray, "N 3"]) -> Float32[np.ndarray, "N"]:
    return np.einsum("nc,nc->n", first, second)


def _sample(
    pyramid: tuple[Float32[np.ndarray, "_ _ C"], ...],
    uvs: Float32[np.ndarray, "N 2"],
    level: int,
    absent: tuple[float, ...],
) -> Float32[np.ndarray, "N C"]:
    """Bilinear, repeating texture look-up; `absent` where there is no texture."""
    if not pyramid or not len(uvs):  # nothing is left to look up where everything was cut out
        return np.broadcast_to(np.array(absent, np.float32), (len(uvs), len(absent)))
    image = pyramid[min(level, len(pyramid) - 1)]
    size = np.array(image.shape[1::-1], np.float32)
    rows = -(-len(uvs) // _REMAP_WIDTH)
    places = np.zeros((2, rows * _REMAP_WIDTH), np.float32)
    places[:, : len(uvs)] = ((uvs - np.floor(uvs)) * size - np.float32(0.5)).T
    x, y = places.reshape(2, rows, _REMAP_WIDTH)
    looked = cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return looked.reshape(rows * _REMAP_WIDTH, -1)[: len(uvs)].astype(np.float32, copy=False)
