"""Who may ask at all: `Host` must be a name of ours (DNS rebinding), `Origin` the page we served (cross-site hijacking)."""

import socket
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

from avatar3d.live.site import Answer, Request, refusal

LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
EVERYWHERE: Final = ("0.0.0.0", "::")  # noqa: S104 - served only with TLS


def lan_addresses() -> tuple[str, ...]:
    """This machine's addresses in the network it is in; none without one. Nothing is sent to find out."""
    found: list[str] = []
    for family, elsewhere in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):  # documentation's
        with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as asking:
            asking.connect((elsewhere, 9))
            found.append(asking.getsockname()[0])
    return tuple(address for address in found if address not in LOOPBACK)


def names_with_port(names: Iterable[str], port: int, *, secure: bool) -> frozenset[str]:
    """Every `Host` header that means us; an address of IPv6 stands in brackets."""
    known = {f"[{name}]" if ":" in name else name.lower() for name in names}
    bare = known if port == (443 if secure else 80) else set[str]()
    return frozenset(f"{name}:{port}" for name in known) | bare


def refused(request: Request, names: frozenset[str], *, secure: bool) -> Answer | None:
    """The answer to who comes under another name or from another page; None when all is well.

    A program sends no Origin and needs its token; a page cannot leave it out.
    """
    hosts = request.every("Host")
    if len(hosts) != 1:
        return refusal(400, "Expected one Host header.")
    if (host := hosts[0].lower()) not in names:
        return refusal(421, "This bridge has other names.")
    origins = request.every("Origin")
    if origins and origins != (f"{'https' if secure else 'http'}://{host}",):
        return refusal(403, "Only a page of this bridge may ask.")
    return None
