"""Whether every member that Godot 4 scripts name exists: their syntax tree (gdtoolkit) against classes.json and each other.

What has a declared type is followed through calls and properties; what has none (Variant) is not. No engine, so: it proves
that names are right, not that the program is.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from gdtoolkit.parser import parser
from lark import Token, Tree

TABLE = json.loads(Path(__file__).with_name("classes.json").read_text())
CLASSES: dict[str, dict] = TABLE["classes"]
DYNAMIC = "Variant"


@dataclass
class Script:
    """A script, or a class within one."""

    name: str
    extends: str = "RefCounted"
    members: dict[str, str] = field(default_factory=dict)
    """Variables, constants, functions, signals and enums of its own, with the type that each gives."""
    classes: dict[str, "Script"] = field(default_factory=dict)
    preloads: dict[str, str] = field(default_factory=dict)
    tree: Tree | None = None


class Project:
    """All scripts below a folder, by their paths and class names."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.scripts = {path: _script(path) for path in sorted(root.rglob("*.gd"))}
        self.named = {script.name: script for script in self.scripts.values()}

    def faults(self) -> list[str]:
        """Members that do not exist, as sentences."""
        return [f"{path.relative_to(self.root)}: {fault}" for path in self.scripts for fault in self._faults(path)]

    def _faults(self, path: Path) -> Iterator[str]:
        script = self.scripts[path]
        if script.extends not in CLASSES and script.extends not in self.named:
            yield f"extends {script.extends}, which is in no table"
        assert script.tree is not None
        for function in script.tree.iter_subtrees():
            if function.data == "func_def":
                yield from Walk(self, path, script, _locals(function)).faults(function)
        outside = [
            part
            for part in script.tree.children
            if isinstance(part, Tree) and part.data not in ("func_def", "class_def")
        ]
        for part in outside:
            yield from Walk(self, path, script, {}).faults(part)

    def member(self, kind: str, name: str, of: Path) -> str | None:
        """The type that a member of a type gives; None where there is none."""
        seen = kind.split("[")[0]
        while seen:
            if seen in CLASSES:
                if name in CLASSES[seen]["members"]:
                    return CLASSES[seen]["members"][name] or DYNAMIC
                seen = CLASSES[seen]["inherits"]
                continue
            script = self.script(seen, of)
            if script is None:
                return None
            if name in script.members:
                return script.members[name]
            if name in script.classes:
                return f"class {seen}.{name}"
            seen = script.extends
        return None

    def script(self, kind: str, of: Path) -> Script | None:
        """A script by its class name, by a constant that preloads it, or a class within such a one."""
        outer, _, inner = kind.partition(".")
        here = self.scripts[of]
        found = self.named.get(outer) or here.classes.get(outer)
        if found is None and outer in here.preloads:
            found = self.scripts.get((of.parent / here.preloads[outer]).resolve())
        return found.classes.get(inner) if found is not None and inner else found


@dataclass
class Walk:
    """Through one function."""

    project: Project
    path: Path
    script: Script
    local: dict[str, str]

    def faults(self, tree: Tree) -> Iterator[str]:
        for part in tree.iter_subtrees_topdown():
            if part.data == "getattr":
                yield from self._access(part)
            elif part.data == "standalone_call":
                name = str(part.children[0])
                if name not in TABLE["globals"] and self.project.member(self.script.name, name, self.path) is None:
                    yield f"{name}() is no function of {self.script.name} or of Godot"
            elif part.data in ("func_var_typed_assgnd", "func_var_typed", "class_var_typed", "class_var_typed_assgnd",
                               "func_arg_typed", "for_stmt_typed", "const_typed_assigned"):  # fmt: skip
                yield from self._declared(str(part.children[1]))

    def _declared(self, kind: str) -> Iterator[str]:
        inner = kind[kind.index("[") + 1 : -1] if "[" in kind else kind
        plain = inner in CLASSES or inner in self.script.members or inner in (DYNAMIC, "void")
        outer, _, last = inner.partition(".")
        enum = bool(last) and outer in CLASSES and last in CLASSES[outer]["members"]
        if not plain and not enum and self.project.script(inner, self.path) is None:
            yield f"{kind} is no known type"

    def _access(self, part: Tree) -> Iterator[str]:
        base, name = part.children[0], str(part.children[2])
        kind = self.kind(base)
        if kind == DYNAMIC or kind.startswith("class ") or name == "new":
            return
        if self.project.member(kind, name, self.path) is None:
            yield f"{kind} has no {name}"

    def kind(self, thing: Tree | Token) -> str:
        """The type of an expression."""
        if isinstance(thing, Token):
            return self._named(str(thing))
        match thing.data:
            case "expr" | "par_expr":
                return self.kind(thing.children[0])
            case "string":
                return "String"
            case "string_name":
                return "StringName"
            case "actual_type_cast":
                return str(thing.children[2])
            case "getattr":
                return self._given(self.kind(thing.children[0]), str(thing.children[2]))
            case "getattr_call":
                return self.kind(thing.children[0])
            case "standalone_call":
                name = str(thing.children[0])
                return self.project.member(self.script.name, name, self.path) or (name if name in CLASSES else DYNAMIC)
            case "subscr_expr":
                kind = self.kind(thing.children[0])
                return kind[kind.index("[") + 1 : -1] if "[" in kind else DYNAMIC
            case _:
                return DYNAMIC

    def _named(self, name: str) -> str:
        if name in self.local:
            return self.local[name]
        own = self.project.member(self.script.name, name, self.path)
        if own is not None:
            return own
        return name if name in CLASSES or self.project.script(name, self.path) is not None else DYNAMIC

    def _given(self, kind: str, name: str) -> str:
        if name == "new":
            return kind.removeprefix("class ")
        if kind == DYNAMIC or kind.startswith("class "):
            return DYNAMIC
        return self.project.member(kind, name, self.path) or DYNAMIC


def _locals(function: Tree) -> dict[str, str]:
    """Names of arguments and variables with their declared types; the same name has one type in all our functions."""
    found: dict[str, str] = {}
    for part in function.iter_subtrees():
        if part.data in ("func_arg_typed", "func_var_typed", "func_var_typed_assgnd", "for_stmt_typed"):
            found[str(part.children[0])] = str(part.children[1])
        elif part.data in ("func_arg_regular", "func_var_assigned", "func_var_empty", "for_stmt"):
            found[str(part.children[0])] = DYNAMIC
    return found


@cache
def _parsed(text: str) -> Tree:
    return parser.parse(text, gather_metadata=True)


def _script(path: Path) -> Script:
    tree = _parsed(path.read_text())
    script = _body(tree, path.stem)
    script.tree = tree
    return script


def _body(tree: Tree, name: str) -> Script:
    script = Script(name)
    for part in tree.children:
        if not isinstance(part, Tree):
            continue
        match part.data:
            case "classname_stmt":
                script.name = str(part.children[0])
            case "extends_stmt":
                script.extends = str(part.children[0])
            case "signal_stmt":
                script.members[str(part.children[0])] = "Signal"
            case "enum_stmt":
                script.members[str(part.children[0].children[0])] = DYNAMIC
            case "class_def":
                script.classes[str(part.children[0])] = _body(Tree("class", part.children[1:]), str(part.children[0]))
            case "const_stmt" | "class_var_stmt":
                _constant_or_variable(part.children[-1], script)
            case "func_def" | "static_func_def":
                header = next(part.find_data("func_header"))
                given = header.children[-1]
                script.members[str(header.children[0])] = (
                    str(given) if isinstance(given, Token) and len(header.children) > 2 else DYNAMIC
                )
    return script


def _constant_or_variable(part: Tree, script: Script) -> None:
    name = str(part.children[0])
    loads = [call for call in part.iter_subtrees() if call.data == "standalone_call" and call.children[0] == "preload"]
    if loads:
        script.preloads[name] = str(loads[0].children[1].children[0]).strip('"')
    typed = part.data in ("const_typed_assigned", "class_var_typed", "class_var_typed_assgnd")
    if not loads:
        script.members[name] = str(part.children[1]) if typed else DYNAMIC
