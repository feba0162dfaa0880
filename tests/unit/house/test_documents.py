"""The documents say what is so."""

import re
import subprocess
from pathlib import Path

import pytest

from avatar3d.cli import VERBS
from avatar3d.core import errors
from avatar3d.core.errors import INTERNAL_EXIT_CODE, Avatar3dError

ROOT = Path(__file__).parents[3]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
CONVENTIONS = (ROOT / "docs" / "conventions.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_to_a_file_leads_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)", document.read_text(encoding="utf-8"))
    dead = [link for link in links if "://" not in link and not (document.parent / link).exists()]
    assert dead == []


def every_error(of: type[Avatar3dError] = Avatar3dError) -> list[type[Avatar3dError]]:
    return [of, *(error for child in of.__subclasses__() for error in every_error(child))]


@pytest.mark.parametrize("error", every_error(), ids=lambda error: error.__name__)
def test_the_conventions_list_every_error_with_its_exit_code(error: type[Avatar3dError]) -> None:
    if error.__module__ != errors.__name__:
        pytest.fail(f"{error.__name__} stands outside core/errors.py")
    row = re.search(rf"^\| {error.exit_code} \|.*$", CONVENTIONS, re.MULTILINE)
    assert row is not None
    assert error.default_id in row[0]


def test_every_exit_code_of_the_conventions_exists() -> None:
    listed = {int(code) for code in re.findall(r"^\| (\d+) \| [A-Z]", CONVENTIONS, re.MULTILINE)}
    assert listed == {error.exit_code for error in every_error()} | {INTERNAL_EXIT_CODE}


@pytest.mark.parametrize("verb", VERBS)
def test_the_readme_shows_every_verb(verb: str) -> None:
    assert f"avatar3d {verb}" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_no_tracked_file_knows_the_machine_it_was_written_on() -> None:
    search = ["git", "grep", "-nIE", r"(^|[^A-Za-z0-9_.])/(work|root|farm|opt/pypi)/", "--", ".", ":!tests/unit/house"]
    try:
        found = subprocess.run(search, cwd=ROOT, capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("git is not installed")
    if found.returncode > 1:
        pytest.skip("not a git checkout")
    assert found.stdout == ""
