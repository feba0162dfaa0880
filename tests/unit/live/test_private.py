"""What only the owner may read: the token file, the certificate, and what is shown once."""

import os
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from avatar3d.core.errors import DiskError, MissingExtraError, UnreadableError
from avatar3d.live import qr, tls
from avatar3d.live.private import TokenFile, state_folder, write_private
from avatar3d.live.teller import Teller

POSIX = os.name == "posix"


def test_a_token_file_is_found_again_and_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "state" / "bridge.json"
    written = TokenFile("ws://127.0.0.1:8765/", "secret", os.getpid())
    written.write(path)
    assert TokenFile.read(path) == written
    assert not written.is_stale
    if POSIX:
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700
    assert [each.name for each in path.parent.iterdir()] == ["bridge.json"]


def test_a_killed_bridges_token_can_be_taken_up(tmp_path: Path) -> None:
    assert TokenFile("", "", 2**22 + 12345).is_stale == POSIX
    assert TokenFile.read(tmp_path / "none.json") is None


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff", b'{"url": "", "token": ""}'])
def test_another_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bridge.json"
    write_private(path, content)
    with pytest.raises(UnreadableError):
        TokenFile.read(path)


@pytest.mark.skipif(not POSIX, reason="Windows has no such modes")
def test_a_token_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = TokenFile("ws://x/", "secret", 1).write(tmp_path / "bridge.json")
    path.chmod(0o644)
    with pytest.raises(UnreadableError, match="by you alone"):
        TokenFile.read(path)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DiskError):
        write_private(tmp_path / "file" / "x", b"")


def test_state_has_a_folder_on_every_system() -> None:
    assert state_folder({"XDG_STATE_HOME": "/s"}, "linux") == Path("/s/avatar3d")
    assert state_folder({}, "linux") == Path.home() / ".local/state/avatar3d"
    assert state_folder({"LOCALAPPDATA": "/l"}, "win32") == Path("/l/avatar3d")
    assert state_folder({}, "darwin").parts[-2:] == ("Application Support", "avatar3d")


def test_the_certificate_is_made_once_and_again_for_other_addresses_or_before_it_ends(tmp_path: Path) -> None:
    pytest.importorskip("cryptography", reason="the certificate of --lan needs the extra `lan`")
    first = tls.lan_certificate(["192.168.1.5", "localhost"], tmp_path)
    assert len(first.fingerprint) == 95
    assert first.context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert tls.lan_certificate(["192.168.1.5"], tmp_path).fingerprint == first.fingerprint
    later = tls.lan_certificate(["192.168.1.6"], tmp_path)
    assert later.fingerprint != first.fingerprint
    in_a_year = datetime.now(UTC) + timedelta(days=380)
    assert tls.lan_certificate(["192.168.1.6"], tmp_path, now=in_a_year).fingerprint != later.fingerprint
    if POSIX:
        assert (tmp_path / "lan.pem").stat().st_mode & 0o777 == 0o600
    (tmp_path / "lan.pem").write_bytes(b"broken")
    assert tls.lan_certificate(["192.168.1.6"], tmp_path).fingerprint != later.fingerprint


def test_the_qr_code_is_black_and_white_everywhere() -> None:
    pytest.importorskip("segno", reason="the QR code of --lan needs the extra `lan`")
    lines = qr.qr_lines(qr.pairing_url("192.168.1.5", 8765, "01234567"))
    assert len(lines) < 24  # a small terminal shows it
    assert len({len(line) for line in lines}) == 1
    assert all(line.startswith("\x1b[97;40m") for line in lines)
    assert qr.pairing_url("fd00::1", 8765, "01234567") == "https://[fd00::1]:8765/#pair=01234567"


def test_without_the_extra_the_pip_line_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def absent(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(tls, "import_module", absent)
    monkeypatch.setattr(qr, "import_module", absent)
    with pytest.raises(MissingExtraError, match=r"avatar3d\[lan\]"):
        tls.lan_certificate(["127.0.0.1"], tmp_path)
    with pytest.raises(MissingExtraError, match=r"avatar3d\[lan\]"):
        qr.qr_lines("x")


def test_a_flood_of_lines_is_one_a_second_and_none_can_draw_on_the_terminal() -> None:
    lines: list[str] = []
    teller = Teller(lines.append)
    for at in range(2500):
        teller.say(f"refused \x1b[2J{at}", at / 1000)
    assert lines == ["refused [2J0", "refused [2J1000 (and 999 more)", "refused [2J2000 (and 999 more)"]
