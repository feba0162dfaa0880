"""Contact sheets: many photos, each beside its avatar from every side, to be looked at one by one.

    python -m tools.sheets FOLDER PHOTO [PHOTO ...]     FOLDER/NAME.jpg a row each, FOLDER/sheet-NN.png six rows each

A row is the photo, front, 3/4 from both sides, side and back. Rows that are there already are not made again.
"""

import argparse
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image, ImageDraw

from avatar3d.core.errors import Avatar3dError
from avatar3d.pipeline import CreateParams, make_avatar
from avatar3d.report.overlay import crop_face
from avatar3d.report.pictures import View, draw_views

_EDGE_PX: Final = 300
_ROWS: Final = 6
_VIEWS: Final = (
    View("front"),
    View("3/4", yaw_deg=35.0),
    View("3/4 right", yaw_deg=-35.0),
    View("side", yaw_deg=90.0),
    View("back", yaw_deg=180.0),
)


def main() -> None:
    """Make the rows that are missing, then all sheets."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("photos", type=Path, nargs="+")
    chosen = parser.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    rows = [chosen.folder / f"{photo.stem}.jpg" for photo in chosen.photos]
    for photo, row in zip(chosen.photos, rows, strict=True):
        if not row.exists():
            Image.fromarray(_draw(photo)).save(row, quality=92)
            print(photo.stem, flush=True)
    for first in range(0, len(rows), _ROWS):
        pictures: Any = [np.asarray(Image.open(row)) for row in rows[first : first + _ROWS]]
        Image.fromarray(np.vstack(pictures)).save(chosen.folder / f"sheet-{first // _ROWS:02}.png")


def _draw(photo: Path) -> Any:
    """One row of pictures, or the refusal in words."""
    width = _EDGE_PX * (1 + len(_VIEWS))
    try:
        made = make_avatar(photo, CreateParams())
        seen, _ = crop_face(made.face, _EDGE_PX)
        row = np.hstack([seen, *draw_views(made.avatar, _VIEWS, _EDGE_PX)])
    except Avatar3dError as refusal:
        row = np.zeros((_EDGE_PX, width, 3), np.uint8)
        row = np.array(_write(Image.fromarray(row), f"refused: {refusal.id}"))
    return np.array(_write(Image.fromarray(row), photo.stem, at=_EDGE_PX - 14))


def _write(picture: Image.Image, words: str, at: int = 2) -> Image.Image:
    ImageDraw.Draw(picture).text((3, at), words, fill=(255, 255, 0), stroke_width=1, stroke_fill=(0, 0, 0))
    return picture


if __name__ == "__main__":
    main()
