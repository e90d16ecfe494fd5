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


def test_a_folder_or_what_is_not_there_is_named(folder: Path) -> None:
    assert video_html(folder) == "<p>out is a folder of pictures.</p>"
    assert video_html(folder / "gone.mp4") == "<p>gone.mp4 is no longer there.</p>"


def test_what_is_too_large_for_a_notebook_is_named_with_its_size(folder: Path) -> None:
    path = folder / "a&b.mp4"
    for size, is_shown in ((show.MAX_INLINE_BYTES, True), (show.MAX_INLINE_BYTES + 1, False)):
        with path.open("wb") as file:
            file.truncate(size)
        html = video_html(path)
        assert html.startswith("<video " if is_shown else "<p>a&amp;b.mp4 is too large")
    assert "10 MB" in html
    assert len(html) < 200
