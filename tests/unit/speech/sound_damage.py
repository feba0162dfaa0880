"""Sound files damaged at random: the door owes sound or one of our errors, soon.

The ordinary run tries a few; AVATAR3D_FUZZ=2000 tries as many as a release wants.
"""

import os
import time
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from avatar3d.core.errors import InputError
from avatar3d.speech.sound.open import open_sound
from tests.unit.speech.sound_files import heard, written

EXAMPLES = int(os.environ.get("AVATAR3D_FUZZ", "40"))
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
        # To the fourth power: headers are short and matter more than the samples after them.
        at = int(where**4 * len(data))
        if how == "overwrite":
            data = data[:at] + what + data[at + len(what) :]
        elif how == "insert":
            data = data[:at] + what + data[at:]
        elif how == "delete":
            data = data[:at] + data[at + len(what) :]
        elif how == "cut":
            data = data[: max(1, int(where * len(data)))]
        else:
            data = data[:at] + data[at : at + 64] * len(what) + data[at:]
    return data


def check_that_damage_is_survived(whole: bytes, path: Path) -> None:
    """Damage the file in many ways, and open it under this path."""
    refusals = list[InputError]()

    @settings(
        max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(CHANGES)
    def survives(changes: list[Change]) -> None:
        started = time.process_time()
        try:
            samples = heard(open_sound(written(path, changed(whole, changes))))
        except InputError as error:
            refusals.append(error)
        else:
            assert samples.size
            assert np.abs(samples).max() <= 1
        assert time.process_time() - started < 5

    survives()
    assert {error.exit_code for error in refusals} <= {10, 11, 12, 16}
    assert all(error.hint and error.file for error in refusals)
