"""Does anything poke through? Signed distances between the head's parts, over people and shapes.

    model + identity + weights --> posed vertices --> for each rule: signed distance of points to a surface --> worst

Run `python -m tools.head.parts.poking [--people 20]`; needs open3d (closest points), a development tool only.
A distance is positive on the side where the points belong; the report tells how deep they go wrong.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from scipy.spatial import cKDTree

from avatar3d.core.blendshapes import ARKIT_INDEX, ARKIT_NAMES
from tools.head.parts.distances import VIEWS, crossings, make_scene, open_to_view, signed_distance

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
    """Which points: a part, or "lidsLeft", "lidsRight" (the outward-looking skin around an eye)."""
    surface: tuple[str, ...]
    """Which surface: parts; "crowns" (the closed teeth without gum); "outer skin" (what a closed mouth shows of the
    face, without the last 3 mm before the lips meet)."""
    allowed: float
    crossing: bool = False
    """No edge of the part may cross the surface at all; the depth is how far it comes out."""


RULES: Final = (
    Rule("upper teeth through the skin", "teethUpper", ("outer skin",), 0.0, crossing=True),
    Rule("lower teeth through the skin", "teethLower", ("outer skin",), 0.0, crossing=True),
    Rule("tongue through the skin", "tongue", ("outer skin",), 0.0, crossing=True),
    Rule("mouth lining through the skin", "mouth", ("outer skin",), 0.0, crossing=True),
    Rule("tongue in lips and cheeks", "tongue", ("face", "mouth"), 5e-4),
    Rule("tongue in teeth", "tongue", ("crowns",), 5e-4),
    Rule("left eye through lids", "lidsLeft", ("eyeLeft",), 3e-4),
    Rule("right eye through lids", "lidsRight", ("eyeRight",), 3e-4),
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


class Head:
    """A head model with what the rules need looked up once."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.face = part_triangles(model, ("face",))
        self.outer = _outer_skin(model.rest, self.face)
        self.crowns = np.concatenate([_crowns(part_triangles(model, (name,))) for name in ("teethUpper", "teethLower")])
        self.eyes = {side: np.unique(part_triangles(model, (f"eye{side}",))) for side in ("Left", "Right")}

    def surface(self, names: tuple[str, ...]) -> np.ndarray:
        """[F 3] triangles."""
        own = {("crowns",): self.crowns, ("outer skin",): self.outer}
        return own[names] if names in own else part_triangles(self.model, names)

    def points(self, name: str, posed: np.ndarray) -> np.ndarray:
        """[n 3] posed points of a rule: vertices and triangle centres."""
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


_LIP_ZONE_M: Final = 3e-3
_MOUTH_M: Final = ((-35e-3, -60e-3, 80e-3), (35e-3, -10e-3, 130e-3))
"""A box around the lips at rest."""


def _outer_skin(rest: np.ndarray, face: np.ndarray) -> np.ndarray:
    """Triangles of the face that the closed mouth leaves open to view, less the last 3 mm of the lips."""
    corners = rest[face]
    middle = corners.mean(1)
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
    seen = open_to_view(middle + normal * 2e-5, rest, face)
    inner = np.unique(face[~seen])
    mouth = inner[((rest[inner] > _MOUTH_M[0]) & (rest[inner] < _MOUTH_M[1])).all(1)]
    if len(mouth):
        seen &= cKDTree(rest[mouth]).query(middle)[0] > _LIP_ZONE_M
    return face[seen]


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
    if rule.crossing:
        depth, points = crossings(posed, part_triangles(head.model, (rule.points,)), head.surface(rule.surface))
        # A rolled lip takes outer skin into the closed mouth: what the face itself hides does not poke through.
        depth = np.where(open_to_view(points, posed, head.face), depth, 0.0)
    else:
        points = head.points(rule.points, posed)
        distance = signed_distance(points, posed, head.surface(rule.surface))
        depth = np.where(np.abs(distance) > _REACH_M, 0.0, -distance)
    if not len(depth):
        return Finding(rule, pose, person, 0.0, 0, (0.0, 0.0, 0.0))
    worst = int(depth.argmax())
    place = tuple(float(x) for x in points[worst])
    return Finding(rule, pose, person, max(0.0, float(depth[worst])), int((depth > rule.allowed).sum()), place)


_REACH_M: Final = 12e-3


def seen_from_behind(head: Head, posed: np.ndarray) -> int:
    """How many of 5 x 80 x 80 rays at the mouth first meet the wrong side of skin or lining: gaps one can look into."""
    triangles = part_triangles(
        head.model, ("face", "mouth", "teethUpper", "teethLower", "tongue", "eyeLeft", "eyeRight")
    )
    sheets = np.isin(triangles, np.unique(part_triangles(head.model, ("face", "mouth")))).all(1)
    scene, _, _ = make_scene(posed, triangles)
    target = posed[np.unique(part_triangles(head.model, ("mouth",)))]
    target = np.array([0, target[:, 1].mean(), target[:, 2].max()])
    count = 0
    for direction in VIEWS[:5]:
        toward = np.array(direction) / np.linalg.norm(direction)
        across = np.cross([0, 1, 0], toward)
        across /= np.linalg.norm(across)
        step = np.linspace(-35e-3, 35e-3, 80)
        grid = (step[:, None, None] * across + step[None, :, None] * np.cross(toward, across)).reshape(-1, 3)
        rays = np.concatenate([target + 0.3 * toward + grid, np.tile(-toward, (len(grid), 1))], 1).astype(np.float32)
        hits = scene.cast_rays(rays)
        met = np.isfinite(hits["t_hit"].numpy())
        behind = (hits["primitive_normals"].numpy() @ -toward) > 0.05
        face = np.where(met, hits["primitive_ids"].numpy().astype(np.int64), 0)
        count += int((met & behind & sheets[face]).sum())
    return count


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
