"""What importers stumble over: each rule with the public issue or the section that tells of it."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from avatar3d.core.blendshapes import ARKIT_NAMES
from avatar3d.core.errors import UnreadableError
from avatar3d.core.names import VISEMES, VOWELS, target_name, viseme_name
from avatar3d.core.profiles import PROFILES
from avatar3d.formats.gltf_read import target_names
from avatar3d.formats.targets.rule import Rule, Subject

Faults = Iterator[tuple[str, str]]
_BONES: Final = ("neck", "head", "jaw", "leftEye", "rightEye")
_CORE_MIME: Final = {"image/png", "image/jpeg"}
_WEB_EXTENSIONS: Final = {"EXT_meshopt_compression", "KHR_mesh_quantization", "EXT_texture_webp", "KHR_texture_basisu"}
_UNIT: Final = 0.01
_HEAD_M: Final = (0.05, 0.075)
_LAST: Final = ("jawOpen", "eyeBlinkLeft", "eyeBlinkRight")
_PLAIN: Final = tuple(name for name in PROFILES if name != "web")
_MESH_ENGINES: Final = (
    "desktop",
    "mobile",
    "unity",
    "unreal",
    "godot",
    "meta-quest",
    "vrchat-pc",
    "vrchat-quest",
    "crowd",
)


def one_root(subject: Subject) -> Faults:
    nodes = subject.document.items("nodes")
    joints = {joint for skin in subject.document.items("skins") for joint in skin.get("joints", [])}
    children = {child for at in joints for child in nodes[at].get("children", [])} if joints else set()
    roots = sorted(joints - children)
    if len(roots) != 1:
        yield (
            "skin",
            f"{len(roots)} root joints ({', '.join(str(nodes[at].get('name')) for at in roots[:4])}), expected one",
        )


def one_skin(subject: Subject) -> Faults:
    count = len(subject.document.items("skins"))
    if count != 1:
        yield "skins", f"{count} skins, expected one skeleton that all meshes share"


def bones_there(subject: Subject) -> Faults:
    missing = [name for name in _BONES if name not in subject.joints]
    if missing:
        yield "skin", f"joints missing: {', '.join(missing)}"


def morphs_in_one_primitive(subject: Subject) -> Faults:
    for mesh in subject.document.items("meshes"):
        own = [item for item in mesh.get("primitives", []) if isinstance(item, dict)]
        if len(own) > 1 and any(item.get("targets") for item in own):
            yield str(mesh.get("name")), f"{len(own)} primitives with morph targets: importers split them into meshes"


def names_in_both_places(subject: Subject) -> Faults:
    for where, mesh, primitive in subject.primitives:
        count = len(primitive.get("targets", []))
        for place, names in (("mesh", target_names(mesh)), ("primitive", target_names(primitive))):
            if count and len(names) != count:
                yield where, f"{count} morph targets, but {len(names)} names in {place}.extras.targetNames"
        if count and target_names(mesh) != target_names(primitive):
            yield where, "mesh.extras.targetNames and the primitive's differ: importers would name shapes differently"


def names_of_the_platform(subject: Subject) -> Faults:
    profile = PROFILES[subject.target]
    wanted: tuple[str, ...] = tuple(target_name(name, profile.naming) for name in ARKIT_NAMES)
    far = (*_LAST, *(viseme_name(name, "oculus15") for name in VOWELS))
    if profile.last_shapes_only or set(subject.shapes) == set(far):  # the last level of detail has these alone
        wanted = far
    elif profile.naming == "vrchat":
        wanted = ("EyeClosedLeft", "EyeClosedRight", "JawOpen", *(viseme_name(name, "vrchat") for name in VISEMES))
    missing = [name for name in wanted if name not in subject.shapes]
    if missing:
        yield "morph targets", f"{len(missing)} of {len(wanted)} names are missing: {', '.join(missing[:6])}"


def sound_tangents(subject: Subject) -> Faults:
    for where, _, primitive in subject.primitives:
        try:
            tangents = subject.numbers(primitive, "TANGENT", "VEC4")
        except UnreadableError:
            yield where, "tangents that are not finite"
            continue
        if tangents is not None:
            bad = int(np.sum(np.abs(np.linalg.norm(tangents[:, :3], axis=1) - 1) > _UNIT))
            if bad:
                yield where, f"{bad} tangents are not unit vectors"


def unit_normals(subject: Subject) -> Faults:
    for where, _, primitive in subject.primitives:
        normals = subject.numbers(primitive, "NORMAL", "VEC3")
        bad = 0 if normals is None else int(np.sum(np.abs(np.linalg.norm(normals, axis=1) - 1) > _UNIT))
        if normals is None or bad:
            yield where, "no normals" if normals is None else f"{bad} normals are not unit vectors"


def four_influences(subject: Subject) -> Faults:
    for where, _, primitive in subject.primitives:
        if "JOINTS_1" in primitive.get("attributes", {}):
            yield where, "more than four skin weights on a vertex"
            continue
        weights = subject.numbers(primitive, "WEIGHTS_0", "VEC4")
        bad = 0 if weights is None else int(np.sum(np.abs(weights.sum(1) - 1) > _UNIT))
        if bad:
            yield where, f"skin weights of {bad} vertices do not sum to 1"


def metres(subject: Subject) -> Faults:
    skins = subject.document.items("skins")
    nodes = subject.document.items("nodes")
    if not skins or not {"leftEye", "rightEye"} <= set(subject.joints):
        return
    parents = {child: at for at, node in enumerate(nodes) for child in node.get("children", [])}

    def place(name: str) -> np.ndarray:
        at: int | None = next(index for index, node in enumerate(nodes) if node.get("name") == name)
        total = np.zeros(3)
        while at is not None:
            total += np.array(nodes[at].get("translation", [0, 0, 0]), float)
            at = parents.get(at)
        return total

    across = place("leftEye") - place("rightEye")
    distance = float(np.linalg.norm(across))
    if not _HEAD_M[0] <= distance <= _HEAD_M[1]:
        yield (
            "leftEye",
            f"the eyes are {distance:.3g} apart, expected {_HEAD_M[0]} to {_HEAD_M[1]} m: the unit must be the metre",
        )
    elif across[0] < 0.8 * distance:
        yield "leftEye", "the person's left eye is not at +x of the right one: +y up, face to +z"


def no_sparse(subject: Subject) -> Faults:
    bad = sum("sparse" in accessor for accessor in subject.document.items("accessors"))
    if bad:
        yield "accessors", f"{bad} sparse accessors; write the file without --compact"


def known_extensions(subject: Subject) -> Faults:
    allowed = _WEB_EXTENSIONS if subject.target == "web" else set[str]()
    for name in subject.document.json.get("extensionsRequired", []):
        if name not in allowed:
            yield "extensionsRequired", f"{str(name)[:60]} is required, which {subject.target} does not read by itself"


def core_pictures(subject: Subject) -> Faults:
    for index, image in enumerate(subject.document.items("images")):
        if image.get("mimeType") not in _CORE_MIME:
            yield str(image.get("name", f"images[{index}]")), f"{image.get('mimeType')}, expected PNG or JPEG"


def no_blend(subject: Subject) -> Faults:
    for material in subject.document.items("materials"):
        if material.get("alphaMode") == "BLEND" and "lens" not in str(material.get("name", "")).lower():
            yield str(material.get("name")), "alphaMode BLEND: hair and lashes are sorted wrongly; MASK is not"


def only_opaque(subject: Subject) -> Faults:
    for material in subject.document.items("materials"):
        if material.get("alphaMode", "OPAQUE") != "OPAQUE":
            yield (
                str(material.get("name")),
                f"alphaMode {material['alphaMode']}: the mobile shaders for avatars have no transparency",
            )


RULES: Final[tuple[Rule, ...]] = (
    Rule("root-bone", (), "lol2gltf issue 4; glTFForUE4 issue 37", one_root, "one root joint"),
    Rule("one-skeleton", (), "glTF 2.0 section 3.7.3.1; docs/conventions.md", one_skin, "one skeleton"),
    Rule("joints", (), "docs/conventions.md, The head", bones_there, "neck, head, jaw and both eyes are joints"),
    Rule(
        "morph-primitive", (), "glTFast issue 755; UnityGLTF issue 806", morphs_in_one_primitive,
        "every morphing mesh is one primitive",
    ),
    Rule("morph-names", (), "UniVRM issue 380; glTF 2.0 section 3.7.2.2", names_in_both_places, "names stand in both places"),
    Rule("platform-names", (), "docs/formats.md, Names", names_of_the_platform, "the names that the platform looks for are there"),
    Rule("tangents", _PLAIN, "xc3_lib issue 46", sound_tangents, "tangents are finite and of length 1", numbers=True),
    Rule("normals", _PLAIN, "glTF 2.0 section 3.7.2.1", unit_normals, "normals are unit vectors", numbers=True),
    Rule("skin-weights", _PLAIN, "glTF 2.0 section 3.7.3.3; godot-docs pull request 6001", four_influences, "at most four skin weights, which sum to 1", numbers=True),
    Rule("metres", (), "glTF 2.0 section 3.4", metres, "metres, +y up, face to +z"),
    Rule("sparse", ("godot",), "docs/decisions/0005-dense-morphs.md (Godot 3.2, measured)", no_sparse, "no sparse accessors"),
    Rule("extensions", (), "glTF 2.0 section 3.12; three.js GLTFLoader", known_extensions, "no extension is required that is not read"),
    Rule("pictures", _PLAIN, "glTF 2.0 section 3.8.3", core_pictures, "textures are PNG or JPEG"),
    Rule("cut-out", _MESH_ENGINES, "docs/decisions/0012-hair-locks.md (draw order, measured)", no_blend, "nothing that is blended needs sorting", softly=True),
    Rule(
        "opaque", ("vrchat-quest",), "creators.vrchat.com/platforms/android/quest-content-limitations", only_opaque,
        "every material is opaque",
    ),
)  # fmt: skip
"""Names of profiles, or empty for all."""
