"""The demo's page in a real browser: both clips play, and nothing is loaded or complained about."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from likeness.demo import make_demo

pytestmark = pytest.mark.full

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--autoplay-policy=no-user-gesture-required",
    "--virtual-time-budget=4000",
)
# Put into the page by the test: waits until the clips have played a while, then reports in the title.
PROBE = """
<script>
  const trouble = [];
  addEventListener("error", (event) => trouble.push(String(event.message)), true);
  document.addEventListener("securitypolicyviolation", (event) => trouble.push(event.blockedURI));
  setTimeout(() => {
    const videos = [...document.querySelectorAll("video")].map((video) => (
      { time: video.currentTime, height: video.videoHeight, error: video.error && video.error.message }));
    const pictures = [...document.images].map((image) => image.naturalWidth);
    const wide = document.documentElement.scrollWidth > innerWidth;
    document.title = "probe " + JSON.stringify({ trouble, videos, pictures, wide });
  }, 2500);
</script>
"""


@pytest.fixture(scope="module")
def chromium() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    pytest.skip("no Chromium on this machine")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_demo(tmp_path_factory.mktemp("demo")).page


def browse(chromium: str, page: Path, profile: Path, *flags: str) -> str:
    command = [chromium, *FLAGS, f"--user-data-dir={profile}", *flags, page.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout


@pytest.mark.parametrize("width_px", [1280, 500])
def test_the_clips_play(chromium: str, page: Path, tmp_path: Path, width_px: int) -> None:
    probed = tmp_path / "probed.html"
    text = page.read_text(encoding="utf-8")
    probed.write_text(text.replace("<main>", PROBE + "<main>"), encoding="utf-8")
    dom = browse(chromium, probed, tmp_path / "profile", f"--window-size={width_px},900", "--dump-dom")
    title = re.search(r"<title>probe (.*?)</title>", dom, re.DOTALL)
    assert title, "the page's script ran"
    found = json.loads(html.unescape(title[1]))
    assert found["trouble"] == []
    assert [video["height"] for video in found["videos"]] == [144, 600]
    assert all(video["error"] is None and video["time"] > 0.2 for video in found["videos"])
    assert all(found["pictures"])
    assert not found["wide"], "nothing sticks out to the side"


def test_light_and_dark_differ(chromium: str, page: Path, tmp_path: Path) -> None:
    grounds = []
    for name, flags in (("light", ()), ("dark", ("--blink-settings=preferredColorScheme=0",))):
        shot = tmp_path / f"{name}.png"
        browse(chromium, page, tmp_path / name, "--window-size=1200,900", f"--screenshot={shot}", *flags)
        picture = np.asarray(Image.open(shot).convert("L"), np.float32)
        grounds.append(float(picture[5:40, 5:20].mean()))
        assert picture.std() > 20, "something is shown"
    assert grounds[0] > 200
    assert grounds[1] < 60
