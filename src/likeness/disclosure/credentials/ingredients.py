"""The files an output was made from, as its Content Credentials name them.

Read once, before the work starts. Manifests that a file carries (inside, or in a sidecar) are packed so that
any number of outputs can include them unchanged; for the others a name and a hash are all there is to say.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from c2pa import Builder, C2paError, Context, Reader, Signer
from PIL import Image

from likeness.disclosure.credentials.containers import EMBEDDABLE, HEAD_BYTES, sniff
from likeness.disclosure.credentials.measure import find_excess
from likeness.disclosure.credentials.store import (
    MAX_KEPT_BYTES,
    SOURCE_TYPES,
    Json,
    hash_file,
    lies_elsewhere,
    open_context,
    read_sidecar,
    run_apart,
)
from likeness.errors import MediaNotFound
from likeness.types import Ingredient

# C2PA knows three relations. The audio is heard in the output (componentOf); of the driver only the motion is
# taken, so it is an input to the process and no part of the result.
_RELATIONS = {"source": "componentOf", "driver": "inputTo", "audio": "componentOf"}


@dataclass(frozen=True, slots=True)
class Prepared:
    """An ingredient, ready to go into any number of manifests.

    Attributes:
        role: source, driver or audio.
        title: its file name, without folders.
        sha256: of the whole file, hexadecimal.
        relation: parentOf (the first), componentOf or inputTo.
        label: how actions refer to it.
        kind: media type, by content.
        archive: the manifests it carries, packed by c2pa, or None.
        note: what a person should know of it.
    """

    role: str
    title: str
    sha256: str
    relation: str
    label: str
    kind: str
    archive: bytes | None = None
    note: str = ""

    @property
    def definition(self) -> Json:
        """As c2pa's manifest definition wants it."""
        return {"title": self.title, "format": self.kind, "relationship": self.relation, "label": self.label}


def prepare(ingredient: Ingredient, index: int, context: Context, signer: Signer) -> Prepared:
    """Reads one ingredient: the first (`index` 0) is the parent.

    Raises:
        MediaNotFound: the file cannot be read.
    """
    path = ingredient.path
    try:
        sha256 = hash_file(path)
        with path.open("rb") as file:
            kind = sniff(file.read(HEAD_BYTES))
            excess = find_excess(file, kind)
    except OSError as error:
        raise MediaNotFound(
            f"'{path.name}' ({ingredient.role}) cannot be read: {error.strerror or error}.",
            "Check the path, and that the file was not moved meanwhile.",
        ) from error
    relation = "parentOf" if index == 0 else _RELATIONS[ingredient.role]
    bare = Prepared(ingredient.role, path.name, sha256, relation, f"ingredient{index}", kind)
    if excess:
        return replace(bare, note=f"'{path.name}' {excess}; only its name and hash are recorded.")
    try:
        archive = run_apart(lambda: _pack(path, bare, context, signer))
    except C2paError as error:
        why = f"carries Content Credentials that are damaged ({error})"
        if lies_elsewhere(error):
            why = "has its Content Credentials on a server, and nothing is fetched"
        return replace(bare, note=f"'{path.name}' {why}; only its name and hash are recorded.")
    if archive is not None and len(archive) > MAX_KEPT_BYTES:
        why = f"carries {len(archive) >> 20} MB of Content Credentials, too much to keep"
        return replace(bare, note=f"'{path.name}' {why}; only its name and hash are recorded.")
    return replace(bare, archive=archive)


def one_pixel() -> io.BytesIO:
    """The smallest PNG, to rehearse a signature on."""
    file = io.BytesIO()
    Image.new("RGB", (1, 1)).save(file, "PNG")
    file.seek(0)
    return file


def _pack(path: Path, bare: Prepared, context: Context, signer: Signer) -> bytes | None:
    """The ingredient with the manifests it carries; None if it carries none.

    Raises:
        C2paError: what it carries cannot be read, or no valid output could include it.
    """
    with path.open("rb") as file, Builder("{}", context) as builder:
        if bare.kind in EMBEDDABLE and _carries_manifest(file, bare.kind):
            file.seek(0)
            builder.add_ingredient(bare.definition, bare.kind, file)
        elif (stored := read_sidecar(path)) is not None:
            _add_with_sidecar(builder, bare, file, stored, context)
        else:
            return None
        packed = io.BytesIO()
        builder.write_ingredient_archive(bare.label, packed)
    archive = packed.getvalue()
    _try_out(archive, context, signer)
    return archive


def _carries_manifest(file: BinaryIO, kind: str) -> bool:
    reader = Reader.try_create(kind, file, None, open_context(check=False))
    if reader is None:
        return False
    reader.close()
    return True


def _add_with_sidecar(
    builder: Builder, bare: Prepared, file: BinaryIO, stored: bytes, context: Context
) -> None:
    with Reader(bare.kind, file, stored, context) as reader:
        found = json.loads(reader.json())
    builder.add_resource("sidecar", io.BytesIO(stored))
    carried = {
        "active_manifest": found["active_manifest"],
        "validation_results": found["validation_results"],
        "manifest_data": {"format": "application/c2pa", "identifier": "sidecar"},
    }
    file.seek(0)
    builder.add_ingredient({**bare.definition, **carried}, bare.kind, file)


def _try_out(archive: bytes, context: Context, signer: Signer) -> None:
    """Some damage (a nested manifest missing) shows only when an output that includes it is signed."""
    created = {"action": "c2pa.created", "digitalSourceType": SOURCE_TYPES + "digitalCreation"}
    definition = {"assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [created]}}]}
    with Builder(json.dumps(definition), context) as builder:
        builder.add_ingredient_from_archive(io.BytesIO(archive))
        builder.sign(signer, "image/png", one_pixel(), io.BytesIO())
