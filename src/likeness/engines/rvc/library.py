"""Voice models from published files, and the user's own (see `engines.shelf`).

Beside what every model says of itself, its header holds the parts of the checkpoint that are no tensors.
"""

from __future__ import annotations

from pathlib import Path

from likeness.engines.rvc.checkpoint import Voice, build_net, parse_voice, read_voice
from likeness.engines.rvc.synthesizer import Synthesizer
from likeness.engines.shelf import NOT_STATED, SUFFIX, Kept, Shelf, expect, hash_of
from likeness.errors import MediaNotFound

_SHELF = Shelf(
    "rvc",
    "`likeness models import CHECKPOINT --name {name}` makes one (likeness.rvc.import_model in Python).",
)


def load_synthesizer(path: str | Path) -> Synthesizer:
    """A voice model from a file: a published `.pth`, or a `.safetensors` that `import_model` made.

    Nothing in the file is run: it is read with `weights_only=True`, and what asks for more is refused. Whose
    voice it is, the file does not say: ask whoever made it for that person's consent.

    Raises:
        MediaNotFound: there is no such file.
        ModelFormat: it is something else, damaged, wants to run code, or contradicts itself.
    """
    path = Path(path)
    if path.suffix.lower() != SUFFIX:
        return _synthesizer(read_voice(path), path.name, hash_of(path), NOT_STATED)
    if not path.is_file():
        raise MediaNotFound(f"There is no file {path}.", "Check the path.")
    return _open(_SHELF.read(path), path, path.name)


def import_model(path: str | Path, name: str, *, licence: str = NOT_STATED, overwrite: bool = False) -> Path:
    """Convert a published voice model to one of the user's models.

    Args:
        name: lower-case letters, digits, ".", "_" and "-".
        licence: under which it was published, for the record.

    Returns:
        The file. `open_model(name)` opens it.

    Raises:
        UsageError: the name cannot be one.
        OutputExists: there is a model of this name.
        MediaNotFound, ModelFormat: as for `load_synthesizer`.
        OutputError: it cannot be written.
    """
    checkpoint, target = Path(path), _SHELF.free_place(name, overwrite=overwrite)
    voice = read_voice(checkpoint)
    build_net(voice, checkpoint.name)  # refuses what does not fit
    about = {"config": voice.values, "voice_version": voice.version, "f0": voice.config.has_pitch}
    _SHELF.put(target, voice.tensors, about, checkpoint=checkpoint, licence=licence)
    return target


def list_models() -> tuple[str, ...]:
    """The names of the user's voice models."""
    return _SHELF.names()


def open_model(name: str) -> Synthesizer:
    """One of the user's voice models.

    Raises:
        UsageError, UnknownModel: the name cannot be one, or there is none of this name.
        ModelFormat: its file is damaged, or of a version that this package does not know.
    """
    return _open(_SHELF.open(name), _SHELF.path_of(name), f"rvc:{name}")


def _open(kept: Kept, path: Path, name: str) -> Synthesizer:
    header = kept.header
    expect(header, path, config=list, voice_version=str, f0=bool)
    parts = {"weight": kept.tensors, "config": header["config"], "f0": header["f0"]}
    voice = parse_voice({**parts, "version": header["voice_version"]}, path.name)
    return _synthesizer(voice, name, header["sha256"], header["licence"])


def _synthesizer(voice: Voice, name: str, sha256: str, licence: str) -> Synthesizer:
    net = build_net(voice, name)
    return Synthesizer(net, name=name, version=voice.version, sha256=sha256, licence=licence)
