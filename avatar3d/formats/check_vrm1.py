"""The rules of VRM 1.0, each with the page and section of vrm-c/vrm-specification that makes it."""

from typing import Final, get_args

from avatar3d.core.vrm import PRESETS
from avatar3d.formats.check_vrm_body import bone_rules, bones_1, uneven_scale
from avatar3d.formats.check_vrm_springs import SPRING_RULES
from avatar3d.formats.glb import GlbDocument, Json
from avatar3d.formats.vrm1 import VRM1
from avatar3d.formats.vrm_json import (
    Faults,
    Rule,
    at,
    is_number,
    place_of,
    record,
    records,
    short,
    targets_of_mesh,
    values,
    within,
)
from avatar3d.formats.vrm_materials import MTOON
from avatar3d.formats.vrm_meta import LICENCE_URL, AvatarPermission, CommercialUsage, CreditNotation, Modification

_CHOSEN: Final = {
    "avatarPermission": get_args(AvatarPermission),
    "commercialUsage": get_args(CommercialUsage),
    "creditNotation": get_args(CreditNotation),
    "modification": get_args(Modification),
}
_FLAGS: Final = (
    "allowExcessivelyViolentUsage", "allowExcessivelySexualUsage", "allowPoliticalOrReligiousUsage", "allowAntisocialOrHateUsage",
    "allowRedistribution",
)  # fmt: skip
_OVERRIDES: Final = ("overrideMouth", "overrideBlink", "overrideLookAt")
_RANGES: Final = ("rangeMapHorizontalInner", "rangeMapHorizontalOuter", "rangeMapVerticalDown", "rangeMapVerticalUp")
_FIRST_PERSON: Final = ("auto", "both", "thirdPersonOnly", "firstPersonOnly")


def _version(document: GlbDocument, extension: Json) -> Faults:
    if extension.get("specVersion") != "1.0":
        yield f"{VRM1}.specVersion", f"is {short(extension.get('specVersion'))}, expected '1.0'"
    if VRM1 not in values(document.json.get("extensionsUsed")):
        yield "extensionsUsed", f"does not list {VRM1}"


def _meta_required(_document: GlbDocument, extension: Json) -> Faults:
    meta = record(extension.get("meta"))
    if not isinstance(meta.get("name"), str) or not meta["name"]:
        yield "meta.name", "is missing"
    authors = values(meta.get("authors"))
    if not authors or not all(isinstance(author, str) for author in authors) or not any(authors):
        yield "meta.authors", "names nobody"
    if meta.get("licenseUrl") != LICENCE_URL:
        yield "meta.licenseUrl", f"is {short(meta.get('licenseUrl'))}, expected {LICENCE_URL!r}"


def _meta_choices(_document: GlbDocument, extension: Json) -> Faults:
    meta = record(extension.get("meta"))
    for key, allowed in _CHOSEN.items():
        if key in meta and meta[key] not in allowed:
            yield f"meta.{key}", f"is {short(meta[key])}, expected one of {', '.join(allowed)}"
    for key in _FLAGS:
        if not isinstance(meta.get(key, False), bool):
            yield f"meta.{key}", f"is {short(meta[key])}, expected true or false"


def _thumbnail(document: GlbDocument, extension: Json) -> Faults:
    index = record(extension.get("meta")).get("thumbnailImage")
    if index is None:
        return
    image = at(document, "images", index)
    if image is None:
        yield "meta.thumbnailImage", f"is image {short(index)}, which does not exist"
        return
    view = at(document, "bufferViews", image.get("bufferView"))
    size = _png_size(document, view) if view is not None and image.get("mimeType") == "image/png" else None
    if image.get("mimeType") not in ("image/png", "image/jpeg"):
        yield "meta.thumbnailImage", f"is {short(image.get('mimeType'))}, expected PNG or JPEG"
    elif size is not None and size[0] != size[1]:
        yield "meta.thumbnailImage", f"is {size[0]} x {size[1]} pixels, expected a square"


def _png_size(document: GlbDocument, view: Json) -> tuple[int, int] | None:
    """Width and height in a PNG's first chunk (PNG 3rd edition, 11.2.1)."""
    start = view.get("byteOffset", 0)
    header = document.binary[start : start + 24] if isinstance(start, int) and start >= 0 else b""
    return (
        (int.from_bytes(header[16:20]), int.from_bytes(header[20:24]))
        if header[:4] == b"\x89PNG" and len(header) == 24
        else None
    )


def _names(_document: GlbDocument, extension: Json) -> Faults:
    told = record(extension.get("expressions"))
    for name in record(told.get("preset")):
        if name not in PRESETS:
            yield name, "is no preset expression"
    for name in record(told.get("custom")):
        if name in PRESETS:
            yield name, "is a preset's name, which no custom expression may have"


def _expressions(extension: Json) -> list[tuple[str, Json]]:
    told = record(extension.get("expressions"))
    return [(name, record(each)) for kind in ("preset", "custom") for name, each in record(told.get(kind)).items()]


def _binds(document: GlbDocument, extension: Json) -> Faults:
    for name, expression in _expressions(extension):
        for bind in records(expression.get("morphTargetBinds")):
            node = at(document, "nodes", bind.get("node"))
            count = targets_of_mesh(document, node.get("mesh")) if node is not None else None
            if count is None:
                yield name, f"binds node {short(bind.get('node'))}, which has no mesh"
            elif not within(bind.get("index"), 0, count - 1) or not isinstance(bind.get("index"), int):
                yield name, f"binds morph target {short(bind.get('index'))} of {count}"
            if not within(bind.get("weight"), 0, 1):
                yield name, f"binds with the weight {short(bind.get('weight'))}, expected 0 to 1"


def _overrides(_document: GlbDocument, extension: Json) -> Faults:
    for name, expression in _expressions(extension):
        for key in _OVERRIDES:
            if expression.get(key, "none") not in ("none", "block", "blend"):
                yield name, f"has {key} {short(expression[key])}, expected none, block or blend"
        if not isinstance(expression.get("isBinary", False), bool):
            yield name, "has an isBinary that is not true or false"


def _all_presets(_document: GlbDocument, extension: Json) -> Faults:
    there = record(record(extension.get("expressions")).get("preset"))
    missing = [name for name in PRESETS if name not in there]
    if missing:
        yield "expressions.preset", f"lacks {', '.join(missing)}; all are optional, and programs ask for them"


def _look_at(_document: GlbDocument, extension: Json) -> Faults:
    look = extension.get("lookAt")
    if look is None:
        return
    told, bones = record(look), dict(bones_1(extension))
    if told.get("type") not in ("bone", "expression"):
        yield "lookAt.type", f"is {short(told.get('type'))}, expected bone or expression"
    if told.get("type") == "bone" and not {"leftEye", "rightEye"} <= bones.keys():
        yield "lookAt.type", "is bone, and there are no eye bones"
    if "offsetFromHeadBone" in told and not place_of(told["offsetFromHeadBone"]):
        yield "lookAt.offsetFromHeadBone", "is not three numbers"
    for key in _RANGES:
        if key in told and not within(record(told[key]).get("inputMaxValue"), 1e-6, 180):
            yield f"lookAt.{key}", "has no inputMaxValue above 0 and up to 180 degrees"
        if key in told and not is_number(record(told[key]).get("outputScale")):
            yield f"lookAt.{key}", "has no outputScale"


def _first_person(document: GlbDocument, extension: Json) -> Faults:
    for note in records(record(extension.get("firstPerson")).get("meshAnnotations")):
        node = at(document, "nodes", note.get("node"))
        if node is None or "mesh" not in node:
            yield "firstPerson", f"annotates node {short(note.get('node'))}, which has no mesh"
        if note.get("type") not in _FIRST_PERSON:
            yield "firstPerson", f"has the type {short(note.get('type'))}, expected one of {', '.join(_FIRST_PERSON)}"


def _toon(document: GlbDocument, _extension: Json) -> Faults:
    for index, material in enumerate(document.items("materials")):
        toon = record(material.get("extensions")).get(MTOON)
        where = f"materials[{index}]"
        if toon is None:
            continue
        told = record(toon)
        if told.get("specVersion") != "1.0":
            yield where, f"has {MTOON} of version {short(told.get('specVersion'))}, expected '1.0'"
        if not within(told.get("outlineWidthFactor", 0.0), 0):
            yield where, f"has an outline {short(told['outlineWidthFactor'])} wide, expected 0 or more"
        if told.get("outlineWidthMode", "none") not in ("none", "worldCoordinates", "screenCoordinates"):
            yield where, f"has the outlineWidthMode {short(told['outlineWidthMode'])}"
        if not within(told.get("shadingToonyFactor", 0.9), 0, 1):
            yield where, f"has a shadingToonyFactor of {short(told['shadingToonyFactor'])}, expected 0 to 1"
        if (
            "shadeMultiplyTexture" in told
            and at(document, "textures", record(told["shadeMultiplyTexture"]).get("index")) is None
        ):
            yield where, "shades with a texture that does not exist"


def unused_items(document: GlbDocument, _extension: Json) -> Faults:
    """What VRM does not use."""
    for key in ("animations", "cameras"):
        if document.items(key):
            yield key, "are not used by VRM"


def tangents(document: GlbDocument, _extension: Json) -> Faults:
    """Stored tangents, which readers derive instead."""
    for index, mesh in enumerate(document.items("meshes")):
        for primitive in records(mesh.get("primitives")):
            if "TANGENT" in record(primitive.get("attributes")):
                yield f"meshes[{index}]", "stores TANGENT"
            if any("TANGENT" in target for target in records(primitive.get("targets"))):
                yield f"meshes[{index}]", "stores TANGENT in a morph target"


_HUMANOID, _TPOSE = "VRMC_vrm-1.0/humanoid.md", "VRMC_vrm-1.0/tpose.md"
_BONE_SECTIONS: Final = {
    "bones": f"{_HUMANOID}, List of humanoid bones",
    "bone names": f"{_HUMANOID}, List of humanoid bones",
    "bones once": f"{_HUMANOID}, List of humanoid bones",
    "bone tree": f"{_HUMANOID}, Humanoid bone parent-child relationship",
    "T-pose": f"{_TPOSE}, Definitions 1.1, 1.3 and 1.4",
}
_EXPRESSIONS, _README = "VRMC_vrm-1.0/expressions.md", "VRMC_vrm-1.0/README.md"

RULES_1: Final[tuple[Rule, ...]] = (
    Rule("version", f"{_README}, Version of VRMC_vrm specification", _version),
    *(Rule(name, _BONE_SECTIONS[name], rule) for name, rule in bone_rules(bones_1, of_0=False).items()),
    Rule("scale", f"{_TPOSE}, Definition 2.1", uneven_scale),
    Rule("meta", "VRMC_vrm-1.0/meta.md, Properties", _meta_required),
    Rule("meta choices", "VRMC_vrm-1.0/meta.md, Properties", _meta_choices),
    Rule("thumbnail", "VRMC_vrm-1.0/meta.md, meta.thumbnailImage", _thumbnail),
    Rule("expressions", f"{_EXPRESSIONS}, Preset Expressions and Custom Expressions", _names),
    Rule("binds", f"{_EXPRESSIONS}, MorphTargetBind", _binds),
    Rule("overrides", f"{_EXPRESSIONS}, Procedural override", _overrides),
    Rule("all presets", f"{_EXPRESSIONS}, Preset Expressions", _all_presets, "warn"),
    Rule("look-at", "VRMC_vrm-1.0/lookAt.md, Detail", _look_at),
    Rule("first person", "VRMC_vrm-1.0/firstPerson.md, MeshAnnotation", _first_person),
    *SPRING_RULES,
    Rule("mtoon", "VRMC_materials_mtoon-1.0/README.md, Definition", _toon),
    Rule("unused", f"{_README}, Unused Items", unused_items),
    Rule("tangents", f"{_README}, Allow ignore stored TANGENT", tangents, "warn"),
)
