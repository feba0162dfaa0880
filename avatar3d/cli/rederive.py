"""avatar3d rederive: an avatar's mesh was sculpted or remeshed; its shapes and skin weights for the new one."""

from pathlib import Path

import click

from avatar3d.cli.voice import Voice, speaking


@click.command()
@click.argument("avatar", metavar="AVATAR.GLB", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("edited", metavar="EDITED.NPZ", type=click.Path(path_type=Path, dir_okay=False))
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="Writes RESULT.NPZ.")
@speaking
def rederive(voice: Voice, avatar: Path, edited: Path, out: Path) -> int:
    """Give an edited mesh the shapes and skin weights of its avatar."""
    from avatar3d.rederiving import rederive_files

    report = rederive_files(avatar, edited, out, progress=voice.progress)
    for warning in report["warnings"]:
        voice.warn(warning)
    voice.result(told(report), report)
    return 0


def told(report: dict[str, object]) -> str:
    """The report in a few lines."""
    lines = [f"{report['result']}: {report['part']}, {report['vertices']} vertices, in {report['seconds']} s"]
    surface, error = report["surface_mm"], report["shape_error_mm"]
    lines.append(f"  surface moved by (mm)  {_listed(surface)}")
    if error:
        lines.append(f"  shapes differ by (mm)  {_listed(error)}")
    lines.append(f"  vertices filled in     {float(str(report['filled_share'])):.1%}")
    lines += [f"  {each['level']}  {each['where']}: {each['reason']}" for each in report.get("contacts", ())]  # type: ignore[attr-defined]
    return "\n".join(lines)


def _listed(values: object) -> str:
    assert isinstance(values, dict)
    return ", ".join(
        f"{key} {value}" for key, value in values.items() if key in ("median", "p95", "max", "worst_shape")
    )
