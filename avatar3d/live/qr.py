"""The address with the pairing code as a QR code for the terminal: a headset or a phone reads it. The only file that imports segno."""

import io
from importlib import import_module

from avatar3d.core.errors import MissingExtraError


def pairing_url(host: str, port: int, code: str) -> str:
    """The address to open on the other device; the code is in the fragment, which is sent to nobody."""
    return f"https://{f'[{host}]' if ':' in host else host}:{port}/#pair={code}"


def qr_lines(text: str) -> list[str]:
    """The QR code in half blocks, white and black whatever the terminal's colours (ANSI), its margin included.

    Raises MissingExtraError (2) without segno.
    """
    try:
        segno = import_module("segno")
    except ImportError as cause:
        raise MissingExtraError("segno", "lan", "Showing a QR code (--lan)") from cause
    shown = io.StringIO()
    segno.make(text, error="m").terminal(out=shown, border=2, compact=True)
    return [f"\x1b[97;40m{line}\x1b[0m" for line in shown.getvalue().splitlines()]
