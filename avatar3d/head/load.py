"""The one door for head models: by name, once per process."""

from functools import lru_cache

from avatar3d.core.head import HeadModel
from avatar3d.head.registry import head_loader


@lru_cache(maxsize=4)
def load_head_model(name: str = "avatar3d") -> HeadModel:
    """The head of that name (see registry.py); the same object on every call, never write into its arrays.

    Raises ModelMissingError (20) for an unknown name or an absent file, ModelUntrustedError (21) for a file that is
    not the one its bill of materials names.
    """
    return head_loader(name)()
