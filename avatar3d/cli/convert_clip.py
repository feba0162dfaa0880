"""avatar3d convert-clip: a clip in the names of another program, and back."""

from pathlib import Path

import click

from avatar3d.cli.voice import Voice, speaking


@click.command()
@click.argument("clip", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--to", required=True, metavar="NAMES",
              help="arkit, ict, meta, unified, viseme15, vrm18, facs, or a head you added (flame, gnm).")  # fmt: skip
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path, dir_okay=False),
              help="A .csv; for arkit also .npz or .livelink.csv.")  # fmt: skip
@speaking
def convert_clip(voice: Voice, clip: Path, to: str, out: Path) -> None:
    """Write a clip in the names of another program."""
    from avatar3d.converting import convert_clip as convert

    facts = convert(clip, to, out)
    voice.result(f"{out}: {facts['frames']:,} frames from {facts['from']} to {to}, {facts['names']} names", facts)
