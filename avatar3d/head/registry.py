"""Heads by name: built-in ones, those the user added, and whatever a package adds by the entry point group "avatar3d.heads"."""

from collections.abc import Callable
from functools import partial
from importlib import import_module
from importlib.metadata import entry_points
from typing import Final

from avatar3d.core.errors import ModelMissingError
from avatar3d.core.head import HeadModel
from avatar3d.head.added import added_names, bill_of, load_added
from avatar3d.head.terms import TERMS

GROUP: Final = "avatar3d.heads"
_BUILT_IN: Final = {
    "avatar3d": "avatar3d.head.own:load_own",
    "ict": "avatar3d.head.ict:load_ict",
}


def head_names() -> tuple[str, ...]:
    """Every name `load_head_model` knows and could load, sorted."""
    return tuple(sorted({*_known(), *added_names()}))


def head_loader(name: str) -> Callable[[], HeadModel]:
    """The function that loads the head of that name; ModelMissingError (20) when nobody registered or added it."""
    known = _known()
    if name not in known and name in added_names():
        if bill_of(name)["kind"] == "ict":
            return partial(_function("avatar3d.head.ict:load_ict_added"), name)
        return partial(load_added, name)
    if name in known:
        return _function(known[name])
    hint = f"Choose one of these, or install the package that adds it (entry point group {GROUP!r})."
    if name in TERMS:
        file = "" if name == "anny" else " FILE"
        hint = f"Add it once: avatar3d models add {name}{file} --accept-licence"
    raise ModelMissingError(f"no head named {name!r}; known: {', '.join(head_names())}.", hint=hint)


def _function(place: str) -> Callable[..., HeadModel]:
    module, attribute = place.split(":")
    return getattr(import_module(module), attribute)


def _known() -> dict[str, str]:
    """Name to "module:function"; a built-in name cannot be taken over."""
    return {point.name: point.value for point in entry_points(group=GROUP)} | _BUILT_IN
