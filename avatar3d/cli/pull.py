"""avatar3d pull: an avatar that was edited in Blender comes back as an avatar."""

from pathlib import Path

import click

from avatar3d.cli.voice import Voice, speaking


@click.command()
@click.argument("blend", metavar="EDITED.BLEND", type=click.Path(path_type=Path, dir_okay=False))
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Writes DIR/NAME/.")
@click.option("--name", help="Of the new avatar; that of the .blend's avatar when absent.")
@click.option("--blender", metavar="CMD", help="A Blender, or a Python with bpy; else AVATAR3D_BLENDER, else blender.")
@speaking
def pull(voice: Voice, blend: Path, out: Path, name: str | None, blender: str | None) -> int:
    """Bring an avatar that was edited in Blender back."""
    from avatar3d.pulling import pull_files

    pulled = pull_files(blend, out, name=name, blender=blender, progress=voice.progress)
    for warning in pulled.warnings:
        voice.warn(warning)
    voice.result(str(pulled.glb), pulled.as_json())
    return 0
