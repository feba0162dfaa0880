"""Whether a file keeps what a platform asks: `avatar3d check FILE --target X`."""

from pathlib import Path
from typing import Final

from avatar3d.core.errors import UnsupportedFormatError
from avatar3d.core.profiles import PROFILES, profile_of
from avatar3d.formats.check import CheckReport
from avatar3d.formats.glb import read_glb
from avatar3d.formats.targets.budgets import budget_rules
from avatar3d.formats.targets.rule import Rule, Subject
from avatar3d.formats.targets.structure import RULES
from avatar3d.formats.targets.vrchat import rank_findings

ALIASES: Final = {"vrchat-android": "vrchat-quest", "vrchat": "vrchat-pc"}
TARGETS: Final = (*PROFILES, *ALIASES, "quicklook")
_READ: Final = frozenset(
    {
        "EXT_meshopt_compression",
        "KHR_mesh_quantization",
        "EXT_texture_webp",
        "KHR_texture_basisu",
        "KHR_texture_transform",
    }
)
"""Extensions whose JSON these rules can judge without decoding."""


def rules_of(target: str) -> tuple[Rule, ...]:
    """Every rule that a target has, budgets first."""
    return (*budget_rules(target), *(rule for rule in RULES if not rule.targets or target in rule.targets))


def check_target(path: Path | str, target: str) -> CheckReport:
    """Check a GLB against a platform's rules, or a USDZ against Quick Look's.

    Raises UsageError (2) for an unknown target, InputError (10, 11, 12) for a file that cannot be read at all.
    """
    file = Path(path)
    if file.suffix.lower() == ".usdz":
        from avatar3d.formats.targets.quicklook import check_usdz  # noqa: PLC0415 (it needs the extra `usd`)

        return CheckReport(file, tuple(check_usdz(file)))
    name = ALIASES.get(target, target)
    if name == "quicklook":
        raise UnsupportedFormatError(
            f'"{file.name}" is no USDZ, which Quick Look wants.', hint="Export --format usdz.", file=file
        )
    profile_of(name)
    subject = Subject(read_glb(file, known=_READ), name)
    findings = [finding for rule in rules_of(name) for finding in rule.findings(subject)]
    if name.startswith("vrchat"):
        findings += rank_findings(subject)
    return CheckReport(file, tuple(findings))
