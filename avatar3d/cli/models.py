"""avatar3d models: the parametric heads that `create --head` can use, and those the user brings."""

from pathlib import Path
from typing import Any

import click

from avatar3d.cli.voice import Voice, speaking


@click.group()
def models() -> None:
    """Add head models of others, look at them, remove them."""


@models.command("list")
@speaking
def list_models(voice: Voice) -> None:
    """Say which heads there are."""
    from avatar3d.head.added import added_names, bill_of
    from avatar3d.head.registry import head_names
    from avatar3d.head.terms import TERMS

    rows: list[dict[str, Any]] = []
    for name in head_names():
        added = name in added_names()
        rows.append({"name": name, "added": added, "licence": bill_of(name)["licence"] if added else "built in"})
    missing = [kind for kind in TERMS if kind not in head_names()]
    text = [f"{row['name']:12}  {row['licence']}" for row in rows]
    text += [f"{kind:12}  not added: avatar3d models add {kind} ..." for kind in missing]
    voice.result("\n".join(text), {"models": rows, "can_be_added": missing})


@models.command("add")
@click.argument("name")
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--kind", help="flame, gnm, ict or anny, where NAME is another word.")
@click.option("--accept-licence", "accepted", is_flag=True, help="You accept the terms that are shown without it.")
@speaking
def add_model(voice: Voice, name: str, file: Path | None, kind: str | None, accepted: bool) -> None:
    """Convert a head model once, for `create --head NAME`."""
    from avatar3d.adopting import add_model as add
    from avatar3d.head.terms import TERMS

    if (kind or name) in TERMS and accepted:
        terms = TERMS[kind or name]
        voice.progress(f"{terms.title}: {terms.summary} {terms.url}")
    bill = add(name, file, kind=kind, accepted=accepted, progress=lambda stage: voice.progress(f"  {stage}"))
    voice.result(_told(bill), bill)


@models.command("info")
@click.argument("name")
@speaking
def model_info(voice: Voice, name: str) -> None:
    """Say what a head is made of, and whether its file is as it was written."""
    from avatar3d.head.added import added_names, arrays_of, bill_of
    from avatar3d.head.load import load_head_model
    from avatar3d.head.own import bill_of_materials

    if name in added_names():
        bill = bill_of(name)
        arrays_of(name)
    else:
        model = load_head_model(name)
        counts = {"vertices": len(model.rest), "triangles": len(model.triangles), "identity": len(model.identity)}
        bill = {"name": name, "kind": "built in", "licence": model.licence, "counts": counts}
        if name == "avatar3d":
            bill["sha256"] = bill_of_materials()["sha256"]
    voice.result(_told(bill), bill)


@models.command("remove")
@click.argument("name")
@speaking
def remove_model(voice: Voice, name: str) -> None:
    """Forget a head that was added; avatars made with it stay."""
    from avatar3d.head.added import forget

    forget(name)
    voice.result(f"{name} is removed.", {"removed": name})


def _told(bill: dict[str, Any]) -> str:
    lines = [("name", bill["name"]), ("kind", bill["kind"]), ("licence", bill["licence"])]
    lines += [(name.replace("_", " "), f"{count:,}") for name, count in bill["counts"].items()]
    if bill.get("carried"):
        lines.append(("from our head", ", ".join(bill["carried"])))
    if laid := bill.get("laid_mm"):
        lines.append(("laid on it", f"median {laid['median']} mm, 95 % under {laid['p95']} mm, {laid['told_share']:.1%} of the skin"))
    if fit := bill.get("rosetta_mm"):
        lines.append(("its expressions", f"show the 52 shapes within {fit['mean']} mm in the mean, {fit['worst']} mm at worst"))
    if source := bill.get("source"):
        lines.append(("from", f"{source['file']} {source['sha256']}"))
    if "sha256" in bill:
        lines.append(("sha256", bill["sha256"]))
    return "\n".join(f"{label:18}  {text}" for label, text in lines)
