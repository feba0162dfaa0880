"""avatar3d check: whether files keep our promises."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from avatar3d.cli.voice import Voice, printable, speaking
from avatar3d.core.errors import Avatar3dError, OutputInvalidError

if TYPE_CHECKING:  # a verb's file is quick to import; its work is loaded when it runs
    from avatar3d.formats.check import CheckReport
    from avatar3d.formats.finding import Level


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--khronos/--no-khronos", default=True, show_default=True, help="Run the Khronos validator when it is here."
)
@click.option(
    "--target", metavar="X", help="A platform's rules instead: a profile of export, vrchat-android, quicklook."
)
@click.option("--verbose", "-v", is_flag=True, help="Also list the promises that hold.")
@speaking
def check(voice: Voice, files: tuple[Path, ...], khronos: bool, target: str | None, verbose: bool) -> int:
    """Check GLB files, and files of splats, against what avatar3d promises."""
    from avatar3d.formats.check import check_file
    from avatar3d.formats.targets.check import check_target

    codes: list[int] = []
    for file in files:
        try:
            report = check_target(file, target) if target else check_file(file, khronos=khronos)
        except Avatar3dError as error:
            error.file = error.file or str(file)
            if len(files) == 1:
                raise
            voice.error(error)
            codes.append(error.exit_code)
            continue
        voice.result("\n".join(_told(report, file, verbose=verbose)), report.as_json())
        codes.append(0 if report.ok else OutputInvalidError.exit_code)
    return max(codes)


def _told(report: "CheckReport", file: Path, *, verbose: bool) -> list[str]:
    """The verdict in one line, below it the problems, failures first; then, if asked for, all that was looked at."""
    tally: tuple[tuple[str, str, Level], ...] = (
        ("failure", "failures", "fail"),
        ("warning", "warnings", "warn"),
        ("promise kept", "promises kept", "pass"),
        ("check skipped (--verbose says why)", "checks skipped (--verbose says why)", "skip"),
    )
    counts = [
        f"{len(found)} {one if len(found) == 1 else many}" for one, many, level in tally if (found := report.of(level))
    ]
    told = [*report.failures, *report.warnings, *(report.of("skip") + report.of("pass") if verbose else ())]
    width = max((9, *(len(item.check) for item in told)))
    return [
        f"{printable(file)}: {'FAILED' if report.failures else 'passed'}, {', '.join(counts)}",
        *(f"  {item.level.upper():4}  {item.check:{width}}  {item.where:14}  {item.reason}" for item in told),
    ]
