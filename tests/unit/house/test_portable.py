"""Every module of ours can be imported on Windows, macOS and Linux."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
UNIX_ONLY = {"fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty"}
MODULES = sorted((ROOT / "avatar3d").rglob("*.py"))


def imported_at_once(tree: ast.Module) -> set[str]:
    """Names of the packages that importing this module imports: all imports outside functions."""
    found: set[str] = set()
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(node, ast.Import):
            found |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
        waiting += ast.iter_child_nodes(node)
    return found


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT / "avatar3d")))
def test_importing_it_needs_no_unix(module: Path) -> None:
    assert imported_at_once(ast.parse(module.read_text(encoding="utf-8"))) & UNIX_ONLY == set()
