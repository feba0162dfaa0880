"""Voices: text becomes a stream of sound with marks that say what the mouth does when."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from typing import Final, Literal, Protocol, runtime_checkable

from avatar3d.core.audio import AudioChunk
from avatar3d.core.errors import UsageError
from avatar3d.speech.phones import Phone

GROUP: Final = "avatar3d.voices"
_BUILT_IN: Final = {
    "espeak": "avatar3d.speech.voices.espeak:Espeak",
    "system": "avatar3d.speech.voices.system_voice:SystemVoice",
}
Dialect = Literal["azure", "oculus", "rhubarb"]
"""Whose viseme names a mark uses."""


@dataclass(frozen=True)
class VisemeMark:
    """A shape of the mouth, as an engine without phones tells it."""

    dialect: Dialect
    viseme: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class WordMark:
    """A word and when it is spoken."""

    text: str
    start_s: float
    end_s: float
    position: int = 0
    """Index of its first character in the text."""


Mark = Phone | VisemeMark | WordMark


@dataclass(frozen=True, eq=False)
class Spoken:
    """A piece of a spoken text. Its times count from the beginning of the text."""

    audio: AudioChunk
    marks: tuple[Mark, ...]
    """Those that begin in this piece, in order, with their ends: no mark comes later than its sound."""


@runtime_checkable
class TTS(Protocol):
    """What a voice must do; a package adds one by the entry point group "avatar3d.voices" (a function without arguments)."""

    @property
    def languages(self) -> tuple[str, ...]:
        """Language tags (BCP 47) it speaks, sorted; empty when only the engine itself knows."""
        ...

    def speak(
        self, text: str, *, language: str = "en", voice: str = "", rate: float = 1.0, pitch: float = 1.0
    ) -> Iterator[Spoken]:
        """Pieces of sound as they are made; closing the iterator stops the engine at once.

        `rate` and `pitch` are factors of the voice's own; `voice` is one of the engine's names, its usual one if empty.
        Raises UsageError for a language or voice it has not, LimitError for a text that is too long.
        """
        ...


def voice_names() -> tuple[str, ...]:
    """Every name `load_voice` knows, sorted."""
    return tuple(sorted(_known()))


def load_voice(name: str) -> TTS:
    """The voice engine of that name; UsageError when nobody registered it."""
    known = _known()
    if name not in known:
        raise UsageError(
            f"no voice engine named {name!r}; known: {', '.join(sorted(known))}.",
            hint=f"Choose one of these, or install the package that adds it (entry point group {GROUP!r}).",
        )
    module, attribute = known[name].split(":")
    make: Callable[[], TTS] = getattr(import_module(module), attribute)
    return make()


def _known() -> dict[str, str]:
    """Name to "module:function"; a built-in name cannot be taken over."""
    return {point.name: point.value for point in entry_points(group=GROUP)} | _BUILT_IN
