"""avatar3d blender: the Blender extension, packed or installed."""

import sys
from pathlib import Path
from typing import Literal

import click

from avatar3d.cli.voice import Voice, speaking


@click.command()
@click.argument("action", type=click.Choice(["build", "install"]))
@click.option(
    "-o",
    "--out",
    default="dist",
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="For the zip.",
)
@click.option("--blender", metavar="CMD", help="The Blender to install into; else AVATAR3D_BLENDER, else blender.")
@speaking
def blender(voice: Voice, action: Literal["build", "install"], out: Path, blender: str | None) -> int:
    """Pack the Blender extension, or install it."""
    from avatar3d.formats.blender import find_blender
    from avatar3d.formats.blender_extension import install_extension, pack_extension

    there = find_blender(blender) if action == "install" else None
    folder = find_blender(sys.executable).script.parent  # the same for every Blender
    file = pack_extension(folder, out)
    if there is not None:
        install_extension(there, file)
    installed = f", installed in {there.command}" if there else ""
    voice.result(f"{file}{installed}", {"file": str(file), "installed": there is not None})
    return 0
