"""What the server drives: the one thing it knows of the bridge behind it (avatar3d/living implements it)."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from avatar3d.live.wire import FramePacket, SoundPacket


@runtime_checkable
class Driven(Protocol):
    """The faces that clients see and move.

    Called on the event loop, so each returns at once. An Avatar3dError becomes the `error` message that its client gets;
    messages have been checked against the schema (types, sizes, scope), not whether there is such a face or emotion.
    """

    def media_time_s(self) -> float:
        """The bridge's clock."""
        ...

    def faces(self) -> Sequence[Mapping[str, Any]]:
        """Of each face {"number", "name", "avatar"}: avatar is the URL path of its GLB at this server, or left out."""
        ...

    def control(self, message: Mapping[str, Any]) -> None:
        """A `control` message."""
        ...

    def say(self, message: Mapping[str, Any]) -> None:
        """A `say` message."""
        ...

    def push_frame(self, packet: FramePacket) -> None:
        """A face made elsewhere."""
        ...

    def push_sound(self, packet: SoundPacket, client: str) -> None:
        """Sound to be spoken; every client has a queue of its own."""
        ...

    @property
    def panicking(self) -> bool:
        """Whether everything stands still until `resume`."""
        ...

    def panic(self) -> None: ...

    def resume(self) -> None: ...

    def stop(self) -> None:
        """An admin wants the bridge to end; it closes the server itself."""
        ...

    def left(self, client: str) -> None:
        """That client has gone: what it still had queued may be dropped."""
        ...
