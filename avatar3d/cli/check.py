"""avatar3d check: whether files keep our promises."""

from pathlib import Path

import click

from avatar3d.cli.voice import Voice, printable, speaking
from avatar3d.core.errors import Avatar3dError, OutputInvalidError


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--khronos/--no-khronos", default=True, show_default=True, help="Run the Khronos validator when it is here."
)
@speaking
def check(voice: Voice, files: tuple[Path, ...], khronos: bool) -> int:
    """Check GLB files against what avatar3d promises."""
    from avatar3d.formats.check import check_file

    codes: list[int] = []
    for file in files:
        try:
            report = check_file(file, khronos=khronos)
        except Avatar3dError as error:
            error.file = error.file or str(file)
            if len(files) == 1:
                raise
            voice.error(error)
            codes.append(error.exit_code)
            continue
        lines = [f"{item.level.upper():4}  {item.check:9}  {item.where:14}  {item.reason}" for item in report.findings]
        verdict = "FAILED" if report.failures else "passed"
        counts = f"{len(report.failures)} failures, {len(report.warnings)} warnings"
        voice.result("\n".join([*lines, f"{printable(file)}: {verdict}, {counts}"]), report.as_json())
        codes.append(0 if report.ok else OutputInvalidError.exit_code)
    return max(codes)
