"""Heads by name: the built-in ones, and whatever a package adds by the entry point group "avatar3d.heads"."""

from collections.abc import Callable
from importlib import import_module
from importlib.metadata import entry_points
from typing import Final

from avatar3d.core.errors import ModelMissingError
from avatar3d.core.head import HeadModel

GROUP: Final = "avatar3d.heads"
_BUILT_IN: Final = {
    "avatar3d": "avatar3d.head.own:load_own",
    "ict": "avatar3d.head.ict:load_ict",
}


def head_names() -> tuple[str, ...]:
    """Every name `load_head_model` knows, sorted."""
    return tuple(sorted(_known()))


def head_loader(name: str) -> Callable[[], HeadModel]:
    """The function that loads the head of that name; ModelMissingError (20) when nobody registered it."""
    known = _known()
    if name not in known:
        raise ModelMissingError(
            f"no head named {name!r}; known: {', '.join(sorted(known))}.",
            hint=f"Choose one of these, or install the package that adds it (entry point group {GROUP!r}).",
        )
    module, attribute = known[name].split(":")
    return getattr(import_module(module), attribute)


def _known() -> dict[str, str]:
    """Name to "module:function"; a built-in name cannot be taken over."""
    return {point.name: point.value for point in entry_points(group=GROUP)} | _BUILT_IN
