"""avatar3d demo: the main job on a picture that everybody may use."""

from importlib.util import find_spec
from pathlib import Path

import click

from avatar3d.cli.voice import Voice, speaking
from avatar3d.core.errors import MissingExtraError

NAME = "collins"


@click.command()
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default="out",
    show_default=True,
    help=f"Writes DIR/{NAME}/.",
)
@speaking
def demo(voice: Voice, out: Path) -> None:
    """Make an avatar of the astronaut Eileen Collins."""
    photo = picture_of_collins()
    from avatar3d.pipeline import CreateParams, create_files

    voice.progress("Eileen Collins, NASA portrait (public domain)")
    made = create_files(photo, out / NAME, CreateParams(), progress=lambda stage: voice.progress(f"  {stage}"))
    for warning in made.warnings:
        voice.warn(warning)
    folder = made.folder
    where = (
        f"Done. Look at\n  {folder / 'preview.png'}   the photo beside the avatar\n  {folder / 'report.html'}   how it was"
        f" made\n  {made.glb}   the head, for Blender, Unity, Unreal, Godot or the web"
    )
    voice.result(where, made.as_json())


def picture_of_collins() -> Path:
    """The file inside scikit-image's package; scikit-image itself is not imported."""
    package = find_spec("skimage")
    if package is None or package.origin is None:
        raise MissingExtraError("scikit-image", "demo", "The picture of Eileen Collins")
    return Path(package.origin).parent / "data" / "astronaut.png"
