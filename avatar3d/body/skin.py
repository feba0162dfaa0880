"""The body's skin as a picture: the neck's colour carried down, with palms, knuckles and nails.

face's albedo at the ring --fading into the bust's median--> colour per vertex --blotches, hands--> picture
"""

from typing import Final

import cv2
import numpy as np
from jaxtyping import Float32
from scipy.spatial import KDTree

from avatar3d.body.attach import Dressed
from avatar3d.body.canvas import Canvas, encoded, noise, unroll
from avatar3d.body.joints import BODY_JOINTS, FINGER_BONES, FINGERS
from avatar3d.core.avatar import Material, Mesh, Skin, Texture
from avatar3d.render.stage import LINEAR_FROM_SRGB

_SIZE: Final = 1024
_FADES_M: Final = 0.15
"""From the ring down, over so much skin the colour just above it fades into the bust's median."""
_SOFT: Final = 0.012
"""Blur of the albedo where its colour is taken, of its edge."""
_BLOTCH: Final = ((0.035, 0.035), (0.012, 0.025), (0.0035, 0.02))
"""Grain (metres) and strength of the skin's unevenness."""
_ROUGHNESS: Final = 0.6
# Factors of linear colour: palms, of which a share tends to this colour on dark skin, knuckles, nails.
_PALM: Final = np.array([1.06, 0.92, 0.90], np.float32)
_PALEST_PALM: Final = np.array([0.42, 0.24, 0.18], np.float32)
_PALM_SHARE: Final = 0.65
_KNUCKLE: Final = np.array([0.96, 0.80, 0.78], np.float32)
_KNUCKLE_M: Final = 0.0075
_NAIL: Final = np.array([1.10, 0.96, 0.95], np.float32)
_NAIL_M: Final = (0.012, 0.0046)
"""Length and half width."""


def skin_material(dressed: Dressed, face: Mesh, skin: Skin) -> Material:
    """The material of the part `body`."""
    return Material(name="body", base_colour=Texture("body", _albedo(dressed, face, skin)), roughness=_ROUGHNESS)


def _albedo(dressed: Dressed, face: Mesh, skin: Skin) -> np.ndarray:
    part = dressed.skin
    canvas = unroll(part, _SIZE)
    colour = canvas.of(_from_neck(dressed, face, skin))
    places = canvas.of(part.positions - np.array([0, dressed.lift_m, 0], np.float32))
    up = canvas.of(part.normals)[:, 1]
    uneven = sum(strength * noise(places / np.float32(grain), 7) for grain, strength in _BLOTCH)
    colour = colour * np.exp(np.outer(uneven, [0.7, 1.0, 1.1])).astype(np.float32)
    hand = _hand_share(dressed, canvas)
    palm = hand * np.clip((-up - 0.25) / 0.5, 0, 1)
    palm_colour = colour * _PALM
    palm_colour += _PALM_SHARE * np.maximum(_PALEST_PALM - palm_colour, 0)
    colour += palm[:, None] * (palm_colour - colour)
    back = hand * np.clip((up - 0.1) / 0.5, 0, 1)
    colour *= 1 - (back * _knuckles(dressed, places))[:, None] * (1 - _KNUCKLE)
    colour *= 1 - (hand * np.clip((up - 0.2) / 0.2, 0, 1) * _nails(dressed, places))[:, None] * (1 - _NAIL)
    return encoded(canvas.picture(colour.astype(np.float32)))


def _from_neck(dressed: Dressed, face: Mesh, skin: Skin) -> Float32[np.ndarray, "N 3"]:
    """Linear colour per vertex of the body's skin."""
    size = skin.albedo.pixels.shape[0]
    soft = cv2.GaussianBlur(LINEAR_FROM_SRGB[skin.albedo.pixels[..., :3]], (0, 0), _SOFT * size)
    at = np.clip((face.uvs * size).astype(int), 0, size - 1)
    bare = soft[at[:, 1], at[:, 0]]
    bust = dressed.face.positions[:, 1] < float(dressed.skeleton.positions[dressed.skeleton.names.index("neck"), 1])
    tone = np.median(bare[bust], axis=0)
    ring = np.flatnonzero(bust & ~dressed.face.morphs.any(axis=(0, 2)))
    distance, nearest = KDTree(dressed.face.positions[ring]).query(dressed.skin.positions)
    near = np.clip(1 - distance / _FADES_M, 0, 1)[:, None] ** 2
    return (tone + near * (bare[ring[nearest]] - tone)).astype(np.float32)


def _hand_share(dressed: Dressed, canvas: Canvas) -> Float32[np.ndarray, "N"]:
    names = dressed.skeleton.names
    of_hand = [k for k, name in enumerate(names) if "Hand" in name or any(finger in name for finger in FINGERS)]
    part = dressed.skin
    share = (np.isin(part.joints, of_hand) * part.weights).sum(1).astype(np.float32)
    return canvas.of(share)


def _knuckles(dressed: Dressed, places: Float32[np.ndarray, "N 3"]) -> Float32[np.ndarray, "N"]:
    """1 over the fingers' joints."""
    total = np.zeros(len(places), np.float32)
    for row, name in enumerate(BODY_JOINTS):
        if any(name.endswith(bones[k]) for bones in FINGER_BONES.values() for k in range(3)):
            away = (places - dressed.joined.joints[row]) * np.array([1, 0.35, 0.7], np.float32)
            total = np.maximum(total, np.exp(-(away**2).sum(1) / _KNUCKLE_M**2))
    return total


def _nails(dressed: Dressed, places: Float32[np.ndarray, "N 3"]) -> Float32[np.ndarray, "N"]:
    """1 on nails: on the back of the last bone, at its end."""
    total = np.zeros(len(places), np.float32)
    for side in ("left", "right"):
        for finger in FINGERS:
            last = dressed.joined.joints[BODY_JOINTS.index(f"{side}{FINGER_BONES[finger][2]}")]
            before = dressed.joined.joints[BODY_JOINTS.index(f"{side}{FINGER_BONES[finger][1]}")]
            way = (last - before) / np.linalg.norm(last - before)
            away = places - last
            along = away @ way
            beside = np.abs(away @ np.cross(way, [0, 1, 0]))
            far = np.where((along > 0) & (beside < 0.01), along, 0).max(initial=0)
            middle = far - 0.5 * _NAIL_M[0] - 0.0015
            ellipse = ((along - middle) / (0.5 * _NAIL_M[0])) ** 4 + (beside / _NAIL_M[1]) ** 4
            near = (np.abs(away) < 0.04).all(1)
            total = np.maximum(total, np.where(near, np.clip(1.6 - ellipse, 0, 1), 0))
    return total.astype(np.float32)
