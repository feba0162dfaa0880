"""The one door to PyAV: pictures to an MP4 file (extra `video`)."""

import io
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from avatar3d.core.durable import write_atomically
from avatar3d.core.errors import MissingExtraError

# ITU-T H.273: what says that the pictures are sRGB. Untagged, one player in two shifts skin by several levels.
_BT709, _SRGB_CURVE, _LIMITED_RANGE = 1, 13, 1


def require_av() -> Any:
    """PyAV, an optional extra with GPL codecs in its wheel. Raises MissingExtraError: ask before a long job."""
    try:
        return import_module("av")
    except ImportError as cause:
        raise MissingExtraError("av", "video", "A video") from cause


def write_video(
    pictures: Iterable[UInt8[np.ndarray, "H W 3"]], path: Path, *, rate_hz: int = 30, comment: str = ""
) -> Path:
    """Encode sRGB pictures of one even size as H.264 (yuv420p, BT.709), with a comment in the file's metadata.

    Raises MissingExtraError without PyAV and DiskError when it cannot be written.
    """
    av = require_av()
    film = io.BytesIO()
    with av.open(film, "w", format="mp4") as container:
        container.metadata["comment"] = comment
        stream = container.add_stream("libx264", rate=rate_hz, options={"crf": "18", "preset": "medium"})
        stream.pix_fmt = "yuv420p"
        coder = stream.codec_context
        coder.color_primaries, coder.color_trc, coder.colorspace = _BT709, _SRGB_CURVE, _BT709
        coder.color_range = _LIMITED_RANGE
        for index, picture in enumerate(pictures):
            if index == 0:
                stream.height, stream.width = picture.shape[:2]
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            converted = frame.reformat(format="yuv420p", dst_colorspace=_BT709, dst_color_range=_LIMITED_RANGE)
            container.mux(stream.encode(converted))
        container.mux(stream.encode())
    return write_atomically(path, film.getvalue())
