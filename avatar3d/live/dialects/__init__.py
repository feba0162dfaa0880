"""The dialects of others, by UDP. Each is pure: frames to datagrams and back. Sockets are in live/udp.py, live/receive.py."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from avatar3d.live.dialects.dialect import Dialect
from avatar3d.live.dialects.ifacialmocap import IFACIALMOCAP
from avatar3d.live.dialects.livelink import LIVELINK
from avatar3d.live.dialects.vmc import VMC
from avatar3d.live.dialects.vrchat import VRCHAT

DIALECTS: Final[Mapping[str, Dialect]] = MappingProxyType(
    {dialect.name: dialect for dialect in (LIVELINK, VMC, IFACIALMOCAP, VRCHAT)}
)
"""By the name that stands before :// in a sink's URL."""
