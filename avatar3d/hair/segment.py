"""Which pixels are hair: what the segmentation net says, its edges sharpened by colours learned in this very picture.

    crop at a fixed size --> zones by rays (scalp, face, neck, outside)
    segments of the net  --> colours of hair, skin, clothes, background where it is sure --> posterior per pixel
                         --> edge-aware smoothing --> what hangs together with the scalp

Without segments (paintings and toys, which the net has never seen) places come from the fitted head alone.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64, Int32, UInt8

from avatar3d.core.head import HeadFit, HeadModel
from avatar3d.core.photo import FaceObservation
from avatar3d.core.segments import Segments
from avatar3d.hair.scalp import Skull, find_skull, usual_hairline
from avatar3d.hair.stubble import find_stubble
from avatar3d.render.raycast import Scene

# The crop around the eyes in inter-ocular distances: to either side, up, down; and its scale.
_ASIDE: Final = 2.6
_UP: Final = 2.6
_DOWN: Final = 4.2
PX_PER_IOD: Final = 44
# MediaPipe's face oval and the parts of the face that are not skin.
_OVAL: Final = (10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176,
                149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109)  # fmt: skip
_EYES_AND_BROWS: Final = (
    (226, 113, 225, 224, 223, 222, 221, 189, 244, 112, 26, 22, 23, 24, 110, 25),
    (446, 342, 445, 444, 443, 442, 441, 413, 464, 341, 256, 252, 253, 254, 339, 255),
    (70, 63, 105, 66, 107, 55, 65, 52, 53, 46),
    (300, 293, 334, 296, 336, 285, 295, 282, 283, 276),
)
# cv2.remap takes pictures of at most 32,767 rows and columns.
_REMAP_WIDTH: Final = 1024
# Seeds unlike skin must be at least this share of all, or the head counts as bald.
_LEAST_HAIR: Final = 0.22
# How far into the face hair falls from its rim (inter-ocular distances).
_RIM: Final = 0.14
# Fewer hair pixels than this, in squared inter-ocular distances, is a shaved head or stubble (96 portraits: six of those at
# most 0.31, everybody else at least 0.44).
_LEAST_AREA: Final = 0.35
# Hair lies on cheek and neck only where it also stands beside them, at least so wide (inter-ocular distances).
_BESIDE: Final = 0.10
# Width of the shadow that hair throws on the face (same unit).
_SHADE: Final = 0.05
# Height of the temples over the eyes (same unit), and the shares of seeds unlike skin below and above it that make a
# wreath of hair around a bald head (94 portraits: shaved heads have at most 0.53 below).
_TEMPLES: Final = 1.0
_WREATH: Final = (0.6, 0.2)
# What colours may tell from hair; beards, brows and things before the face are taken as the net sees them.
_COLOURED: Final = ((("skin", "neck", "ears"), 4), (("clothes",), 4), (("background",), 5))
_HEAD: Final = ("skin", "hair", "headwear", "brows", "ears", "glasses", "eyes")
# Headwear is a hat when there is so much of it beside the hair.
_A_HAT: Final = 0.6
# Half the width of what is a lapel rather than hair below the chin, inter-ocular distances.
_RIBBON: Final = 0.09
# Fewer pixels tell no colours.
_FEW_SURE: Final = 40
# Where the net is so sure, colours are learned; how much a colour counts beside it; what it never excludes.
_SURE: Final = 0.9
_COLOUR_TRUST: Final = 0.35
_LEAST_SHARE: Final = 0.004
# Width of the rim (pixels of the crop); how far from hair's colours, in their standard deviations, a colour is doubted
# and is not hair's.
_MIXED_PX: Final = 3
_UNLIKE: Final = (2.5, 4.0)
OUTSIDE, SCALP, FACE, EAR, NECK = range(5)


@dataclass(frozen=True, eq=False)
class HairPicture:
    """The crop in which hair was looked for."""

    pixels: UInt8[np.ndarray, "H W 3"]
    hair: Float32[np.ndarray, "H W"]
    """Probability of hair."""
    pure: Float32[np.ndarray, "H W"]
    """The same inside its rim, where no skin, background or dress is mixed into its colour."""
    zone: Int32[np.ndarray, "H W"]
    """OUTSIDE, SCALP, FACE, EAR or NECK of the fitted head."""
    skin_lab: Float64[np.ndarray, "3"]
    """Median skin colour, CIE Lab (OpenCV float scale)."""
    crop_from_photo: Float64[np.ndarray, "2 3"]
    skull: Skull
    stubble: float = 0.0
    """When `hair` is only stubble, how much of it there is, 0 to 1."""

    @property
    def is_bald(self) -> bool:
        """Whether there is so little hair that it is none."""
        return self.stubble == 0 and float(self.hair.sum()) < _LEAST_AREA * PX_PER_IOD**2

    @property
    def ears_covered(self) -> float:
        """Share of hair on what the photo shows of both ears."""
        ears = self.zone == EAR
        return float((self.hair[ears] > 0.5).mean()) if ears.sum() > 30 else 0.0

    def sample(self, photo_px: Float32[np.ndarray, "N 2"], image: np.ndarray) -> np.ndarray:
        """Values of an image the size of the crop at photo pixels (edge values beyond it)."""
        at = photo_px.astype(np.float64) @ self.crop_from_photo[:, :2].T + self.crop_from_photo[:, 2] - 0.5
        count = len(at)
        rows = -(-count // _REMAP_WIDTH)
        padded = np.zeros((rows * _REMAP_WIDTH, 2), np.float32)
        padded[:count] = at
        x, y = padded.reshape(rows, _REMAP_WIDTH, 2).transpose(2, 0, 1)
        found = cv2.remap(
            image, np.ascontiguousarray(x), np.ascontiguousarray(y), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        return found.reshape(-1)[:count]


def hidden_by_hair(picture: HairPicture, face: FaceObservation) -> Float32[np.ndarray, "H W"]:
    """Probability over the photo (of `plane_size`) that hair or the shadow right beside it lies there.

    0 outside the crop, or when bald.
    """
    if picture.is_bald:
        return np.zeros(face.plane_size[::-1], np.float32)
    photo_from_crop = face.plane_scale * cv2.invertAffineTransform(picture.crop_from_photo)
    # As in segment_hair: warpAffine counts pixel centres at whole numbers.
    photo_from_crop[:, 2] += 0.5 * photo_from_crop[0, 0] - 0.5
    return np.asarray(
        cv2.warpAffine(picture.hair, photo_from_crop, face.plane_size, flags=cv2.INTER_LINEAR), np.float32
    )


def segment_hair(
    model: HeadModel, fitted: HeadFit, face: FaceObservation, segments: Segments | None = None
) -> HairPicture:
    """Probability of hair around one face; `segments` is what the net saw there."""
    crop_from_photo, size = _crop(face)
    # Three pixels of slack at the border keep warpAffine's replicated rim out of the colour models.
    how = cv2.INTER_AREA if crop_from_photo[0, 0] < 1 else cv2.INTER_LINEAR
    warp = crop_from_photo.copy()
    warp[:, 2] += 0.5 * warp[0, 0] - 0.5
    pixels = cv2.warpAffine(face.photo.pixels, warp, size, flags=how, borderMode=cv2.BORDER_REPLICATE)
    person = cv2.warpAffine(face.person.astype(np.float32), warp, size, flags=how, borderMode=cv2.BORDER_REPLICATE)
    inside = cv2.warpAffine(np.ones(face.person.shape, np.uint8), warp, size, flags=cv2.INTER_NEAREST) > 0
    skull = find_skull(model, fitted.neutral)
    zone, height = _zones(model, fitted, skull, crop_from_photo, size)
    landmarks = face.landmarks_px @ crop_from_photo[:, :2].T + crop_from_photo[:, 2]
    lab = cv2.cvtColor(cv2.GaussianBlur(pixels, (0, 0), 0.8).astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    oval = _polygon(landmarks[list(_OVAL)], zone.shape)
    skin_seed = _skin_seeds(lab, landmarks, oval)
    skin = _Mixture.fit(lab[skin_seed], 4)
    if segments is None:
        probability = _posterior(lab, person, inside, zone, height, oval, skin, landmarks)
    else:
        probability = _without_ribbons(_sharpened(lab, segments, crop_from_photo), landmarks)
    smooth = np.clip(cv2.ximgproc.guidedFilter(pixels, probability.astype(np.float32), 5, 60.0), 0, 1)
    # A crown that the picture cuts off ends there: the crop repeats its last row, and hair would stand up like a chimney.
    smooth[: max(0, int(np.ceil(crop_from_photo[1, 2])))] = 0
    hair = _connected(_without_shadows(smooth, zone, landmarks) if segments is None else smooth, zone)
    stubble = 0.0
    if segments is not None and hair.sum() < _LEAST_AREA * PX_PER_IOD**2:
        head = _carried(segments, segments.of(*_HEAD), crop_from_photo, (size[1], size[0]))
        stubble, where = find_stubble(lab, head, hair, _UP * PX_PER_IOD, PX_PER_IOD)
        hair = where * (zone != EAR) if stubble > 0 else hair
    return HairPicture(
        pixels=pixels,
        hair=hair,
        pure=_pure(hair, lab, landmarks),
        zone=zone,
        skin_lab=np.median(lab[skin_seed], axis=0).astype(np.float64),
        crop_from_photo=crop_from_photo,
        skull=skull,
        stubble=stubble,
    )


def _sharpened(
    lab: Float32[np.ndarray, "H W 3"], segments: Segments, crop_from_photo: Float64[np.ndarray, "2 3"]
) -> Float64[np.ndarray, "H W"]:
    """Bayes' rule with the net's answer for the prior and this picture's colours for the likelihood, half believed."""
    shape = (lab.shape[0], lab.shape[1])
    total, own, told = np.full(shape, 1e-12), np.zeros(shape), np.zeros(shape)
    flat = lab.reshape(-1, 3)
    for kinds, count in ((_hair_kinds(segments), 4), *_COLOURED):
        share = _carried(segments, segments.of(*kinds), crop_from_photo, shape)
        sure = cv2.erode((share > _SURE).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        if "hair" in kinds and sure.sum() < _FEW_SURE:
            return share.astype(np.float64)
        density = _Mixture.fit(lab[sure], count).widened(1.2).density(flat).reshape(shape)
        part = np.maximum(share, _LEAST_SHARE) * density.astype(np.float64) ** _COLOUR_TRUST
        total += part
        told += share
        own = part if "hair" in kinds else own
    return own / total * told


def _without_ribbons(
    hair: Float64[np.ndarray, "H W"], landmarks: Float64[np.ndarray, "478 2"]
) -> Float64[np.ndarray, "H W"]:
    """Below the chin narrow bands are lapels and straps; hair that hangs so low is wider."""
    radius = round(_RIBBON * PX_PER_IOD)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    wide = cv2.morphologyEx(hair, cv2.MORPH_OPEN, kernel)
    low = np.clip((np.arange(len(hair))[:, None] - landmarks[152, 1]) / radius, 0, 1)
    return hair * (1 - low) + wide * low


def _hair_kinds(segments: Segments) -> tuple[str, ...]:
    """What counts as hair: smooth hair looks like cloth in places, so headwear too unless there is a hat's worth."""
    hat = float(segments.of("headwear").sum()) > _A_HAT * float(segments.of("hair").sum())
    return ("hair",) if hat else ("hair", "headwear")


def _carried(
    segments: Segments,
    plane: Float32[np.ndarray, "h w"],
    crop_from_photo: Float64[np.ndarray, "2 3"],
    shape: tuple[int, int],
) -> Float32[np.ndarray, "H W"]:
    """A plane of the net's crop in the crop of this file; its rim goes on beyond it."""
    photo_from_seen = np.linalg.inv(np.vstack([segments.crop_from_photo, [0, 0, 1]]))
    crop_from_seen = crop_from_photo @ photo_from_seen
    # As in segment_hair: warpAffine counts pixel centres at whole numbers.
    crop_from_seen[:, 2] += 0.5 * crop_from_seen[:, :2].sum(1) - 0.5
    size = (shape[1], shape[0])
    return cv2.warpAffine(plane, crop_from_seen, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _crop(face: FaceObservation) -> tuple[Float64[np.ndarray, "2 3"], tuple[int, int]]:
    """crop_from_photo (pixel centres at + 0.5) and the crop's width and height. Upright as the photo is."""
    eyes = face.landmarks_px[[33, 133, 263, 362]].mean(0).astype(np.float64)
    scale = PX_PER_IOD / face.interocular_px
    size = (int(2 * _ASIDE * PX_PER_IOD), int((_UP + _DOWN) * PX_PER_IOD))
    shift = np.array([_ASIDE, _UP]) * PX_PER_IOD - scale * eyes
    return np.array([[scale, 0, shift[0]], [0, scale, shift[1]]]), size


def _zones(
    model: HeadModel, fitted: HeadFit, skull: Skull, crop_from_photo: Float64[np.ndarray, "2 3"], size: tuple[int, int]
) -> tuple[Int32[np.ndarray, "H W"], Float32[np.ndarray, "H W"]]:
    """What of the bald head each pixel sees, and its height over the usual hairline (inter-ocular distances)."""
    width, height = size
    camera = fitted.camera
    triangles = model.triangles[model.part("face")]
    scene = Scene(fitted.posed, triangles)
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    photo = (np.stack([x.ravel(), y.ravel()], 1) - crop_from_photo[:, 2]) / crop_from_photo[0, 0]
    towards = np.concatenate([(photo - camera.principal_px) / camera.focal_px, np.ones((len(photo), 1))], axis=1)
    rotation = _rotation(fitted)
    directions = (towards @ rotation).astype(np.float32)
    origins = np.broadcast_to(camera.position_m, directions.shape).astype(np.float32)
    hits = scene.cast(np.ascontiguousarray(origins), np.ascontiguousarray(directions))
    seen = hits.triangle >= 0
    points = np.einsum("nc,ncd->nd", hits.barycentric[seen], fitted.posed[triangles[hits.triangle[seen]]])
    over = (skull.height(points) - usual_hairline(skull.azimuth(points))).astype(np.float32)
    level, aside = skull.height(points), np.abs(points[:, 0]) / skull.iod_m
    zone = np.full(len(photo), OUTSIDE, np.int32)
    kind = np.full(len(points), FACE, np.int32)
    kind[level < -1.75] = NECK
    kind[(np.abs(skull.azimuth(points)) > 75) & (level < -0.7)] = NECK
    kind[(np.abs(skull.azimuth(points)) > 68) & (aside > 1.05) & (np.abs(level + 0.15) < 0.65)] = EAR
    kind[(over > 0) & (level > 0.3)] = SCALP
    zone[seen] = kind
    above = np.zeros(len(photo), np.float32)
    above[seen] = over
    return zone.reshape(height, width), above.reshape(height, width)


def _rotation(fitted: HeadFit) -> Float64[np.ndarray, "3 3"]:
    axes = np.eye(3, dtype=np.float32)
    return (fitted.camera.view(axes) - fitted.camera.translation_m).T.astype(np.float64)


def _polygon(points: Float64[np.ndarray, "N 2"], shape: tuple[int, ...]) -> Bool[np.ndarray, "H W"]:
    filled = np.zeros(shape, np.uint8)
    cv2.fillPoly(filled, [np.round(points - 0.5).astype(np.int32)], [1.0])
    return filled > 0


def _skin_seeds(
    lab: Float32[np.ndarray, "H W 3"], landmarks: Float64[np.ndarray, "478 2"], oval: Bool[np.ndarray, "H W"]
) -> Bool[np.ndarray, "H W"]:
    """Face pixels above the mouth that are neither eyes, brows, fringe nor glasses: near the median colour."""
    chosen = cv2.erode(oval.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    rows = np.arange(len(oval))[:, None]
    chosen &= (rows < landmarks[[61, 291], 1].mean()) & (rows > landmarks[10, 1] + 0.1 * PX_PER_IOD)
    for polygon in _EYES_AND_BROWS:
        hole = _polygon(landmarks[list(polygon)], oval.shape).astype(np.uint8)
        chosen &= cv2.dilate(hole, np.ones((5, 5), np.uint8)) == 0
    colours = lab[chosen]
    off = colours - np.median(colours, axis=0)
    spread = np.clip(1.48 * np.median(np.abs(off), axis=0), [5.0, 2.0, 2.0], [10.0, 4.5, 4.5])
    near = (off[:, 0] > -3.0 * spread[0]) & (np.abs(off[:, 1:]) < 3.0 * spread[1:]).all(1)
    kept = np.zeros_like(chosen)
    kept[chosen] = near
    return kept


def _posterior(
    lab: Float32[np.ndarray, "H W 3"],
    person: Float32[np.ndarray, "H W"],
    inside: Bool[np.ndarray, "H W"],
    zone: Int32[np.ndarray, "H W"],
    over_hairline: Float32[np.ndarray, "H W"],
    oval: Bool[np.ndarray, "H W"],
    skin: "_Mixture",
    landmarks: Float64[np.ndarray, "478 2"],
) -> Float64[np.ndarray, "H W"]:
    """Bayes' rule over hair, skin, clothes and background, with a prior per place."""
    rows = np.arange(zone.shape[0])[:, None] * np.ones((1, zone.shape[1]))
    chin, brow = landmarks[152, 1], landmarks[[105, 334], 1].mean()
    eyes = landmarks[[33, 263], 1].mean()
    body = person > 0.5
    outside = zone == OUTSIDE
    off_head = cv2.distanceTransform((outside).astype(np.uint8), cv2.DIST_L2, 3) / PX_PER_IOD
    solid = cv2.erode(body.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    hair_seed = (
        inside
        & solid
        & (((zone == SCALP) & (over_hairline > 0.12) & ~oval) | (outside & (rows < eyes) & (off_head > 0.04)))
    )
    cloth_seed = inside & solid & (rows > chin + 1.3 * PX_PER_IOD) & (outside | (zone == NECK)) & (off_head > 0.1)
    far = inside & (cv2.dilate(body.astype(np.uint8), np.ones((9, 9), np.uint8)) == 0)
    background = _Mixture.fit(lab[far], 5)
    clothes = _Mixture.fit(lab[cloth_seed], 4)
    seeds = lab[hair_seed]
    unlike_skin = skin.distance(seeds) > 2.5 if len(seeds) else np.zeros(0, bool)
    high = (rows <= eyes - _TEMPLES * PX_PER_IOD)[hair_seed]
    wreath = _is_wreath(unlike_skin, high)
    if wreath:
        unlike_skin &= ~high
    elif unlike_skin.sum() < max(60, _LEAST_HAIR * len(seeds)):
        return np.zeros(zone.shape)
    hair = _Mixture.fit(seeds[unlike_skin], 3)

    prior = {"hair": np.full(zone.shape, 0.02), "skin": np.full(zone.shape, 0.02)}
    prior["clothes"] = np.full(zone.shape, 0.02)
    prior["background"] = np.where(body, 0.15, 1.0)
    near = (person > 0.15) & ~body
    prior["hair"][near & (rows < chin)] = 0.25
    low = np.clip((rows - chin) / (1.5 * PX_PER_IOD), 0, 1)
    beside = body & outside
    prior["hair"][beside] = (0.85 * (1 - 0.75 * low) * np.exp(-np.maximum(off_head - 0.7, 0)))[beside]
    prior["clothes"][beside] = (0.02 + 0.5 * low)[beside]
    prior["skin"][beside] = 0.08
    prior["hair"][zone == SCALP] = 0.75
    prior["skin"][zone == SCALP] = 0.25
    prior["hair"][(zone == FACE) & ~oval] = 0.4
    prior["skin"][(zone == FACE) & ~oval] = 0.6
    prior["hair"][zone == EAR] = 0.3
    prior["skin"][zone == EAR] = 0.7
    prior["hair"][zone == NECK] = 0.12
    prior["skin"][zone == NECK] = 0.4
    prior["clothes"][zone == NECK] = 0.05
    prior["clothes"][(zone == NECK) & (rows > chin + 0.4 * PX_PER_IOD)] = 0.4
    # Hair falls over the face from its rim.
    rim = np.exp(-((cv2.distanceTransform(oval.astype(np.uint8), cv2.DIST_L2, 3) / (_RIM * PX_PER_IOD)) ** 2))
    upper = rows < landmarks[[61, 291], 1].mean()
    prior["hair"][oval] = (0.02 + 0.28 * rim * upper)[oval]
    prior["skin"][oval] = 0.9
    for polygon in _EYES_AND_BROWS[:2]:
        prior["hair"][_polygon(landmarks[list(polygon)], oval.shape)] = 0.001
    forehead = oval & (rows < brow - 0.12 * PX_PER_IOD)
    prior["hair"][forehead] = 0.25
    if wreath:
        crown = (zone == SCALP) & (rows <= eyes - _TEMPLES * PX_PER_IOD)
        prior["hair"][crown], prior["skin"][crown] = 0.2, 0.8
        shaded = oval | (rows > landmarks[[1, 4], 1].mean())
        prior["hair"][shaded & ~crown] = 0.001
    likelihood = {"hair": hair, "skin": skin.widened(1.35), "clothes": clothes, "background": background}
    total = np.full(zone.shape, 1e-12)
    own = np.zeros(zone.shape)
    for kind, mixture in likelihood.items():
        part = prior[kind] * mixture.density(lab.reshape(-1, 3)).reshape(zone.shape)
        total += part
        own = part if kind == "hair" else own
    return own / total


def _is_wreath(unlike_skin: Bool[np.ndarray, "N"], high: Bool[np.ndarray, "N"]) -> bool:
    """Whether a bald head has hair around it: seeds unlike skin at the temples and none above."""
    low = unlike_skin[~high]
    if len(low) < 60 or not high.any():
        return False
    return float(low.mean()) > _WREATH[0] and float(unlike_skin[high].mean()) < _WREATH[1]


def _without_shadows(
    hair: Float32[np.ndarray, "H W"], zone: Int32[np.ndarray, "H W"], landmarks: Float64[np.ndarray, "478 2"]
) -> Float32[np.ndarray, "H W"]:
    """Dark cheeks, beards and necks of people without hair beside the jaw are shadows, not hair."""
    nose, lobes = landmarks[[1, 152], 0].mean(), landmarks[[1, 4], 1].mean()
    rows, columns = np.mgrid[0 : zone.shape[0], 0 : zone.shape[1]]
    kept = hair.copy()
    jaw = (rows > landmarks[[61, 291], 1].mean()) & (rows < landmarks[152, 1])
    for side in (columns < nose, columns >= nose):
        beside = ((hair > 0.5) & (zone == OUTSIDE) & jaw & side).sum() / max(jaw.any(1).sum(), 1)
        if beside < _BESIDE * PX_PER_IOD:
            kept[side & (rows > lobes)] = 0
    return kept


def _connected(hair: Float32[np.ndarray, "H W"], zone: Int32[np.ndarray, "H W"]) -> Float32[np.ndarray, "H W"]:
    """Hair that hangs together with hair on or right above the scalp."""
    count, labels = cv2.connectedComponents((hair > 0.4).astype(np.uint8), connectivity=8)
    on_scalp = cv2.dilate((zone == SCALP).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    touching = np.bincount(labels[on_scalp & (hair > 0.4)], minlength=count)
    kept = np.isin(labels, np.flatnonzero(touching > 40)) & (labels > 0)
    near = cv2.dilate(kept.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    return np.where(near, hair, 0).astype(np.float32)


def _pure(
    hair: Float32[np.ndarray, "H W"], lab: Float32[np.ndarray, "H W 3"], landmarks: Float64[np.ndarray, "478 2"]
) -> Float32[np.ndarray, "H W"]:
    """Hair inside its rim that has a colour which hair has above the jaw too: what it lies upon further down has not."""
    inside = cv2.erode(hair, np.ones((_MIXED_PX, _MIXED_PX), np.uint8))
    low = np.arange(len(hair))[:, None] > landmarks[[61, 291], 1].mean()
    sure = (inside > _SURE) & ~low
    if sure.sum() < _FEW_SURE:
        return inside
    unlike = _Mixture.fit(lab[sure], 3).distance(lab.reshape(-1, 3)).reshape(hair.shape)
    return inside * np.where(low, np.clip((_UNLIKE[1] - unlike) / (_UNLIKE[1] - _UNLIKE[0]), 0, 1), 1)


@dataclass(frozen=True, eq=False)
class _Mixture:
    """A mixture of Gaussians over Lab, plus a little of everything."""

    share: Float64[np.ndarray, "K"]
    mean: Float64[np.ndarray, "K 3"]
    precision: Float64[np.ndarray, "K 3 3"]
    scale: Float64[np.ndarray, "K"]

    @staticmethod
    def fit(samples: Float32[np.ndarray, "N 3"], count: int) -> "_Mixture":
        """k-means in Lab, one Gaussian per cluster; an even spread over all colours when there are too few samples."""
        if len(samples) < 12 * count:
            wide = np.array([[900.0, 0, 0], [0, 300, 0], [0, 0, 300]])
            return _Mixture._of(np.ones(1), np.array([[50.0, 5, 5]]), wide[None])
        step = max(1, len(samples) // 4000)
        chosen = np.ascontiguousarray(samples[::step], np.float32)
        cv2.setRNGSeed(7)
        stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 12, 0.5)
        _, labels, _ = cv2.kmeans(chosen, count, None, stop, 1, cv2.KMEANS_PP_CENTERS)  # pyright: ignore[reportCallIssue,reportArgumentType]
        groups = [chosen[labels.ravel() == k] for k in range(count)]
        groups = [group for group in groups if len(group) >= 6]
        share = np.array([len(group) for group in groups], np.float64)
        mean = np.array([group.mean(0) for group in groups], np.float64)
        spread = np.array([np.cov(group.T.astype(np.float64)) + np.diag([9.0, 3.0, 3.0]) for group in groups])
        return _Mixture._of(share / share.sum(), mean, spread)

    @staticmethod
    def _of(
        share: Float64[np.ndarray, "K"], mean: Float64[np.ndarray, "K 3"], covariance: Float64[np.ndarray, "K 3 3"]
    ) -> "_Mixture":
        scale = 1 / np.sqrt((2 * np.pi) ** 3 * np.linalg.det(covariance))
        return _Mixture(share, mean, np.linalg.inv(covariance), scale)

    def widened(self, factor: float) -> "_Mixture":
        """The same with standard deviations `factor` times as large."""
        return _Mixture._of(self.share, self.mean, np.linalg.inv(self.precision) * factor**2)

    def distance(self, colours: Float32[np.ndarray, "N 3"]) -> Float32[np.ndarray, "N"]:
        """Mahalanobis distance to the nearest component."""
        return np.sqrt(self._squared(colours).min(1))

    def density(self, colours: Float32[np.ndarray, "N 3"]) -> Float32[np.ndarray, "N"]:
        return np.exp(-0.5 * self._squared(colours)) @ (self.share * self.scale).astype(np.float32) + 2e-8

    def _squared(self, colours: Float32[np.ndarray, "N 3"]) -> Float32[np.ndarray, "N K"]:
        # |W (x - m)|^2 with W the Cholesky factor of the precision: one matrix product per component.
        squared = np.empty((len(colours), len(self.share)), np.float32)
        for k, (mean, precision) in enumerate(zip(self.mean, self.precision, strict=True)):
            white = (colours - mean.astype(np.float32)) @ np.linalg.cholesky(precision).astype(np.float32)
            squared[:, k] = np.einsum("nc,nc->n", white, white)
        return squared
