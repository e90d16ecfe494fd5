"""Time stamp authorities that misbehave: nothing is written, and it is said why."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from likeness.config import AnimateConfig
from likeness.disclosure.credentials.statement import find_stamp
from likeness.disclosure.seal import SealedVideo, seal_image
from likeness.errors import SealFailed, UsageError

from .conftest import RATE, MakeMaking, moving_picture


class Authority(ThreadingHTTPServer):
    """Answers at /garbage, /error and /silence on this machine; counts what it is asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, str]] = []
        self.closing = threading.Event()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}/{path}"


class Handler(BaseHTTPRequestHandler):
    server: Authority

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.server.asked.append((self.path, self.headers["content-type"]))
        if self.path == "/silence":
            self.server.closing.wait(60)
            return
        body = b"this is no time stamp"
        self.send_response(500 if self.path == "/error" else 200)
        self.send_header("content-type", "application/timestamp-reply")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words: object) -> None:
        """Keeps quiet."""


@pytest.fixture
def authority() -> Iterator[Authority]:
    with Authority() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.closing.set()
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("path", ["garbage", "error"])
def test_an_authority_that_fails_is_found_before_any_frame(
    folder: Path, making: MakeMaking, authority: Authority, path: str
) -> None:
    url = authority.url(path)
    with pytest.raises(SealFailed, match=f"{url} gave no time stamp") as raised:
        SealedVideo(folder / "a.mp4", making(tsa_url=url), width=96, height=80, rate=RATE).__enter__()
    assert "--tsa-url" in raised.value.hint
    with pytest.raises(SealFailed):
        seal_image(moving_picture(0), folder / "a.png", making(tsa_url=url))
    assert authority.asked == [(f"/{path}", "application/timestamp-query")] * 2
    assert list(folder.iterdir()) == []


def test_an_authority_that_never_answers_is_given_up(
    folder: Path, making: MakeMaking, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("likeness.disclosure.credentials.signing.STAMP_LIMIT_S", 0.5)
    with pytest.raises(SealFailed, match="no answer within"):
        seal_image(moving_picture(0), folder / "a.png", making(tsa_url=authority.url("silence")))
    assert list(folder.iterdir()) == []


def test_nobody_there(folder: Path, making: MakeMaking) -> None:
    with pytest.raises(SealFailed, match="gave no time stamp"):
        seal_image(moving_picture(0), folder / "a.png", making(tsa_url="http://127.0.0.1:1/"))
    assert list(folder.iterdir()) == []


def test_nobody_is_asked_unasked(folder: Path, making: MakeMaking) -> None:
    assert making().tsa_url is None
    assert AnimateConfig().tsa_url is None


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.org",
        "ftp://example.org",
        "file:///etc/passwd",
        "http://",
        "http://a:port",
        "http://[",
        "http://a b",
        "https://ä.example",
        "http://a\x00",
    ],
)
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(UsageError, match="no address"):
        AnimateConfig(tsa_url=url)


def test_offline_and_a_time_stamp_contradict_each_other() -> None:
    assert AnimateConfig(tsa_url="https://tsa.example.org/x").tsa_url == "https://tsa.example.org/x"
    with pytest.raises(UsageError, match="network"):
        AnimateConfig(tsa_url="https://tsa.example.org", offline=True)


@pytest.mark.parametrize(
    ("codes", "stamp"),
    [
        ([], "absent"),
        (["timeStamp.validated"], "untrusted"),
        (["timeStamp.validated", "timeStamp.trusted"], "trusted"),
    ],
)
def test_who_vouches_for_the_time(codes: list[str], stamp: str) -> None:
    success = [{"code": code} for code in codes]
    assert find_stamp({"validation_results": {"activeManifest": {"success": success}}}) == stamp
