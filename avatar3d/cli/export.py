"""avatar3d export: a finished avatar in other formats, sizes and names, or as a platform wants it."""

from pathlib import Path

import click

from avatar3d.cli.voice import Voice, printable, speaking
from avatar3d.core.errors import Avatar3dError, OutputInvalidError


@click.command()
@click.argument("avatars", metavar="AVATAR.GLB...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path, file_okay=False),
              help="Writes DIR/NAME.SUFFIX, or with --profile DIR/NAME/PROFILE/.")  # fmt: skip
@click.option("--profile", "profiles", metavar="P,P", default="",
              help="desktop, mobile, web, vrchat-pc, vrchat-quest, meta-quest, unity, unreal, godot, crowd.")  # fmt: skip
@click.option("--format", "formats", metavar="F,F", default="",
              help="glb, web (a small GLB: meshopt, WebP), usdz, fbx.  [default: glb, or the profile's]")  # fmt: skip
@click.option("--names", type=click.Choice(["arkit", "livelink", "meta", "unified", "oculus15", "vrchat"]),
              help="Of morph targets.  [default: arkit, or the profile's]")  # fmt: skip
@click.option("--lods", "levels", type=click.IntRange(1, 4), help="Levels of detail: 20k, 10k, 5k, 2.5k triangles.")
@click.option("--levels", "all_levels", is_flag=True, help="All four levels.")
@speaking
def export(
    voice: Voice,
    avatars: tuple[Path, ...],
    out: Path,
    profiles: str,
    formats: str,
    names: str | None,
    levels: int | None,
    all_levels: bool,
) -> int:
    """Write a finished avatar in other formats, or as a platform wants it."""
    from avatar3d.core.avatar import Avatar
    from avatar3d.exporting import ExportParams, export_files

    params = ExportParams(_split(profiles), _split(formats), names, 4 if all_levels else levels or 0)  # type: ignore[arg-type]
    code = 0
    for path in avatars:
        try:
            made = export_files(Avatar.load(path), out, params, source=path, progress=voice.progress)
        except Avatar3dError as error:
            error.file = error.file or str(path)
            if len(avatars) == 1:
                raise
            voice.error(error)
            code = code or error.exit_code
            continue
        for warning in made.warnings:
            voice.warn(f"{printable(path.name)}: {warning}")
        for fault in made.failures:
            voice.warn(f"{printable(path.name)}: {fault}")
            code = code or OutputInvalidError.exit_code
        voice.result("\n".join(str(file) for file in made.files), made.as_json())
    return code


def _split(words: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in words.split(",") if word.strip())
