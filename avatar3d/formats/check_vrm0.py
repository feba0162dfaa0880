"""The rules of VRM 0.x: vrm-c/vrm-specification, 0.0/README.md."""

from collections import Counter
from typing import Final, get_args

from avatar3d.core.vrm import PRESETS_0
from avatar3d.formats.check_vrm1 import tangents
from avatar3d.formats.check_vrm_body import bone_rules, bones_0, turned_or_scaled
from avatar3d.formats.glb import GlbDocument, Json
from avatar3d.formats.vrm0 import ALLOWED_0, VRM0
from avatar3d.formats.vrm_json import Faults, Rule, at, record, records, short, targets_of_mesh, values, within
from avatar3d.formats.vrm_materials import KEEP_SHADER_0, MTOON_SHADER_0
from avatar3d.formats.vrm_meta import Licence0

_README: Final = "0.0/README.md"
_CHOSEN: Final = {
    "allowedUserName": tuple(ALLOWED_0.values()),
    "violentUssageName": ("Disallow", "Allow"),
    "sexualUssageName": ("Disallow", "Allow"),
    "commercialUssageName": ("Disallow", "Allow"),
    "licenseName": get_args(Licence0),
}
_PRESETS: Final = {"unknown", *(preset for preset, _ in PRESETS_0.values())}
_SHADERS: Final = (
    KEEP_SHADER_0, MTOON_SHADER_0, "VRM/UnlitTexture", "VRM/UnlitCutout", "VRM/UnlitTransparent", "VRM/UnlitTransparentZWrite",
)  # fmt: skip
_FLAGS: Final = ("Auto", "Both", "ThirdPersonOnly", "FirstPersonOnly")
_RANGES: Final = ("lookAtHorizontalInner", "lookAtHorizontalOuter", "lookAtVerticalDown", "lookAtVerticalUp")


def _used(document: GlbDocument, _extension: Json) -> Faults:
    if VRM0 not in values(document.json.get("extensionsUsed")):
        yield "extensionsUsed", "does not list VRM"


def _meta(document: GlbDocument, extension: Json) -> Faults:
    meta = record(extension.get("meta"))
    for key in ("title", "author"):
        if not isinstance(meta.get(key), str) or not meta[key]:
            yield f"meta.{key}", "is missing"
    for key, allowed in _CHOSEN.items():
        if meta.get(key) not in allowed:
            yield f"meta.{key}", f"is {short(meta.get(key))}, expected one of {', '.join(allowed)}"
    if meta.get("licenseName") == "Other" and not meta.get("otherLicenseUrl"):
        yield "meta.otherLicenseUrl", "is missing, and the licence is Other"
    if "texture" in meta and at(document, "textures", meta["texture"]) is None and meta["texture"] != -1:
        yield "meta.texture", f"is texture {short(meta['texture'])}, which does not exist"


def _clips(extension: Json) -> list[Json]:
    return records(record(extension.get("blendShapeMaster")).get("blendShapeGroups"))


def _names(_document: GlbDocument, extension: Json) -> Faults:
    identities: Counter[str] = Counter()
    for clip in _clips(extension):
        preset, name = str(clip.get("presetName", "unknown")).lower(), str(clip.get("name", ""))
        if preset not in _PRESETS:
            yield name, f"has the preset {short(clip.get('presetName'))}, which does not exist"
        identities[(name if preset == "unknown" else preset).upper()] += 1
    for identity, count in identities.items():
        if count > 1:
            yield identity, f"is the name of {count} blend shape groups; case does not count"


def _binds(document: GlbDocument, extension: Json) -> Faults:
    for clip in _clips(extension):
        for bind in records(clip.get("binds")):
            count = targets_of_mesh(document, bind.get("mesh"))
            if count is None:
                yield str(clip.get("name")), f"binds mesh {short(bind.get('mesh'))}, which does not exist"
            elif not within(bind.get("index"), 0, count - 1):
                yield str(clip.get("name")), f"binds morph target {short(bind.get('index'))} of {count}"
            if not within(bind.get("weight"), 0, 100):
                yield str(clip.get("name")), f"binds with the weight {short(bind.get('weight'))}, expected 0 to 100"


def _all_presets(_document: GlbDocument, extension: Json) -> Faults:
    there = {str(clip.get("presetName", "")).lower() for clip in _clips(extension)}
    missing = [name for preset, name in PRESETS_0.values() if preset not in there]
    if missing:
        yield "blendShapeMaster", f"lacks {', '.join(missing)}; programs ask for them"


def _first_person(document: GlbDocument, extension: Json) -> Faults:
    told = record(extension.get("firstPerson"))
    if at(document, "nodes", told.get("firstPersonBone")) is None:
        yield "firstPersonBone", f"is node {short(told.get('firstPersonBone'))}, which does not exist"
    for note in records(told.get("meshAnnotations")):
        if at(document, "meshes", note.get("mesh")) is None:
            yield "meshAnnotations", f"annotates mesh {short(note.get('mesh'))}, which does not exist"
        if note.get("firstPersonFlag") not in _FLAGS:
            yield (
                "meshAnnotations",
                f"has the flag {short(note.get('firstPersonFlag'))}, expected one of {', '.join(_FLAGS)}",
            )


def _look_at(_document: GlbDocument, extension: Json) -> Faults:
    told, bones = record(extension.get("firstPerson")), dict(bones_0(extension))
    if told.get("lookAtTypeName") not in ("Bone", "BlendShape"):
        yield "lookAtTypeName", f"is {short(told.get('lookAtTypeName'))}, expected Bone or BlendShape"
    if told.get("lookAtTypeName") == "Bone" and not {"leftEye", "rightEye"} <= bones.keys():
        yield "lookAtTypeName", "is Bone, and there are no eye bones"
    for key in _RANGES:
        degrees = record(told.get(key))
        if key in told and not (within(degrees.get("xRange"), 1e-6, 180) and within(degrees.get("yRange"), 0)):
            yield key, "has no xRange above 0 and up to 180 degrees, or no yRange"


def _springs(document: GlbDocument, extension: Json) -> Faults:
    told = record(extension.get("secondaryAnimation"))
    groups = records(told.get("colliderGroups"))
    for index, group in enumerate(records(told.get("boneGroups"))):
        where = f"boneGroups[{index}]"
        if any(at(document, "nodes", bone) is None for bone in values(group.get("bones"))):
            yield where, "swings a node that does not exist"
        if any(not within(each, 0, len(groups) - 1) for each in values(group.get("colliderGroups"))):
            yield where, f"names a collider group beyond the {len(groups)} that there are"
        if not within(group.get("hitRadius", 0.0), 0) or not within(group.get("stiffiness", 1.0), 0):
            yield where, "has a negative hitRadius or stiffiness"
        if not within(group.get("dragForce", 0.5), 0, 1):
            yield where, f"has a dragForce of {short(group['dragForce'])}, expected 0 to 1"
    for index, group in enumerate(groups):
        if at(document, "nodes", group.get("node")) is None:
            yield f"colliderGroups[{index}]", f"is on node {short(group.get('node'))}, which does not exist"
        if any(not within(each.get("radius", 0.0), 0) for each in records(group.get("colliders"))):
            yield f"colliderGroups[{index}]", "has a collider with a negative radius"


def _materials(document: GlbDocument, extension: Json) -> Faults:
    told = values(extension.get("materialProperties"))
    if len(told) != len(document.items("materials")):
        yield "materialProperties", f"are {len(told)} for {len(document.items('materials'))} materials"
    for index, each in enumerate(records(told)):
        if each.get("shader") not in _SHADERS:
            yield f"materialProperties[{index}]", f"has the shader {short(each.get('shader'))}"
        if not within(record(each.get("floatProperties")).get("_OutlineWidth", 0.0), 0):
            yield f"materialProperties[{index}]", "has an outline of negative width"


_BONE_SECTIONS: Final = {
    "bones": "Defined bones", "bone names": "Defined bones", "bones once": "Defined bones", "bone tree": "Defined bones", "T-pose": "VRM rules",
}  # fmt: skip
RULES_0: Final[tuple[Rule, ...]] = (
    Rule("version", f"{_README}, Json extension", _used),
    *(Rule(name, f"{_README}, {_BONE_SECTIONS[name]}", rule) for name, rule in bone_rules(bones_0, of_0=True).items()),
    Rule("bone rest", f"{_README}, VRM rules", turned_or_scaled),
    Rule("meta", f"{_README}, Model information", _meta),
    Rule("expressions", f"{_README}, BlendShape name identifier", _names),
    Rule("binds", f"{_README}, BlendShape groups", _binds),
    Rule("all presets", f"{_README}, Predefined expression name", _all_presets, "warn"),
    Rule("first person", f"{_README}, First-person settings", _first_person),
    Rule("look-at", f"{_README}, Eye control settings", _look_at),
    Rule("springs", f"{_README}, Spring bone settings", _springs),
    Rule("materials", f"{_README}, VRM extension: /extensions/VRM/materialProperties", _materials),
    Rule("tangents", f"{_README}, Vertex attribute", tangents, "warn"),
)
