"""Content Credentials: the signed statement, inside every output, of what it is and what it was made from.

C2PA specification 2.2, written by c2pa-python: a claim with the actions `c2pa.opened` (the source, as parent)
and `c2pa.edited` (digitalSourceType compositeWithTrainedAlgorithmicMedia), the other files as ingredients,
`cawg.training-mining` (not allowed), and an assertion of our own, `org.likeness.making`, with what the
standard has no field for: the hashes of ingredients and models, the label, the rights
statement, the consent record. What the
watermark says is stated as a `c2pa.soft-binding`. Manifests that ingredients carry come along unchanged. No
thumbnails, no paths: titles are file names.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import math
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, BinaryIO

from c2pa import Builder, C2paError, C2paSignerInfo, Signer

from likeness.disclosure.credentials.ingredients import Prepared, one_pixel, prepare
from likeness.disclosure.credentials.large_wav import sign_large_wav
from likeness.disclosure.credentials.store import (
    LARGE_FILE_BYTES,
    MAKING,
    RIGHTS_NOT_STATED,
    SOURCE_TYPES,
    TRAINING_MINING,
    WAV,
    Json,
    new_manifest_id,
    open_context,
    run_apart,
    run_within,
)
from likeness.disclosure.credentials.text import one_line
from likeness.disclosure.signer.identity import Identity
from likeness.disclosure.watermark.imprint import SOFT_BINDING, soft_binding
from likeness.errors import SealFailed
from likeness.types import ConsentNote, Making

STAMP_LIMIT_S = 30.0
"""So long a time stamp authority may take; c2pa itself would wait for ever."""
_SLOWEST_BYTES_PER_S = 5e6  # on top of that, time to copy and hash the file


class Credentials:
    """The statement about one output, prepared before the work starts, then signed into one or many files.

    Ingredients are read here, once: what the credentials say of them is how they were at the start. A
    rehearsal on a single pixel makes sure that signing will not be refused after ten minutes of rendering.

    Args:
        making: how the output is made.
        identity: who signs.
        label_text: what the visible label says, or None where there is none.
        layers: names of the seal's layers, in order.
        payload: what the watermark says, or None where there is none.

    Attributes:
        notes: what a person should know, one sentence each.

    Raises:
        MediaNotFound: an ingredient cannot be read.
        SealFailed: the statement cannot be signed.
    """

    def __init__(
        self,
        making: Making,
        identity: Identity,
        *,
        label_text: str | None,
        layers: tuple[str, ...],
        payload: int | None = None,
    ) -> None:
        self._anchors = {identity.name: identity.authority}
        self._context = open_context(self._anchors)
        self._identity = identity
        self._making = making
        with self._signer(stamped=False) as signer:
            self._ingredients = [
                prepare(ingredient, index, self._context, signer)
                for index, ingredient in enumerate(making.ingredients)
            ]
        self.notes = tuple(one.note for one in self._ingredients if one.note)
        self._assertions = [
            _assertion(TRAINING_MINING, _training_mining()),
            _assertion(MAKING, _state(making, self._ingredients, label_text, layers)),
        ]
        if payload is not None:
            self._assertions.append(_assertion(SOFT_BINDING, soft_binding(payload)))
        self.sign(one_pixel(), io.BytesIO(), "image/png", title="rehearsal.png")

    def sign(
        self,
        source: BinaryIO,
        target: BinaryIO,
        kind: str,
        *,
        title: str,
        manifest_id: str | None = None,
        embed: bool = True,
    ) -> bytes:
        """Copies `source` to `target` with the credentials inside (or unchanged, with `embed=False`).

        Safe to call from several threads at once.

        Args:
            source, target: open binary files, the target readable too; read and written in pieces.
            kind: media type of the file.
            title: the output's file name.
            manifest_id: from `new_manifest_id`, a new one for each file; made here if not given.
            embed: False for a container that cannot hold credentials: keep what is returned as a sidecar.

        Returns:
            The manifest store.

        Raises:
            SealFailed: c2pa refused, or could not read or write.
        """
        size_bytes = source.seek(0, io.SEEK_END)
        large = size_bytes > LARGE_FILE_BYTES
        source.seek(0)
        definition = json.dumps(
            {
                "label": manifest_id or new_manifest_id(),
                "title": title,
                "claim_generator_info": [{"name": "likeness", "version": version("likeness")}],
                "ingredients": [one.definition for one in self._ingredients if one.archive is None],
                "assertions": [_assertion("c2pa.actions.v2", self._actions()), *self._assertions],
            }
        )
        url = self._making.tsa_url
        try:
            if url is not None:
                limit_s = STAMP_LIMIT_S + size_bytes / _SLOWEST_BYTES_PER_S
                return run_within(limit_s, lambda: self._sign(definition, source, target, kind, embed, large))
            return run_apart(lambda: self._sign(definition, source, target, kind, embed, large))
        except (C2paError, TimeoutError) as error:
            if url is not None:
                raise SealFailed(
                    f"{one_line(url)} gave no time stamp for the signature: {one_line(str(error))}.",
                    "Nothing was written. Try again later, take another authority, or leave out --tsa-url "
                    "(tsa_url in Python).",
                ) from error
            raise SealFailed(
                f"The Content Credentials could not be signed: {error}.",
                "Nothing was written. Check that the disk has room, then run `likeness doctor`.",
            ) from error

    def _sign(
        self, definition: str, source: BinaryIO, target: BinaryIO, kind: str, embed: bool, large: bool
    ) -> bytes:
        context = open_context(self._anchors, in_pieces=True) if large else self._context
        with Builder(definition, context) as builder, self._signer() as signer:
            for one in self._ingredients:
                if one.archive is not None:
                    builder.add_ingredient_from_archive(io.BytesIO(one.archive))
            if not embed:
                builder.set_no_embed()
            signed = None
            if large and kind == WAV and self._making.tsa_url is None:  # with stamps it was never tried
                signed = sign_large_wav(builder, signer, source, target)
            if signed is None:
                source.seek(0)
                signed = bytes(builder.sign(signer, kind, source, target))
        return signed

    def _signer(self, *, stamped: bool = True) -> Signer:
        identity = self._identity
        # The certificate and key are bytes on purpose: c2pa-python hands them to C as they are.
        info = C2paSignerInfo(
            identity.algorithm, identity.certificates, identity.key, self._making.tsa_url if stamped else None
        )
        return Signer.from_info(info)

    def _actions(self) -> Json:
        """What was done to what, in order; C2PA wants `opened` or `created` first."""
        making = self._making
        parent, rest = self._ingredients[:1], self._ingredients[1:]
        actions: list[Json] = []
        kind = SOURCE_TYPES + self._kind()
        if parent:
            actions.append({"action": "c2pa.opened", "parameters": _refer(parent)})
        else:
            actions.append({"action": "c2pa.created", "digitalSourceType": kind})
        if placed := [one for one in rest if one.relation == "componentOf"]:
            actions.append({"action": "c2pa.placed", "parameters": _refer(placed)})
        inputs = [one for one in rest if one.relation == "inputTo"]
        actions.append(
            {
                "action": "c2pa.edited",
                "description": making.act,
                "digitalSourceType": kind,
                "softwareAgent": {"name": f"likeness {making.engine}", "version": making.engine_version},
                "when": dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
                "parameters": {**_refer(inputs), "org.likeness.parameters": plain(making.parameters)},
            }
        )
        return {"actions": actions}

    def _kind(self) -> str:
        """IPTC's term for how it came about."""
        if self._ingredients:
            return "compositeWithTrainedAlgorithmicMedia"
        if self._making.rendered and not self._making.models:
            return "digitalCreation"
        return "trainedAlgorithmicMedia"


def plain(value: Any) -> Any:
    """`value` as JSON, with absolute paths reduced to file names: an output must not tell where it was made.

    Raises:
        TypeError: something in it is not a JSON value.
    """
    match value:
        case None | bool() | int():
            return value
        case float():
            return value if math.isfinite(value) else str(value)  # JSON has no infinity and no NaN
        case Path():
            return value.name
        case str():
            absolute = PurePosixPath(value).is_absolute() or PureWindowsPath(value).is_absolute()
            return PureWindowsPath(value).name if absolute else value
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case _:
            raise TypeError(f"{type(value).__name__} is not a JSON value")


def _state(
    making: Making, ingredients: list[Prepared], label_text: str | None, layers: tuple[str, ...]
) -> Json:
    """The data of our own assertion, `MAKING`; `verify` reads it back."""
    rights = making.rights
    return {
        "version": 1,
        "act": making.act,
        "engine": {"name": making.engine, "version": making.engine_version},
        "layers": list(layers),
        "label": {"visible": label_text is not None, "text": label_text or ""},
        "rights": {"kind": rights.kind, "note": rights.note} if rights else {"kind": RIGHTS_NOT_STATED},
        **({"consent": _state_consent(making.consent)} if making.consent else {}),
        "ingredients": [
            {"role": one.role, "title": one.title, "sha256": one.sha256, "format": one.kind}
            for one in ingredients
        ],
        "models": [{"name": model.name, "sha256": model.sha256} for model in making.models],
    }


def _state_consent(note: ConsentNote) -> Json:
    """The record stays with whoever made this; its hash shows later that it was this one."""
    return {
        "kind": note.kind,
        "record": note.record_id,
        "sha256": note.sha256,
        "statement": note.statement,
    }


def _assertion(label: str, data: Json) -> Json:
    return {"label": label, "data": data, "created": True}


def _refer(ingredients: list[Prepared]) -> Json:
    return {"ingredientIds": [one.label for one in ingredients]} if ingredients else {}


def _training_mining() -> Json:
    # Inference is left out: forbidding it would forbid detectors to look at the file.
    names = ("cawg.ai_generative_training", "cawg.ai_training", "cawg.data_mining")
    return {"entries": {name: {"use": "notAllowed"} for name in names}}
