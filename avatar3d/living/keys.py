"""The keys of a running bridge, where there is a terminal: space for panic and back, q to end."""

import asyncio
import contextlib
import os
import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager


@contextmanager
def listening_to_keys(actions: Mapping[str, Callable[[], None]]) -> Generator[bool]:
    """While inside, a key calls its action on the running event loop. Yields whether there is a terminal that tells keys."""
    try:
        import termios  # noqa: PLC0415  Windows has none
        import tty  # noqa: PLC0415
    except ImportError:
        yield False
        return
    handle = sys.stdin.fileno() if sys.stdin is not None and sys.stdin.isatty() else -1
    if handle < 0:
        yield False
        return
    loop, before = asyncio.get_running_loop(), termios.tcgetattr(handle)

    def pressed() -> None:
        with contextlib.suppress(OSError):
            for key in os.read(handle, 16).decode("ascii", "ignore"):
                if key in actions:
                    actions[key]()

    tty.setcbreak(handle)
    loop.add_reader(handle, pressed)
    try:
        yield True
    finally:
        loop.remove_reader(handle)
        termios.tcsetattr(handle, termios.TCSADRAIN, before)
