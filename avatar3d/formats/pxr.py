"""The one door to OpenUSD's Python (package usd-core): its modules under their own names, or an error with the pip line."""

from functools import lru_cache
from importlib import import_module
from types import SimpleNamespace
from typing import Any, Final

from avatar3d.core.errors import MissingExtraError

_MODULES: Final = ("Gf", "Sdf", "Usd", "UsdGeom", "UsdShade", "UsdSkel", "Vt")


@lru_cache(maxsize=1)
def load_pxr() -> Any:
    """Gf, Sdf, Usd and so on. Raises MissingExtraError (2) without the extra `usd`."""
    try:
        return SimpleNamespace(**{name: import_module(f"pxr.{name}") for name in _MODULES})
    except ImportError as cause:
        raise MissingExtraError("usd-core", "usd", "USDZ") from cause
