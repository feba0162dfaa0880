"""Which node runs the validator."""

import os
from pathlib import Path

import pytest

from avatar3d.formats import khronos


def fake_node(folder: Path, version: str) -> str:
    node = folder / "node"
    node.write_text(f"#!/bin/sh\necho {version}\n")
    node.chmod(0o755)
    return str(node)


@pytest.mark.skipif(os.name != "posix", reason="the stand-in is a shell script")
class TestFindNode:
    def test_takes_a_young_node_on_the_path(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        node = fake_node(tmp_path, "v22.1.0")
        monkeypatch.setenv("PATH", str(tmp_path))
        assert khronos.find_node() == node

    @pytest.mark.parametrize("version", ["v18.19.0", "nonsense"])
    def test_passes_over_an_old_one(self, version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        node = fake_node(tmp_path, version)
        monkeypatch.setenv("PATH", str(tmp_path))
        assert khronos.find_node() != node

    def test_says_none_when_there_is_none(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.setattr(khronos, "find_spec", lambda _: None)
        assert khronos.find_node() is None
        assert khronos.find_validator() is None
