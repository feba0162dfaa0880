"""avatar3d create: photos or a seed in, a folder per avatar out."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from avatar3d.cli.voice import Voice, printable, speaking
from avatar3d.core.errors import Avatar3dError, OutputInvalidError, UsageError

if TYPE_CHECKING:
    from avatar3d.core.avatar import Avatar
    from avatar3d.pipeline import CreateParams, SplatFile


@click.command()
@click.argument("photos", metavar="PHOTO...", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--seed", type=click.IntRange(0), help="Instead of a photo: a person who does not exist, with photo and truth."
)
@click.option(
    "--same-person",
    is_flag=True,
    help="All photos, or videos, show one person: one avatar, of the first one's expression.",
)
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Writes DIR/NAME/.")
@click.option("--name", help="Instead of the photo's own name (or person-SEED); for one avatar only.")
@click.option("--face", default="only", show_default=True, help="Which face: only, largest, or 0, 1, 2 from the left.")
@click.option("--head", default="avatar3d", show_default=True, help="Parametric head.")
@click.option("--texture", "texture_px", type=click.Choice(["1024", "2048"]), default="1024", show_default=True)
@click.option("--hair", type=click.Choice(["none", "cap", "cards"]), default="cards", show_default=True,
              help="Cards: locks over a cap; cap: far fewer triangles; none: a bare head.")  # fmt: skip
@click.option("--body", type=click.Choice(["none", "bust", "full"]), default="none", show_default=True,
              help="Full: dressed, in a T-pose with a humanoid skeleton, feet on y = 0; bust: chest and shoulders.")  # fmt: skip
@click.option("--height", "height_m", type=float, metavar="M", help="Of the body, barefoot, metres.  [default: usual]")
@click.option("--weight", "weight_kg", type=float, metavar="KG", help="Of the body.  [default: as the face looks]")
@click.option("--age", "age_years", type=float, metavar="YEARS", help="Of the body, 18 or more.  [default: 40]")
@click.option("--sex", type=click.Choice(["female", "male"]), help="Of the body.  [default: as the photo looks]")
@click.option("--pins", "pins_file", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False),
              help="JSON of landmarks that you put right by hand.")  # fmt: skip
@click.option("--draft", is_flag=True, help="Only the shape of DIR/NAME, in the textures it has: 2 seconds.")
@click.option("--refine", type=click.Choice(["none", "splat"]), default="none", show_default=True,
              help="Splat: learn from the photo how the hair looks, into its texture; half a minute (extra 'film').")  # fmt: skip
@click.option("--splats", metavar="KINDS",
              help="With --refine splat, files beside the GLB: glb,ply,spz,splats or some of them, or none.  [default: all]")  # fmt: skip
@click.option("--compact", is_flag=True, help="Sparse morph targets: smaller, refused by some importers.")
@click.option("--report/--no-report", default=True, show_default=True, help="Draw preview.png and report.html.")
@click.option("--turntable", is_flag=True, help="Film turntable.mp4 (needs the extra 'video').")
@click.option(
    "--profile", "profiles", metavar="P,P", default="", help="Also DIR/NAME/P/ for these platforms: see export."
)
@speaking
def create(
    voice: Voice,
    photos: tuple[Path, ...],
    seed: int | None,
    same_person: bool,
    out: Path,
    name: str | None,
    texture_px: str,
    splats: str | None,
    pins_file: Path | None,
    draft: bool,
    profiles: str,
    body: Literal["none", "bust", "full"],
    height_m: float | None,
    weight_kg: float | None,
    age_years: float | None,
    sex: Literal["female", "male"] | None,
    **choices: str | bool,
) -> int:
    """Turn photos into rigged heads."""
    from avatar3d.report.names import safe_name

    if (pins_file or draft) and (len(photos) != 1 and not (same_person and photos and not draft)):
        raise UsageError(
            f"--pins and --draft are for one photo, got {len(photos)}.",
            hint="avatar3d create PHOTO -o DIR --pins FILE.",
        )
    platforms = _platforms(profiles)
    if splats is not None and choices["refine"] == "none":
        raise UsageError("--splats chooses among files that --refine splat makes.", hint="Add --refine splat.")
    if draft and body != "none":
        raise UsageError("--draft changes the shape of a head that has no body.", hint="Leave out --draft, or --body.")
    if draft:
        folder = out / safe_name(name or photos[0].stem)
        if (code := _draft(voice, photos[0], folder, pins_file)) is not None:
            return code
        choices |= {"hair": "none", "refine": "none", "report": False}
    from avatar3d.pipeline import BodyParams, CreateParams, create_files, distinct_names, photo_or_video

    if bool(photos) == (seed is not None):
        raise UsageError(
            "Give either photos or --seed.", hint="avatar3d create PHOTO -o DIR, or avatar3d create --seed 7 -o DIR."
        )
    sources = [photo_or_video(path) if same_person else path for path in photos]
    if same_person and len(photos) < 2 and sources == list(photos):
        raise UsageError(
            f"--same-person joins several photos, or takes a video; got {len(photos)} photo(s).",
            hint="avatar3d create --same-person FRONT LEFT RIGHT -o DIR, or avatar3d create --same-person VIDEO -o DIR",
        )
    others = sources[1:] if same_person else []
    if same_person:
        photos, sources = photos[:1], sources[:1]
    if name is not None and len(photos) > 1:
        raise UsageError(
            f"--name fits one avatar, got {len(photos)} photos.", hint="Leave it out, or call once per photo."
        )
    if name is not None and (taken := safe_name(name)) != name:
        voice.warn(f"{name!r} cannot name a folder everywhere; it is called {taken!r}.")
    figure = BodyParams(body, height_m, weight_kg, age_years, sex)
    params = CreateParams(texture_px=int(texture_px), splats=_splat_files(splats or "all"), body=figure, **choices)  # type: ignore[arg-type]
    if seed is not None:
        return _create_person(voice, seed, out / safe_name(name or f"person-{seed}"), params, platforms)
    exit_code = 0
    names = distinct_names([name] if name else [p.stem for p in photos])
    for photo, source, avatar_name in zip(photos, sources, names, strict=True):
        voice.progress(printable(photo.name))
        try:
            made = create_files(
                source,
                out / avatar_name,
                params,
                others=others,
                pins=pins_file,
                progress=lambda stage: voice.progress(f"  {stage}"),
            )
        except Avatar3dError as error:
            error.file = error.file or str(photo)
            if len(photos) == 1:
                raise
            voice.error(error)
            exit_code = exit_code or error.exit_code
            continue
        for warning in made.warnings:
            voice.warn(f"{printable(photo.name)}: {warning}")
        told, code = _export(voice, made.creation.avatar, out, platforms)
        exit_code = exit_code or code
        voice.result(str(made.glb), made.as_json() | told)
    return exit_code


def _platforms(words: str) -> tuple[str, ...]:
    """Of "unity,web". Raises UsageError before a photo is looked at."""
    from avatar3d.core.profiles import profile_of

    names = tuple(word.strip() for word in words.split(",") if word.strip())
    for each in names:
        profile_of(each)
    return names


def _export(voice: Voice, avatar: "Avatar", out: Path, platforms: tuple[str, ...]) -> tuple[dict[str, object], int]:
    """DIR/NAME/PROFILE/ for each; what JSON says of it, and the exit code."""
    if not platforms:
        return {}, 0
    from avatar3d.exporting import ExportParams, export_files

    made = export_files(avatar, out, ExportParams(platforms), progress=lambda stage: voice.progress(f"  {stage}"))
    for fault in (*made.failures, *made.warnings):
        voice.warn(f"{printable(avatar.name)}: {fault}")
    return made.as_json(), OutputInvalidError.exit_code if made.failures else 0


def _splat_files(kinds: str) -> "tuple[SplatFile, ...]":
    """Of "ply,spz", "all" or "none"."""
    from avatar3d.pipeline import SPLAT_FILES

    wanted = {"all": set[str](SPLAT_FILES), "none": set[str]()}.get(kinds, set(kinds.split(",")))
    if unknown := sorted(wanted - set(SPLAT_FILES)):
        raise UsageError(
            f"--splats knows no {unknown[0]!r}.", hint=f"Give all, none, or some of {','.join(SPLAT_FILES)}."
        )
    return tuple(kind for kind in SPLAT_FILES if kind in wanted)


def _draft(voice: Voice, photo: Path, folder: Path, pins_file: Path | None) -> int | None:
    """0, or None when DIR/NAME has no avatar of this photo to start from: then a first one is made, which takes longer."""
    from avatar3d.drafting import can_draft, draft_files

    if not can_draft(photo, folder):
        voice.progress(f"{printable(folder)} has no avatar of this photo yet: the face is looked for first.")
        return None
    made = draft_files(photo, folder, pins_file)
    for warning in made.warnings:
        voice.warn(f"{printable(photo.name)}: {warning}")
    voice.result(str(made.glb), made.as_json())
    return 0


def _create_person(voice: Voice, seed: int, folder: Path, params: "CreateParams", platforms: tuple[str, ...]) -> int:
    from avatar3d.generating import create_person

    made = create_person(seed, folder, params, progress=lambda stage: voice.progress(f"  {stage}"))
    for warning in made.warnings:
        voice.warn(warning)
    told, code = _export(voice, made.creation.avatar, folder.parent, platforms)
    voice.result(str(made.glb), made.as_json() | told)
    return code
