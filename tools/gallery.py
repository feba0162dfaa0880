"""The gallery in docs: people who do not exist, and Collins, beside their avatars from every side.

    python -m tools.gallery [--seeds 1 2 3 ...]     docs/gallery.md and docs/images/gallery/*.jpg
    python -m tools.gallery --page-only             docs/gallery.md again, after docs/gallery.json was edited

What is wrong with each is said by whoever looked at it, in docs/gallery.json; a face that nobody judged is marked so.
"""

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image

from avatar3d.cli.demo import picture_of_collins
from avatar3d.core.errors import Avatar3dError
from avatar3d.generating import create_person
from avatar3d.pipeline import CreateParams, Creation, make_avatar
from avatar3d.report.overlay import crop_face
from avatar3d.report.pictures import View, draw_views

_DOCS: Final = Path(__file__).parents[1] / "docs"
_PICTURES: Final = _DOCS / "images/gallery"
_REMARKS: Final = _DOCS / "gallery.json"
_SEEDS: Final = tuple(range(1, 25))
_EDGE_PX: Final = 256
_VIEWS: Final = (
    View("front"),
    View("3/4", yaw_deg=35.0),
    View("side", yaw_deg=90.0),
    View("back", yaw_deg=180.0),
    View("eyes closed", weights={"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0}),
    View("mouth open", weights={"jawOpen": 0.8}),
)
_HEAD: Final = """# Gallery

Each row: photo, front, 3/4, side, back, eyes closed, mouth open, as `avatar3d create` makes them, nothing chosen or touched
up. But for Collins (NASA, public domain) nobody here exists: `avatar3d create --seed N` draws the photo too. Below each row
stands what whoever looked at it found wrong. Made by `python -m tools.gallery`.
"""


def main() -> None:
    """Draw what is asked for, then write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="*", default=_SEEDS)
    parser.add_argument("--page-only", action="store_true", help="draw nothing")
    chosen = parser.parse_args()
    remarks: dict[str, str] = json.loads(_REMARKS.read_text()) if _REMARKS.exists() else {}
    if not chosen.page_only:
        _PICTURES.mkdir(parents=True, exist_ok=True)
        _draw("collins", make_avatar(picture_of_collins(), CreateParams()))
        for seed in chosen.seeds:
            name = f"person-{seed}"
            with tempfile.TemporaryDirectory() as folder:
                try:
                    made = create_person(seed, Path(folder) / name, CreateParams(report=False))
                except Avatar3dError as refusal:
                    remarks[name] = f"Refused: {refusal.id}."
                    continue
                _draw(name, made.creation)
            print(name, flush=True)
    names = sorted((path.stem for path in _PICTURES.glob("*.jpg")), key=_order)
    for name in names:
        remarks.setdefault(name, "")
    _REMARKS.write_text(json.dumps({name: remarks[name] for name in sorted(remarks, key=_order)}, indent=1) + "\n")
    (_DOCS / "gallery.md").write_text(_page(names, remarks))


def _draw(name: str, made: Creation) -> None:
    """One row of pictures."""
    photo, _ = crop_face(made.face, _EDGE_PX)
    row: Any = np.hstack([photo, *draw_views(made.avatar, _VIEWS, _EDGE_PX)])
    Image.fromarray(row).save(_PICTURES / f"{name}.jpg", quality=85, optimize=True)


def _order(name: str) -> tuple[str, int]:
    stem, _, number = name.partition("-")
    return stem, int(number or 0)


def _page(names: list[str], remarks: dict[str, str]) -> str:
    rows = [_HEAD]
    for name in names:
        rows.append(f"![{name}: photo, front, 3/4, side, back, eyes closed, mouth open](images/gallery/{name}.jpg)\n")
        rows.append(f"**{name}** {remarks[name] or 'not judged yet'}\n")
    rows += [f"**{name}** {remark}\n" for name, remark in remarks.items() if name not in names]
    return "\n".join(rows)


if __name__ == "__main__":
    main()
