"""Write the Rosetta tables and docs/rosetta.md: python -m tools.measure_rosetta [--clip FILE.npz].

    names and meanings (here, live/dialects, speech) --> avatar3d/rosetta/data/*.json --measured on our mean head--> error_mm, docs

The pairs of vocabularies are measured on a clip; without --clip, on one that `avatar3d speak` makes of a LibriSpeech utterance in
the shared inputs, with joy.
"""

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any, Final

import numpy as np

from avatar3d.core.blendshapes import ARKIT_INDEX, ARKIT_NAMES
from avatar3d.core.head import HeadModel
from avatar3d.core.names import viseme_weights
from avatar3d.core.vrm import preset_expressions
from avatar3d.formats.clip_arrays import stack_clip
from avatar3d.formats.clip_npz import load_clip
from avatar3d.head.ict import ict_arrays, ict_path
from avatar3d.head.load import load_head_model
from avatar3d.live.dialects.unified import PARTS
from avatar3d.rosetta import tables
from avatar3d.rosetta.measure import Apart, apart, pair_errors, shape_errors
from avatar3d.rosetta.tables import FORMAT, SHAPES, vocabulary

ROOT: Final = Path(__file__).parents[1]
DATA: Final = ROOT / "avatar3d/rosetta/data"
UTTERANCE: Final = "speech/librispeech/3526/176653/3526-176653-0030.opus"
LICENCE: Final = "Apache-2.0, (c) the avatar3d authors; names are their owners'"
VISEMES: Final = ("sil", "PP", "FF", "TH", "DD", "kk", "CH", "SS", "nn", "RR", "aa", "E", "I", "O", "U")
SIDES: Final = ("Left", "Right")
Table = dict[str, Any]
Rows = dict[str, dict[str, float]]


def fields_mm(model: HeadModel | None = None) -> np.ndarray:
    """Displacements of SHAPES on our mean head, mm."""
    model = model or load_head_model()
    return 1000 * np.concatenate([model.expression, model.tongue])


def renamed(parts: dict[str, tuple[str, ...]]) -> tuple[Rows, Rows]:
    """One of ARKit's is one or several of theirs: told as copies, read as the mean."""
    rows: Rows = {}
    for shape, theirs in parts.items():
        for each in theirs:
            rows.setdefault(each, {})[shape] = 1 / len(theirs)
    return rows, {shape: dict.fromkeys(theirs, 1.0) for shape, theirs in parts.items()}


def ict() -> Table:
    parts = {name: (name.replace("Left", "_L").replace("Right", "_R"),) for name in ARKIT_NAMES if name != "tongueOut"}
    parts |= {name: (name,) for name in ("jawLeft", "jawRight", "mouthLeft", "mouthRight")}
    parts |= {name: (f"{name}_L", f"{name}_R") for name in ("browInnerUp", "cheekPuff")}
    rows, back = renamed(parts)
    return _table(
        "ict",
        "ICT-FaceKit 53",
        "ICT-FaceKit (MIT), names of its expressions; without cheekRaiser and PupilDilate, which ARKit has not",
        rows,
        back,
    )


def meta() -> Table:
    sided = {
        "browDown": "BROW_LOWERER", "browOuterUp": "OUTER_BROW_RAISER", "cheekSquint": "CHEEK_RAISER", "eyeBlink": "EYES_CLOSED",
        "eyeLookDown": "EYES_LOOK_DOWN", "eyeLookUp": "EYES_LOOK_UP", "eyeSquint": "LID_TIGHTENER", "eyeWide": "UPPER_LID_RAISER",
        "mouthDimple": "DIMPLER", "mouthFrown": "LIP_CORNER_DEPRESSOR", "mouthLowerDown": "LOWER_LIP_DEPRESSOR",
        "mouthPress": "LIP_PRESSOR", "mouthSmile": "LIP_CORNER_PULLER", "mouthStretch": "LIP_STRETCHER",
        "mouthUpperUp": "UPPER_LIP_RAISER", "noseSneer": "NOSE_WRINKLER",
    }  # fmt: skip
    parts = {f"{ours}{side}": (f"{theirs}_{side[0]}",) for ours, theirs in sided.items() for side in SIDES}
    parts |= {
        "browInnerUp": ("INNER_BROW_RAISER_L", "INNER_BROW_RAISER_R"), "cheekPuff": ("CHEEK_PUFF_L", "CHEEK_PUFF_R"),
        "eyeLookInLeft": ("EYES_LOOK_RIGHT_L",), "eyeLookOutLeft": ("EYES_LOOK_LEFT_L",),
        "eyeLookInRight": ("EYES_LOOK_LEFT_R",), "eyeLookOutRight": ("EYES_LOOK_RIGHT_R",),
        "jawForward": ("JAW_THRUST",), "jawLeft": ("JAW_SIDEWAYS_LEFT",), "jawRight": ("JAW_SIDEWAYS_RIGHT",), "jawOpen": ("JAW_DROP",),
        "mouthClose": ("LIPS_TOWARD",), "mouthLeft": ("MOUTH_LEFT",), "mouthRight": ("MOUTH_RIGHT",),
        "mouthFunnel": ("LIP_FUNNELER_LB", "LIP_FUNNELER_LT", "LIP_FUNNELER_RB", "LIP_FUNNELER_RT"),
        "mouthPucker": ("LIP_PUCKER_L", "LIP_PUCKER_R"),
        "mouthRollLower": ("LIP_SUCK_LB", "LIP_SUCK_RB"), "mouthRollUpper": ("LIP_SUCK_LT", "LIP_SUCK_RT"),
        "mouthShrugLower": ("CHIN_RAISER_B",), "mouthShrugUpper": ("CHIN_RAISER_T",), "tongueOut": ("TONGUE_OUT",),
        "tongueTeeth": ("TONGUE_TIP_INTERDENTAL",), "tongueUp": ("TONGUE_TIP_ALVEOLAR",), "tongueBack": ("TONGUE_BACK_DORSAL_VELAR",),
    }  # fmt: skip
    rows, back = renamed(parts)
    alone = ("CHEEK_SUCK_L", "CHEEK_SUCK_R", "LIP_TIGHTENER_L", "LIP_TIGHTENER_R", "TONGUE_FRONT_DORSAL_PALATE",
             "TONGUE_MID_DORSAL_PALATE", "TONGUE_RETREAT")  # fmt: skip
    rows |= {name: {} for name in alone}
    return _table(
        "meta",
        "Meta 70 (XR_FB_face_tracking2)",
        "Khronos OpenXR, XrFaceExpression2FB, without its prefix and suffix; L and R are the person's, T and B top and bottom lip",
        rows,
        back,
    )


def unified() -> Table:
    parts = dict(PARTS) | {name: (name[0].upper() + name[1:],) for name in ARKIT_NAMES if name.startswith("eyeLook")}
    rows, back = renamed(parts)
    return _table(
        "unified", "Unified Expressions", "docs.vrcft.io; the same table as live/dialects/unified.py", rows, back
    )


def viseme15() -> Table:
    """What our files say under these names: core/data/visemes.json, by tools/build_visemes.py."""
    return _table(
        "viseme15",
        "15 visemes (Oculus)",
        "Meta, Oculus Lipsync, Viseme Reference; the weights of our files (tools/build_visemes.py)",
        {name: dict(weights) for name, weights in viseme_weights().items()},
        None,
    )


def vrm18() -> Table:
    """What our VRM files say under these names: core/data/vrm_presets.json, by tools/fit_vrm_presets.py."""
    return _table(
        "vrm18",
        "VRM 1.0's 18 presets",
        "vrm-c/vrm-specification, VRMC_vrm 1.0, expressions; the weights of our VRM files (tools/fit_vrm_presets.py)",
        {name: dict(preset.weights) for name, preset in preset_expressions().items()},
        None,
    )


def facs() -> Table:
    sided = {
        "AU2": {"browOuterUp*": 1.0}, "AU4": {"browDown*": 1.0}, "AU5": {"eyeWide*": 1.0}, "AU6": {"cheekSquint*": 1.0}, "AU7": {"eyeSquint*": 1.0},
        "AU9": {"noseSneer*": 1.0}, "AU10": {"mouthUpperUp*": 1.0}, "AU12": {"mouthSmile*": 1.0}, "AU14": {"mouthDimple*": 1.0},
        "AU15": {"mouthFrown*": 1.0}, "AU16": {"mouthLowerDown*": 1.0}, "AU20": {"mouthStretch*": 1.0}, "AU24": {"mouthPress*": 1.0},
        "AU43": {"eyeBlink*": 1.0}, "AU63": {"eyeLookUp*": 1.0}, "AU64": {"eyeLookDown*": 1.0},
    }  # fmt: skip
    rows: Rows = {
        f"{unit}{side[0]}": {shape.replace("*", side): weight for shape, weight in terms.items()}
        for unit, terms in sided.items() for side in SIDES
    }  # fmt: skip
    rows |= {
        "AU1": {"browInnerUp": 1.0}, "AU8": {"mouthClose": 1.0}, "AU17": {"mouthShrugLower": 1.0, "mouthShrugUpper": 1.0},
        "AU18": {"mouthPucker": 1.0}, "AU19": {"tongueOut": 1.0}, "AU22": {"mouthFunnel": 1.0},
        "AU26": {"jawOpen": 0.4}, "AU27": {"jawOpen": 1.0}, "AU28T": {"mouthRollUpper": 1.0}, "AU28B": {"mouthRollLower": 1.0},
        "AU29": {"jawForward": 1.0}, "AU30L": {"jawLeft": 1.0}, "AU30R": {"jawRight": 1.0}, "AU34": {"cheekPuff": 1.0},
        "AU61": {"eyeLookOutLeft": 1.0, "eyeLookInRight": 1.0}, "AU62": {"eyeLookInLeft": 1.0, "eyeLookOutRight": 1.0},
    }  # fmt: skip
    return _table(
        "facs",
        "FACS action units",
        "Ekman, Friesen and Hager 2002, Facial Action Coding System; L and R the person's sides, T and B lips. ARKit's shapes are no action units: the pairing is by what both say they do",
        rows,
        None,
    )


def _table(name: str, title: str, source: str, rows: Rows, back: Rows | None) -> Table:
    return {"format": FORMAT, "name": name, "title": title, "licence": LICENCE, "source": source,
            "names": list(rows), "rows": rows, "from": back}  # fmt: skip


def split_errors(fields: np.ndarray, model: HeadModel, table: Table) -> dict[str, dict[str, float]]:
    """Theirs that are parts of one of ARKit's: ours of that part of the face, against what ARKit's can show of it."""
    x = model.rest[:, 0]
    left = np.clip(0.5 + x / 0.010, 0, 1)
    jaw = np.abs(fields[ARKIT_INDEX["jawOpen"]]).sum(1)
    lower = np.clip(jaw / max(float(jaw.max()), 1e-9) / 0.3 - 0.2, 0, 1)
    halves = {"_L": left, "_R": 1 - left, "Left": left, "Right": 1 - left, "LB": left * lower, "LT": left * (1 - lower),
              "RB": (1 - left) * lower, "RT": (1 - left) * (1 - lower), "UpperLeft": left * (1 - lower),
              "UpperRight": (1 - left) * (1 - lower), "LowerLeft": left * lower, "LowerRight": (1 - left) * lower,
              "MouthUpper": 1 - lower, "MouthLower": lower}  # fmt: skip
    told: dict[str, dict[str, float]] = {}
    for theirs, terms in table["rows"].items():
        if len(terms) != 1 or next(iter(terms.values())) == 1:
            continue
        ((shape, weight),) = terms.items()
        key = next(
            (k for k in sorted(halves, key=len, reverse=True) if theirs.endswith(k) or theirs.startswith(k)), None
        )
        if (
            shape.startswith("mouth")
            and theirs.startswith(("MouthUpper", "MouthLower"))
            and shape in ("mouthLeft", "mouthRight")
        ):
            key = theirs[:10]
        apart_names = shape in ("mouthLeft", "mouthRight") or not shape.endswith(SIDES)
        if key is None or not apart_names:
            continue  # two names of one place: no part of the face tells them apart
        meant = fields[SHAPES.index(shape)] * halves[key][:, None]
        gap = np.linalg.norm(meant - weight * fields[SHAPES.index(shape)], axis=1)
        moves = np.linalg.norm(fields[SHAPES.index(shape)], axis=1) > 0.01
        told[theirs] = {"mean": round(float(gap[moves].mean()), 4), "worst": round(float(gap.max()), 4)}
    return told


def ict_halves() -> dict[str, dict[str, float]]:
    """ICT's own halves against half of their sum, on ICT's own head."""
    raw = ict_arrays(ict_path())
    names = raw["expression_names"].tolist()
    told: dict[str, dict[str, float]] = {}
    for whole in ("browInnerUp", "cheekPuff"):
        one, other = (raw["expression"][names.index(f"{whole}_{side}")].astype(np.float64) * 10 for side in "LR")
        for side, mine in (("L", one), ("R", other)):
            gap, moves = np.linalg.norm(mine - (one + other) / 2, axis=1), np.linalg.norm(one + other, axis=1) > 0.01
            told[f"{whole}_{side}"] = {"mean": round(float(gap[moves].mean()), 4), "worst": round(float(gap.max()), 4)}
    return told


def main() -> None:
    """Tables, errors, page."""
    parser = argparse.ArgumentParser(description="Measure the Rosetta tables.")
    parser.add_argument("--clip", type=Path)
    chosen = parser.parse_args()
    DATA.mkdir(parents=True, exist_ok=True)
    model = load_head_model()
    fields = fields_mm(model)
    flat = fields.reshape(len(fields), -1).astype(np.float64)
    gram = [[float(f"{value:.7g}") for value in row] for row in (flat @ flat.T).tolist()]
    _write(DATA / "gram.json", {"format": FORMAT, "licence": LICENCE, "shapes": list(SHAPES), "gram": gram})
    visemes = viseme15()
    made = [ict(), meta(), unified(), visemes, vrm18(), facs()]
    for table in made:
        _write(DATA / f"{table['name']}.json", table)
    for cached in (tables.vocabulary, tables.own_gram):
        cached.cache_clear()
    for table in made:
        parts = ict_halves() if table["name"] == "ict" else split_errors(fields, model, table)
        table["error_mm"] = {"arkit": shape_errors(fields, vocabulary(table["name"])), "theirs": parts}
        _write(DATA / f"{table['name']}.json", table)
    tables.vocabulary.cache_clear()
    weights = _clip(chosen.clip)
    (ROOT / "docs/rosetta.md").write_text(page(fields, weights))
    print(f"wrote {len(made)} tables and docs/rosetta.md")


def _clip(file: Path | None) -> np.ndarray:
    if file is None:
        from avatar3d.speaking import SpeakParams, speak_sound
        from avatar3d.speech.performance.controls import Controls

        sound = ict_path().parents[1] / UTTERANCE
        with tempfile.TemporaryDirectory() as folder:
            speak_sound(
                sound, Path(folder), "talk", SpeakParams(formats=("npz",), controls=Controls(emotion="joy")), str
            )
            return _weights(next(Path(folder).glob("**/*.npz")))
    return _weights(file)


def _weights(file: Path) -> np.ndarray:
    arrays = stack_clip(load_clip(file))
    return np.concatenate([arrays.weights, arrays.tongue], axis=1).astype(np.float64)[::4]


def page(fields: np.ndarray, clip: np.ndarray) -> str:
    """docs/rosetta.md."""
    names = tables.vocabulary_names()
    told = [_INTRO.format(vertices=fields.shape[1], frames=len(clip))]
    told.append("| from \\ through | " + " | ".join(names) + " |\n|" + "---|" * (len(names) + 1))
    for one in names:
        cells: list[str] = []
        for other in names:
            each = np.eye(len(vocabulary(one).names))
            shapes = pair_errors(fields, vocabulary(one), vocabulary(other), each)
            spoken = pair_errors(fields, vocabulary(one), vocabulary(other), tables_theirs(clip, one))
            cells.append("0" if _exact(shapes) and _exact(spoken) else f"{_two(shapes)}; {_two(spoken)}")
        told.append(f"| **{one}** | " + " | ".join(cells) + " |")
    told.append(_PER_SHAPE)
    fits = [name for name in names if name != "arkit"]
    told.append("| | moves | " + " | ".join(fits) + " |\n|" + "---|" * (len(fits) + 2))
    moves = apart(fields, np.eye(len(SHAPES)), np.zeros((len(SHAPES), len(SHAPES))))
    for row, shape in enumerate(SHAPES):
        found = [vocabulary(name).error_mm["arkit"][shape] for name in fits]
        cells = ["0" if each["worst"] < 5e-4 else f"{each['mean']:.2f}, {each['worst']:.1f}" for each in found]
        told.append(f"| {shape} | {moves.mean_mm[row]:.2f}, {moves.worst_mm[row]:.1f} | " + " | ".join(cells) + " |")
    told.append(_PARTS)
    for name in fits:
        parts = vocabulary(name).error_mm["theirs"]
        lost = [each for at, each in enumerate(vocabulary(name).names) if not (vocabulary(name).decode[:, at]).any()]
        if parts:
            told.append(
                f"\n**{name}**: "
                + "; ".join(f"{each} {e['mean']:.2f}, {e['worst']:.1f}" for each, e in parts.items())
                + "."
            )
        if lost:
            told.append(f"\n{name} has besides what ARKit cannot say, and which is dropped: {', '.join(lost)}.")
    told.append(_REST)
    return "\n".join(told)


def tables_theirs(clip: np.ndarray, name: str) -> np.ndarray:
    from avatar3d.rosetta.convert import to_theirs

    return to_theirs(clip, vocabulary(name))


def _exact(found: Apart) -> bool:
    return float(found.worst_mm.max(initial=0)) < 5e-4


def _two(found: Apart) -> str:
    return f"{found.mean_mm.mean():.2f}, {found.worst_mm.max():.1f}"


def _write(path: Path, told: Table) -> None:
    path.write_text(json.dumps(told, indent=1) + "\n")


_INTRO: Final = """# Rosetta tables

Written by `python -m tools.measure_rosetta`; the tables are `avatar3d/rosetta/data/*.json` (Apache-2.0; names are their owners').

```
avatar3d convert-clip talk.npz --to meta -o talk-meta.csv        # time, then the 70 names
avatar3d convert-clip talk-meta.csv --to arkit -o talk.csv       # and back; the header tells which names a file has
```

A vocabulary is told in ARKit's 52 shapes and our tongue's four (`rows`: what one of theirs is; `from`: what one of ARKit's is in
theirs). `ict`, `meta` and `unified` are **renamings**, where one of ARKit's is told as one or several of theirs and read back as
their mean: there and back the error is 0 by construction, and what is lost is only what they say apart and ARKit does not (below). `viseme15`,
`vrm18` and `facs` are **fits**: no sum of theirs is every shape, so the weights in [0, 1] are taken whose face is nearest, by least squares over
the vertices. Errors are in mm on our own mean head ({vertices:,} vertices): *mean* over the vertices that either face moves by more than .01 mm, and *worst* vertex.

## Every pair

From a face told in the first vocabulary, through the second, and back. First the mean over all names of the first, each alone at 1, and the worst
of all; after the semicolon the same over {frames} frames of a real clip (a LibriSpeech utterance spoken with joy). 0: under half a micrometre. `arkit` is the row
of what a vocabulary can carry. **A clip stays within what its shapes lose**: in every frame the error (root mean square over the vertices) is no
more than the sum of its names' own errors, each times its weight, up to the .02 mm at which the search ends; tests/unit/rosetta holds every pair of
the table to that, on a clip of real speech.
"""
_PER_SHAPE: Final = """
## Every shape

Each of ARKit's shapes alone at 1, there and back: mean, worst; first, how far it moves at all. Where the two are alike the vocabulary has nothing for it.
"""
_PARTS: Final = """
## What they say apart

One of theirs alone at 1, that is a part of one of ARKit's, against what ARKit can show of it (mean, worst): for `ict` ICT's own half on ICT's own head; for the others our
shape on that side or lip only, which is our reading of the name, since these have no geometry of their own. Names that no place on the face tells apart (BrowLowerer and BrowPinch, MouthCornerPull and
MouthCornerSlant, MouthUpperUp and MouthUpperDeepen) are read as their mean and not measured.
"""
_REST: Final = """
## FLAME, GNM

Their expressions are modes without names, so that the table is one of least squares over the vertices of the model's own mean on our topology, FLAME's with three more for the turn of
its jaw. It is computed when you add your file (`avatar3d models add flame FILE --accept-licence`), kept beside it as `NAME.rosetta` and shown by `avatar3d models info`;
`convert-clip --to flame` then works like the others, with `expression0` ... `expression99`, `jawX`, `jawY`, `jawZ` (radians). **The real models were never on the
machine that wrote this page**: the code is tested on made files of their layout, and no number of theirs is given here.

## Limits

- Visemes and presets have no upper face, or only an artist's one: what they cannot say is gone after the journey, and the table says how much.
- `facs`: mouthLeft and mouthRight are no action units, and AU17 has both shrugs. Intensities A to E are not told: weights are 0 to 1.
- `vrm18`: emotions of avatars are their artists' own. The table says what *our* presets are.
- The least-squares weights are per frame, without memory: noise in is noise out.
"""

if __name__ == "__main__":
    main()
