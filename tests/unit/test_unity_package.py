"""The Unity package as files: layout, meta files, and the expected displacements of its sample. No compiler is needed."""

import json
import re

import pytest

from tools import unity_meta, unity_proof
from tools.unity_build import PACKAGE
from tools.unity_proof import SAMPLE


def test_the_core_names_no_engine() -> None:
    for part in ("Interop", "Internal"):
        folder = PACKAGE / "Runtime" / part
        assert json.loads(next(folder.glob("*.asmdef")).read_text())["noEngineReferences"] is True
        assert not [file for file in folder.glob("*.cs") if "UnityEngine" in file.read_text()]


def test_every_file_that_unity_imports_has_its_meta_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert unity_meta.main(["--check"]) == 0, capsys.readouterr().out
    guids = [re.search(r"guid: (\w{32})", path.read_text())[1] for path in unity_meta.metas()]
    assert len(set(guids)) == len(guids)


def test_the_packages_manifest_names_what_is_there() -> None:
    told = json.loads((PACKAGE / "package.json").read_text())
    assert (told["name"], told["unity"]) == (unity_meta.NAME, "2022.3")
    assert {PACKAGE / sample["path"] for sample in told["samples"]} == set((PACKAGE / "Samples~").iterdir())
    assert all((PACKAGE / name).is_file() for name in ("README.md", "CHANGELOG.md", "LICENSE"))


def test_the_expected_displacements_are_those_of_the_sample() -> None:
    assert SAMPLE.with_name("expected.json").read_bytes() == unity_proof.expected(SAMPLE), "python -m tools.unity_proof"


def test_every_assembly_names_what_it_uses_and_no_circle() -> None:
    told = [json.loads(path.read_text()) for path in PACKAGE.rglob("*.asmdef")]
    ours = {each["name"]: {name for name in each["references"] if name.startswith("Avatar3D")} for each in told}
    while done := {name for name, uses in ours.items() if not uses}:
        ours = {name: uses - done for name, uses in ours.items() if name not in done}
    assert ours == {}


def test_no_file_of_the_package_is_long() -> None:
    assert [path.name for path in PACKAGE.rglob("*.cs") if len(path.read_text().splitlines()) > 250] == []


def test_every_file_opens_with_what_it_is_for() -> None:
    assert [
        path.name for path in PACKAGE.rglob("*.cs") if not path.read_text(encoding="utf-8-sig").startswith("// ")
    ] == []
