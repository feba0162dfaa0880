"""The certificate of --lan, made once on this machine and signed by itself: its fingerprint is what a person compares.

The only file that imports cryptography.
"""

import hashlib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import import_module
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final

from avatar3d.core.errors import BridgeError, MissingExtraError
from avatar3d.live.private import write_private

_DAYS: Final = 397
"""Browsers take none that is valid for longer."""
_RENEWED_DAYS: Final = 30


@dataclass(frozen=True)
class Certificate:
    """What the server shows."""

    context: ssl.SSLContext
    fingerprint: str
    """SHA-256, hexadecimal, in capital pairs with colons as browsers show it."""


def lan_certificate(names: Sequence[str], folder: Path, *, now: datetime | None = None) -> Certificate:
    """The certificate for these addresses and names, kept in that private folder; a new one when it does not fit any more.

    Raises MissingExtraError (2) without cryptography, DiskError (40).
    """
    path, now = folder / "lan.pem", now or datetime.now(UTC)
    pem = path.read_bytes() if path.is_file() else b""
    if not _fits(pem, names, now):
        pem = _make(names, now)
        write_private(path, pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(path)
    except (ssl.SSLError, OSError) as cause:
        raise BridgeError(f"{path} is no certificate with its key.", hint="Remove it: a new one is made.") from cause
    digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(_certificate_part(pem))).hexdigest().upper()
    return Certificate(context, ":".join(digest[at : at + 2] for at in range(0, len(digest), 2)))


def _certificate_part(pem: bytes) -> str:
    return pem[pem.index(b"-----BEGIN CERTIFICATE-----") :].decode()


def _fits(pem: bytes, names: Sequence[str], now: datetime) -> bool:
    """Whether it holds all these names, and for a while yet."""
    x509 = _door("x509")
    try:
        found = x509.load_pem_x509_certificate(pem)
        alternatives = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, x509.ExtensionNotFound):
        return False
    held = {str(each.value) for each in alternatives}
    return set(names) <= held and now + timedelta(days=_RENEWED_DAYS) < found.not_valid_after_utc


def _make(names: Sequence[str], now: datetime) -> bytes:
    """Key and certificate, PEM."""
    x509, hashes = _door("x509"), _door("hazmat.primitives.hashes")
    ec, formats = _door("hazmat.primitives.asymmetric.ec"), _door("hazmat.primitives.serialization")
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "avatar3d bridge")])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=_DAYS - 1))
        .add_extension(x509.SubjectAlternativeName([_alternative(x509, name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(formats.Encoding.PEM, formats.PrivateFormat.PKCS8, formats.NoEncryption())
    return secret + made.public_bytes(formats.Encoding.PEM)


def _alternative(x509: Any, name: str) -> Any:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _door(part: str) -> Any:
    try:
        return import_module(f"cryptography.{part}")
    except ImportError as cause:
        raise MissingExtraError("cryptography", "lan", "Serving other computers (--lan)") from cause
