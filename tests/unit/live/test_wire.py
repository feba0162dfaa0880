"""What other bytes than a frame's do to the reader of frames."""

import struct
import warnings

import pytest

from avatar3d.core.errors import InputError
from avatar3d.live import wire
from tests.unit.live.faces import GOLDEN


@pytest.mark.parametrize("value", [3.4e38, -1e20, 0.0, 1.5])
def test_a_turn_that_is_none_is_refused_without_a_warning(value: float) -> None:
    packet = bytearray((GOLDEN / "frame.bin").read_bytes())
    packet[224:240] = struct.pack("<4f", value, value, 0, 0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(InputError, match="unit quaternions"):
            wire.decode_frame(bytes(packet))
