"""avatar3d models: the parametric heads that `create --head` can use, and those the user brings."""

from pathlib import Path
from typing import Any, Literal

import click

from avatar3d.cli.voice import Voice, speaking
from avatar3d.core.errors import UsageError


@click.command()
@click.argument("action", type=click.Choice(["list", "add", "info", "remove"]))
@click.argument("name", required=False)
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--kind", help="Of add: flame, gnm, ict or anny, where NAME is another word.")
@click.option("--accept-licence", "accepted", is_flag=True, help="Of add: you accept the terms that it shows without.")
@speaking
def models(
    voice: Voice,
    action: Literal["list", "add", "info", "remove"],
    name: str | None,
    file: Path | None,
    kind: str | None,
    accepted: bool,
) -> None:
    """Add head models of others, look at them, remove them."""
    if (action == "list") != (name is None) or (action != "add" and (file or kind or accepted)):
        raise UsageError(
            f"avatar3d models {action} was given too little or too much.",
            hint="avatar3d models list; models add NAME FILE --accept-licence; models info NAME; models remove NAME.",
        )
    if name is None:
        _list(voice)
    elif action == "add":
        _add(voice, name, file, kind, accepted=accepted)
    elif action == "info":
        bill = _bill(name)
        voice.result(_told(bill), bill)
    else:
        from avatar3d.head.added import forget

        forget(name)
        voice.result(f"{name} is removed; avatars made with it stay.", {"removed": name})


def _list(voice: Voice) -> None:
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


def _add(voice: Voice, name: str, file: Path | None, kind: str | None, *, accepted: bool) -> None:
    from avatar3d.adopting import add_model
    from avatar3d.head.terms import TERMS

    if accepted and (terms := TERMS.get(kind or name)):
        voice.progress(f"{terms.title}: {terms.summary} {terms.url}")
    bill = add_model(name, file, kind=kind, accepted=accepted, progress=lambda stage: voice.progress(f"  {stage}"))
    voice.result(_told(bill), bill)


def _bill(name: str) -> dict[str, Any]:
    """What is known of a head; an added one's file is checked against it."""
    from avatar3d.head.added import added_names, arrays_of, bill_of
    from avatar3d.head.load import load_head_model
    from avatar3d.head.own import bill_of_materials

    if name in added_names():
        arrays_of(name)
        return bill_of(name)
    model = load_head_model(name)
    counts = {"vertices": len(model.rest), "triangles": len(model.triangles), "identity": len(model.identity)}
    bill = {"name": name, "kind": "built in", "licence": model.licence, "counts": counts}
    return bill | ({"sha256": bill_of_materials()["sha256"]} if name == "avatar3d" else {})


def _told(bill: dict[str, Any]) -> str:
    lines = [("name", bill["name"]), ("kind", bill["kind"]), ("licence", bill["licence"])]
    lines += [(name.replace("_", " "), f"{count:,}") for name, count in bill["counts"].items()]
    if bill.get("carried"):
        lines.append(("from our head", ", ".join(bill["carried"])))
    if laid := bill.get("laid_mm"):
        lines.append(
            (
                "laid on it",
                f"median {laid['median']} mm, 95 % under {laid['p95']} mm, {laid['told_share']:.1%} of the skin",
            )
        )
    if fit := bill.get("rosetta_mm"):
        lines.append(
            ("its expressions", f"show our 52 within {fit['mean']} mm in the mean, {fit['worst']} mm at worst")
        )
    if source := bill.get("source"):
        lines.append(("from", f"{source['file']} {source['sha256']}".strip()))
    if "sha256" in bill:
        lines.append(("sha256", bill["sha256"]))
    return "\n".join(f"{label:18}  {text}" for label, text in lines)
