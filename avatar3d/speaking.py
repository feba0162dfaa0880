r"""A face that speaks, on one page: sound or text in, a performance out, as an animated avatar, a film or curves.

sound --> network ---------\
                            >--> mouth --> performer: head, gaze, blinks, emotion --> frames --> OUT/NAME.{glb, mp4, csv, npz}
text --> voice --> phones -/
"""

import wave
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from hashlib import file_digest, sha256
from io import BytesIO
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from jaxtyping import Float32
from threadpoolctl import threadpool_limits

from avatar3d import __version__
from avatar3d.core.audio import AudioChunk
from avatar3d.core.blendshapes import BlendshapeClip, Frame
from avatar3d.core.clock import Progress
from avatar3d.core.durable import stream_atomically, write_atomically
from avatar3d.core.errors import AudioUnusableError, UnreadableError, UsageError
from avatar3d.formats.animation import save_animated_glb
from avatar3d.formats.clip_csv import csv_lines, livelink_lines
from avatar3d.formats.clip_npz import save_clip
from avatar3d.formats.clip_provenance import clip_provenance
from avatar3d.formats.gltf import load_glb
from avatar3d.render.film import film_clip
from avatar3d.render.retime import frames_at
from avatar3d.report.pictures import orbit_camera
from avatar3d.speech.animate import Instant, at_rate, hear_chunks, with_pitch
from avatar3d.speech.coarticulate import articulate
from avatar3d.speech.loudness import loudness_over_mean
from avatar3d.speech.marks.read import read_marks
from avatar3d.speech.network.features import RATE_HZ
from avatar3d.speech.network.model import load_network
from avatar3d.speech.performance.controls import Controls
from avatar3d.speech.performance.perform import Performer
from avatar3d.speech.phones import Phone
from avatar3d.speech.sound.open import Sound, as_recorded, open_sound
from avatar3d.speech.sound.soxr import resampled
from avatar3d.speech.voices.tts import load_voice

Format = Literal["glb", "mp4", "csv", "livelink-csv", "npz"]
ENDINGS: Final[dict[Format, str]] = {
    "glb": ".glb", "mp4": ".mp4", "csv": ".csv", "livelink-csv": ".livelink.csv", "npz": ".npz",
}  # fmt: skip
NEED_AVATAR: Final[tuple[Format, ...]] = ("glb", "mp4")
SOUNDS: Final = frozenset({".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".m4a", ".mp4", ".mov", ".webm"})
"""Endings of what is taken from a folder."""
_LINES: Final[dict[Format, Callable[[Iterable[Frame]], Iterator[str]]]] = {
    "csv": csv_lines,
    "livelink-csv": livelink_lines,
}
_TOLD_EVERY_S: Final = 60.0
_FILM_HZ: Final = 25


@dataclass(frozen=True)
class SpeakParams:
    """How somebody speaks, and what is written of it."""

    formats: tuple[Format, ...] = ("csv",)
    avatar: Path | None = None
    """A GLB of ours; glb and mp4 need it."""
    controls: Controls = field(default_factory=Controls)
    seed: int = 0
    """Of blinks, glances and idle motion."""
    rate_hz: float = 60.0
    """Frames a second; a film has 25 pictures."""
    film_px: int = 512
    """Edge of a film's pictures."""
    channel: int | None = None
    """Of the sound; None mixes all."""
    strict: bool = False
    """Refuse sound files that break off."""
    marks: Path | None = None
    """What is said and when (TextGrid, Rhubarb, Azure, ElevenLabs ...): then no network is asked."""


@dataclass(frozen=True)
class VoiceParams:
    """Who reads a text."""

    engine: str = "espeak"
    """One of speech.voices.tts.voice_names()."""
    language: str = "en"
    voice: str = ""
    rate: float = 1.0
    pitch: float = 1.0


@dataclass(frozen=True)
class Spoke:
    """What one input became."""

    files: tuple[Path, ...]
    warnings: tuple[str, ...]
    duration_s: float


def find_sounds(paths: Sequence[Path]) -> list[Path]:
    """The files, and of folders all sounds in them, by name. Raises UnreadableError for a folder without any."""
    found: list[Path] = []
    for path in paths:
        if not path.is_dir():
            found.append(path)
            continue
        inside = sorted(each for each in path.iterdir() if each.suffix.lower() in SOUNDS and each.is_file())
        if not inside:
            raise UnreadableError(
                f"expected sounds in the folder ({', '.join(sorted(SOUNDS))}), found none.", file=path
            )
        found.extend(inside)
    return found


def speak_sound(path: Path, out: Path, name: str, params: SpeakParams, progress: Progress) -> Spoke:
    """OUT/NAME.* of a sound file. Raises InputError for a sound that cannot be used, DiskError when OUT cannot be written."""
    _refuse_without_avatar(params)
    with open_sound(path, channel=params.channel, strict=params.strict) as sound, threadpool_limits(1):
        progress("listening")
        chunks = _told(sound, progress)
        mouth = hear_chunks(load_network(), chunks) if params.marks is None else _marked(params.marks, chunks, params)
        frames = _Watched(perform(mouth, params))
        with path.open("rb") as stream:
            mark = _mark("sound", file_digest(stream, "sha256").hexdigest(), params)
        files = _write(frames, out, name, params, mark, lambda: _as_recorded(path, params), progress)
        return Spoke(files, sound.warnings, frames.duration_s)


def speak_text(text: str, out: Path, name: str, params: SpeakParams, voice: VoiceParams, progress: Progress) -> Spoke:
    """OUT/NAME.* of a text, and its sound as OUT/NAME.wav. Where the voice tells its phones, no network is asked.

    Raises UsageError for a text that cannot be said and for a voice or language that there is not, MissingExtraError (2)
    without espeak-ng.
    """
    _refuse_without_avatar(params)
    try:
        digest = sha256(text.encode()).hexdigest()
    except UnicodeEncodeError as cause:
        raise UsageError(
            "expected a text in UTF-8, got bytes that are no letters.", hint="Save or type the text as UTF-8."
        ) from cause
    progress("speaking")
    samples, rate_hz, phones = _spoken(text, voice) if text.strip() else (np.zeros(0, np.float32), RATE_HZ, ())
    if not len(samples):
        raise UsageError("expected a text, got nothing that can be said.", hint='For example: --text "Hello."')
    heard = np.concatenate([np.zeros(0, np.float32), *resampled([samples], rate_hz, RATE_HZ)])
    chunks = [AudioChunk(0.0, RATE_HZ, heard)]
    with threadpool_limits(1):
        if phones:
            frames = _Watched(perform(_known(phones, heard, params), params))
        else:
            frames = _Watched(perform(hear_chunks(load_network(), chunks), params))
        mark = _mark("text", digest, params)
        files = _write(frames, out, name, params, mark, lambda: [AudioChunk(0.0, rate_hz, samples)], progress)
        sound = write_atomically(out / f"{name}.wav", _wav(samples, rate_hz))  # last: a stop before leaves nothing
    return Spoke((sound, *files), (), frames.duration_s)


def speak_video(
    path: Path, face: Iterator[Frame], out: Path, name: str, params: SpeakParams, progress: Progress
) -> Spoke:
    """OUT/NAME.* of a video whose face was followed (following.follow_video); the tongue is told by its sound.

    A video without a sound track has a tongue at rest. Raises InputError for sound that cannot be used, DiskError when
    OUT cannot be written, and what `face` raises.
    """
    _refuse_without_avatar(params)
    with threadpool_limits(1):
        tongues = _tongues(path, params)
        frames = _Watched(_with_tongue(frames_at(face, params.rate_hz), tongues))
        with path.open("rb") as stream:
            mark = _mark("video", file_digest(stream, "sha256").hexdigest(), params)
        sound = _as_recorded(path, params) if tongues is not None else iter(())
        files = _write(frames, out, name, params, mark, lambda: sound, progress)
    return Spoke(files, (), frames.duration_s)


def _tongues(path: Path, params: SpeakParams) -> Iterator[Float32[np.ndarray, "4"]] | None:
    """The tongue at `rate_hz`, as the video's sound tells it; None where it has no sound track."""
    try:
        sound = open_sound(path, channel=params.channel, strict=params.strict)
    except AudioUnusableError as error:
        if error.id == "AUDIO_EMPTY":
            return None
        raise

    def heard() -> Iterator[Float32[np.ndarray, "4"]]:
        with sound:
            for articulation, _ in at_rate(hear_chunks(load_network(), sound), params.rate_hz):
                yield articulation.tongue

    return heard()


def _with_tongue(frames: Iterable[Frame], tongues: Iterator[Float32[np.ndarray, "4"]] | None) -> Iterator[Frame]:
    """The frames, their tongues at rest where there is no sound."""
    for frame in frames:
        tongue = None if tongues is None else next(tongues, None)
        yield frame if tongue is None else replace(frame, tongue=np.clip(tongue, 0, 1))


def perform(instants: Iterable[Instant], params: SpeakParams) -> Iterator[Frame]:
    """The whole face at `rate_hz` for a mouth at any rate."""
    performer = Performer(seed=params.seed)
    for articulation, pitch_hz in at_rate(instants, params.rate_hz):
        performer, frame = performer.step(articulation, pitch_hz, params.controls)
        yield frame


class _Watched:
    """Frames on their way, and how long they last."""

    def __init__(self, frames: Iterator[Frame]) -> None:
        self._frames = frames
        self.duration_s = 0.0

    def __iter__(self) -> Iterator[Frame]:
        for frame in self._frames:
            self.duration_s = frame.time_s
            yield frame


def _marked(marks: Path, chunks: Iterable[AudioChunk], params: SpeakParams) -> Iterator[Instant]:
    """The mouth of recorded marks; the sound gives its pitch and its length."""
    samples = np.concatenate([np.zeros(0, np.float32), *(chunk.samples for chunk in chunks)])
    return _known(read_marks(marks, duration_s=len(samples) / RATE_HZ), samples, params)


def _known(phones: Sequence[Phone], samples: Float32[np.ndarray, "N"], params: SpeakParams) -> Iterator[Instant]:
    """The mouth of phones that are known, as loud as their 16 kHz sound."""
    times_s = np.arange(np.ceil(len(samples) / RATE_HZ * params.rate_hz)) / params.rate_hz
    mouth = articulate(
        phones,
        rate_hz=params.rate_hz,
        duration_s=len(samples) / RATE_HZ,
        loudness_db=loudness_over_mean(samples, times_s),
    )
    return with_pitch(mouth, samples)


def _spoken(text: str, voice: VoiceParams) -> tuple[Float32[np.ndarray, "N"], int, tuple[Phone, ...]]:
    """Sound, rate and phones; no phones where the engine does not tell them."""
    engine = load_voice(voice.engine)
    pieces = list(engine.speak(text, language=voice.language, voice=voice.voice, rate=voice.rate, pitch=voice.pitch))
    if not pieces:
        return np.zeros(0, np.float32), RATE_HZ, ()
    phones = tuple(mark for piece in pieces for mark in piece.marks if isinstance(mark, Phone))
    return np.concatenate([piece.audio.samples for piece in pieces]), pieces[0].audio.rate_hz, phones


def _told(sound: Sound, progress: Progress) -> Iterator[AudioChunk]:
    """The sound; every minute of it is told."""
    told_s = 0.0
    for chunk in sound:
        yield chunk
        if chunk.time_s - told_s >= _TOLD_EVERY_S:
            told_s = chunk.time_s
            whole = f" of {sound.duration_s / 60:.0f}" if sound.duration_s else ""
            progress(f"  {chunk.time_s / 60:.0f}{whole} minutes")


def _as_recorded(path: Path, params: SpeakParams) -> Iterator[AudioChunk]:
    return as_recorded(path, channel=params.channel, strict=params.strict)


def _refuse_without_avatar(params: SpeakParams) -> None:
    wanted = [kind for kind in params.formats if kind in NEED_AVATAR]
    if wanted and params.avatar is None:
        raise UsageError(
            f"the format {wanted[0]} needs an avatar.", hint="Add --avatar ME.glb, or choose csv, livelink-csv or npz."
        )


def _write(
    frames: _Watched,
    out: Path,
    name: str,
    params: SpeakParams,
    mark: dict[str, Any],
    sound: Callable[[], Iterable[AudioChunk]],
    progress: Progress,
) -> tuple[Path, ...]:
    """Every format asked for, or none. Lines alone, or a film, are written as they come, so that hours need no memory."""
    paths = {kind: out / f"{name}{ENDINGS[kind]}" for kind in params.formats}
    kept = frames if len(paths) == 1 and params.formats[0] in (*_LINES, "mp4") else tuple(frames)
    written: list[Path] = []
    try:
        for kind, path in paths.items():
            _write_one(kind, kept, path, params, mark, sound, progress)
            written.append(path)
    except BaseException:  # a stop between two files, too
        for path in written:
            path.unlink(missing_ok=True)
        raise
    return tuple(paths.values())


def _write_one(
    kind: str,
    kept: Iterable[Frame],
    path: Path,
    params: SpeakParams,
    mark: dict[str, Any],
    sound: Callable[[], Iterable[AudioChunk]],
    progress: Progress,
) -> None:
    if kind in _LINES:
        stream_atomically(path, (line.encode() for line in _LINES[kind](kept)))
    elif kind == "npz":
        save_clip(BlendshapeClip(tuple(kept)), path, provenance=mark)
    elif params.avatar is not None and kind == "glb":
        save_animated_glb(params.avatar, BlendshapeClip(tuple(kept)), path, provenance=mark)
    elif params.avatar is not None:
        avatar = load_glb(params.avatar)
        camera = orbit_camera(avatar, 0, params.film_px)
        progress("filming")
        film_clip(avatar, kept, camera, path, sound=sound(), rate_hz=_FILM_HZ, progress=progress)


def _mark(kind: str, digest: str, params: SpeakParams) -> dict[str, Any]:
    notes = {"version": __version__, "seed": params.seed} | asdict(params.controls)
    return clip_provenance(kind, digest, notes=notes)


def _wav(samples: Float32[np.ndarray, "N"], rate_hz: int) -> bytes:
    """16 bit PCM."""
    file = BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(rate_hz)
        writer.writeframes(np.round(np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return file.getvalue()
