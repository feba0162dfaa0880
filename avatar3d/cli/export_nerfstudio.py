"""avatar3d export-nerfstudio: photos of a person as a dataset that nerfstudio trains from."""

import shlex
from pathlib import Path

import click

from avatar3d.cli.voice import Voice, printable, speaking


@click.command()
@click.argument("photos", metavar="PHOTO|VIDEO...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "-o", "--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="The dataset's folder."
)
@speaking
def export_nerfstudio(voice: Voice, photos: tuple[Path, ...], out: Path) -> int:
    """Write photos of one person as a dataset for nerfstudio."""
    from avatar3d.pipeline import photo_or_video
    from avatar3d.splat.trainer import PARSER_WORDS
    from avatar3d.training import export_nerfstudio

    made = export_nerfstudio([photo_or_video(path) for path in photos], out, progress=voice.progress)
    for warning in made.warnings:
        voice.warn(warning)
    options = " ".join(PARSER_WORDS)
    voice.progress(
        f"In nerfstudio's environment: ns-train splatfacto nerfstudio-data --data {shlex.quote(printable(str(out)))} {options}"
    )
    voice.result(str(made.folder), made.as_json())
    return 0
