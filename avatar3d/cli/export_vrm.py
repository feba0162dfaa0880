"""avatar3d export-vrm: an avatar as VRM 1.0 or 0.x, with the answers about rights that VRM asks for."""

from pathlib import Path
from typing import Any, get_args

import click

from avatar3d.cli.voice import Voice, speaking
from avatar3d.core.errors import UsageError
from avatar3d.formats.vrm_meta import AvatarPermission, CommercialUsage, Licence0, Modification

_PERMISSIONS, _COMMERCIAL, _MODIFICATION, _LICENCES_0 = map(
    get_args, (AvatarPermission, CommercialUsage, Modification, Licence0)
)


@click.command()
@click.argument("avatar", metavar="AVATAR.GLB", type=click.Path(path_type=Path, dir_okay=False))
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="Writes this .vrm.")
@click.option("--version", "vrm_version", type=click.Choice(["1.0", "0.x"]), default="1.0", show_default=True)
@click.option("--mtoon", is_flag=True, help="Toon materials beside the physical ones.")
@click.option(
    "--look", type=click.Choice(["bone", "expression"]), default="bone", show_default=True,
    help="What turns the eyes: their joints, or expressions, which take the lids along.",
)  # fmt: skip
@click.option(
    "--custom-names", type=click.Choice(["perfect-sync", "arkit"]), default="perfect-sync", show_default=True,
    help="How the 52 are spelt: JawOpen, or jawOpen.",
)  # fmt: skip
@click.option(
    "--meta",
    "answers",
    type=click.Path(path_type=Path, dir_okay=False),
    help="JSON with VRM's names for the answers below.",
)
@click.option(
    "--licence-ok", is_flag=True, help="You have read https://vrm.dev/licenses/1.0/ and may grant it for this likeness."
)
@click.option("--restrictive", is_flag=True, help="Forbid whatever is not answered below, as VRM does by default.")
@click.option("--author", "authors", multiple=True, help="Who made it; again for each.")
@click.option("--name", help="Of the model; the avatar's when absent.")
@click.option("--avatar-permission", type=click.Choice(_PERMISSIONS), help="Who may act as this avatar.")
@click.option("--commercial-usage", type=click.Choice(_COMMERCIAL))
@click.option("--credit-notation", type=click.Choice(["required", "unnecessary"]))
@click.option("--modification", type=click.Choice(_MODIFICATION))
@click.option("--allow-redistribution/--no-allow-redistribution", default=None)
@click.option("--allow-violent/--no-allow-violent", default=None, help="In excessively violent content.")
@click.option("--allow-sexual/--no-allow-sexual", default=None, help="In excessively sexual content.")
@click.option("--allow-political/--no-allow-political", default=None, help="In political or religious content.")
@click.option("--allow-antisocial/--no-allow-antisocial", default=None, help="In antisocial or hateful content.")
@click.option("--licence-0", type=click.Choice(_LICENCES_0), help="VRM 0.x: its licenseName.")
@click.option("--contact", help="How to reach the author.")
@click.option("--model-version", help="Of the model, such as 2.")
@click.option("--reference", "references", multiple=True, help="What the model is based on; again for each.")
@click.option("--other-licence-url", help="Of a further licence.")
@speaking
def export_vrm(
    voice: Voice,
    avatar: Path,
    out: Path,
    vrm_version: Any,
    look: Any,
    custom_names: Any,
    answers: Path | None,
    model_version: str | None,
    mtoon: bool,
    licence_ok: bool,
    restrictive: bool,
    **said: Any,
) -> int:
    """Write an avatar as VRM 1.0 or 0.x for VR chats and streaming programs."""
    from avatar3d.exporting_vrm import export_vrm as export
    from avatar3d.formats.vrm import VrmParams
    from avatar3d.formats.vrm_meta import LICENCE_URL, answered, read_answers

    given = {key: value for key, value in {**said, "version": model_version}.items() if value not in (None, ())}
    told = (read_answers(answers) if answers else {}) | given
    meta = answered({"name": avatar.stem} | told, restrictive=restrictive)
    if vrm_version == "0.x" and "licence_0" not in told and not restrictive:
        raise UsageError(f"VRM 0.x asks for one more answer: --licence-0 {'|'.join(_LICENCES_0)}.", id="VRM_META")
    if not licence_ok:
        raise UsageError(
            f"a VRM 1.0 is given away under {LICENCE_URL}, with these answers; you have not said that you may do that.",
            hint="Read it; if this likeness is yours to give, add --licence-ok.",
            id="VRM_LICENCE",
        )
    result = export(avatar, out, meta, VrmParams(vrm_version, mtoon=mtoon, look=look, custom_names=custom_names))
    voice.result(f"{out}: VRM {vrm_version}, {result['bytes'] / 1e6:.1f} MB, by {', '.join(meta.authors)}", result)
    return 0
