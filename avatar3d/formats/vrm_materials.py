"""Materials of a VRM: as they are, or as MToon (VRMC_materials_mtoon-1.0; of 0.x the shader VRM/MToon).

The core glTF material stays beside the toon one, so that readers without MToon show the head as ever.
"""

from typing import Any, Final

from avatar3d.formats.glb import SPECULAR, Json

MTOON: Final = "VRMC_materials_mtoon"
KEEP_SHADER_0: Final = "VRM_USE_GLTFSHADER"
MTOON_SHADER_0: Final = "VRM/MToon"
# Skin in shade: darker, and redder than grey, as light that went through it; other things take the same.
_SHADE: Final = (0.72, 0.58, 0.55)
_TOONY: Final = 0.5
"""Width of the edge between light and shade, 1 the sharpest: half soft, since a photo's skin is not a drawing."""
_SHIFT: Final = -0.1
"""Where that edge lies: a little more than half of a ball is lit."""
_QUEUES: Final = {"OPAQUE": 2000, "MASK": 2450, "BLEND": 3000}
"""Unity's render queues of geometry, alpha test and transparent."""


def toon(material: Json) -> Json:
    """The material with VRMC_materials_mtoon beside what it has."""
    colour = _surface(material).get("baseColorFactor", [1, 1, 1, 1])
    shaded: Json = {
        "specVersion": "1.0",
        "transparentWithZWrite": False,
        "renderQueueOffsetNumber": 0,
        "shadeColorFactor": [round(value * shade, 6) for value, shade in zip(colour[:3], _SHADE, strict=True)],
        "shadingShiftFactor": _SHIFT,
        "shadingToonyFactor": _TOONY,
        "giEqualizationFactor": 0.9,
        "outlineWidthMode": "none",
        "outlineWidthFactor": 0.0,
    }
    texture = _surface(material).get("baseColorTexture")
    if texture is not None:
        shaded["shadeMultiplyTexture"] = {"index": texture["index"]}
    # Readers that find a material of another extension beside MToon's draw that one (three-vrm 3.5).
    kept = {name: value for name, value in material.get("extensions", {}).items() if name != SPECULAR}
    return material | {"extensions": kept | {MTOON: shaded}}


def properties_0(material: Json, *, mtoon: bool) -> Json:
    """An entry of VRM 0.x's materialProperties."""
    mode = material.get("alphaMode", "OPAQUE")
    told: Json = {
        "name": material["name"],
        "shader": MTOON_SHADER_0 if mtoon else KEEP_SHADER_0,
        "renderQueue": _QUEUES[mode],
        "floatProperties": {},
        "vectorProperties": {},
        "textureProperties": {},
        "keywordMap": {},
        "tagMap": {},
    }
    return told | (_toon_0(material, mode) if mtoon else {})


def _toon_0(material: Json, mode: str) -> Json:
    colour = _surface(material).get("baseColorFactor", [1, 1, 1, 1])
    shade = [_srgb(value * factor) for value, factor in zip(colour[:3], _SHADE, strict=True)]
    textures: dict[str, Any] = {}
    if (base := _surface(material).get("baseColorTexture")) is not None:
        textures |= {"_MainTex": base["index"], "_ShadeTexture": base["index"]}
    if (normal := material.get("normalTexture")) is not None:
        textures["_BumpMap"] = normal["index"]
    return {
        "floatProperties": {
            "_Cutoff": material.get("alphaCutoff", 0.5),
            "_BumpScale": 1.0,
            "_ShadeShift": _SHIFT,
            "_ShadeToony": _TOONY,
            "_IndirectLightIntensity": 0.1,
            "_OutlineWidthMode": 0,
            "_OutlineWidth": 0.0,
            "_BlendMode": {"OPAQUE": 0, "MASK": 1, "BLEND": 2}[mode],
            "_CullMode": 0 if material.get("doubleSided") else 2,
            "_ZWrite": 1,
        },
        "vectorProperties": {"_Color": [*map(_srgb, colour[:3]), colour[3]], "_ShadeColor": [*shade, 1.0]},
        "textureProperties": textures,
        "keywordMap": {"_ALPHATEST_ON": True} if mode == "MASK" else {},
        "tagMap": {"RenderType": {"OPAQUE": "Opaque", "MASK": "TransparentCutout", "BLEND": "Transparent"}[mode]},
    }


def _surface(material: Json) -> Json:
    return material.get("pbrMetallicRoughness", {})


def _srgb(linear: float) -> float:
    """VRM 0.x keeps colours as Unity's editor shows them (IEC 61966-2-1)."""
    encoded = 12.92 * linear if linear <= 0.0031308 else 1.055 * linear ** (1 / 2.4) - 0.055
    return round(encoded, 6)
