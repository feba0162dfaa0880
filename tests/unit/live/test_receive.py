"""Listening to datagrams that anybody may send, over networks that lose, turn round and double them."""

import asyncio
import socket
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatar3d.core.blendshapes import ARKIT_INDEX, Frame
from avatar3d.core.errors import BridgeError
from avatar3d.live.dialects import DIALECTS, osc
from avatar3d.live.receive import Receiver, Step, UdpSource
from tests.unit.live.faces import damaged, face, golden, weights_of

ONE, OTHER = ("127.0.0.1", 5001), ("127.0.0.1", 5002)
HZ = 60
LIVELINK, VMC, TEXT = DIALECTS["livelink"], DIALECTS["vmc"], DIALECTS["ifacialmocap"]


def livelink(number: int, **weights: float) -> bytes:
    (packet,) = LIVELINK.encoder({})(face(number / HZ, **weights))
    return packet


def hear(receiver: Receiver, *arrivals: tuple[float, tuple[str, int], bytes]) -> list[Step]:
    steps = []
    for arrival in arrivals:
        steps.append(receiver.step(*arrival))
        receiver = steps[-1].receiver
    return steps


@dataclass(frozen=True)
class Arrival:
    """One datagram at the end of a bad link."""

    at_s: float
    number: int
    """Of its frame."""
    packet: bytes


def bad_link(packets: list[list[bytes]], seed: int) -> list[Arrival]:
    """Loss 20 %, 25 % held back behind others, 5 % doubled, jitter 0 to 50 ms."""
    rng = np.random.default_rng(seed)
    arrivals = []
    for number, parts in enumerate(packets):
        for packet in parts:
            copies = 0 if rng.random() < 0.2 else 2 if rng.random() < 0.05 else 1
            for _ in range(copies):
                held = rng.uniform(0.02, 0.08) if rng.random() < 0.25 else 0
                arrivals.append(Arrival(number / HZ + rng.uniform(0, 0.05) + held, number, packet))
    return sorted(arrivals, key=lambda arrival: arrival.at_s)


def changing(number: int) -> Frame:
    """A face of which every weight is new in every frame."""
    rng = np.random.default_rng(number)
    return replace(face(number / HZ), weights=rng.random(52).astype(np.float32))


class TestABadLink:
    @pytest.mark.parametrize("seed", range(3))
    def test_after_each_arrival_the_newest_frame_that_came_is_shown(self, seed: int) -> None:
        truth = [changing(number) for number in range(6 * HZ)]
        encode = LIVELINK.encoder({})
        receiver, newest, shown, dropped = Receiver(LIVELINK), -1, None, 0
        for arrival in bad_link([encode(frame) for frame in truth], seed):
            receiver, frame, reason, _ = receiver.step(arrival.at_s, ONE, arrival.packet)
            assert (reason == "shown") == (arrival.number > newest)
            dropped += reason == "older"
            newest, shown = max(newest, arrival.number), frame or shown
            assert shown is not None
            np.testing.assert_array_equal(shown.weights, truth[newest].weights)
        assert dropped > 50
        assert newest > len(truth) - HZ

    @pytest.mark.parametrize("seed", range(2))
    def test_a_frame_in_several_datagrams_shows_of_each_the_newest_that_came(self, seed: int) -> None:
        truth = [changing(number) for number in range(3 * HZ)]
        encode = VMC.encoder({})
        receiver, shown = Receiver(VMC), []
        told = np.full(52, -1)  # the number of the frame that last told each weight
        for arrival in bad_link([encode(frame) for frame in truth], seed):
            receiver, frame, *_ = receiver.step(arrival.at_s, ONE, arrival.packet)
            for name in VMC.read(arrival.packet).values:
                told[ARKIT_INDEX[name]] = max(told[ARKIT_INDEX[name]], arrival.number)
            if frame is not None and told.min() >= 0:
                expected = [truth[number].weights[at] for at, number in enumerate(told)]
                np.testing.assert_array_equal(frame.weights, np.array(expected, np.float32))
                shown.append(frame.time_s)
        assert len(shown) > 0.5 * len(truth)
        assert max(np.diff(shown)) < 0.2

    def test_after_an_outage_of_30_seconds_the_first_frame_is_shown(self) -> None:
        before, after = livelink(60, jawOpen=1), livelink(60 + 30 * HZ, jawOpen=0.5)
        *_, last = hear(Receiver(LIVELINK), (1, ONE, before), (31, ONE, after))
        assert last.frame is not None
        assert list(weights_of(last.frame, "jawOpen")) == [0.5]

    def test_times_of_frames_are_those_of_arrival_and_only_grow(self) -> None:
        arrivals = [(at, ONE, livelink(number)) for number, at in enumerate([0.0, 0.1, 0.1, 0.1, 0.05, 0.2])]
        times = [step.frame.time_s for step in hear(Receiver(LIVELINK), *arrivals) if step.frame is not None]
        assert len(times) == 6
        assert all(later > earlier for earlier, later in pairwise(times))
        assert times == pytest.approx([0, 0.1, 0.1, 0.1, 0.1, 0.2])


class TestWhoBeginsAgain:
    @pytest.mark.parametrize("ran_s", [3, 600])
    @pytest.mark.parametrize("name", ["livelink", "vmc"])
    def test_a_clock_that_begins_again_is_followed_within_a_second(self, name: str, ran_s: float) -> None:
        dialect = DIALECTS[name]
        encode = dialect.encoder({})
        receiver = Receiver(dialect)
        for number in range(HZ):
            for packet in encode(face(ran_s + number / HZ)):
                receiver = receiver.step(100 + number / HZ, ONE, packet).receiver
        shown_s = []
        for number in range(HZ):
            for packet in encode(face(number / HZ, jawOpen=1)):
                receiver, frame, *_ = receiver.step(101 + number / HZ, ONE, packet)
                if frame is not None:
                    shown_s.append(number / HZ)
        assert shown_s[0] < 0.55
        np.testing.assert_allclose(np.diff(shown_s), 1 / HZ)

    def test_one_wild_time_does_not_lock_the_others_out(self) -> None:
        (wild,) = LIVELINK.encoder({})(face(30_000_000))
        arrivals = [(0.0, ONE, livelink(0)), (0.01, ONE, wild)]
        arrivals += [(at / HZ, ONE, livelink(at)) for at in range(1, HZ)]
        reasons = [step.reason for step in hear(Receiver(LIVELINK), *arrivals)]
        assert reasons == ["shown"] * len(reasons)

    def test_vmc_time_that_wraps_round_is_no_gap(self) -> None:
        encode = VMC.encoder({})
        receiver, shown = Receiver(VMC), 0
        for number in range(20):
            for packet in encode(face(16_384 - 10 / HZ + number / HZ)):
                receiver, frame, *_ = receiver.step(number / HZ, ONE, packet)
                shown += frame is not None
        assert shown == 20


class TestWhoIsHeard:
    def test_the_first_to_speak_is_heard_and_a_second_port_is_not(self) -> None:
        steps = hear(Receiver(LIVELINK), (0, ONE, livelink(0)), (0.1, OTHER, livelink(9)), (0.2, ONE, livelink(1)))
        assert [step.reason for step in steps] == ["shown", "other sender", "shown"]
        assert steps[1].receiver is steps[0].receiver

    def test_noise_does_not_make_a_first_sender_nor_keep_one(self) -> None:
        steps = hear(Receiver(LIVELINK), (0, OTHER, b"noise"), (0.1, ONE, livelink(0)))
        assert [step.reason for step in steps] == ["malformed", "shown"]
        arrivals = [(at / 2, ONE, b"noise") for at in range(1, 12)]
        *_, last = hear(steps[-1].receiver, *arrivals, (5.6, OTHER, livelink(0)))
        assert last.reason == "shown"

    def test_after_5_seconds_of_silence_another_is_heard_with_a_fresh_face(self) -> None:
        said = hear(Receiver(VMC), *[(0, ONE, packet) for packet in VMC.encoder({})(face(jawOpen=1))])[-1].receiver
        apply = osc.encode("/VMC/Ext/Blend/Apply")
        early, late = hear(said, (4.9, OTHER, apply), (5.0, OTHER, apply))
        assert early.reason == "other sender"
        assert late.frame is not None
        assert float(late.frame.weights.sum()) == 0
        assert late.receiver.pinned == OTHER

    def test_who_speaks_is_kept_however_long_it_takes(self) -> None:
        arrivals = [(at * 4.0, ONE, livelink(at)) for at in range(5)]
        *_, last = hear(Receiver(LIVELINK), *arrivals, (17, OTHER, livelink(0)))
        assert last.reason == "other sender"


class TestBounds:
    @pytest.mark.parametrize("name", ["livelink", "ifacialmocap"])
    def test_no_more_than_240_frames_a_second(self, name: str) -> None:
        encode = DIALECTS[name].encoder({})
        receiver, shown, reasons = Receiver(DIALECTS[name]), 0, set()
        for number in range(1_000):
            receiver, frame, reason, _ = receiver.step(number / 1_000, ONE, encode(face(number / HZ))[0])
            shown += frame is not None
            reasons.add(reason)
        assert 240 <= shown <= 240 + 12
        assert reasons == {"shown", "too fast"}

    def test_datagrams_that_show_nothing_are_bounded_too(self) -> None:
        receiver, read = Receiver(replace(VMC, datagrams_per_frame=10)), 0
        packet = osc.encode("/VMC/Ext/Blend/Val", "JawOpen", 0.5)
        for number in range(2_000):
            receiver, _, reason, _ = receiver.step(number / 20_000, ONE, packet)
            read += reason == "part"
        assert read <= 240 * 10 * (0.1 + 0.05) + 1

    def test_60_vrchat_frames_a_second_of_seven_datagrams_are_not_too_fast(self) -> None:
        encode = DIALECTS["vrchat"].encoder({"eyes": "both"})
        receiver = Receiver(DIALECTS["vrchat"])
        for number in range(HZ // 2):
            for packet in encode(face(number / HZ)):
                receiver, _, reason, _ = receiver.step(number / HZ, ONE, packet)
                assert reason == "shown"

    def test_weights_are_cut_and_what_is_not_finite_is_dropped(self) -> None:
        nan = livelink(1)[:-244] + b"\x7f\xc0\0\0" + livelink(1)[-240:]
        steps = hear(Receiver(TEXT), (0, ONE, b"jawOpen-300|"), (0.1, ONE, b"jawOpen-nan|"))
        assert steps[0].frame is not None
        assert list(weights_of(steps[0].frame, "jawOpen")) == [1]
        assert (steps[1].frame, steps[1].reason) == (None, "malformed")
        assert hear(Receiver(LIVELINK), (0, ONE, nan))[0].reason == "malformed"

    def test_a_step_changes_nothing_but_what_it_returns(self) -> None:
        before = hear(Receiver(LIVELINK), (0, ONE, livelink(0)))[-1].receiver
        twice = [before.step(0.5, ONE, livelink(9, jawOpen=1)) for _ in range(2)]
        assert [step.reason for step in twice] == ["shown", "shown"]

    @settings(max_examples=150, deadline=None)
    @given(st.lists(st.tuples(st.sampled_from([ONE, OTHER]), damaged(golden("livelink.bin"))), max_size=8))
    def test_no_sequence_of_datagrams_does_harm(self, packets: list[tuple[tuple[str, int], bytes]]) -> None:
        receiver, last_s = Receiver(LIVELINK), -1.0
        for at, (sender, packet) in enumerate(packets):
            receiver, frame, *_ = receiver.step(at / HZ, sender, packet)
            if frame is not None:
                assert frame.time_s > last_s
                last_s = frame.time_s


class TestTheSocket:
    """Real sockets on this computer."""

    def test_a_second_port_is_ignored_and_nobody_gets_an_answer(self) -> None:
        told: list[str] = []

        async def go() -> list[float]:
            source = UdpSource(LIVELINK, "127.0.0.1", 0, tell=told.append)
            address = await source.start()
            with (
                socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one,
                socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other,
            ):
                for mouth in (one, other):
                    mouth.bind(("127.0.0.1", 0))
                    mouth.setblocking(False)
                shown: list[float] = []

                async def listen() -> None:
                    async for frame in source.frames():
                        shown.append(float(frame.weights[ARKIT_INDEX["jawOpen"]]))

                listening = asyncio.ensure_future(listen())
                for number in range(5):
                    one.sendto(livelink(number, jawOpen=0.25), address)
                    await asyncio.sleep(0.01)
                    other.sendto(livelink(100 + number, jawOpen=1), address)
                    other.sendto(b"noise", address)
                    other.sendto(b"iFacialMocap_sahuasouryya9218sauhuiayeta91555dy3719", address)
                    await asyncio.sleep(0.01)
                source.close()
                await asyncio.wait_for(listening, 1)
                for mouth in (one, other):
                    with pytest.raises(BlockingIOError):
                        mouth.recv(1)
                return shown

        assert asyncio.run(go()) == [0.25] * 5
        assert len(told) == 1
        assert "another sender" in told[0]

    @pytest.mark.parametrize("name", list(DIALECTS))
    def test_no_dialect_answers_a_question(self, name: str) -> None:
        questions = [
            b"iFacialMocap_sahuasouryya9218sauhuiayeta91555dy3719",
            osc.encode("/VMC/Ext/Set/Req"),
            osc.encode("/avatar/change", "x"),
            *golden("livelink.bin", "vmc_arkit_1.bin", "ifacialmocap.bin", "vrchat_1.bin"),
        ]

        async def go() -> None:
            source = UdpSource(DIALECTS[name], "127.0.0.1", 0, tell=lambda _: None)
            address = await source.start()
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mouth:
                mouth.bind(("127.0.0.1", 0))
                mouth.setblocking(False)
                for question in questions:
                    mouth.sendto(question, address)
                    await asyncio.sleep(0.002)
                await asyncio.sleep(0.02)
                with pytest.raises(BlockingIOError):
                    mouth.recv(1)
            source.close()

        asyncio.run(go())

    def test_noise_is_told_once_a_second(self) -> None:
        told: list[str] = []

        async def go() -> None:
            source = UdpSource(VMC, "127.0.0.1", 0, tell=told.append)
            address = await source.start()
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mouth:
                for _ in range(50):
                    mouth.sendto(b"noise", address)
                    await asyncio.sleep(0.001)
            source.close()

        asyncio.run(go())
        assert len(told) == 1
        assert "no address" in told[0]

    def test_what_is_not_fetched_in_time_is_replaced_by_what_is_newer(self) -> None:
        async def go() -> Frame:
            source = UdpSource(LIVELINK, "127.0.0.1", 0, tell=print)
            address = await source.start()
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mouth:
                for number in range(9):
                    mouth.sendto(livelink(number, jawOpen=number / 8), address)
                    await asyncio.sleep(0.002)
            frame = await asyncio.wait_for(anext(source.frames()), 1)
            source.close()
            return frame

        assert list(weights_of(asyncio.run(go()), "jawOpen")) == [1]

    def test_it_listens_to_this_computer_alone_unless_told_otherwise(self) -> None:
        async def go() -> str:
            source = UdpSource(replace(LIVELINK, port=0), tell=print)
            host, _ = await source.start()
            source.close()
            return host

        assert asyncio.run(go()) == "127.0.0.1"

    def test_a_port_that_is_taken_is_an_error_with_a_hint(self) -> None:
        async def go() -> None:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
                taken.bind(("127.0.0.1", 0))
                source = UdpSource(LIVELINK, "127.0.0.1", taken.getsockname()[1], tell=print)
                await anext(source.frames())

        with pytest.raises(BridgeError) as raised:
            asyncio.run(go())
        assert raised.value.hint
