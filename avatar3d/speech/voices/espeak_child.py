"""The separate process in which espeak-ng (GPL) speaks: run as a script, never imported by avatar3d.

    stdin   u32 length | JSON request              one sentence to speak
    stdout  kind u8 | u32 length | payload         READY, then per request (SOUND, EVENTS)*, DONE or FAILED

Standard library only, so that it starts in a few hundredths of a second without site-packages.
"""

import ctypes
import json
import os
import signal
import struct
import sys
import threading
import time
from typing import BinaryIO

READY, EVENTS, SOUND, DONE, FAILED = b"R", b"E", b"S", b"D", b"X"
HEADER = struct.Struct("<cI")
LENGTH = struct.Struct("<I")
EVENT = struct.Struct("<iiii8s")
"""Type, text position (characters, from 1), length (characters), sample, phone in IPA (speak_lib.h: espeak_EVENT)."""
_BUFFER_MS = 50
_SYNCHRONOUS, _PHONEME_EVENTS_IPA, _DO_NOT_EXIT = 2, 3, 0x8000
_UTF8, _PHONEMES, _END_PAUSE = 1, 0x100, 0x1000
_RATE, _PITCH, _RANGE, _WORD_GAP = 1, 3, 4, 7
# A request that gives no sound for so long hangs: espeak-ng makes a minute of speech in a fifth of a second.
_HANGS_S = 20.0


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("identifier", ctypes.c_uint),
        ("position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("time_ms", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user", ctypes.c_void_p),
        ("name", ctypes.c_uint8 * 8),
    ]


class _Voice(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_char_p),
        ("languages", ctypes.c_void_p),
        ("identifier", ctypes.c_char_p),
        ("gender", ctypes.c_ubyte),
        ("age", ctypes.c_ubyte),
        ("variant", ctypes.c_ubyte),
        ("spare", ctypes.c_ubyte),
        ("score", ctypes.c_int),
        ("pointer", ctypes.c_void_p),
    ]


_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


class _Watch:
    """Ends this process when espeak-ng hangs; the parent sees a voice that died."""

    def __init__(self) -> None:
        self.since_s: float | None = None
        threading.Thread(target=self._look, daemon=True).start()

    def _look(self) -> None:
        while True:
            time.sleep(1.0)
            since_s = self.since_s
            if since_s is not None and time.monotonic() - since_s > _HANGS_S:
                os._exit(3)


def _send(out: BinaryIO, kind: bytes, payload: bytes = b"") -> None:
    out.write(HEADER.pack(kind, len(payload)) + payload)


def _languages(spec: int) -> list[str]:
    """The zero-terminated list of (priority byte, name) that speak_lib.h describes."""
    found: list[str] = []
    at = spec
    while ctypes.c_ubyte.from_address(at).value:
        name = ctypes.string_at(at + 1)
        found.append(name.decode("utf-8", "replace"))
        at += len(name) + 2
    return found


def _folder(library: ctypes.CDLL) -> str:
    where = ctypes.c_char_p()
    library.espeak_Info.restype = ctypes.c_char_p
    library.espeak_Info(ctypes.byref(where))
    return (where.value or b"").decode("utf-8", "replace")


def _dictionaries(folder: str) -> set[str]:
    return {name[: -len("_dict")].lower() for name in os.listdir(folder) if name.endswith("_dict")}  # noqa: PTH208 - starts without pathlib


def _voices(library: ctypes.CDLL, dictionaries: set[str]) -> list[tuple[str, list[str]]]:
    """Identifier and languages of every voice that can speak: MBROLA's need more, and some lack their dictionary."""
    library.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(_Voice))
    listed = library.espeak_ListVoices(None)
    found: list[tuple[str, list[str]]] = []
    index = 0
    while listed[index]:
        voice = listed[index].contents
        identifier = voice.identifier.decode("utf-8", "replace")
        languages = _languages(voice.languages) if voice.languages else []
        names = {*languages, identifier.rpartition("/")[2]}
        known = {part.lower() for name in names for part in (name, name.partition("-")[0])}
        if not identifier.startswith("mb") and known & dictionaries:
            found.append((identifier, languages))
        index += 1
    return found


def _variants(folder: str) -> list[str]:
    """File names of voices/!v."""
    variants = os.path.join(folder, "voices", "!v")  # noqa: PTH118 - starts without pathlib
    return sorted(os.listdir(variants)) if os.path.isdir(variants) else []  # noqa: PTH112, PTH208 - the same


def _speak(library: ctypes.CDLL, request: dict[str, object]) -> str:
    """Speak one sentence through the callback; what went wrong, or nothing."""
    if library.espeak_SetVoiceByName(str(request["voice"]).encode()):
        return f"espeak-ng has no voice {request['voice']!r}"
    for parameter, name in ((_RATE, "rate"), (_PITCH, "pitch"), (_RANGE, "range"), (_WORD_GAP, "gap")):
        library.espeak_SetParameter(parameter, int(str(request[name])), 0)
    # It sows its noise (whisper, breath) by the clock otherwise. Not in every library, as the next one.
    if hasattr(library, "espeak_ng_SetRandSeed"):
        library.espeak_ng_SetRandSeed(ctypes.c_long(1))
    if hasattr(library, "espeak_ng_SetConstF0"):
        library.espeak_ng_SetConstF0(int(str(request["note_hz"])))
    elif request["note_hz"]:
        return "this espeak-ng cannot hold a note: it lacks espeak_ng_SetConstF0"
    text = str(request["text"]).encode()
    flags = _UTF8 | _END_PAUSE | (_PHONEMES if request["phonemes"] else 0)
    if library.espeak_Synth(ctypes.c_char_p(text), ctypes.c_size_t(len(text) + 1), 0, 0, 0, flags, None, None):
        return "espeak-ng could not speak the text"
    return ""


def main(library_path: str, data_path: str) -> None:
    """Serve requests until stdin closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when we end
    out = os.fdopen(os.dup(1), "wb", 0)
    os.dup2(2, 1)  # what the library prints must not enter the pipe
    library = ctypes.CDLL(library_path)
    options = _PHONEME_EVENTS_IPA | _DO_NOT_EXIT
    rate_hz = library.espeak_Initialize(_SYNCHRONOUS, _BUFFER_MS, data_path.encode() or None, options)
    if rate_hz <= 0:
        _send(out, FAILED, b"espeak-ng could not be initialised (its data may be missing)")
        return
    watch = _Watch()

    @_CALLBACK
    def spoken(samples: "ctypes.Array[ctypes.c_short]", count: int, events: "ctypes.Array[_Event]") -> int:
        watch.since_s = None  # a slow reader is not a hanging engine
        packed: list[bytes] = []
        index = 0
        while events[index].type:
            event = events[index]
            packed.append(EVENT.pack(event.type, event.position, event.length, event.sample, bytes(event.name)))
            index += 1
        try:
            if samples and count > 0:
                _send(out, SOUND, ctypes.string_at(samples, 2 * count))
            if packed:
                _send(out, EVENTS, b"".join(packed))
        except OSError:
            os._exit(0)  # nobody listens any more
        watch.since_s = time.monotonic()
        return 0

    library.espeak_SetSynthCallback(spoken)
    folder = _folder(library)
    told = {
        "rate_hz": rate_hz,
        "voices": _voices(library, _dictionaries(folder)),
        "variants": _variants(folder),
    }
    _send(out, READY, json.dumps(told).encode())
    while len(head := sys.stdin.buffer.read(LENGTH.size)) == LENGTH.size:
        request = json.loads(sys.stdin.buffer.read(LENGTH.unpack(head)[0]))
        watch.since_s = time.monotonic()
        wrong = _speak(library, request)
        watch.since_s = None
        _send(out, FAILED if wrong else DONE, wrong.encode())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
