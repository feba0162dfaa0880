"""However a picture file is damaged, the door answers with a Photo or one of our errors, soon.

The ordinary run tries a few; AVATAR3D_FUZZ=2000 tries as many as a release wants.
"""

import os
import time
from collections.abc import Callable

import pytest

pytest.importorskip("skimage", reason="the corpus is made from scikit-image's portrait (extra `demo`)")

import cv2
import recipes as make
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from avatar3d.core.errors import InputError
from avatar3d.photo.load import decode_photo

EXAMPLES = int(os.environ.get("AVATAR3D_FUZZ", "40"))
_SMALL = cv2.resize(make.collins(), (96, 96), interpolation=cv2.INTER_AREA)
SEEDS: dict[str, Callable[[], bytes]] = {
    "JPEG": lambda: make.with_exif(make.saved(_SMALL), make.orientation(6)),
    "progressive JPEG": lambda: make.saved(_SMALL, progressive=True),
    "PNG": lambda: make.saved(_SMALL, "PNG", icc_profile=make.in_space(make.DISPLAY_P3, None)[1]),
    "WebP": lambda: make.saved(_SMALL, "WEBP"),
    "TIFF": lambda: make.saved(_SMALL, "TIFF", compression="tiff_lzw"),
    "GIF": lambda: make.saved(_SMALL, "GIF"),
    "AVIF": lambda: make.saved(_SMALL, "AVIF"),
}

Change = tuple[str, float, bytes]
CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["overwrite", "insert", "delete", "cut", "repeat"]),
        st.floats(0, 1, exclude_max=True),
        st.binary(min_size=1, max_size=16),
    ),
    min_size=1,
    max_size=6,
)


def changed(data: bytes, changes: list[Change]) -> bytes:
    for how, where, what in changes:
        # Squared: headers are short and matter more than the pixels after them.
        at = int(where * where * len(data))
        if how == "overwrite":
            data = data[:at] + what + data[at + len(what) :]
        elif how == "insert":
            data = data[:at] + what + data[at:]
        elif how == "delete":
            data = data[:at] + data[at + len(what) :]
        elif how == "cut":
            data = data[: max(1, at)]
        else:
            data = data[:at] + data[at : at + 64] * len(what) + data[at:]
    return data


@pytest.mark.parametrize("seed", list(SEEDS))
def test_a_damaged_file_never_escapes(seed: str) -> None:
    whole = SEEDS[seed]()
    assert decode_photo(whole, "seed").pixels.shape == (96, 96, 3)

    refusals: list[InputError] = []

    @settings(
        max_examples=max(1, EXAMPLES // len(SEEDS)),
        deadline=None,
        derandomize=EXAMPLES < 1000,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(CHANGES)
    def survives(changes: list[Change]) -> None:
        started = time.process_time()
        try:
            photo = decode_photo(changed(whole, changes), "damaged.jpg")
        except InputError as error:
            refusals.append(error)
        else:
            assert photo.pixels.ndim == 3
        assert time.process_time() - started < 5

    survives()
    assert {error.exit_code for error in refusals} <= {10, 11, 12}
    assert all(error.hint for error in refusals)
