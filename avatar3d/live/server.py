"""The bridge's server: one port for the viewer's files, the avatars and the WebSocket.

Socket ─► asked()  Host and Origin, then a file of the Site, or a WebSocket
       ─► opened() hello
       ─► said()   identify ─► Guest, who joins the Crowd;  then Serving does what it says
publish…() ─► Crowd ─► Sockets
"""

import asyncio
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from avatar3d.core.errors import Avatar3dError, BridgeError
from avatar3d.live import hosts, messages, schema
from avatar3d.live.auth import Grant, Tokens
from avatar3d.live.crowd import Crowd, Guest
from avatar3d.live.driven import Driven
from avatar3d.live.reception import Reception, listen
from avatar3d.live.serving import Serving
from avatar3d.live.site import Answer, Request, Site, refusal
from avatar3d.live.teller import Teller
from avatar3d.live.waiting import Waiting
from avatar3d.live.websocket import Limits, Socket, text_bytes


@dataclass(frozen=True)
class ServerParams:
    """How the server listens, and how much it bears."""

    host: str = "127.0.0.1"
    port: int = 8765
    """0: any that is free."""
    names: tuple[str, ...] = ()
    """Under which it may be asked besides those of loopback: its addresses in the LAN."""
    tls: ssl.SSLContext | None = None
    """Without it only loopback is served."""
    rate_hz: float = 60.0
    """Told to clients."""
    software: str = "avatar3d"
    """Told to clients."""
    identify_s: float = 3.0
    linger_s: float = 1.0
    """So long a client may take to close after us."""
    stall_s: float = 75.0
    """A client that has not read for so long is let go."""
    backlog_bytes: int = 256 << 10
    """And one for which so much waits."""
    first_bytes: int = 4 << 10
    """A message of a client that has not said who it is."""
    half_open: int = 64
    """Connections from one address that have not yet said who they are; over it the oldest goes."""
    guests: int = 2000
    crowd: int = 200
    """From so many guests on, each acknowledges half as often."""


class Server:
    """Start it, publish, close it. Everything happens on the event loop that started it."""

    def __init__(
        self, params: ServerParams, tokens: Tokens, driven: Driven, site: Site, *, tell: Callable[[str], object]
    ) -> None:
        self._params, self._tokens, self._driven = params, tokens, driven
        self.site = site
        self._teller = Teller(tell)
        self._crowd = Crowd()
        self._serving = Serving(driven, tokens, self)
        self._waiting = Waiting(params.half_open)
        self._guests: dict[Socket, Guest] = {}
        self._limits = Limits(
            backlog_bytes=params.backlog_bytes,
            linger_s=params.linger_s,
            rate_code=schema.CLOSE["RATE"],
            slow_code=schema.CLOSE["TOO_SLOW"],
        )
        self._names: frozenset[str] = frozenset()
        self._reception: Reception | None = None
        self._sweeping: asyncio.Task[None] | None = None
        self._count = 0
        self.port = params.port

    # What the bridge calls.

    async def start(self) -> str:
        """Listen; gives the address, ws:// or wss://. Raises BridgeError (50) when that cannot be."""
        params = self._params
        if params.tls is None and params.host not in hosts.LOOPBACK:
            raise BridgeError(
                f"expected TLS for {params.host}: beyond this machine nothing goes in the clear.", hint="Use --lan."
            )
        self._loop = asyncio.get_running_loop()
        listener = listen(params.host, params.port)
        self.port = listener.getsockname()[1]
        secure = params.tls is not None
        known = {*hosts.LOOPBACK, params.host, *params.names} - {*hosts.EVERYWHERE}
        self._names = hosts.names_with_port(known, self.port, secure=secure)
        self._reception = Reception(listener, lambda: Socket(self, self._limits, schema.SUBPROTOCOLS), params.tls)
        self._reception.open(self._waiting, params.identify_s)
        self._sweeping = self._loop.create_task(self._sweep())
        host = next(iter((*params.names, "127.0.0.1"))) if params.host in hosts.EVERYWHERE else params.host
        return f"{'wss' if secure else 'ws'}://{f'[{host}]' if ':' in host else host}:{self.port}/"

    def publish(self, seq: int, frames: Sequence[bytes]) -> None:
        """One tick: an encoded frame for each face. Whoever cannot take it now is sent a later one."""
        self._crowd.publish(seq, frames)

    def publish_sound(self, packet: bytes) -> None:
        """Encoded sound, to whoever keeps up."""
        self._crowd.publish_sound(packet)

    def publish_message(self, message: Mapping[str, Any]) -> None:
        """An `event` or `flush`, with its type, to everybody (`flush`: to who hears)."""
        self._crowd.publish_text(messages.text_of(message), sound_only=message["type"] == "flush")

    async def close(self) -> None:
        """Tell everybody that the bridge stops, and stop listening."""
        if self._reception is None:
            return
        self._reception.close()
        if self._sweeping:
            self._sweeping.cancel()
        for guest in self._crowd.guests:
            guest.socket.close(schema.CLOSE["STOPPING"], "the bridge stops")
        self._waiting.abort_all()
        deadline_s = self._loop.time() + self._params.linger_s + 0.5
        while len(self._crowd) and self._loop.time() < deadline_s:
            await asyncio.sleep(0.01)
        for guest in self._crowd.guests:
            guest.socket.abort()
        self._reception = None

    # What Serving asks of the house.

    def clients(self) -> list[dict[str, Any]]:
        """Who is there, and who could come."""
        here = [(guest.name, guest.grant) for guest in self._crowd.guests]
        away = {grant.name: grant for grant in self._tokens.grants} | {grant.name: grant for _, grant in here}
        known = [{"client": name, "scopes": list(grant.scopes), "connected": True} for name, grant in here]
        for grant in away.values():
            if grant not in [each for _, each in here]:
                known.append({"client": grant.name, "scopes": list(grant.scopes), "connected": False})
        return known

    @property
    def in_use(self) -> set[str]:
        """Hashes of the tokens of everybody who is there."""
        return {guest.grant.digest for guest in self._crowd.guests}

    def revoke(self, client: str) -> None:
        """Take back the token of a client, or of that name, and let everybody go who used it."""
        used = next((guest.grant.name for guest in self._crowd.guests if guest.name == client), client)
        try:
            self._tokens.revoke(used)
        finally:  # also when it cannot be written down: they go, and who asked is told
            for guest in [guest for guest in self._crowd.guests if guest.grant.name == used]:
                guest.socket.close(schema.CLOSE["REVOKED"], "the token was taken back")

    # What Sockets report.

    def came(self, socket: Socket) -> None:
        """A connection: it must say who it is within three seconds."""
        self._waiting.add(socket, self._loop.time() + self._params.identify_s)

    def asked(self, socket: Socket, request: Request) -> Answer | None:
        """A request by HTTP; None makes it a WebSocket."""
        if answer := hosts.refused(request, self._names, secure=self._params.tls is not None):
            self._say(f"refused {request.address}: {answer.body.decode().strip()}")
            return answer
        if not request.every("Upgrade"):
            self._waiting.extend(socket, self._loop.time() + 60)
            return self.site.answer(
                request, lambda token: self._tokens.check(token, request.address, self._loop.time())
            )
        return None if request.path.partition("?")[0] == "/" else refusal(404, "The WebSocket is at /.")

    def opened(self, socket: Socket) -> None:
        """A WebSocket."""
        socket.tell(text_bytes(messages.made("hello", versions=[schema.VERSION], server=self._params.software)))

    def said(self, socket: Socket, message: str | bytes) -> None:
        """A whole message."""
        guest = self._guests.get(socket)
        try:
            if guest is None:
                self._meet(socket, message)
            else:
                self._serving.serve(guest, message, self._loop.time())
        except Avatar3dError as cause:
            code = schema.CLOSE.get(cause.id, schema.CLOSE["MALFORMED"])
            self._say(f"closed {guest.name if guest else socket.address}: {cause.message}")
            socket.close(code, cause.message, deaf=True)

    def read(self, socket: Socket) -> None:
        """It answered a ping."""
        if guest := self._guests.get(socket):
            guest.read_s = self._loop.time()

    def gone(self, socket: Socket) -> None:
        """The end of a connection."""
        self._waiting.remove(socket)
        if guest := self._guests.pop(socket, None):
            self._crowd.leave(guest)
            self._driven.left(guest.name)

    def _meet(self, socket: Socket, message: str | bytes) -> None:
        """The first message: who is it?"""
        if len(message) > self._params.first_bytes:
            return socket.close(1009, "too large before identify", deaf=True)
        parsed = messages.parse(message) if isinstance(message, str) else {}
        if parsed.get("type") != "identify":
            raise BridgeError("expected `identify` first.", id="NOT_IDENTIFIED")
        identify = messages.check(parsed)
        if identify["version"] != schema.VERSION:
            raise BridgeError(f"expected version {schema.VERSION}, got {identify['version']}.", id="VERSION")
        if len(self._crowd) >= self._params.guests:
            return socket.close(1013, "too many clients")
        grant, token = self._grant(socket, identify)
        self._count += 1
        as_json = socket.subprotocol == schema.SUBPROTOCOLS[1]
        faces = frozenset(identify["faces"]) if "faces" in identify else None
        stretch = 2 if len(self._crowd) >= self._params.crowd else 1
        credit = schema.CREDIT * stretch
        guest = Guest(socket, grant, f"{grant.name}-{self._count}", (as_json, faces), credit, self._loop.time())
        guest.frames, guest.sound = identify.get("frames", True), identify.get("sound", True)
        self._waiting.remove(socket)
        self._guests[socket] = guest
        answer = messages.made(
            "identified", version=schema.VERSION, client=guest.name, scopes=list(grant.scopes),
            rate_hz=self._params.rate_hz, ack_every=schema.ACK_EVERY * stretch, credit=credit,
            media_time_s=self._driven.media_time_s(), faces=list(self._driven.faces()),
            panicking=self._driven.panicking, token=token,
        )  # fmt: skip
        socket.tell(text_bytes(answer))
        return self._crowd.join(guest)

    def _grant(self, socket: Socket, identify: Mapping[str, Any]) -> tuple[Grant, str | None]:
        if "pairing_code" in identify:
            name = identify.get("name", "paired")
            return self._tokens.pair(identify["pairing_code"], name, socket.address, self._loop.time())
        return self._tokens.check(identify.get("token", ""), socket.address, self._loop.time()), None

    async def _sweep(self) -> None:
        """Now and then: who stopped reading?"""
        while True:
            await asyncio.sleep(self._params.stall_s / 75)
            now_s = self._loop.time()
            for guest in self._crowd.guests:
                self._look_at(guest, now_s)

    def _look_at(self, guest: Guest, now_s: float) -> None:
        silent_s = now_s - guest.read_s
        if silent_s > self._params.stall_s:
            self._say(f"let {guest.name} go: it did not read for {silent_s:.0f} s")
            guest.socket.close(schema.CLOSE["TOO_SLOW"], "too slow")
        elif silent_s > self._params.stall_s / 5 and now_s - guest.pinged_s > self._params.stall_s / 5:
            guest.pinged_s = now_s
            guest.socket.ping()

    def _say(self, line: str) -> None:
        self._teller.say(line, self._loop.time())
