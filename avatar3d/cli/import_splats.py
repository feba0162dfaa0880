"""avatar3d import-splats: a trained cloud is bound to an avatar and rides on it."""

from pathlib import Path

import click

from avatar3d.cli.voice import Voice, speaking


@click.command()
@click.argument("cloud", metavar="CLOUD.PLY|SPZ", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("avatar", metavar="AVATAR.GLB", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "-o", "--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="A .glb or .splats file."
)
@click.option("--transforms", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False),
              help="dataparser_transforms.json of nerfstudio's run.")  # fmt: skip
@click.option("--y-down", is_flag=True, help="The .ply has +y down, as those of avatar3d create.")
@click.option("--reach", "reach_mm", type=click.FloatRange(0, 500), default=30, show_default=True,
              help="Millimetres from the surface beyond which a splat is left out.")  # fmt: skip
@speaking
def import_splats(
    voice: Voice, cloud: Path, avatar: Path, out: Path, transforms: Path | None, y_down: bool, reach_mm: float
) -> int:
    """Bind splats that were trained elsewhere to an avatar."""
    from avatar3d.training import import_splats

    made = import_splats(cloud, avatar, out, transforms=transforms, y_down=y_down, reach_m=reach_mm / 1000)
    if made.left_out:
        voice.warn(f"{made.left_out:,} splats lie further from the head, or are wider, and were left out.")
    voice.result(str(made.file), made.as_json())
    return 0
