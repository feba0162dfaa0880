"""Where the built page is."""

from pathlib import Path
from typing import Final

from avatar3d.core.errors import ModelMissingError

_DIST: Final = Path(__file__).parent / "dist"


def viewer_folder() -> Path:
    """The built page. Raises ModelMissingError (20) with the command that builds it."""
    if not (_DIST / "index.html").is_file():
        raise ModelMissingError(
            "The viewer's page is not built.", hint="Build it, with npm: make viewer", id="VIEWER_MISSING", file=_DIST
        )
    return _DIST
