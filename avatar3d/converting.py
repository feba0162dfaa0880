"""A clip told in other names: any of the house's clip files, or one that was converted before, in; the same face out.

clip -> ARKit's weights (and our tongue's) -> another vocabulary's, or our clip file again
"""

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from jaxtyping import Float64

from avatar3d.core.blendshapes import ARKIT_NAMES, BlendshapeClip, neutral_frame
from avatar3d.core.errors import UnsupportedFormatError, UsageError
from avatar3d.core.files import short_name
from avatar3d.formats.clip_arrays import stack_clip, unstack_clip
from avatar3d.formats.clip_csv import read_csv, read_livelink_csv, write_csv, write_livelink_csv
from avatar3d.formats.clip_named import header_of, read_named_csv, write_named_csv
from avatar3d.formats.clip_npz import load_clip, load_provenance, save_clip
from avatar3d.head.added import added_names, rosetta_file
from avatar3d.rosetta.convert import to_arkit, to_theirs
from avatar3d.rosetta.tables import ARKIT, SHAPES, Vocabulary, read_vocabulary, vocabulary, vocabulary_names

_LIVELINK: Final = ".livelink.csv"


def vocabularies() -> tuple[str, ...]:
    """The shipped ones, and those of heads that the user added."""
    return (*vocabulary_names(), *(name for name in added_names() if rosetta_file(name).is_file()))


def find_vocabulary(name: str) -> Vocabulary:
    """A shipped one, or an added head's own expressions. Raises UsageError (2)."""
    if name not in vocabulary_names() and name in vocabularies():
        return read_vocabulary(rosetta_file(name))
    if name not in vocabulary_names():
        raise UsageError(f"no vocabulary named {name[:40]!r}.", hint=f"Choose one of: {', '.join(vocabularies())}.")
    return vocabulary(name)


def convert_clip(clip: Path, to: str, out: Path) -> dict[str, Any]:
    """Write CLIP in the names of `to` as OUT; what was read and written.

    `arkit` writes .npz, .csv or .livelink.csv as the suffix says, every other vocabulary .csv. Raises UsageError (2), UnreadableError (10),
    UnsupportedFormatError (11), LimitError (12), DiskError (40).
    """
    other = find_vocabulary(to)
    if out.suffix.lower() not in ((".npz", ".csv") if to == ARKIT else (".csv",)):
        raise UsageError(
            f"{to} is written as {'.npz or .csv' if to == ARKIT else '.csv'}, not {out.suffix[:20]!r}.",
            hint=f"-o {out.stem}.csv",
        )
    found, told, marks = _read(clip)
    arrays = stack_clip(told)
    weights = np.concatenate([arrays.weights, arrays.tongue], axis=1).astype(np.float64)
    if to != ARKIT:
        write_named_csv(out, other.names, arrays.time_s, to_theirs(weights, other))
    elif out.suffix.lower() == ".npz":
        save_clip(told, out, provenance=marks)
    elif out.name.lower().endswith(_LIVELINK):
        write_livelink_csv(told, out)
    else:
        write_csv(told, out)
    return {
        "clip": str(out),
        "from": found,
        "to": to,
        "frames": len(arrays.time_s),
        "names": len(other.names) if to != ARKIT else len(ARKIT_NAMES),
    }


def _read(clip: Path) -> tuple[str, BlendshapeClip, dict[str, Any]]:
    """The vocabulary of a file, its clip, and what it says about where it comes from."""
    if clip.suffix.lower() == ".npz":
        return ARKIT, load_clip(clip), load_provenance(clip)
    names = header_of(clip)
    if names[0].lower() == "timecode":
        return ARKIT, read_livelink_csv(clip), {}
    if names[0] == "time" and sorted(names[1:]) == sorted(ARKIT_NAMES):
        return ARKIT, read_csv(clip), {}
    for name in vocabularies():
        other = find_vocabulary(name)
        if name != ARKIT and sorted(names[1:]) == sorted(other.names):
            columns, time_s, values = read_named_csv(clip)
            order = [columns.index(each) for each in other.names]
            return name, _clip(time_s, to_arkit(values[:, order], other)), {}
    raise UnsupportedFormatError(
        f'"{short_name(clip)}" has columns of no vocabulary that is known here.',
        hint=f"Known: {', '.join(vocabularies())}. Give a clip of avatar3d, or one that convert-clip wrote.",
        id="CLIP_FORMAT",
        file=clip,
    )


def _clip(time_s: Float64[np.ndarray, "T"], weights: Float64[np.ndarray, "T 56"]) -> BlendshapeClip:
    count = len(ARKIT_NAMES)
    arrays = stack_clip(BlendshapeClip(tuple(neutral_frame(float(at)) for at in time_s)))
    told = weights.astype(np.float32)
    return unstack_clip(replace(arrays, weights=told[:, :count], tongue=told[:, count : len(SHAPES)]))
