"""The .meta files of the Unity package: `python tools/unity_meta.py [--check]`.

Unity wants one beside every file and folder of a package that it imports, with a GUID by which scenes and assemblies refer to it.
Ours are the MD5 of the path within the package: the same on every machine, for ever. With --check nothing is written, and the exit
code is 1 when one is missing, stale, or belongs to nothing.
"""

import argparse
import hashlib
from pathlib import Path
from typing import Final

PACKAGE: Final = Path(__file__).parents[1] / "unity_bridge"
NAME: Final = "com.avatar3d.unity"
_TAIL: Final = "  externalObjects: {}\n  userData:\n  assetBundleName:\n  assetBundleVariant:\n"
_IMPORTERS: Final = {
    ".cs": "MonoImporter:\n  externalObjects: {}\n  serializedVersion: 2\n  defaultReferences: []\n  executionOrder: 0\n"
    "  icon: {instanceID: 0}\n  userData:\n  assetBundleName:\n  assetBundleVariant:\n",
    ".asmdef": f"AssemblyDefinitionImporter:\n{_TAIL}",
    ".md": f"TextScriptImporter:\n{_TAIL}",
    "package.json": f"PackageManifestImporter:\n{_TAIL}",
    ".json": f"TextScriptImporter:\n{_TAIL}",
}
_SCRIPTED: Final = {".glb"}
"""Whatever importer a project has for these writes its own settings; a GUID is all that can be told before."""


def metas() -> dict[Path, str]:
    """Every .meta file that there must be, and its text."""
    return {
        each.with_name(f"{each.name}.meta"): _text(each)
        for each in sorted(PACKAGE.rglob("*"))
        if each.suffix != ".meta" and not _hidden(each.relative_to(PACKAGE))
    }


def guid(path: str) -> str:
    """Of a path within the package, with slashes."""
    return hashlib.md5(f"{NAME}/{path}".encode(), usedforsecurity=False).hexdigest()


def _hidden(path: Path) -> bool:
    """What Unity does not look at."""
    return any(part.endswith("~") or part.startswith(".") for part in path.parts)


def _text(path: Path) -> str:
    head = f"fileFormatVersion: 2\nguid: {guid(path.relative_to(PACKAGE).as_posix())}\n"
    if path.is_dir():
        return f"{head}folderAsset: yes\nDefaultImporter:\n{_TAIL}"
    if path.suffix in _SCRIPTED:
        return head
    importer = _IMPORTERS.get(path.name) or _IMPORTERS.get(path.suffix) or f"DefaultImporter:\n{_TAIL}"
    return head + importer


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; 1 when one is stale")
    check = parser.parse_args(words).check
    wanted = metas()
    stale = [path for path, text in wanted.items() if not path.is_file() or path.read_text() != text]
    orphans = [path for path in PACKAGE.rglob("*.meta") if path not in wanted]
    for path in stale:
        print(f"{'stale' if check else 'wrote'} {path}")
        if not check:
            path.write_text(wanted[path])
    for path in orphans:
        print(f"{'belongs to nothing:' if check else 'removed'} {path}")
        if not check:
            path.unlink()
    return int(check and bool(stale or orphans))


if __name__ == "__main__":
    raise SystemExit(main())
