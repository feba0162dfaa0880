"""avatar3d check: whether a file keeps our promises."""

from pathlib import Path

import click

from avatar3d.cli.voice import Voice, speaking
from avatar3d.core.errors import OutputInvalidError


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--khronos/--no-khronos", default=True, show_default=True, help="Run the Khronos validator when it is here."
)
@speaking
def check(voice: Voice, file: Path, khronos: bool) -> int:
    """Check a GLB file against what avatar3d promises."""
    from avatar3d.formats.check import check_file

    report = check_file(file, khronos=khronos)
    lines = [f"{item.level.upper():4}  {item.check:9}  {item.where:14}  {item.reason}" for item in report.findings]
    verdict = "FAILED" if report.failures else "passed"
    counts = f"{len(report.failures)} failures, {len(report.warnings)} warnings"
    voice.result("\n".join([*lines, f"{file.name}: {verdict}, {counts}"]), report.as_json())
    return 0 if report.ok else OutputInvalidError.exit_code
