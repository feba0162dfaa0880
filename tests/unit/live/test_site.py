"""What HTTP gives to whom, and who may ask at all."""

from pathlib import Path

import pytest

from avatar3d.core.errors import BridgeError, UnreadableError
from avatar3d.live import hosts
from avatar3d.live.site import Answer, Request, Site

PRIVATE = b"glTF a face"


def asked(path: str, method: str = "GET", **headers: str) -> Request:
    named = {"Host": "127.0.0.1:8765"} | headers
    return Request(method, path, tuple((name.replace("_", "-"), value) for name, value in named.items()), "127.0.0.1")


def allow(token: str) -> None:
    if token == "guess":
        raise BridgeError("too often.", id="TOO_MANY_TRIES")
    if token != "right":
        raise BridgeError("unknown.", id="TOKEN")


@pytest.fixture
def site(tmp_path: Path) -> Site:
    viewer = tmp_path / "viewer"
    (viewer / "assets").mkdir(parents=True)
    (viewer / "index.html").write_text("<!doctype html>")
    (viewer / "assets" / "app-B3fj2_aQ.js").write_text("start()")
    (tmp_path / "secret.txt").write_text("not yours")
    (viewer / "link.txt").symlink_to(tmp_path / "secret.txt")
    (viewer / "out").symlink_to(tmp_path)
    (tmp_path / "me.glb").write_bytes(PRIVATE)
    site = Site(viewer)
    site.give("/avatars/0.glb", tmp_path / "me.glb")
    return site


def get(site: Site, path: str, method: str = "GET", **headers: str) -> Answer:
    return site.answer(asked(path, method, **headers), allow)


def test_the_viewer_is_free(site: Site) -> None:
    page = get(site, "/?theme=dark")
    assert (page.status, page.body, page.headers["Content-Type"]) == (
        200,
        b"<!doctype html>",
        "text/html; charset=utf-8",
    )
    assert page.headers["Cache-Control"] == "no-cache"
    code = get(site, "/assets/app-B3fj2_aQ.js")
    assert code.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert "immutable" in code.headers["Cache-Control"]


def test_what_is_served_is_kept_in_its_place(site: Site) -> None:
    headers = get(site, "/").headers
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'self';")
    assert "ws://127.0.0.1:8765" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/assets/../../secret.txt", "/link.txt", "/out/secret.txt",
        "//etc/passwd", "/etc/passwd", "/C:/windows", "\\..\\secret.txt", "/%00", "/assets", "/assets/", "", "*", "/" + "a" * 5000,
        "http://elsewhere/index.html", "/index.html%00.js", "/%c0%ae%c0%ae/secret.txt", "/avatars/../avatars/0.glb",
    ],
)  # fmt: skip
def test_no_path_leads_out(site: Site, path: str) -> None:
    answer = get(site, path)
    assert answer.status == 404
    assert b"not yours" not in answer.body


def test_an_avatar_needs_a_token(site: Site) -> None:
    assert get(site, "/avatars/0.glb").status == 401
    assert get(site, "/avatars/0.glb?token=right").status == 401
    assert get(site, "/avatars/0.glb", Authorization="Bearer wrong").status == 401
    assert get(site, "/avatars/0.glb", Authorization="Basic right").status == 401
    assert get(site, "/avatars/0.glb", Authorization="Bearer guess").status == 429
    answer = get(site, "/avatars/0.glb", Authorization="Bearer right")
    assert (answer.status, answer.body, answer.headers["Content-Type"]) == (200, PRIVATE, "model/gltf-binary")
    assert answer.headers["Cache-Control"] == "private, no-cache"
    etag = answer.headers["ETag"]
    assert get(site, "/avatars/0.glb", If_None_Match=etag).status == 401


def test_what_the_browser_has_is_not_sent_again(site: Site) -> None:
    etag = get(site, "/").headers["ETag"]
    for given in (etag, f'"other", W/{etag}'):
        answer = get(site, "/", If_None_Match=given)
        assert (answer.status, answer.body) == (304, b"")
    assert get(site, "/", If_None_Match='"other"').status == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "get"])
def test_other_methods_are_refused(site: Site, method: str) -> None:
    answer = get(site, "/", method)
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")


def test_an_avatar_may_go_and_its_file_must_be_one(site: Site, tmp_path: Path) -> None:
    site.take_back("/avatars/0.glb")
    assert get(site, "/avatars/0.glb", Authorization="Bearer right").status == 404
    with pytest.raises(UnreadableError):
        site.give("/avatars/1.glb", tmp_path / "none.glb")


def test_without_a_built_viewer_the_page_says_what_to_do() -> None:
    answer = get(Site(), "/")
    assert answer.status == 404
    assert b"make setup" in answer.body


NAMES = hosts.names_with_port(["127.0.0.1", "localhost", "::1"], 8765, secure=False)


@pytest.mark.parametrize("host", ["127.0.0.1:8765", "localhost:8765", "LOCALHOST:8765", "[::1]:8765"])
def test_we_answer_to_our_own_names(host: str) -> None:
    assert hosts.refused(asked("/", Host=host), NAMES, secure=False) is None
    assert hosts.refused(asked("/", Host=host, Origin=f"http://{host.lower()}"), NAMES, secure=False) is None


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "evil.example:8765", "127.0.0.1", "localhost", "127.0.0.1:80", "localhost.:8765", "localhost.evil:8765",
        "127.0.0.1.nip.io:8765", "0.0.0.0:8765", "[::]:8765", "", "127.0.0.1:8765@evil", "127.1:8765", "2130706433:8765",
    ],
)  # fmt: skip
def test_another_name_is_misdirected(host: str) -> None:
    refused = hosts.refused(asked("/", Host=host), NAMES, secure=False)
    assert refused
    assert refused.status == 421


def test_no_host_or_two_are_refused() -> None:
    for headers in ((), (("Host", "127.0.0.1:8765"), ("host", "evil"))):
        refused = hosts.refused(Request("GET", "/", headers, ""), NAMES, secure=False)
        assert refused
        assert refused.status == 400


ORIGINS = [
    "null", "file://", "http://evil.example", "https://127.0.0.1:8765", "http://127.0.0.1", "http://127.0.0.1:8766",
    "http://localhost.evil:8765", "http://localhost:8765", "chrome-extension://abcdef", "http://127.0.0.1:8765.evil",
    "http://127.0.0.1:8765/", "", "http://[::1]:8765", "data:",
]  # fmt: skip


@pytest.mark.parametrize("origin", ORIGINS)
def test_a_page_of_another_origin_is_refused(origin: str) -> None:
    refused = hosts.refused(asked("/", Origin=origin), NAMES, secure=False)
    assert refused
    assert refused.status == 403


def test_the_usual_port_need_not_be_named() -> None:
    assert hosts.names_with_port(["10.0.0.2"], 443, secure=True) == {"10.0.0.2:443", "10.0.0.2"}
    assert hosts.names_with_port(["10.0.0.2"], 443, secure=False) == {"10.0.0.2:443"}
