"""avatar3d: one selfie in; a rigged 3D avatar out."""

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

__version__ = version("avatar3d")
__all__ = ["Avatar", "__version__", "create"]

if TYPE_CHECKING:
    from avatar3d.core.avatar import Avatar
    from avatar3d.pipeline import create


def __getattr__(name: str) -> Any:
    """Import on first use: `import avatar3d` stays quick, and rooms can be imported without the whole house."""
    if name == "create":
        from avatar3d.pipeline import create

        return create
    if name == "Avatar":
        from avatar3d.core.avatar import Avatar

        return Avatar
    raise AttributeError(f"module 'avatar3d' has no attribute {name!r}")
