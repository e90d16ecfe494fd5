"""The demo's page in a real browser: both clips play, and nothing is loaded or complained about."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

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
)
# Put into the page by the test: keeps reporting to the console how the clips play.
PROBE = """
<script>
  const trouble = [];
  addEventListener("error", (event) => trouble.push(String(event.message)), true);
  document.addEventListener("securitypolicyviolation", (event) => trouble.push(event.blockedURI));
  setInterval(() => {
    const videos = [...document.querySelectorAll("video")].map((video) => (
      { time: video.currentTime, height: video.videoHeight, error: video.error && video.error.message }));
    const pictures = [...document.images].map((image) => image.naturalWidth);
    const wide = document.documentElement.scrollWidth > innerWidth;
    console.log("probe " + JSON.stringify({ trouble, videos, pictures, wide }) + " end");
  }, 200);
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


def command(chromium: str, page: Path, profile: Path, *flags: str) -> list[str]:
    return [chromium, *FLAGS, f"--user-data-dir={profile}", *flags, page.as_uri()]


def reports(words: list[str]) -> Iterator[dict[str, Any]]:
    """What the probe says, for at most a minute."""
    with subprocess.Popen(words, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        stop = threading.Timer(60, process.kill)
        stop.start()
        assert process.stderr is not None
        try:
            for line in process.stderr:
                if found := re.search(r"probe (\{.*\}) end", line):
                    yield json.loads(found[1])
        finally:
            stop.cancel()
            process.kill()


@pytest.mark.parametrize("width_px", [1280, 500])
def test_the_clips_play(chromium: str, page: Path, tmp_path: Path, width_px: int) -> None:
    probed = tmp_path / "probed.html"
    text = page.read_text(encoding="utf-8")
    probed.write_text(text.replace("<main>", PROBE + "<main>"), encoding="utf-8")
    flags = (f"--window-size={width_px},900", "--enable-logging=stderr", "--remote-debugging-port=0")
    found: dict[str, Any] = {"videos": [], "trouble": ["the page's script did not run"]}
    with closing(reports(command(chromium, probed, tmp_path / "profile", *flags))) as said:
        for found in said:
            if all(video["time"] > 0.3 for video in found["videos"]):
                break
    assert found["trouble"] == []
    assert [video["height"] for video in found["videos"]] == [144, 600]
    assert all(video["error"] is None and video["time"] > 0.3 for video in found["videos"])
    assert all(found["pictures"])
    assert not found["wide"], "nothing sticks out to the side"


def test_light_and_dark_differ(chromium: str, page: Path, tmp_path: Path) -> None:
    grounds = []
    for name, flags in (("light", ()), ("dark", ("--blink-settings=preferredColorScheme=0",))):
        shot = tmp_path / f"{name}.png"
        shoot = ("--window-size=1200,900", "--virtual-time-budget=2000", f"--screenshot={shot}", *flags)
        subprocess.run(
            command(chromium, page, tmp_path / name, *shoot), capture_output=True, timeout=120, check=True
        )
        picture = np.asarray(Image.open(shot).convert("L"), np.float32)
        grounds.append(float(picture[5:40, 5:20].mean()))
        assert picture.std() > 20, "something is shown"
    assert grounds[0] > 200
    assert grounds[1] < 60
