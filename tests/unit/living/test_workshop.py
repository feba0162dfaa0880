import asyncio

import numpy as np
import pytest

from avatar3d.core.audio import AudioChunk
from avatar3d.core.blendshapes import ARKIT_INDEX
from avatar3d.core.errors import LimitError, UnreadableError, UsageError
from avatar3d.live.clock import MediaClock
from avatar3d.live.wire import SoundPacket
from avatar3d.living import workshop as room
from avatar3d.living.face import Face
from avatar3d.living.pipe import End, MouthAt, Order, Said, SoundAt
from avatar3d.living.stage import Stage
from avatar3d.living.workshop import Workshop
from avatar3d.speech.articulation import Articulation
from avatar3d.speech.performance.controls import Controls


class Worker:
    """A worker that does what the test says."""

    def __init__(self, clock, *, take, lost, revived) -> None:
        self.sent: list[Said] = []
        self.take, self.lost, self.revived = take, lost, revived
        Worker.last = self

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    def send(self, said: Said) -> None:
        self.sent.append(said)


@pytest.fixture(autouse=True)
def _worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "Link", Worker)


@pytest.fixture
def face() -> Face:
    return Face(0, "ana", controls=Controls(head_motion=0, blink=False), seed=1, alive=True)


def mouth(number: int, time_s: float) -> MouthAt:
    weights = np.zeros(52, np.float32)
    weights[ARKIT_INDEX["jawOpen"]] = 0.5
    return MouthAt(number, Articulation(time_s, weights, np.zeros(4, np.float32), 0, 0, 1, -20), 100.0)


def lost_microphone(number: int) -> list[Said]:
    error = {"code": 10, "id": "MIC_LOST", "message": "Gone.", "hint": "", "file": None}
    return [Order(number, {"error": error}), End(number)]


def test_a_microphone_that_is_unplugged_is_tried_again_each_second_until_it_is_back(face: Face) -> None:
    events: list[str] = []
    shop = Workshop(MediaClock.begin(), tell=str, event=lambda name, face, text: events.append(name))
    number = shop.order(face, {"do": "hear"}, live=True, primary=True)
    Worker.last.take(mouth(number, 0.0))
    for said in lost_microphone(number):
        Worker.last.take(said)
    assert events == ["source_lost"]
    assert not shop.idle
    before = len(Worker.last.sent)
    shop.step(0.5)
    assert len(Worker.last.sent) == before
    shop.step(1.5)
    again = Worker.last.sent[-1]
    assert again.entries == {"do": "hear"}
    for said in lost_microphone(again.utterance):
        Worker.last.take(said)
    shop.step(3.0)
    Worker.last.take(mouth(Worker.last.sent[-1].utterance, 0.0))
    assert events == ["source_lost", "source_back"]
    assert shop.failure is None


def test_a_microphone_that_never_was_there_ends_the_bridge(face: Face) -> None:
    shop = Workshop(MediaClock.begin(), tell=str, event=lambda *_: None)
    number = shop.order(face, {"do": "hear"}, live=True, primary=True)
    for said in lost_microphone(number):
        Worker.last.take(said)
    assert isinstance(shop.failure, UnreadableError)
    assert shop.failure.id == "MIC_LOST"


def test_a_worker_that_died_is_given_its_microphone_again_and_nothing_else(face: Face) -> None:
    events: list[tuple[str, int | None]] = []
    shop = Workshop(MediaClock.begin(), tell=str, event=lambda name, face, text: events.append((name, face)))
    live = shop.order(face, {"do": "hear"}, live=True, primary=True)
    said = shop.order(face, {"do": "say", "text": "Hello."})
    Worker.last.lost()
    Worker.last.sent.clear()
    Worker.last.revived()
    assert [each.utterance for each in Worker.last.sent] == [live]
    assert said not in shop
    assert events == [("source_lost", 0), ("speech_failed", 0)]
    assert face.script.find(said).ended  # what is known of it is still said


@pytest.fixture
def stage(face: Face) -> Stage:
    return Stage([face], [""], MediaClock.begin(), tell=str)


def pushed(seconds: float = 0.1, *, rate_hz: int = 16_000, time_s: float = np.nan, last: bool = False) -> SoundPacket:
    return SoundPacket(AudioChunk(time_s, rate_hz, np.zeros(int(seconds * rate_hz), np.float32)), 0, 0, last)


def test_two_programs_push_sound_each_to_an_utterance_of_its_own(stage: Stage) -> None:
    for client in ("a", "b", "a"):
        stage.push_sound(pushed(), client)
    orders = [each for each in Worker.last.sent if isinstance(each, Order)]
    sounds = [each.utterance for each in Worker.last.sent if isinstance(each, SoundAt)]
    assert len(orders) == 2
    assert sounds == [orders[0].utterance, orders[1].utterance, orders[0].utterance]


def test_a_program_that_goes_has_ended_what_it_was_pushing(stage: Stage) -> None:
    stage.push_sound(pushed(), "a")
    stage.left("a")
    assert Worker.last.sent[-1] == End(1)
    stage.push_sound(pushed(), "a")
    assert Worker.last.sent[-2].utterance == 2  # a new one


def test_a_rate_may_change_between_utterances_only(stage: Stage) -> None:
    stage.push_sound(pushed(), "a")
    with pytest.raises(UsageError, match="16000"):
        stage.push_sound(pushed(rate_hz=24_000), "a")
    stage.push_sound(pushed(last=True), "a")
    stage.push_sound(pushed(rate_hz=24_000), "a")


def test_two_minutes_of_pushed_sound_may_wait_and_no_more(stage: Stage) -> None:
    for step in range(1200):
        stage.push_sound(pushed(last=step % 100 == 99), "a")
    with pytest.raises(LimitError) as full:
        for _ in range(2):
            stage.push_sound(pushed(), "a")
    assert full.value.id == "QUEUE_FULL"


def test_what_has_been_said_does_not_wait_any_more(monkeypatch: pytest.MonkeyPatch, face: Face) -> None:
    """An hour may be pushed in real time."""
    now = [0.0]
    monkeypatch.setattr(MediaClock, "now_s", lambda self: now[0])
    stage = Stage([face], [""], MediaClock.begin(), tell=str)
    for step in range(1500):
        stage.push_sound(pushed(), "a")
        Worker.last.take(SoundAt(1, AudioChunk(step / 10, 16_000, np.zeros(1600, np.float32))))
        Worker.last.take(mouth(1, (step + 1) / 10))
        now[0] += 0.1
        stage.tick(now[0])


def test_interrupting_drops_what_waits_and_takes_back_the_sound(stage: Stage) -> None:
    stage.say({"text": "One."})
    stage.say({"text": "Two."})
    stage.control({"interrupt": True})
    dropped = [each.utterance for each in Worker.last.sent if isinstance(each, Order) and each.entries["do"] == "drop"]
    assert dropped == [1, 2]
    messages = stage.tick(0.1).messages
    assert [each["type"] for each in messages] == ["flush"]


def orders() -> list[int]:
    return [each.utterance for each in Worker.last.sent if isinstance(each, Order) and each.entries["do"] == "say"]


def test_of_many_texts_only_the_next_two_are_begun(stage: Stage) -> None:
    for _ in range(20):
        stage.say({"text": "Hello."})
    assert orders() == [1, 2]
    Worker.last.take(mouth(1, 0.0))
    Worker.last.take(End(1))
    for tick in range(1, 5):
        stage.tick(tick / 10)
    assert orders() == [1, 2, 3]
    stage.control({"interrupt": True})
    stage.tick(1.0)
    assert orders() == [1, 2, 3]  # those that waited were never begun
    stage.say({"text": "Hello."})
    assert orders() == [1, 2, 3, 21]


def test_so_many_texts_may_wait_and_no_more(stage: Stage) -> None:
    for _ in range(64):
        stage.say({"text": "Hello."})
    with pytest.raises(LimitError):
        stage.say({"text": "Hello."})


def test_the_last_piece_of_an_utterance_is_always_heeded(stage: Stage) -> None:
    stage.push_sound(pushed(), "a")
    for _ in range(63):
        stage.say({"text": "Hello."})
    stage.push_sound(pushed(last=True), "a")  # not a new one
    assert End(1) in Worker.last.sent
    with pytest.raises(LimitError):
        stage.push_sound(pushed(), "a")


def test_a_last_piece_that_is_refused_ends_the_utterance_all_the_same(stage: Stage) -> None:
    stage.push_sound(pushed(100), "a")
    stage.push_sound(pushed(21), "b")
    with pytest.raises(LimitError):
        stage.push_sound(pushed(last=True), "a")
    assert End(1) in Worker.last.sent


def test_what_was_pushed_while_no_worker_was_there_is_told_to_be_lost(stage: Stage) -> None:
    Worker.last.lost()
    stage.push_sound(pushed(last=True), "a")
    stage.say({"text": "Hello."})
    Worker.last.sent.clear()
    Worker.last.revived()
    assert [each.entries["do"] for each in Worker.last.sent] == ["say"]
    names = [each.get("name") for each in stage.tick(0.1).messages]
    assert names.count("speech_failed") == 1


def test_a_file_that_a_panic_stopped_begins_anew_and_the_bridge_does_not_end(stage: Stage) -> None:
    stage.begin({"do": "play", "path": "a.wav", "loop": True})
    stage.panic()
    stage.tick(0.1)
    assert not stage.idle
    Worker.last.sent.clear()
    stage.resume()
    assert [each.entries["do"] for each in Worker.last.sent] == ["play"]
    assert not stage.idle


def test_nothing_is_said_or_pushed_during_a_panic(stage: Stage) -> None:
    stage.panic()
    for act in (lambda: stage.say({"text": "Hello."}), lambda: stage.push_sound(pushed(), "a")):
        with pytest.raises(UsageError) as refused:
            act()
        assert refused.value.id == "PANICKING"
    stage.resume()
    assert not stage.panicking
    stage.say({"text": "Hello."})


@pytest.mark.parametrize("message", [{"text": " "}, {"text": "Hello.", "face": 7}])
def test_what_cannot_be_said_is_refused(stage: Stage, message: dict) -> None:
    with pytest.raises(UsageError):
        stage.say(message)
    assert Worker.last.sent == []


def test_a_stage_starts_and_ends(stage: Stage) -> None:
    asyncio.run(stage.start())
    asyncio.run(stage.close())
