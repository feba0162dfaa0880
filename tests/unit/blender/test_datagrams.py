"""Datagrams of other programs in Blender: read as Python reads them, in their order, of one sender at a time."""

import numpy as np

from avatar3d.core.blendshapes import ARKIT_NAMES
from avatar3d.live.dialects import livelink as our_livelink
from avatar3d.live.dialects import osc
from avatar3d.live.dialects import vmc as our_vmc
from blender_addon import client, livelink, vmc, wire
from blender_addon.frame import Face, Refused
from tests.engine.test_godot import as_python_reads, hostile, odd_faces
from tests.unit.blender.test_receivers import free_port, same_turn
from tests.unit.live.faces import face

APPLY = osc.encode("/VMC/Ext/Blend/Apply")
JAW, TONGUE = ARKIT_NAMES.index("jawOpen"), ARKIT_NAMES.index("tongueOut")
QUARTER, FIFTH = (0.6, 0.0, 0.0, 0.8), (0.0, 0.28, 0.0, 0.96)
"""Turns as VMC tells them: x, y, z, w in Unity's axes."""


def test_blender_takes_and_refuses_what_python_does() -> None:
    """Damaged packets of all kinds, and what other programs may send: the same answers, the same values."""
    answers = {kind: {-1: 0, 0: 0, 1: 0} for kind in ("frame", "livelink", "vmc")}
    for kind, packet in hostile(np.random.default_rng(8)):
        if kind not in answers:
            continue
        expected, values = as_python_reads(kind, packet)
        answer, seen = as_blender_reads(kind, packet)
        assert answer == expected, f"{kind}: Blender says {answer}, Python {expected}: {packet.hex()}"
        answers[kind][answer] += 1
        if seen is not None:
            turns = np.reshape(values[53:], (3, 4))
            np.testing.assert_allclose(seen.time_s, values[0])
            np.testing.assert_allclose(seen.weights, values[1:53], atol=1e-6, err_msg=packet.hex())
            for turn, meant in zip((seen.head_wxyz, seen.left_eye_wxyz, seen.right_eye_wxyz), turns, strict=True):
                np.testing.assert_allclose(turn, meant / np.linalg.norm(meant), atol=2e-6, err_msg=packet.hex())
    assert min(answers[kind][answer] for kind in answers for answer in (-1, 1)) > 100, answers


def as_blender_reads(kind: str, packet: bytes) -> tuple[int, Face | None]:
    """1: a face to be shown, 0: nothing to be shown yet, -1: refused; and the face of all that was said."""
    try:
        if kind == "frame":
            return 1, wire.face_of(packet)
        listener = {"livelink": livelink, "vmc": vmc}[kind].Listener()
        seen = listener.take(packet, 0.0)
    except Refused:
        return -1, None
    return int(seen is not None), listener.take(APPLY, 0.0) if kind == "vmc" else seen


def test_a_necks_turn_is_part_of_the_heads() -> None:
    neck, head = bone("Neck", QUARTER), bone("Head", FIFTH)
    listener = vmc.Listener()
    same_turn(listener.take(osc.bundles([neck, APPLY])[0], 0.0).head_wxyz, [0.8, 0.6, 0, 0])
    for said in ([head], [neck], [head, neck]):  # whatever is said again
        seen = listener.take(osc.bundles([*said, APPLY])[0], 0.0).head_wxyz
        # Unity's y is mirrored: neck (0.8, 0.6, 0, 0) times head (0.96, 0, -0.28, 0), wxyz.
        np.testing.assert_allclose(seen, [0.768, 0.576, -0.224, -0.168], atol=1e-6)


def test_what_was_overtaken_is_not_shown_and_a_clock_that_began_again_makes_no_hole_in_a_take() -> None:
    told = ((0, 100), (0.1, 99), (0.2, 101), (0.6, 95), (0.8, 95), (0.9, 3), (1, 3.125), (1.1, 30_000_000), (1.2, 3.5))
    for dialect, encode in (("livelink", our_livelink.encoder({})), ("vmc", our_vmc.encoder({}))):
        receiver = client.Datagrams(dialect, port=free_port())
        receiver.record()
        for now_s, time_s in told:
            for packet in encode(face(time_s)):
                receiver.hear(packet, "phone", now_s)
        times_s = [each.time_s for each in receiver.recorded()]
        np.testing.assert_allclose(times_s, [100, 101, 101.6, 101.7, 101.825, 101.925, 102.025], atol=1e-6)


def test_what_one_sender_said_is_no_part_of_the_next_ones_face() -> None:
    receiver = client.Datagrams("vmc", port=free_port())
    for packet in (bone("Neck", QUARTER), *our_vmc.encode(face(500, jawOpen=1))):
        receiver.hear(packet, "first", 10.0)
    first = receiver.newest()
    tongue = osc.encode("/VMC/Ext/Blend/Val", "TongueOut", 1.0)
    second = osc.bundles([osc.encode("/VMC/Ext/T", 3.0), tongue, bone("Head", (0.0, 0.0, 0.0, 1.0)), APPLY])[0]
    receiver.hear(second, "second", 14.9)
    early = receiver.newest()
    receiver.hear(second, "second", 15.0)
    late = receiver.newest()
    assert (first.weights[JAW], early) == (1, None)
    same_turn(first.head_wxyz, [0.8, 0.6, 0, 0])
    assert (late.time_s, late.weights[JAW], late.weights[TONGUE], late.head_wxyz) == (3, 0, 1, (1, 0, 0, 0))


def test_a_phone_that_sees_no_face_is_still_the_one_that_is_heard() -> None:
    receiver = client.Datagrams("livelink", port=free_port())
    nobody = next(odd_faces())
    for packet, sender, now_s in (
        (our_livelink.encode(face(1)), "phone", 0.0), (nobody, "phone", 4.0), (our_livelink.encode(face(9)), "other", 6.0)
    ):  # fmt: skip
        receiver.hear(packet, sender, now_s)
    assert receiver.newest().time_s == 1


def test_who_makes_a_datagram_of_each_bone_and_shape_is_followed_and_who_floods_is_not() -> None:
    receiver, bones = client.Datagrams("vmc", port=free_port()), [bone(f"bone {at}", QUARTER) for at in range(55)]
    for at in range(60):
        shapes = [osc.encode("/VMC/Ext/Blend/Val", name, at / 60) for name in ARKIT_NAMES]
        for packet in (osc.encode("/VMC/Ext/T", at / 60), *bones, *shapes, APPLY):
            receiver.hear(packet, "studio", 1 + at / 60)
    assert (receiver.tally.taken, receiver.tally.refused) == (60, 0)
    receiver.record()
    for _ in range(50_000):
        receiver.hear(APPLY, "studio", 2.5)
    assert len(receiver.recorded()) == 240
    assert "flood of datagrams" in receiver.tally.last_refusal


def bone(name: str, xyzw: tuple[float, ...]) -> bytes:
    return osc.encode("/VMC/Ext/Bone/Pos", name, 0.0, 0.0, 0.0, *xyzw)
