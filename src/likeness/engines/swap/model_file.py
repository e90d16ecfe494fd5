"""A model of a face swap on disk: one `.safetensors` file with the weights and all that belongs to them.

Its header says how the networks are built, what they were trained on (hashes), under whose consent, and a
model card. The consent record travels inside: a model whose record is missing, altered, expired or revoked
does not load, and a decoder of somebody without a record is not in the file at all.

Open source can be patched, and so can this check. It is a default and evidence, not prevention.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from likeness.consent import Permission, check
from likeness.consent.match import Comparison
from likeness.errors import ConsentMissing, ModelFormat, SubjectMismatch
from likeness.media.files import temporary_beside, write_error
from likeness.models.tensors import open_tensors, read_all

if TYPE_CHECKING:
    from likeness.nn.swap import SwapConfig
    from likeness.nn.swap_warp import WarpConfig

Side: TypeAlias = Literal["A", "B"]
SIDES: Final[tuple[Side, ...]] = ("A", "B")
FORMAT, VERSION = "likeness swap model", 2
LARGEST_BYTES: Final = 4 << 30
AGAIN = "Copy it again from where it was made, or train it again with `likeness swap train`."


@dataclass(frozen=True, slots=True)
class Header:
    """What a model file says of itself.

    Attributes:
        name: of the family, such as "slim64".
        config: the networks' dimensions.
        permissions: by side; a side without one has no decoder in the file.
        data: hashes of the face sets, by side.
        card: the model card, JSON values.
    """

    name: str
    config: SwapConfig | WarpConfig
    permissions: Mapping[Side, Permission]
    data: Mapping[Side, str]
    card: Mapping[str, Any]


def write_tensors(path: Path, tensors: Mapping[str, Any], header: Mapping[str, Any]) -> None:
    """Write a `.safetensors` file completely or not at all; the one before becomes "NAME.previous.SUFFIX".

    Args:
        header: JSON values, kept under "likeness".

    Raises:
        OutputError
    """
    from safetensors.torch import save

    data = save(dict(tensors), {"likeness": json.dumps(header)})
    try:
        with temporary_beside(path) as pending:
            # Not by `save_file`, which tells a full disk from nothing else.
            pending.path.write_bytes(data)
            if path.is_file():
                path.replace(path.with_suffix(f".previous{path.suffix}"))
            pending.commit()
    except OSError as error:
        raise write_error(path, error) from error


def read_model(path: Path, *, revocations: Iterable[Path | str] = ()) -> tuple[Header, dict[str, Any]]:
    """The header and the tensors of a model file; the first is checked before the others are read.

    Args:
        revocations: files, or folders of them, besides those in the user's folder and those that lie where
            the model does.

    Raises:
        MediaNotFound, ModelFormat, ConsentError: as `SwapModel.load`.
    """
    with open_tensors(path, AGAIN, largest_bytes=LARGEST_BYTES) as file:
        return _read_header(file.metadata(), path.name, (*revocations, path.parent)), read_all(file)


def spell_header(header: Header) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "version": VERSION,
        "model": header.name,
        "config": header.config.to_json(),
        "consent": {
            side: {
                "record": permission.to_bytes().decode("utf-8"),
                "compared": [asdict(one) for one in permission.compared],
            }
            for side, permission in header.permissions.items()
        },
        "data": dict(header.data),
        "card": dict(header.card),
    }


def _read_header(metadata: Mapping[str, str] | None, name: str, revocations: Iterable[Path | str]) -> Header:
    try:
        values = json.loads((metadata or {})["likeness"])
        known, version = values["format"], values["version"]
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise ModelFormat(f"{name} is not a face swap model of ours.", AGAIN) from error
    if known != FORMAT:
        raise ModelFormat(
            f"{name} is something else than a face swap model.",
            "Give the folder of a training, or the model.safetensors in it.",
        )
    if version == 1:
        raise ModelFormat(f"{name} is of a time when networks saw faces in another way.", "Train it again.")
    if version != VERSION:
        raise ModelFormat(f"{name} is of a version that this program does not know.", "Update likeness.")
    try:
        config = _read_config(values["config"])
        data = {side: str(values["data"][side])[:64] for side in SIDES}
        family, card, consent = str(values["model"])[:64], dict(values["card"]), dict(values["consent"])
        given = {side: consent[side] for side in SIDES if side in consent}
        records = {side: one["record"].encode("utf-8") for side, one in given.items()}
        compared = {side: [_comparison(each) for each in one["compared"]] for side, one in given.items()}
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise ModelFormat(f"{name} is damaged: its header makes no sense.", AGAIN) from error
    if not records:
        raise ConsentMissing(f"{name} holds no consent record.", "Use a model that was trained with one.")
    permissions: dict[Side, Permission] = {}
    for side, record in records.items():
        permission = check(record, act="swap", revocations=tuple(revocations))
        if permission.record.kind == "subject" and not compared[side]:
            raise SubjectMismatch(
                f"{name} holds a consent record that its faces were never compared with.",
                "Use a model that `likeness swap train` made.",
            )
        for found in compared[side]:
            permission = permission.compare(found, must_match=True)
        permissions[side] = permission
    return Header(family, config, permissions, data, card)


def _read_config(values: Mapping[str, Any]) -> SwapConfig | WarpConfig:
    from likeness.nn.swap import SwapConfig
    from likeness.nn.swap_warp import WarpConfig

    return WarpConfig.from_json(values) if "channels" in values else SwapConfig.from_json(values)


def _comparison(values: Mapping[str, Any]) -> Comparison:
    kinds = {field.name: field.name for field in fields(Comparison)}
    if set(values) != set(kinds) or values["what"] not in ("face", "voice"):
        raise ValueError("no comparison")
    if values["verdict"] not in ("match", "no match", "cannot tell"):
        raise ValueError("no verdict")
    numbers = [values[name] for name in ("value", "match", "no_match")]
    if not all(one is None or (isinstance(one, (int, float)) and math.isfinite(one)) for one in numbers):
        raise ValueError("no distance")
    return Comparison(**values)
