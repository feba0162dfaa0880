"""What kind of sound a file is, told by its first bytes; and which of our readers takes it.

first bytes --> WAV (sound_wav, no library) | FLAC, Ogg, MP3 (our look at the header, then soundfile) | film (sound_film)

The allow-list lives here. Every other format is known by name only, so that the message can say what the file is.
"""

from collections.abc import Callable
from dataclasses import replace
from io import BufferedReader, FileIO
from typing import Final

from avatar3d.core.errors import UnreadableError
from avatar3d.speech.sound import soundfile
from avatar3d.speech.sound.file import bytes_at, file_bytes, region
from avatar3d.speech.sound.film import film_container, open_film
from avatar3d.speech.sound.mp3 import id3_bytes, walk_mp3
from avatar3d.speech.sound.ogg import walk_ogg
from avatar3d.speech.sound.source import (
    CONVERT,
    COPY_AGAIN,
    OPENED,
    SoundSource,
    check_header,
    corrupt,
    unsupported,
)
from avatar3d.speech.sound.wav import is_wav, open_wav

_HEAD_BYTES: Final = 64
_MOST_TAGS: Final = 16
_REFUSED: Final = (
    (b"FORM", "an AIFF file"),
    (b"RIFX", "a big-endian WAV file"),
    (b".snd", "an AU file"),
    (b"caff", "a CAF file"),
    (b"#!AMR", "an AMR recording"),
    (b"MThd", "a MIDI file, which holds notes and no sound"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "a WMA or WMV file"),
    (b"MAC ", "a Monkey's Audio file"),
    (b"wvpk", "a WavPack file"),
    (b"\xff\xf1", "an AAC stream"),
    (b"\xff\xf9", "an AAC stream"),
    (b"NIST_1A", "a NIST SPHERE file"),
)


def find_sound(file: FileIO) -> SoundSource:
    """The sound of a file. Raises UnreadableError (10), UnsupportedFormatError (11), LimitError (12), AudioUnusableError (16)."""
    if not file_bytes(file):
        raise UnreadableError("it is empty (0 bytes).", hint=COPY_AGAIN, id="AUDIO_NOT_SOUND")
    start = _after_tags(file)
    head = bytes_at(file, start, _HEAD_BYTES)
    if start == 0:
        if is_wav(head):
            return open_wav(file)
        if head.startswith(b"OggS"):
            return _open_ogg(file)
        container = film_container(head)
        if container:
            return open_film(file, container)
    if head.startswith(b"fLaC"):
        return _open_flac(file, start, head)
    mp3 = _open_mp3(file, start)
    if mp3:
        return mp3
    raise _not_sound(file, head)


def _after_tags(file: FileIO) -> int:
    """Where the ID3 tags end that stand before an MP3, and sometimes before a FLAC."""
    at = 0
    for _ in range(_MOST_TAGS):
        length = id3_bytes(bytes_at(file, at, 10))
        if not length:
            return at
        at += length
    raise corrupt(f"it begins with more than {_MOST_TAGS} tags")


def _open_flac(file: FileIO, start: int, head: bytes) -> SoundSource:
    """RFC 9639, section 8.2: the first block says all."""
    if len(head) < 42 or head[4] & 0x7F != 0 or int.from_bytes(head[5:8], "big") != 34:
        raise corrupt("the FLAC header is broken")
    packed = int.from_bytes(head[18:26], "big")
    rate_hz, channels, frames = packed >> 44, (packed >> 41 & 7) + 1, packed & (1 << 36) - 1
    check_header(rate_hz, channels, frames or None)  # 0: unknown, as written to a pipe
    return _decoded_by_libsndfile(rate_hz, channels, frames or None, lambda: region(file, start, file_bytes(file)))


def _open_ogg(file: FileIO) -> SoundSource:
    ogg = walk_ogg(file)
    source = _decoded_by_libsndfile(None, ogg.channels, None, lambda: region(file, 0, file_bytes(file)))
    return source if ogg.ended else replace(source, cut="(its last page is not marked as the last)")


def _open_mp3(file: FileIO, start: int) -> SoundSource | None:
    mp3 = walk_mp3(file, start)
    if mp3 is None:
        return None
    source = _decoded_by_libsndfile(
        mp3.rate_hz, mp3.channels, mp3.frames, lambda: region(file, mp3.start, mp3.end, before=mp3.note)
    )
    return replace(source, cut=mp3.cut)


def _decoded_by_libsndfile(
    rate_hz: int | None, channels: int, frames: int | None, opened: Callable[[], BufferedReader]
) -> SoundSource:
    """What libsndfile decodes, provided that it sees the same in the header as we do."""
    seen = soundfile.measure(opened)
    if seen.channels != channels or seen.rate_hz != (rate_hz or seen.rate_hz):
        raise corrupt("two readings of its header do not agree")
    check_header(seen.rate_hz, seen.channels, seen.frames)
    return SoundSource(seen.rate_hz, channels, seen.frames or frames, lambda count: soundfile.decode(opened, count))


def _not_sound(file: FileIO, head: bytes) -> Exception:
    for magic, words in _REFUSED:
        if head.startswith(magic):
            return unsupported(f"this is {words}, which is not opened here", hint=CONVERT)
    return UnreadableError(f"its {file_bytes(file):,} bytes are not sound.", hint=OPENED, id="AUDIO_NOT_SOUND")
