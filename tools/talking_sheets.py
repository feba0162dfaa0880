"""Sheets to judge a talking mouth by: the middle of every p b m f v o a of a speech, above it a flapping jaw's.

    python tools/talking_sheets.py AVATAR.glb SHEET.png --corpus DIR --speaker 1898    (DIR as bench.speech makes it)
    python tools/talking_sheets.py AVATAR.glb SHEET.png --text "La mamma beve il vino." --language it

What a mouth must show there: p b m closed lips, f v the lower lip under the teeth, o a round mouth, a an open one.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from avatar3d.core.avatar import Avatar
from avatar3d.core.blendshapes import Frame
from avatar3d.core.photo import Camera
from avatar3d.formats.gltf import load_glb
from avatar3d.render.film import draw_frames
from avatar3d.report.pictures import orbit_camera
from avatar3d.speech.network.features import RATE_HZ
from avatar3d.speech.network.model import load_network
from avatar3d.speech.phones import Phone
from avatar3d.speech.train.curves import flapping, heard_by
from avatar3d.speech.train.evaluate import Curves
from avatar3d.speech.train.shelf import unshelve
from avatar3d.speech.train.utterance import Utterance
from avatar3d.speech.voices.espeak import speak_phones

SOUNDS: Final = {"p": "p", "b": "b", "m": "m", "f": "f", "v": "v", "o": "oɔ", "a": "aɑ"}
"""Rows, and the phones that count as each."""
TILE_PX: Final = 160
AT_MOST: Final = 8
"""Tiles in a row."""
STILL: Final = np.array([1, 0, 0, 0], np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("avatar", type=Path)
    parser.add_argument("sheet", type=Path)
    parser.add_argument("--corpus", type=Path)
    parser.add_argument("--speaker")
    parser.add_argument("--text")
    parser.add_argument("--language", default="en")
    asked = parser.parse_args()
    if asked.text:
        speech = [spoken(asked.text, asked.language)]
    else:
        speech = [each for each in unshelve(asked.corpus, "test") if each.speaker == asked.speaker]
    avatar = load_glb(asked.avatar)
    cv2.imwrite(str(asked.sheet), sheet(avatar, heard_by(load_network(), speech), flapping(speech))[..., ::-1])


def spoken(text: str, language: str) -> Utterance:
    """What espeak-ng's voice says."""
    samples, rate_hz, phones = speak_phones(text, language)
    times_s = np.arange(round(len(samples) / rate_hz * RATE_HZ)) / RATE_HZ
    heard = np.interp(times_s, np.arange(len(samples)) / rate_hz, samples).astype(np.float32)
    return Utterance(text, "test", "espeak-ng", language, "espeak-ng", heard, phones)


def sheet(avatar: Avatar, heard: Sequence[Curves], flapped: Sequence[Curves]) -> np.ndarray:
    """Two rows of mouths per sound: flapping, and as heard."""
    camera = orbit_camera(avatar, 0, 768)
    rows = []
    for sound, symbols in SOUNDS.items():
        found = [(at, phone) for at, each in enumerate(heard) for phone in each.phones if phone.symbol in symbols]
        if not found:
            continue
        chosen = [found[k] for k in np.unique(np.linspace(0, len(found) - 1, AT_MOST).astype(int))]
        for name, curves in (("jaw", flapped), (sound, heard)):
            mouths = [(mouth(avatar, camera, curves[at], phone), phone.start_s) for at, phone in chosen]
            tiles = [named(tile, f"{name} {start_s:.2f}") for tile, start_s in mouths]
            tiles += [np.full((TILE_PX, TILE_PX, 3), 255, np.uint8)] * (AT_MOST - len(tiles))
            rows.append(np.hstack(tiles))
    return np.vstack(rows)


def mouth(avatar: Avatar, camera: Camera, curves: Curves, phone: Phone) -> np.ndarray:
    """The lower face in the middle of a phone."""
    at = int(np.abs(curves.times_s - (phone.start_s + phone.end_s) / 2).argmin())
    frame = Frame(float(curves.times_s[at]), curves.weights[at], STILL, STILL, STILL, curves.tongue[at])
    picture = next(draw_frames(avatar, [frame], camera))
    teeth = next(mesh.positions for mesh in avatar.meshes if mesh.name == "teethUpper")
    front = teeth[teeth[:, 2].argmax()]
    (x, y), (aside, _) = camera.project(np.stack([front, front + np.float32([0.05, 0, 0])]))
    half = abs(float(aside - x))
    left, upper = round(float(x) - half), round(float(y) - half)
    crop = picture[upper : round(upper + 2 * half), left : round(left + 2 * half)]
    return np.asarray(cv2.resize(crop, (TILE_PX, TILE_PX), interpolation=cv2.INTER_AREA), np.uint8)


def named(tile: np.ndarray, name: str) -> np.ndarray:
    tile = np.ascontiguousarray(tile)
    cv2.putText(tile, name, (4, 12), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (0, 0, 160), 1, cv2.LINE_AA)
    return tile


if __name__ == "__main__":
    main()
