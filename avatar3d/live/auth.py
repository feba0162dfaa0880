"""Who may what: tokens of 256 bits, of which only hashes are kept, the pairing code, and a limit on guessing.

Time comes in as an argument: nothing here looks at a clock.
"""

import hashlib
import hmac
import re
import secrets
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Any, Final

from avatar3d.core.errors import BridgeError
from avatar3d.live.schema import SCOPES, Scope, scopes_within

_BYTES: Final = 32
_CODE_DIGITS: Final = 8
_TRIES: Final = 5
_WITHIN_S: Final = 60.0
_REFUSED_S: Final = 60.0
_ADDRESSES: Final = 4096
"""So many are remembered; the oldest are forgotten first."""
_CODE_TRIES: Final = 100
"""So many wrong codes from wherever, and the code is worth nothing any more: of 10^8 one has a chance of 1 in a million."""
_GRANTS: Final = 1024


@dataclass(frozen=True)
class Grant:
    """What the bearer of a token may do."""

    name: str
    scope: Scope
    digest: str
    """SHA-256 of the token, hexadecimal."""

    @property
    def scopes(self) -> tuple[Scope, ...]:
        return scopes_within(self.scope)


class Tries:
    """Wrong guesses by address: after five within a minute that address is refused for a minute."""

    def __init__(self) -> None:
        self._wrong: OrderedDict[str, deque[float]] = OrderedDict()
        self._until_s: dict[str, float] = {}

    def refused(self, address: str, now_s: float) -> bool:
        return now_s < self._until_s.get(_household(address), now_s)

    def wrong(self, address: str, now_s: float) -> None:
        home = _household(address)
        times = self._wrong.setdefault(home, deque(maxlen=_TRIES))
        self._wrong.move_to_end(home)
        times.append(now_s)
        if len(times) == _TRIES and now_s - times[0] <= _WITHIN_S:
            self._until_s[home] = now_s + _REFUSED_S
            times.clear()
        while len(self._wrong) > _ADDRESSES:
            forgotten, _ = self._wrong.popitem(last=False)
            self._until_s.pop(forgotten, None)


class Tokens:
    """The grants of a bridge. A token is shown once, when it is issued."""

    def __init__(self, grants: Iterable[Grant] = ()) -> None:
        self._grants = {grant.name: grant for grant in grants}
        self._tries = Tries()
        self._code: str | None = None
        self._code_scope: Scope = "drive"
        self._code_tries = 0
        self.changed: Callable[[], None] = lambda: None
        """Called when somebody was let in or sent away, before he is told."""

    @property
    def grants(self) -> Sequence[Grant]:
        return tuple(self._grants.values())

    def issue(self, name: str, scope: Scope, *, token: str | None = None) -> str:
        """A new token of that scope, or the one given, from an earlier run; a name that is taken gets a number."""
        if len(self._grants) >= _GRANTS:
            raise BridgeError(
                f"expected at most {_GRANTS} tokens.", hint="Revoke those that nobody uses.", id="TOO_MANY_TOKENS"
            )
        if token is None:
            token = secrets.token_urlsafe(_BYTES)
        name = self._free_name(name)
        self._grants[name] = Grant(name, scope, _digest(token))
        self.changed()
        return token

    def check(self, token: str, address: str, now_s: float) -> Grant:
        """The grant of that token. Raises BridgeError with the id TOKEN, or TOO_MANY_TRIES.

        The right token is taken from an address that is refused too: nobody guesses 256 bits, and who guesses wrong
        must not lock the others out who share his address, as all programs on one machine do.
        """
        if (grant := self.find(token)) is not None:
            return grant
        raise self._refusal("token", address, now_s)

    def find(self, token: str) -> Grant | None:
        """The grant of that token, for who may try as often as he likes."""
        digest = _digest(token)
        return next((grant for grant in self._grants.values() if hmac.compare_digest(grant.digest, digest)), None)

    def revoke(self, name: str) -> Grant:
        """The grant that is no more."""
        if name not in self._grants:
            raise BridgeError(f'expected the name of a token, got "{name}".', hint="Ask for `clients`.", id="NO_CLIENT")
        grant = self._grants.pop(name)
        self.changed()
        return grant

    def open_pairing(self, scope: Scope = "drive") -> str:
        """A new pairing code of eight digits, for one client; an older one is worth nothing any more."""
        self._code = f"{secrets.randbelow(10**_CODE_DIGITS):0{_CODE_DIGITS}}"
        self._code_scope, self._code_tries = scope, 0
        return self._code

    def close_pairing(self) -> None:
        self._code = None

    def pair(self, code: str, name: str, address: str, now_s: float) -> tuple[Grant, str]:
        """A grant and its token for the pairing code, which is used up by it. Raises as `check` does.

        Eight digits can be guessed: an address that is refused is refused even with the right ones.
        """
        if self._tries.refused(address, now_s):
            raise self._refusal("pairing code", address, now_s)
        if self._code is None or not hmac.compare_digest(code.encode(), self._code.encode()):
            self._code_tries += 1
            if self._code_tries >= _CODE_TRIES:
                self._code = None
            raise self._refusal("pairing code", address, now_s)
        token = self.issue(name, self._code_scope)
        self._code = None
        return self._grants[next(reversed(self._grants))], token

    def saved(self) -> list[dict[str, str]]:
        """The grants as JSON, to be known again after a restart; no token is in it."""
        return [{"name": each.name, "scope": each.scope, "sha256": each.digest} for each in self._grants.values()]

    @classmethod
    def restored(cls, saved: Sequence[Mapping[str, Any]]) -> "Tokens":
        """What `saved` gave. Raises BridgeError for anything else."""
        for each in saved:
            whole = set(each) == {"name", "scope", "sha256"} and re.fullmatch("[0-9a-f]{64}", str(each["sha256"]))
            if not whole or each["scope"] not in SCOPES:
                raise BridgeError("expected the saved tokens of a bridge.", hint="Remove the file.", id="TOKENS_SAVED")
        return cls(Grant(str(each["name"]), each["scope"], str(each["sha256"])) for each in saved)

    def _refusal(self, what: str, address: str, now_s: float) -> BridgeError:
        if self._tries.refused(address, now_s):
            return BridgeError(
                f"expected the {what}, and got wrong ones too often.",
                hint="Wait a minute, then give the right one.",
                id="TOO_MANY_TRIES",
            )
        self._tries.wrong(address, now_s)
        return BridgeError(
            f"expected a {what} that this bridge knows.",
            hint="Take it from where the bridge was started; it may have been revoked or used.",
            id="TOKEN",
        )

    def _free_name(self, name: str) -> str:
        name = "".join(c for c in name if c.isprintable())[:64] or "client"
        return next(free for number in range(1, _GRANTS + 2) if (free := _numbered(name, number)) not in self._grants)


def _numbered(name: str, number: int) -> str:
    return name if number == 1 else f"{name}-{number}"


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _household(address: str) -> str:
    """An address; of IPv6 the first 64 bits, within which one machine may take any."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    return str(IPv6Address(int(parsed) >> 64 << 64)) if isinstance(parsed, IPv6Address) else address
