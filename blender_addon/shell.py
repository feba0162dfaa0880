# SPDX-FileCopyrightText: 2026 the avatar3d authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""For `avatar3d pull`: what was edited in a .blend, as arrays and pictures.

    PYTHON_WITH_BPY shell.py EDITED.blend OUT_FOLDER [--avatar NAME]
    blender --background --factory-startup --python shell.py -- EDITED.blend OUT_FOLDER

OUT_FOLDER gets source.glb (the file that the avatar came from), PART.npz per edited part, textures/PART_*.png for pictures that are no
longer the file's, and extract.json, whose path is the last line on stdout. Exit 0; 10: no avatar, or no .blend; 12: too large; 70.
"""

import argparse
import importlib.util
import json
import os
import sys
import tempfile
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

SCHEMA = "avatar3d-extract-1"
_HOUSE = "avatar3d_blender"
_SOCKETS = {"base_colour": "Base Color", "normal": "Normal", "orm": "Roughness"}


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("blend", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--avatar", default="", help="which, where the file has several")
    told = parser.parse_args(words)
    os.environ.setdefault(
        "BLENDER_USER_RESOURCES", tempfile.mkdtemp(prefix="avatar3d-")
    )  # before bpy: nobody's settings
    import bpy  # noqa: PLC0415, the line above comes first

    house = _load_house()
    try:
        # Scripts in the file are not run: it may be anybody's.
        bpy.ops.wm.open_mainfile(filepath=str(told.blend.resolve()), load_ui=False, use_scripts=False)
    except RuntimeError as cause:
        return _fail(10, f"{told.blend.name} cannot be opened: {cause}")
    try:
        avatar = _chosen(house, told.avatar)
        extract = extract_avatar(house, avatar, told.out)
    except house.scene.NoAvatar as cause:
        return _fail(10, str(cause))
    except house.extract.TooMuch as cause:
        return _fail(12, str(cause))
    except Exception:  # noqa: BLE001, the shell that called us must hear of it
        traceback.print_exc()
        return _fail(70, "The extraction met an error of ours.")
    file = told.out / "extract.json"
    file.write_text(json.dumps(extract, indent=1) + "\n", encoding="utf-8")
    print(file, flush=True)  # noqa: T201, the answer
    return 0


def extract_avatar(house: ModuleType, avatar: Any, out: Path) -> dict[str, Any]:
    """Write what was edited; gives extract.json. Raises NoAvatar, TooMuch."""
    import bpy  # noqa: PLC0415, as above

    out.mkdir(parents=True, exist_ok=True)
    data = house.scene.source(avatar)
    (out / "source.glb").write_bytes(data)
    facts, file = house.scene.facts(avatar), house.glb.read(data)
    pictures = {name: content for name, _, content in file.images}
    have, warnings = house.scene.parts(avatar), []
    parts: dict[str, Any] = {}
    for part in [part.name for part in file.parts]:
        thing = have.get(part)
        if thing is None:
            warnings.append(f"{part} was deleted in the .blend.")
            parts[part] = {"edited": False, "deleted": True}
            continue
        followed = thing.get(house.rederiving.FOLLOWED) == house.building.state(thing)
        edited = house.extract.edited_of(avatar, part) != thing or (
            bool(house.building.changes(thing)) and not followed
        )
        told: dict[str, Any] = {"edited": edited, "changed": sorted(house.building.changes(thing))}
        if edited:
            told |= {"file": f"{part}.npz"} | house.extract.write(avatar, part, out / f"{part}.npz", with_shapes=True)
        told["material"] = _material(house, thing, part, pictures, out)
        parts[part] = told
    added = [thing.name for thing in avatar.all_objects
             if thing.type == "MESH" and house.scene.PART not in thing and house.extract.EDIT not in thing]  # fmt: skip
    return {
        "schema": SCHEMA, "avatar": facts.get("name", avatar.name), "source": "source.glb", "source_sha256": facts["sha256"],
        "parts": parts, "added": added, "warnings": warnings, "blender": bpy.app.version_string,
    }  # fmt: skip


def _material(house: ModuleType, thing: Any, part: str, pictures: dict[str, bytes], out: Path) -> dict[str, Any]:
    """Its pictures that are no longer those of the file, as PNG."""
    material = thing.active_material
    told: dict[str, Any] = {"name": material.name if material else None} | dict.fromkeys(_SOCKETS)
    for kind, socket in _SOCKETS.items():
        node = house.materials.picture_node(material, socket)
        image = node.image if node else None
        if image is None or not image.size[0]:
            continue
        packed = bytes(image.packed_file.data) if image.packed_file else b""
        if packed and packed in pictures.values() and not image.is_dirty:
            continue
        (out / "textures").mkdir(exist_ok=True)
        name = f"textures/{part}_{kind}.png"
        copy = image.copy()
        copy.file_format = "PNG"
        copy.filepath_raw = str((out / name).resolve())
        copy.save()
        told[kind] = name
    return told


def _chosen(house: ModuleType, name: str) -> Any:
    found = house.scene.avatars()
    chosen = [each for each in found if name in ("", each.name, house.scene.facts(each).get("name"))]
    if not chosen:
        there = (
            f"It has {', '.join(each.name for each in found)}." if found else "Import one with the avatar3d extension."
        )
        raise house.scene.NoAvatar(
            f"There is no avatar {name!r} in this file. {there}" if name else f"No avatar in this file. {there}"
        )
    return chosen[0]


def _load_house() -> ModuleType:
    """The extension's own files, whatever their folder is called."""
    folder = Path(__file__).resolve().parent
    spec = importlib.util.spec_from_file_location(
        _HOUSE, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec is not None
    assert spec.loader is not None
    house = importlib.util.module_from_spec(spec)
    sys.modules[_HOUSE] = house
    spec.loader.exec_module(house)
    for name in ("scene", "glb", "materials", "extract", "building", "rederiving"):
        setattr(house, name, importlib.import_module(f"{_HOUSE}.{name}"))
    return house


def _fail(code: int, sentence: str) -> int:
    print(sentence, file=sys.stderr, flush=True)  # noqa: T201, whoever called reads it
    return code


if __name__ == "__main__":
    given = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:]
    code = main(given)
    sys.stdout.flush()
    os._exit(code)  # bpy in module mode may hang at the end
