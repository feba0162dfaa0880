"""The Unity package compiled without Unity: by mono's mcs in C# 7.2, what needs the engine against the stubs of tests/engine/unity.

build(folder) makes one library for each assembly definition of the package, with the references that it names and no others.
"""

import json
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

PACKAGE: Final = Path(__file__).parents[1] / "unity_bridge"
TESTS: Final = PACKAGE.parent / "tests/engine/unity"
LANGUAGE: Final = "7.2"
_NUNIT: Final = Path("/usr/lib/cli/nunit.framework-2.6.3/nunit.framework.dll")
_CORE: Final = ("Runtime/Interop", "Runtime/Internal", "Tests/Core")
_ENGINE: Final = ("Runtime/Component", "Editor", "Tests/Editor")
_SAMPLES: Final = tuple(f"Samples~/{name}" for name in ("BuiltIn", "Urp", "Vr", "Speech"))
_OTHERS: Final = {"UnityEngine.TestRunner", "UnityEditor.TestRunner", "Unity.InferenceEngine", "Unity.Sentis"}
"""What Unity brings: the stubs hold what we use of it."""


class CompileError(Exception):
    """What the compiler said."""


def tools_missing() -> list[str]:
    """What is not there of the compiler, the runtime and NUnit; Debian's names."""
    programs = {"mcs": "mono-mcs", "mono": "mono-runtime", "nunit-console": "nunit-console"}
    missing = [package for program, package in programs.items() if not shutil.which(program)]
    return missing + ([] if _NUNIT.is_file() else ["libnunit-framework2.6.3-cil"])


def build(folder: Path, *, package: Path = PACKAGE, defines: Sequence[str] = ("AVATAR3D_INFERENCE",)) -> list[str]:
    """Every assembly of the package into the folder, and the stubs; gives their names. Raises CompileError."""
    folder.mkdir(parents=True, exist_ok=True)
    stubs = sorted((TESTS / "stubs").glob("*.cs"))
    compile_library(folder, "UnityEngine", stubs, (), defines, quiet=("0067", "0169", "0649"))
    return [build_part(folder, package / part, defines) for part in (*_CORE, *_ENGINE, *_SAMPLES)]


def build_core(folder: Path, *, package: Path = PACKAGE) -> None:
    """The assemblies without an engine, and their tests."""
    folder.mkdir(parents=True, exist_ok=True)
    for part in _CORE:
        build_part(folder, package / part, ())


def build_part(folder: Path, part: Path, defines: Sequence[str]) -> str:
    """The assembly of one folder with its .asmdef."""
    told: dict[str, Any] = json.loads(next(part.glob("*.asmdef")).read_text())
    references = [name for name in told["references"] if name not in _OTHERS]
    if not told["noEngineReferences"] and not part.match("Tests/Core"):
        references.append("UnityEngine")
    sources = sorted(part.glob("*.cs"))
    if part.match("Tests/Editor"):
        sources += [TESTS / "StubBuild.cs", TESTS / "StubImport.cs"]
    nunit = (_NUNIT,) if "nunit.framework.dll" in told["precompiledReferences"] else ()
    compile_library(folder, told["name"], sources, references, defines, more=nunit)
    return str(told["name"])


def build_program(folder: Path, source: Path, *more: str) -> Path:
    """A program of the tests that uses the core, and what else mcs is told."""
    program = folder / f"{source.stem.lower()}.exe"
    _run(folder, [f"-out:{program}", "-r:Avatar3D.Interop.dll", "-r:Avatar3D.Internal.dll", *more, str(source)])
    return program


def compile_library(
    folder: Path,
    name: str,
    sources: Iterable[Path],
    references: Iterable[str],
    defines: Iterable[str],
    *,
    quiet: Iterable[str] = (),
    more: Iterable[Path] = (),
) -> None:
    _run(
        folder,
        [
            "-target:library",
            f"-out:{name}.dll",
            *(f"-r:{reference}.dll" for reference in references),
            *(f"-r:{path}" for path in more),
            *(f"-define:{word}" for word in defines),
            *(f"-nowarn:{code}" for code in quiet),
            *map(str, sources),
        ],
    )


def _run(folder: Path, words: list[str]) -> None:
    command = ["mcs", f"-langversion:{LANGUAGE}", "-warnaserror", "-nologo", "-debug", *words]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    if ran.returncode:
        raise CompileError(ran.stdout + ran.stderr)
