"""What a client that has been let in may say, and who does it: each message is checked, allowed, done and answered."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from avatar3d.core.errors import Avatar3dError, BridgeError, InputError
from avatar3d.live import messages, schema, wire
from avatar3d.live.auth import Tokens
from avatar3d.live.crowd import Guest
from avatar3d.live.driven import Driven
from avatar3d.live.websocket import text_bytes


@runtime_checkable
class House(Protocol):
    """What only the server can do."""

    def clients(self) -> list[dict[str, Any]]: ...

    def revoke(self, client: str) -> None: ...


@dataclass(frozen=True)
class Serving:
    """Does what clients say."""

    driven: Driven
    tokens: Tokens
    house: House

    def serve(self, guest: Guest, message: str | bytes, now_s: float) -> None:
        """One message. Raises InputError with the id messages.MALFORMED for what is none: its sender must go."""
        if isinstance(message, bytes):
            return self._serve_packet(guest, message, now_s)
        asked_s = self.driven.media_time_s()
        parsed = messages.parse(message)
        number = messages.id_of(parsed)
        try:
            _allow(guest, parsed["type"])
            extra = self._do(guest, messages.check(parsed), asked_s, now_s)
        except Avatar3dError as cause:
            return _reply(guest, messages.error(cause, number))
        if number is not None:
            _reply(guest, messages.made("done", id=number, **extra))
        return None

    def _serve_packet(self, guest: Guest, packet: bytes, now_s: float) -> None:
        if len(packet) == wire.ACK_BYTES and packet[0] == schema.ACK_KIND:
            return _acknowledge(guest, wire.decode_ack(packet), now_s)
        kind = packet[0] if packet else -1
        if kind not in (schema.VERSION, schema.SOUND_KIND):
            raise InputError("expected a frame, sound or an acknowledgement.", id=messages.MALFORMED)
        try:
            if kind == schema.SOUND_KIND:
                _allow(guest, "sound")
                return self.driven.push_sound(wire.decode_sound(packet), guest.name)
            _allow(guest, "frame")
            return self.driven.push_frame(wire.decode_frame(packet))
        except Avatar3dError as cause:
            return _reply(guest, messages.error(cause, None))

    def _do(self, guest: Guest, message: Mapping[str, Any], asked_s: float, now_s: float) -> Mapping[str, Any]:
        """Do it; what is given back goes into `done`."""
        match message["type"]:
            case "ack":
                _acknowledge(guest, message["seq"], now_s)
            case "clock":
                times = {"sent_s": message["sent_s"], "received_s": asked_s}
                _reply(guest, messages.made("clock", **times, media_time_s=self.driven.media_time_s()))
            case "sound":
                self.driven.push_sound(wire.sound_from_json(message), guest.name)
            case "frame":
                self.driven.push_frame(wire.frame_from_json(message))
            case "issue":
                return {"token": self.tokens.issue(message.get("name", "client"), _highest(message["scopes"]))}
            case "revoke":
                self.house.revoke(message["client"])
            case "clients":
                return {"clients": self.house.clients()}
            case _:
                self._drive(message)
        return {}

    def _drive(self, message: Mapping[str, Any]) -> None:
        plain: Mapping[str, Callable[[], None]] = {
            "control": lambda: self.driven.control(message),
            "say": lambda: self.driven.say(message),
            "panic": self.driven.panic,
            "resume": self.driven.resume,
            "stop": self.driven.stop,
        }
        if message["type"] not in plain:
            raise InputError("expected `identify` once only.", id="MESSAGE_ENTRY")
        plain[message["type"]]()


def _allow(guest: Guest, kind: str) -> None:
    needed = schema.NEEDS.get(kind, "view")
    if needed not in guest.grant.scopes:
        raise BridgeError(
            f'"{kind}" needs the scope {needed}, and this token has {guest.grant.scope}.',
            hint="Ask who started the bridge for a token that may.",
            id="SCOPE",
        )


def _highest(scopes: list[str]) -> schema.Scope:
    known: list[schema.Scope] = [scope for scope in schema.SCOPES if scope in scopes]
    if not known or set(scopes) - set(schema.SCOPES):
        raise InputError(f"expected scopes of {', '.join(schema.SCOPES)}.", id="MESSAGE_VALUE")
    return known[-1]


def _acknowledge(guest: Guest, seq: int, now_s: float) -> None:
    guest.read_s = now_s
    guest.credit.answer(seq)


def _reply(guest: Guest, message: str) -> None:
    guest.socket.tell(text_bytes(message))
