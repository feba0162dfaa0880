"""bench.blender says how it is used, and that it needs a Blender, in the place of a table of nothing."""

import sys

import pytest

from bench import blender


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--help"], 0, "usage: "),
        (["no-such.glb"], 2, "no file no-such.glb"),
        (["egg.glb", "soon"], 2, "invalid float"),
    ],
)
def test_whoever_asks_wrongly_or_for_help_is_told(
    words: list[str], code: int, told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["bench.blender", *words])
    with pytest.raises(SystemExit) as left:
        blender.main()
    out, err = capsys.readouterr()
    assert left.value.code == code
    assert told in out + err
    assert "CPU ms" not in out


def test_without_a_blender_it_says_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["bench.blender"])
    monkeypatch.setattr(blender, "blender_pythons", list)
    assert blender.main() == 1
    assert "make .venv-bpy" in capsys.readouterr().out
