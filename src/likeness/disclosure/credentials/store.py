"""What signing and verifying share: c2pa without a network, and the files around it."""

from __future__ import annotations

import hashlib
import threading
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from c2pa import C2paError, Context

from likeness.disclosure.credentials.containers import sidecar_of
from likeness.disclosure.signer.certificates import SIGNING_USES

Json: TypeAlias = dict[str, Any]
_T = TypeVar("_T")

MAKING = "org.likeness.making"
TRAINING_MINING = "cawg.training-mining"
SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
RIGHTS_NOT_STATED = "not stated"
# A chain of outputs grows by some 10 KB a link; an ingredient with more than this is not carried along.
MAX_KEPT_BYTES = 8 << 20
MAX_STORE_BYTES = 64 << 20
LARGE_FILE_BYTES = 32 << 20
WAV = "audio/wav"


def open_context(
    anchors: Mapping[str, bytes] | None = None, *, check: bool = True, in_pieces: bool = False
) -> Context:
    """Settings for c2pa: no network, no thumbnails, little memory.

    Args:
        anchors: names and PEM certificates of the authorities to trust.
        check: whether readers validate what they read.
        in_pieces: sign MP4 with a tree of hashes over pieces of 4 MB, which takes the memory of one piece.
            For the single hash, which every validator knows, c2pa holds the whole file.
    """
    core: Json = {"allowed_network_hosts": [], "backing_store_memory_threshold_in_mb": 4}
    if in_pieces:
        core["merkle_tree_chunk_size_in_kb"] = 4096
    trust = [
        {"trust_uri": name, "trust_anchors": pem.decode("ascii", "replace"), "trust_kind": "manifest"}
        for name, pem in (anchors or {}).items()
    ]
    settings = {
        "version": 1,
        "builder": {"thumbnail": {"enabled": False}},
        "core": core,
        "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False, "verify_after_reading": check},
        # Left to itself, c2pa knows e-mail protection only, and not what the C2PA programme issues.
        "trust": {"anchors": trust, "trust_config": "\n".join(oid.dotted_string for oid in SIGNING_USES)},
    }
    return Context.from_dict(settings)


def new_manifest_id() -> str:
    """A fresh name for a manifest, known before the output is (the watermark will point to it)."""
    return f"urn:c2pa:{uuid.uuid4()}"


def hash_file(path: Path) -> str:
    """SHA-256 of a file, hexadecimal; read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_sidecar(path: Path) -> bytes | None:
    """The manifest store beside a file, or None where there is none (or one too large to be one)."""
    sidecar = sidecar_of(path)
    if not sidecar.is_file() or not 0 < sidecar.stat().st_size <= MAX_STORE_BYTES:
        return None
    return sidecar.read_bytes()


def lies_elsewhere(error: C2paError) -> bool:
    """Whether c2pa stopped because the credentials are on a server, from which nothing is fetched."""
    return str(error).startswith(("Remote:", "RemoteManifest"))


def run_apart(work: Callable[[], _T]) -> _T:
    """Runs `work` away from the main thread and waits for it.

    c2pa calls back into Python for every read and write. A Ctrl-C that lands in such a callback would be
    swallowed there and look like the end of the file; signals only ever reach the main thread.
    """
    if threading.current_thread() is not threading.main_thread():
        return work()
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="likeness-c2pa") as pool:
        return pool.submit(work).result()


def run_within(limit_s: float, work: Callable[[], _T]) -> _T:
    """As `run_apart`, but gives up after `limit_s`: for work that waits for somebody on a network.

    The thread cannot be ended; it is left behind, and does not keep the program from ending.

    Raises:
        TimeoutError: it took longer.
    """
    future: Future[_T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except Exception as error:  # noqa: BLE001 - handed on to whoever waits
            future.set_exception(error)

    threading.Thread(target=run, name="likeness-c2pa-network", daemon=True).start()
    try:
        return future.result(limit_s)
    except TimeoutError as error:
        raise TimeoutError(f"there was no answer within {limit_s:.0f} s") from error
