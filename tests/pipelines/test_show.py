from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest

from likeness.pipelines import show
from likeness.pipelines.show import video_html


@pytest.mark.parametrize(
    ("name", "tag", "mime"),
    [("a.mp4", "video", "video/mp4"), ("b.WEBM", "video", "video/webm"), ("c.gif", "img", "image/gif")],
)
def test_the_file_itself_is_inside(folder: Path, name: str, tag: str, mime: str) -> None:
    data = bytes(range(256))
    (folder / name).write_bytes(data)
    html = video_html(folder / name)
    assert html.startswith(f"<{tag} ")
    inline = re.search(r'src="data:([^;]+);base64,([^"]+)"', html)
    assert inline is not None
    assert inline[1] == mime
    assert base64.b64decode(inline[2]) == data


def test_names_cannot_break_out(folder: Path) -> None:
    path = folder / 'a"onload=x&<b>.gif'
    try:
        path.write_bytes(b"GIF89a")
    except OSError:
        pytest.skip("this file system takes no such name")
    html = video_html(path)
    assert 'alt="a&quot;onload=x&amp;&lt;b&gt;.gif"' in html


def test_a_folder_or_what_is_too_large_is_only_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert video_html(folder) == "<p>out</p>"
    assert video_html(folder / "gone.mp4") == "<p>gone.mp4</p>"
    (folder / "a.mp4").write_bytes(bytes(11))
    monkeypatch.setattr(show, "MAX_INLINE_BYTES", 10)
    assert video_html(folder / "a.mp4") == "<p>a.mp4</p>"
