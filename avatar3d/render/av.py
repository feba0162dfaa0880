"""The one door to PyAV: pictures to an MP4 file (extra `video`)."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from avatar3d.core.errors import MissingExtraError


def write_video(pictures: Iterable[UInt8[np.ndarray, "H W 3"]], path: Path, *, rate_hz: int = 30) -> Path:
    """Encode sRGB pictures of one even size as H.264 (yuv420p). Raises MissingExtraError without PyAV."""
    try:
        import av  # noqa: PLC0415  an optional extra with GPL codecs in its wheel
    except ImportError as cause:
        raise MissingExtraError("av", "video", "A video") from cause
    with av.open(str(path), "w", format="mp4") as container:
        stream = None
        for picture in pictures:
            if stream is None:
                stream = container.add_stream("libx264", rate=rate_hz, options={"crf": "18", "preset": "medium"})
                stream.height, stream.width = picture.shape[:2]
                stream.pix_fmt = "yuv420p"
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        if stream is not None:
            container.mux(stream.encode())
    return path
