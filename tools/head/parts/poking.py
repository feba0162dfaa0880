"""Does anything poke through? Signed distances between the head's parts, over people and shapes.

    model + identity + weights --> posed vertices --> for each rule: signed distance of points to a surface --> worst

Run `python -m tools.head.parts.poking [--people 20]`; needs open3d (closest points), a development tool only.
A distance is positive on the side where the points belong; the report tells how deep they go wrong.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from avatar3d.core.blendshapes import ARKIT_INDEX, ARKIT_NAMES

_SEED: Final = 52
COMBINATIONS: Final[dict[str, dict[str, float]]] = {
    "jawOpen + mouthClose": {"jawOpen": 1, "mouthClose": 1},
    "half jawOpen + mouthClose": {"jawOpen": 0.5, "mouthClose": 0.5},
    "smile": {"mouthSmileLeft": 1, "mouthSmileRight": 1},
    "smile + jawOpen": {"mouthSmileLeft": 1, "mouthSmileRight": 1, "jawOpen": 0.5},
    "tongueOut + jawOpen": {"tongueOut": 1, "jawOpen": 0.4},
    "half tongueOut": {"tongueOut": 0.5},
    "pucker + jawOpen": {"mouthPucker": 1, "jawOpen": 0.3},
    "funnel + jawOpen": {"mouthFunnel": 1, "jawOpen": 0.4},
    "blink": {"eyeBlinkLeft": 1, "eyeBlinkRight": 1},
    "half blink": {"eyeBlinkLeft": 0.5, "eyeBlinkRight": 0.5},
    "blink, looking down": {"eyeBlinkLeft": 1, "eyeBlinkRight": 1, "eyeLookDownLeft": 1, "eyeLookDownRight": 1},
    "looking up and out": {"eyeLookUpLeft": 1, "eyeLookOutLeft": 1, "eyeLookUpRight": 1, "eyeLookInRight": 1},
    "looking down and in": {"eyeLookDownLeft": 1, "eyeLookInLeft": 1, "eyeLookDownRight": 1, "eyeLookInRight": 1},
}


@dataclass(frozen=True)
class Rule:
    """Some points of the head must not go behind some surface by more than `allowed` metres."""

    name: str
    points: str
    """Which points: a part, "crowns", "lids" (outward-looking skin around an eye) or "lining" (bag behind its first rings)."""
    surface: tuple[str, ...]
    """Which surface: parts, or "crowns" (the closed teeth without gum)."""
    allowed: float
    inside: bool = False
    """The points belong behind the surface instead of before it."""


RULES: Final = (
    Rule("upper teeth in lips and cheeks", "teethUpper", ("face", "mouth"), 5e-4),
    Rule("lower teeth in lips and cheeks", "teethLower", ("face", "mouth"), 5e-4),
    Rule("tongue in lips and cheeks", "tongue", ("face", "mouth"), 5e-4),
    Rule("tongue in teeth", "tongue", ("crowns",), 5e-4),
    Rule("left eye through lids", "lidsLeft", ("eyeLeft",), 2e-4),
    Rule("right eye through lids", "lidsRight", ("eyeRight",), 2e-4),
    Rule("mouth lining through skin", "lining", ("face",), 5e-4, inside=True),
)


@dataclass(frozen=True)
class Finding:
    """The worst point of one rule in one pose."""

    rule: Rule
    pose: str
    person: int
    depth: float
    """How far the deepest point is on the wrong side, metres (0 when none)."""
    count: int
    """Points deeper than allowed."""
    place: tuple[float, float, float]


def poses(*, combinations: bool = True) -> Iterator[tuple[str, np.ndarray]]:
    """Neutral, each of the 52 shapes at 1, and the combinations that matter."""
    yield "neutral", np.zeros(len(ARKIT_NAMES), np.float32)
    for index, name in enumerate(ARKIT_NAMES):
        yield name, np.eye(len(ARKIT_NAMES), dtype=np.float32)[index]
    if combinations:
        for name, shapes in COMBINATIONS.items():
            weights = np.zeros(len(ARKIT_NAMES), np.float32)
            for shape, weight in shapes.items():
                weights[ARKIT_INDEX[shape]] = weight
            yield name, weights


def people(count: int, modes: int) -> np.ndarray:
    """[count + 1, modes] identities: the mean and `count` draws from N(0, 1) cut at two sigma."""
    draws = np.random.default_rng(_SEED).normal(size=(count, modes)).clip(-2, 2)
    return np.concatenate([np.zeros((1, modes)), draws]).astype(np.float32)


def part_triangles(model: Any, names: tuple[str, ...]) -> np.ndarray:
    """[F 3] triangles of some parts of a HeadModel."""
    indices = [model.part_names.index(name) for name in names]
    return model.triangles[np.isin(model.triangle_parts, indices)]


def signed_distance(points: np.ndarray, vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """[n] distance to the surface, negative behind it (sign by the interpolated normal at the closest point)."""
    import open3d as o3d

    scene = o3d.t.geometry.RaycastingScene(nthreads=1)
    used, local = np.unique(triangles, return_inverse=True)
    local = local.reshape(-1, 3).astype(np.uint32)
    corners = np.ascontiguousarray(vertices[used], np.float32)
    scene.add_triangles(o3d.core.Tensor(corners), o3d.core.Tensor(local))
    answer = scene.compute_closest_points(o3d.core.Tensor(np.ascontiguousarray(points, np.float32)))
    face = answer["primitive_ids"].numpy().astype(int)
    offset = points - answer["points"].numpy()
    u, v = answer["primitive_uvs"].numpy().T
    normals = _corner_normals(corners.astype(np.float64), local.astype(int))
    corner = normals[local[face].astype(int)]
    normal = corner[:, 0] * (1 - u - v)[:, None] + corner[:, 1] * u[:, None] + corner[:, 2] * v[:, None]
    return np.linalg.norm(offset, axis=1) * np.where((offset * normal).sum(1) < 0, -1, 1)


def _corner_normals(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Angle-weighted vertex normals (the pseudo-normals that make the sign right; Baerentzen and Aanaes 2005)."""
    normals = np.zeros_like(vertices)
    face = np.cross(
        vertices[triangles[:, 1]] - vertices[triangles[:, 0]], vertices[triangles[:, 2]] - vertices[triangles[:, 0]]
    )
    face /= np.maximum(np.linalg.norm(face, axis=1, keepdims=True), 1e-15)
    for corner in range(3):
        here, after, before = (triangles[:, (corner + i) % 3] for i in range(3))
        a, b = vertices[after] - vertices[here], vertices[before] - vertices[here]
        cosine = (a * b).sum(1) / np.maximum(np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1), 1e-15)
        np.add.at(normals, here, face * np.arccos(np.clip(cosine, -1, 1))[:, None])
    return normals


class Head:
    """A head model with what the rules need looked up once."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.face = part_triangles(model, ("face",))
        self.crowns = np.concatenate([_crowns(part_triangles(model, (name,))) for name in ("teethUpper", "teethLower")])
        self.eyes = {side: np.unique(part_triangles(model, (f"eye{side}",))) for side in ("Left", "Right")}
        bag = np.unique(part_triangles(model, ("mouth",)))
        rim = signed_distance(model.rest[bag], model.rest, self.face)
        self.lining = bag[np.abs(rim) > _LIP_ZONE]

    def surface(self, names: tuple[str, ...]) -> np.ndarray:
        """[F 3] triangles."""
        return self.crowns if names == ("crowns",) else part_triangles(self.model, names)

    def points(self, name: str, posed: np.ndarray) -> np.ndarray:
        """[n 3] posed points of a rule: vertices and triangle centres."""
        if name == "lining":
            return posed[self.lining]
        if not name.startswith("lids"):
            triangles = part_triangles(self.model, (name,))
            return np.concatenate([posed[np.unique(triangles)], posed[triangles].mean(1)])
        eye = posed[self.eyes[name.removeprefix("lids")]]
        centre = (eye.max(0) + eye.min(0)) / 2
        corners = posed[self.face]
        middle = corners.mean(1)
        normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        away = middle - centre
        facing = (normal * away).sum(1) > 0.3 * np.linalg.norm(normal, axis=1) * np.linalg.norm(away, axis=1)
        near = (np.linalg.norm(away, axis=1) < 19e-3) & facing
        return np.concatenate([middle[near], posed[np.unique(self.face[near])]])


_LIP_ZONE: Final = 1.5e-3
"""Lining nearer than this to the skin is the overlap at the lips."""


def _crowns(triangles: np.ndarray) -> np.ndarray:
    """The closed crowns of a dentition: all connected pieces but the largest, which is the gum."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]]])
    count = int(triangles.max()) + 1
    _, label = connected_components(coo_matrix((np.ones(len(edges)), edges.T), (count, count)), directed=False)
    piece = label[triangles[:, 0]]
    names, sizes = np.unique(piece, return_counts=True)
    return triangles[piece != names[sizes.argmax()]]


def inspect(head: Head, posed: np.ndarray, rule: Rule, *, pose: str, person: int) -> Finding:
    """One rule on one posed head; points far from the surface (12 mm) are not its business."""
    points = head.points(rule.points, posed)
    distance = signed_distance(points, posed, head.surface(rule.surface))
    if rule.inside:
        distance = -distance
    reach = 12e-3
    distance = np.where(np.abs(distance) > reach, np.inf, distance)
    worst = int(distance.argmin())
    return Finding(
        rule, pose, person, max(0.0, -float(distance[worst])), int((distance < -rule.allowed).sum()),
        tuple(float(x) for x in points[worst]),
    )  # fmt: skip


def survey(model: Any, *, count: int = 20, rules: tuple[Rule, ...] = RULES) -> list[Finding]:
    """All rules over the mean and `count` people in all poses."""
    findings: list[Finding] = []
    head = Head(model)
    for person, identity in enumerate(people(count, len(model.identity))):
        neutral = model.rest + np.tensordot(identity, model.identity, 1)
        for pose, weights in poses():
            posed = neutral + np.tensordot(weights, model.expression, 1)
            findings += [inspect(head, posed, rule, pose=pose, person=person) for rule in rules]
    return findings


def report(findings: list[Finding]) -> str:
    """A table: per rule the worst depth, the share of poses beyond the allowance, the worst poses."""
    lines = []
    for rule in dict.fromkeys(finding.rule for finding in findings):
        mine = [finding for finding in findings if finding.rule == rule]
        bad = [finding for finding in mine if finding.depth > rule.allowed]
        worst = sorted(mine, key=lambda finding: -finding.depth)[:1]
        lines.append(
            f"{rule.name}: {len(bad)} of {len(mine)} beyond {rule.allowed * 1e3:.1f} mm;"
            f" worst {worst[0].depth * 1e3:.2f} mm ({worst[0].pose}, person {worst[0].person})"
        )
        by_pose = {pose: [f for f in mine if f.pose == pose] for pose in dict.fromkeys(f.pose for f in mine)}
        ranked = sorted(by_pose.items(), key=lambda item: -max(f.depth for f in item[1]))[:6]
        for pose, group in ranked:
            deepest = max(group, key=lambda f: f.depth)
            share = sum(f.depth > rule.allowed for f in group)
            place = " ".join(f"{1e3 * x:.0f}" for x in deepest.place)
            lines.append(
                f"    {pose}: {deepest.depth * 1e3:.2f} mm, {share}/{len(group)} people, {deepest.count} points, at {place} mm"
            )
    return "\n".join(lines)


def main() -> None:
    """Print the table for the shipped head."""
    import argparse

    from avatar3d.head.load import load_head_model

    parser = argparse.ArgumentParser()
    parser.add_argument("--people", type=int, default=20)
    print(report(survey(load_head_model(), count=parser.parse_args().people)))


if __name__ == "__main__":
    main()
