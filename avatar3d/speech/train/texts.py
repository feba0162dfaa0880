"""What synthetic voices say: numbers, and words that never were, spelled from each language's own letters.

Every syllable is as likely as any other, so each language's sounds all come up, whatever its people like to talk about.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np


@dataclass(frozen=True)
class Spelling:
    """How a language writes the syllables of a made-up word."""

    onsets: tuple[str, ...]
    vowels: tuple[str, ...]
    codas: tuple[str, ...]


def _spelling(onsets: str, vowels: str, codas: str) -> Spelling:
    return Spelling(tuple(onsets.split()), tuple(vowels.split()), ("", "", *codas.split()))


# The letters that make a language's own sounds; names as espeak-ng calls them.
SPELLINGS: Final[dict[str, Spelling]] = {
    "en-us": _spelling("b ch d f g h j k l m n p r s sh t th v w y z st pl br", "a e i o u ee oo ay oi ow ar er", "m n p t k s f sh b th l"),
    "en-gb": _spelling("b ch d f g h j k l m n p r s sh t th v w y z st pl br", "a e i o u ee oo ay oi ow ar er", "m n p t k s f sh b th l"),
    "de": _spelling("b d f g h j k l m n p r s sch t w z pf st", "a e i o u ä ö ü ei au eu ie", "m n p t k s f ch b ng"),
    "fr": _spelling("b ch d f g j l m n p r s t v z br", "a é è i o u ou eu on an in oi", "m p t que s f b l r"),
    "es": _spelling("b ch d f g j l ll m n ñ p r s t v z br", "a e i o u ie ue", "n s r l"),
    "pt": _spelling("b ch d f g j l lh m n nh p r s t v z", "a e i o u ã ão ei ou é ó", "m s r l"),
    "nl": _spelling("b d f g h j k l m n p r s sch t v w z", "a e i o u aa ee oe ui eu ij ou", "m n p t k s f g l"),
    "sv": _spelling("b d f g h j k l m n p r s sj t v tj", "a e i o u y å ä ö", "m n p t k s f l r"),
    "pl": _spelling("b c cz d f g h j k l ł m n p r rz s sz ś t w z ż", "a e i o u y ó ą ę", "m n p t k s f w b"),
    "ru": _spelling("б в г д ж з к л м н п р с т ф х ц ч ш щ", "а е и о у ы э ю я ё", "м н п т к с ф ш б л"),
    "fi": _spelling("h j k l m n p r s t v d", "a e i o u y ä ö aa uu ii yy öö", "n s t l r"),
    "hi": _spelling("ब भ च द ड फ ग ह ज क ल म न प र स श त ट व य", "ा ि ी ु ू े ै ो ौ", "म न प त क स ब ल"),
    "ja": _spelling("か さ た な は ま や ら わ が ざ だ ば ぱ あ", "い う え お ん む み ふ ぶ", ""),
    "el": _spelling("β γ δ ζ θ κ λ μ ν ξ π ρ σ τ φ χ ψ μπ ντ", "α ε ι ο ου αι ει", "ν ς ρ"),
    "hu": _spelling("b c cs d f g gy h j k l m n ny p r s sz t v z zs", "a á e é i o ö ő u ü ű", "m n p t k s f b l"),
    "id": _spelling("b c d g h j k l m n ng ny p r s t w y f", "a e i o u ai au", "m n p t k s ng l"),
    "ar": _spelling("ب ت ث ج ح د ذ ر ز س ش ف ق ك ل م ن ه و ي", "ا و ي", "م ن ب ت ك س ف ل"),
    "ko": _spelling("가 나 다 라 마 바 사 자 차 카 타 파 하 모 부 피 구", "모 부 피 무 비 포 이 우 오 에", ""),
    "tr": _spelling("b c ç d f g h j k l m n p r s ş t v y z", "a e ı i o ö u ü", "m n p t k s f b l"),
    "it": _spelling("b c ch d f g gh gl gn l m n p r s sc t v z", "a e i o u ia uo ai", "n r l s"),
}  # fmt: skip
HELD_OUT: Final = ("tr", "it")
"""Languages that no training sees."""
TRAINED: Final = tuple(name for name in SPELLINGS if name not in HELD_OUT)
_WORDS: Final = (3, 8)
_SYLLABLES: Final = (1, 4)
_NUMBERS: Final = 0.2
_COMMA: Final = 0.15


def made_up_sentence(rng: np.random.Generator, language: str) -> str:
    """A few words that mean nothing, some of them numbers."""
    spelling = SPELLINGS[language]
    words: list[str] = []
    for _ in range(int(rng.integers(*_WORDS))):
        if rng.random() < _NUMBERS:
            words.append(str(int(rng.integers(1, 999))))
        else:
            words.append("".join(_syllable(rng, spelling) for _ in range(int(rng.integers(*_SYLLABLES)))))
        if rng.random() < _COMMA:
            words[-1] += ","
    return " ".join(words).rstrip(",") + "."


def _syllable(rng: np.random.Generator, spelling: Spelling) -> str:
    return "".join(str(rng.choice(part)) for part in (spelling.onsets, spelling.vowels, spelling.codas))
