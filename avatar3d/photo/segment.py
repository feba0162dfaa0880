"""The one door to the segmentation net: which pixels around a face are hair, skin, clothes, glasses and so on.

FaceObservation --crop, guides--> planes --net--> Segments; over_photo() leads back to photo pixels
"""

import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from jaxtyping import Float32, UInt8
from safetensors import SafetensorError, deserialize

from avatar3d.core.errors import ModelMissingError, ModelUntrustedError
from avatar3d.core.photo import FaceObservation
from avatar3d.core.segments import KINDS, Segments
from avatar3d.photo.crop import crop_from_photo, draw_guides, warp_into
from avatar3d.photo.network import Weights, run_network

_FOLDER: Final = Path(__file__).parent / "data"
_HAIR, _HEADWEAR = KINDS.index("hair"), KINDS.index("headwear")
# Seen hair is at least this share of seen headwear to tell about it. Lab: their medians differ by no more than this many
# deviations of the hair in lightness, and by no more than this in a and b (2 heads of hair: 1.2 and 3.3; 12 made hats: 13
# and more, or 2.9 deviations).
_HAIR_BESIDE: Final = 0.3
_AS_BRIGHT: Final = 1.6
_SAME_HUE: Final = 6.0
_HINT: Final = "Install avatar3d again, or train the net: python -m tools.segment.train"


def segment_face(face: FaceObservation) -> Segments:
    """What the surroundings of one face show, at 42 pixels per inter-ocular distance.

    Raises ModelMissingError (20) when the net's file is absent, ModelUntrustedError (21) when it is not the one that
    its bill of materials names.
    """
    crop = crop_from_photo(face.landmarks_px)
    pixels = warp_into(face.photo.pixels, crop)
    person = warp_into(face.person.astype(np.uint8) * np.uint8(255), crop)
    points = face.landmarks_px.astype(np.float64) @ crop[:, :2].T + crop[:, 2]
    planes = np.stack([*pixels.transpose(2, 0, 1), *draw_guides(points), np.where(person > 127, 255, 0)])
    logits = run_network(load_network(), planes.astype(np.float32) / np.float32(127.5) - np.float32(1))
    logits -= logits.max(0)
    np.exp(logits, out=logits)
    return Segments(pixels=pixels, probability=hair_not_hat(pixels, logits / logits.sum(0)), crop_from_photo=crop)


def hair_not_hat(
    pixels: UInt8[np.ndarray, "H W 3"], probability: Float32[np.ndarray, "K H W"]
) -> Float32[np.ndarray, "K H W"]:
    """Headwear in the colour of the hair beside it is hair: the net takes some glossy hair for a scarf."""
    answer = probability.argmax(0)
    hair, hat = answer == _HAIR, answer == _HEADWEAR
    if not hat.any() or hair.sum() < _HAIR_BESIDE * hat.sum():
        return probability
    lab = cv2.cvtColor(pixels.astype(np.float32) / np.float32(255), cv2.COLOR_RGB2LAB)
    apart = np.abs(np.median(lab[hat], axis=0) - np.median(lab[hair], axis=0))
    if apart[0] > _AS_BRIGHT * lab[hair][:, 0].std() or np.hypot(*apart[1:]) > _SAME_HUE:
        return probability
    told = probability.copy()
    told[_HAIR] += told[_HEADWEAR]
    told[_HEADWEAR] = 0
    return told


def over_photo(
    segments: Segments, plane: Float32[np.ndarray, "H W"], face: FaceObservation
) -> Float32[np.ndarray, "h w"]:
    """A plane of the crop over the photo (of `plane_size`); 0 outside the crop."""
    back = face.plane_scale * cv2.invertAffineTransform(segments.crop_from_photo)
    # warpAffine counts pixel centres at whole numbers.
    back[:, 2] += 0.5 * back[:, :2].sum(1) - 0.5
    return np.asarray(cv2.warpAffine(plane, back, face.plane_size, flags=cv2.INTER_LINEAR), np.float32)


@lru_cache(maxsize=1)
def load_network(folder: Path = _FOLDER) -> Weights:
    """The net's weights, checked against their bill of materials, widened from half precision."""
    bill_path = folder / "segment.json"
    if not bill_path.is_file():
        raise ModelMissingError(f"expected the net's bill of materials at {bill_path}.", hint=_HINT, file=bill_path)
    bill: dict[str, Any] = json.loads(bill_path.read_text(encoding="utf-8"))
    path = folder / str(bill["file"])
    if not path.is_file():
        raise ModelMissingError(f"expected the segmentation net at {path}.", hint=_HINT, file=path)
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != bill["sha256"]:
        raise ModelUntrustedError(f"expected a net with sha256 {bill['sha256']}, found {found}.", hint=_HINT, file=path)
    try:
        tensors = deserialize(content)
    except SafetensorError as error:
        raise ModelUntrustedError(f"the net is no safetensors file: {error}.", hint=_HINT, file=path) from error
    return {
        name: np.frombuffer(tensor["data"], np.float16).reshape(tensor["shape"]).astype(np.float32)
        for name, tensor in tensors
    }
