"""avatar3d edit: a finished avatar in other colours, older or younger, stylised, or mixed with other people."""

from pathlib import Path

import click

from avatar3d.cli.voice import Voice, speaking
from avatar3d.core.errors import UsageError


@click.command()
@click.argument("record", metavar="AVATAR.JSON", type=click.Path(path_type=Path, dir_okay=False))
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Writes DIR/NAME/.")
@click.option("--name", help="Of the new avatar; the old one's with '-edited' when absent.")
@click.option("--hair-color", help="black, brown, auburn, red, blond, grey, white or #rrggbb.")
@click.option("--skin-tone", help="1 (light) to 10 (dark) of the Monk scale, or #rrggbb.")
@click.option("--eye-color", help="brown, hazel, green, blue, grey or #rrggbb.")
@click.option("--age", type=float, default=0.0, help="Years older; negative: younger. Skin and hair only.")
@click.option("--mix", metavar="OTHER.JSON=SHARE", multiple=True, help="Part of another person's shape, such as =.3.")
@click.option("--stylize", type=float, default=0.0, help="0 as photographed, 1 a caricature.")
@speaking
def edit(
    voice: Voice,
    record: Path,
    out: Path,
    name: str | None,
    mix: tuple[str, ...],
    **choices: str | float | None,
) -> int:
    """Change colours, age, style or shape of a finished avatar."""
    from avatar3d.editing import EditParams, edit_files
    from avatar3d.report.names import safe_name

    params = EditParams(mix=tuple(map(_shared, mix)), **choices)  # type: ignore[arg-type]
    chosen = safe_name(name or f"{record.resolve().parent.name}-edited")
    if name not in (None, chosen):
        voice.warn(f"{name!r} cannot name a folder everywhere; it is called {chosen!r}.")
    glb = edit_files(record, out / chosen, params)
    voice.result(str(glb), {"glb": str(glb), "folder": str(glb.parent)})
    return 0


def _shared(text: str) -> tuple[Path, float]:
    path, _, share = text.rpartition("=")
    try:
        return Path(path), float(share)
    except ValueError as cause:
        raise UsageError(
            f"expected OTHER.JSON=SHARE, got {text!r}.", hint="For example: out/anna/avatar.json=.3"
        ) from cause
