"""avatar3d refine: an avatar learns from photos by a method of nerfstudio, which runs in an environment of its own."""

import shlex
from pathlib import Path

import click

from avatar3d.cli.voice import Voice, speaking


@click.command()
@click.argument("folder", metavar="AVATAR_DIR", type=click.Path(path_type=Path, file_okay=False))
@click.argument("photos", metavar="PHOTO|VIDEO...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--nerfstudio", "method", metavar="METHOD", required=True,
              help="splatfacto, nerfacto or another method that ns-train lists.")  # fmt: skip
@click.option(
    "--ns-train",
    metavar="PATH",
    help="ns-train of your nerfstudio environment; else AVATAR3D_NS_TRAIN, else on the PATH.",
)
@click.option("--ns-options", metavar="WORDS", default="", help="Further options for ns-train, in quotes.")
@click.option("--steps", type=click.IntRange(1, 1_000_000), help="Of training; else as many as the method wants.")
@click.option("--timeout", "minutes", type=click.FloatRange(min=0, min_open=True), default=240, show_default=True,
              help="Minutes after which ns-train, or ns-export, is ended.")  # fmt: skip
@click.option("--work", type=click.Path(path_type=Path, file_okay=False),
              help="A new folder where dataset, checkpoints and export stay; else they are removed.")  # fmt: skip
@click.option("-o", "--out", type=click.Path(path_type=Path, file_okay=False),
              help="Write OUT/NAME and leave AVATAR_DIR as it is.")  # fmt: skip
@speaking
def refine(
    voice: Voice,
    folder: Path,
    photos: tuple[Path, ...],
    method: str,
    ns_train: str | None,
    ns_options: str,
    steps: int | None,
    minutes: float,
    work: Path | None,
    out: Path | None,
) -> int:
    """Let nerfstudio refine an avatar from photos."""
    from avatar3d.pipeline import photo_or_video
    from avatar3d.refining import refine_files
    from avatar3d.splat.trainer import find_trainer

    try:
        more = shlex.split(ns_options)
    except ValueError as cause:
        raise click.BadParameter(f"{cause}.", param_hint="--ns-options") from cause
    trainer = find_trainer(method, ns_train, steps=steps, limit_s=minutes * 60, more=more)
    sources = [photo_or_video(path) for path in photos]
    made = refine_files(folder, sources, trainer, out=out, work=work, progress=voice.progress)
    for warning in made.warnings:
        voice.warn(warning)
    voice.result(str(made.glb), made.as_json())
    return 0
