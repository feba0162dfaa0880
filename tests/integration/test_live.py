"""avatar3d live as a user runs it: a process, its exit code, its files, real sockets."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest

from avatar3d.cli import main
from avatar3d.core.blendshapes import ARKIT_INDEX, BlendshapeClip, Frame, neutral_frame
from avatar3d.core.errors import BridgeError
from avatar3d.formats.clip_csv import read_csv
from avatar3d.formats.clip_npz import load_clip, save_clip
from avatar3d.live.client import Bridge, connect
from avatar3d.live.dialects import DIALECTS
from avatar3d.live.process import bridge_process
from avatar3d.live.receive import UdpSource
from avatar3d.live.udp import UdpSink
from avatar3d.speech.voices.espeak import speak_phones

JAW = ARKIT_INDEX["jawOpen"]


@pytest.fixture(autouse=True)
def _own_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture(scope="module")
def sentence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    samples, rate_hz, _ = speak_phones("My mama made a pie.", "en-us")
    path = tmp_path_factory.mktemp("sound") / "pie.wav"
    with wave.open(str(path), "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(rate_hz)
        writer.writeframes((samples * 32767).astype("<i2").tobytes())
    return path


def live(*words: Path | str) -> subprocess.CompletedProcess:
    """Run to its end."""
    command = [sys.executable, "-m", "avatar3d", "live", *map(str, words), "--json", "--quiet"]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def ended(*words: str) -> int:
    """The exit code of `avatar3d live`, run in this process: for what ends before it begins."""
    with pytest.raises(SystemExit) as end:
        main(["live", *words, "--json", "--quiet"])
    return int(end.value.code or 0)


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_a_sound_becomes_a_recording_and_the_bridge_ends_with_it(sentence: Path, tmp_path: Path) -> None:
    ran = live("--no-server", "--audio", sentence, tmp_path / "take.npz", tmp_path / "take.csv")
    assert ran.returncode == 0, ran.stderr
    clip = load_clip(tmp_path / "take.npz")
    jaws = np.array([frame.weights[JAW] for frame in clip.frames])
    assert jaws.max() > 0.1
    assert jaws[-20:].max() < 0.02  # comes to rest
    steps = np.diff([frame.time_s for frame in clip.frames])
    assert np.median(steps) == pytest.approx(1 / 60, abs=1e-4)
    assert len(read_csv(tmp_path / "take.csv").frames) == len(clip.frames)
    assert json.loads(ran.stdout.splitlines()[-1])["frames"] == len(clip.frames)


def test_a_recording_is_kept_when_the_bridge_is_stopped(tmp_path: Path) -> None:
    async def run() -> None:
        async with bridge_process(str(tmp_path / "take.npz")) as process, connect(*process) as bridge:
            await shown_after(bridge, 0.6)

    asyncio.run(run())  # ends with SIGTERM
    assert len(load_clip(tmp_path / "take.npz").frames) > 15


def test_a_clip_is_replayed_frame_by_frame(tmp_path: Path) -> None:
    ramp = [Frame(k / 30, np.full(52, k / 60, np.float32), *(neutral_frame(0).head_wxyz,) * 3) for k in range(60)]
    save_clip(BlendshapeClip(tuple(ramp)), tmp_path / "ramp.npz")
    ran = live("--no-server", "--clip", tmp_path / "ramp.npz", tmp_path / "again.npz")
    assert ran.returncode == 0, ran.stderr
    frames = load_clip(tmp_path / "again.npz").frames
    values, times_s = np.array([(frame.weights[0], frame.time_s) for frame in frames]).T
    rising = (values > 0.2) & (np.arange(len(values)) < values.argmax())
    np.testing.assert_allclose(np.diff(values[rising]), np.diff(times_s[rising]) / 2, atol=2e-3)  # 1 in 2 seconds
    assert values.max() > 0.97


def test_a_recording_that_exists_is_not_written_over_unasked(sentence: Path, tmp_path: Path) -> None:
    take = tmp_path / "take.csv"
    take.write_text("somebody's")
    ran = live("--no-server", "--audio", sentence, take)
    assert ran.returncode == 2
    assert "--replace" in ran.stdout
    assert take.read_text() == "somebody's"
    assert live("--no-server", "--replace", "--audio", sentence, take).returncode == 0
    assert len(read_csv(take).frames) > 60


def test_a_recording_is_as_late_as_was_asked_and_whole(sentence: Path, tmp_path: Path) -> None:
    for attempt in range(3):  # on a busy machine a tick comes late now and then, and one frame is another
        folder = tmp_path / str(attempt)
        folder.mkdir()
        prompt, late, other = (folder / name for name in ("prompt.npz", "late.npz", "other.npz"))
        ran = live("--no-server", "--audio", sentence, prompt, f"{late}?delay_ms=200", f"{other}?face=0")
        assert ran.returncode == 0, ran.stderr
        clips = [load_clip(path).frames for path in (prompt, late, other)]
        curves = [[frame.weights[JAW] for frame in frames] for frames in clips]
        if curves[0][:-12] == curves[1][12:]:
            break
    assert curves[0] == curves[2]
    assert curves[0][:-12] == curves[1][12:]
    assert max(curves[1]) == max(curves[0]) > 0.1
    assert max(curves[1][-10:]) < 0.02  # it comes to rest in the late one, too
    assert [frame.time_s for frame in clips[1]] == pytest.approx([frame.time_s for frame in clips[0]], abs=1e-6)


def test_one_recording_twice_is_refused(tmp_path: Path) -> None:
    ran = live("--no-server", "--text", "Hello.", tmp_path / "take.npz", f"{tmp_path}/./take.npz?face=0")
    assert ran.returncode == 2
    assert "twice" in ran.stdout


def test_pages_see_faces_later_than_they_hear_where_that_was_asked() -> None:
    """Of an impulse that another client pushes; the frame says the time at which it is shown."""

    async def rises(*words: str) -> float:
        async with bridge_process(*words, "--head-motion", "0") as process, connect(*process) as bridge:
            await shown_after(bridge, 0.3)
            weights = np.zeros(52, np.float32)
            weights[JAW] = 1.0
            now_s = bridge.media_time_s()
            await bridge.push_frame(Frame(now_s, weights, *(neutral_frame(0).head_wxyz,) * 3))
            async with asyncio.timeout(5):
                async for packet in bridge.frames():
                    if packet.frame.weights[JAW] > 0.5:
                        assert abs(packet.frame.time_s - bridge.media_time_s()) < 0.1
                        return packet.frame.time_s - now_s
        raise AssertionError

    prompt, late = (asyncio.run(rises(*words)) for words in ((), ("ws://127.0.0.1?delay_ms=500",)))
    assert late - prompt == pytest.approx(0.5, abs=0.12)


def test_a_token_that_was_taken_back_stays_taken_back_after_a_crash() -> None:
    port = free_port()

    async def run() -> None:
        async with bridge_process("--stay", port=port) as process:
            async with connect(process.url, process.page.partition("token=")[2], frames=False) as admin:
                await admin.ask("revoke", client="program")
                process.process.kill()  # at once: it is on disk before it is done
            await process.process.wait()
        async with bridge_process("--stay", port=port) as again:
            assert again.token != process.token
            with pytest.raises(BridgeError):
                async with connect(again.url, process.token):
                    pass
            async with connect(again.url, process.page.partition("token=")[2], frames=False):
                pass  # the page comes back

    asyncio.run(run())


def test_panic_does_not_wait_for_a_delay(sentence: Path) -> None:
    async def run() -> None:
        words = ("--audio", str(sentence), "--loop", "ws://127.0.0.1?delay_ms=800")
        async with bridge_process(*words) as process, connect(*process) as bridge:
            async with asyncio.timeout(10):
                async for packet in bridge.frames():
                    if packet.frame.weights[JAW] > 0.1:
                        break
            await bridge.panic()
            await asyncio.sleep(0.1)
            async with asyncio.timeout(2):
                async for packet in bridge.frames():
                    assert abs(packet.frame.weights).max() == 0
                    break

    asyncio.run(run())


@pytest.mark.parametrize("dialect", ["livelink", "vmc"])
def test_a_face_goes_out_in_a_dialect_and_comes_in_again(dialect: str, tmp_path: Path) -> None:
    """Another program's frames, through the bridge, to another dialect's receiver."""

    async def run() -> tuple[list[float], int]:
        into, out = free_port(), free_port()
        heard: list[float] = []
        receiver = UdpSource(DIALECTS[dialect], port=out, tell=print)
        await receiver.start()

        async def listen() -> None:
            async for frame in receiver.frames():
                heard.append(float(frame.weights[JAW]))

        words = ("--from", f"livelink://:{into}", f"{dialect}://127.0.0.1:{out}")
        async with bridge_process(*words) as process:
            listening = asyncio.create_task(listen())
            sink = UdpSink(DIALECTS["livelink"].encoder({}), "127.0.0.1", into, tell=print)
            for tick in range(90):
                weights = np.zeros(52, np.float32)
                weights[JAW] = 0.8
                await sink.send(Frame(tick / 60, weights, *(neutral_frame(0).head_wxyz,) * 3))
                await asyncio.sleep(1 / 60)
            shown = len(heard)
            await asyncio.sleep(1.0)  # the sender is lost: held, then eased to neutral
        await asyncio.sleep(0.1)
        listening.cancel()
        receiver.close()
        assert process.ran["frames"] > 100
        return heard, shown

    heard, shown = asyncio.run(run())
    assert max(heard[:shown]) == pytest.approx(0.8, abs=0.01)
    assert heard[-1] == 0


@pytest.mark.parametrize(
    ("words", "code", "id"),
    [
        (["--audio", "missing.wav"], 10, "FILE_MISSING"),
        (["--clip", "missing.npz"], 10, "FILE_MISSING"),
        (["missing.glb"], 10, "GLB_UNREADABLE"),
        (["--audio", "a.wav", "--text", "b"], 2, "USAGE"),
        (["osc://127.0.0.1"], 2, "USAGE"),
        (["--from", "ws://127.0.0.1"], 2, "USAGE"),
        (["--emotion", "hunger"], 2, "USAGE"),
        (["--text", " "], 2, "USAGE"),
        (["vmc://nowhere.invalid"], 50, "BRIDGE"),
        (["--host", "0.0.0.0"], 50, "BRIDGE"),
    ],
)
def test_what_cannot_be_used_is_told_with_its_exit_code(
    words: list[str], code: int, id: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended(*words, "--port", "0") == code
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (told["code"], told["id"]) == (code, id)


def test_a_port_that_is_taken_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert ended("--port", str(taken.getsockname()[1])) == 50
    assert "--port" in capsys.readouterr().out


async def shown_after(bridge: Bridge, seconds: float) -> list[Frame]:
    found, until_s = [], bridge.media_time_s() + seconds
    async for packet in bridge.frames():
        found.append(packet.frame)
        if packet.frame.time_s > until_s:
            return found
    return found


async def until_event(bridge: Bridge, name: str) -> dict:
    async for message in bridge.messages():
        if message.get("name") == name:
            return dict(message)
    raise AssertionError(name)


def test_a_dead_worker_is_replaced_and_the_bridge_speaks_again() -> None:
    async def run() -> None:
        async with bridge_process() as process, connect(*process) as bridge:
            await bridge.say("A long text, of which nobody will hear the end. " * 20)
            await asyncio.wait_for(until_event(bridge, "speech_started"), 10)
            (worker,) = subprocess.check_output(["pgrep", "-P", str(process.pid)]).split()
            os.kill(int(worker), signal.SIGKILL)
            failed = await asyncio.wait_for(until_event(bridge, "speech_failed"), 5)
            assert failed["face"] == 0
            async with asyncio.timeout(30):  # a machine that is busy starts another one late
                jaws = [0.0]
                while max(jaws) < 0.05:
                    await bridge.say("I am back.")
                    jaws = [frame.weights[JAW] for frame in await shown_after(bridge, 2.5)]

    asyncio.run(run())


def test_panic_stops_everything_until_it_is_resumed() -> None:
    async def run() -> None:
        async with bridge_process("--emotion", "joy") as process, connect(*process) as bridge:
            await bridge.say("This is a long sentence, that nobody will hear the end of.")
            assert max(frame.weights.max() for frame in await shown_after(bridge, 0.5)) > 0.1
            await bridge.panic()
            for frame in (await shown_after(bridge, 0.6))[3:]:
                assert not frame.weights.any()
                np.testing.assert_array_equal(frame.head_wxyz, [1, 0, 0, 0])
            await bridge.resume()
            assert (await shown_after(bridge, 1.0))[-1].weights.max() > 0.1

    asyncio.run(run())


def test_pushed_frames_are_shown_as_they_are_and_a_bad_token_is_refused() -> None:
    async def run() -> None:
        async with bridge_process() as process:
            async with connect(*process) as bridge:
                for tick in range(40):
                    weights = np.full(52, 0.25, np.float32)
                    await bridge.push_frame(Frame(tick / 60, weights, *(neutral_frame(0).head_wxyz,) * 3))
                    await asyncio.sleep(1 / 60)
                last = (await shown_after(bridge, 0.02))[-1]
                np.testing.assert_allclose(last.weights, 0.25, atol=1e-3)
            with pytest.raises(BridgeError) as refused:
                async with connect(process.url, "guess"):
                    pass
            assert refused.value.id == "TOKEN"

    asyncio.run(run())


def test_a_chatbot_may_push_faster_than_is_heard() -> None:
    async def run() -> None:
        async with bridge_process() as process, connect(*process) as bridge:
            loud = (0.3 * np.sin(np.arange(320) * 0.06)).astype(np.float32)
            for piece in range(400):  # 8 seconds in pieces of 20 ms, without a pause
                await bridge.push_sound(loud, 16_000, last=piece == 399)
            heard_s = 0.0
            async for packet in bridge.sounds():
                heard_s += len(packet.chunk.samples) / packet.chunk.rate_hz
                if heard_s > 0.5:
                    break
            await bridge.control(interrupt=True)
            assert bridge.reconnections == 0

    asyncio.run(run())


def test_another_computer_is_let_in_by_tls_and_the_pairing_code(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "avatar3d", "live", "--lan", "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        lines, code, fingerprint = [], None, None
        assert process.stderr is not None
        while fingerprint is None:
            lines.append(process.stderr.readline())
            if "pairing code" in lines[-1]:
                code = lines[-1].split("pairing code ")[1][:8]
            if "fingerprint" in lines[-1]:
                fingerprint = lines[-1].split()[-1]
        assert any("\N{FULL BLOCK}" in line for line in lines)  # the QR code
        port = next(line for line in process.stdout if line.startswith("bridge")).strip("/\n").rpartition(":")[2]
        address = f"wss://127.0.0.1:{port}/"  # tests speak to this machine alone

        async def run() -> None:
            async with connect(address, pairing_code=code, fingerprint=fingerprint) as bridge:
                assert set(bridge.identified["scopes"]) == {"view", "drive"}
                assert await shown_after(bridge, 0.2)
                token = bridge.identified["token"]
            async with connect(address, token, fingerprint=fingerprint) as bridge:
                assert await shown_after(bridge, 0.1)
            with pytest.raises(BridgeError):  # the code is used up
                async with connect(address, pairing_code=code, fingerprint=fingerprint):
                    pass

        asyncio.run(run())
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=10)
    assert process.returncode == 0
