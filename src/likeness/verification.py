"""Reads back what a file says of itself: its Content Credentials and its watermark, in plain words.

Four questions are kept apart, because people run them together:

    state      was the file changed since it was signed?
    trusted    did an identity sign it that this computer's owner has chosen to trust?
    the rest   what does the signer say about it? (Nobody checked that.)
    watermark  does the picture or sound itself say that likeness made it, signed or not?

So "valid" never means "authentic", and this module has no such word.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

from c2pa import C2paError, Context, Reader

from likeness.disclosure.credentials.containers import (
    EMBEDDABLE,
    HEAD_BYTES,
    UNKNOWN,
    is_text,
    sidecar_of,
    sniff,
)
from likeness.disclosure.credentials.measure import find_excess
from likeness.disclosure.credentials.reasons import why_invalid, why_valid
from likeness.disclosure.credentials.statement import (
    Stamp,
    State,
    StatedConsent,
    StatedIngredient,
    Statement,
    find_anchor,
    find_failures,
    find_serial,
    find_stamp,
    is_expired,
    is_intact,
)
from likeness.disclosure.credentials.store import (
    hash_file,
    lies_elsewhere,
    open_context,
    read_sidecar,
    run_apart,
)
from likeness.disclosure.credentials.text import one_line
from likeness.disclosure.signer.anchors import Anchors
from likeness.disclosure.watermark.answer import NOT_SEARCHED, Watermark, look_for_mark
from likeness.disclosure.watermark.imprint import stated_payload
from likeness.errors import MediaNotFound, TooLarge, Unreadable, Unsupported

_NONE = "That proves nothing: most files have none, and re-encoding or uploading removes them."
_LOST = (
    "What is made with likeness has credentials too; here they are gone, as after re-encoding or uploading."
)
_BESIDE = "Or they lie in a file that belongs beside it, '{}'."
_WORDS_BEFORE = {
    "valid": "What follows is the signer's word; nobody checked it.",
    "invalid": "What follows was found in it, and cannot be relied on.",
}

CredentialsState: TypeAlias = Literal["valid", "untrusted", "tampered", "none"]


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found in a file. Texts are the signer's; "" where nothing is said.

    Attributes:
        path, sha256: the file, and the hash of all of it.
        has_credentials: whether any were found, sound or not.
        state: valid = unchanged since it was signed; invalid = changed, or damaged; absent = none found.
        trusted: whether the signer's authority is in this computer's trust list (`likeness trust`).
        own: whether it was signed by this computer's own identity. That alone makes nobody trusted: the
            identity that likeness makes is vouched for by nobody, and a file should be answered in the same
            way wherever it is looked at.
        expired: whether the signer's certificate is not valid today, and no time stamp shows that it was
            when the file was signed. Nobody is trusted then.
        signer: the name in the certificate. Anyone can choose a name.
        act, engine: what was done, and by which program, as stated.
        digital_source_type: the last part of the IPTC term, such as compositeWithTrainedAlgorithmicMedia.
        ingredients: what it is said to be made from.
        rights: the maker's statement, or "not stated".
        consent: the consent record it is said to be made under, or None.
        label: what the visible label is said to read, or "none".
        training_mining: what is stated about training and mining, such as "notAllowed".
        stated_time: when it was made, as stated (UTC, ISO 8601); only a time stamp could prove it.
        manifest_id: the name of the manifest.
        stamp: whether a time stamp shows the time of signing, by an authority that is trusted or is not.
        sidecar: the file that held the credentials, where it was not the file itself.
        reasons: the answer in plain words, most important first.
        manifest_json: everything c2pa read, as JSON.
        watermark: the imperceptible mark in the picture or sound itself, whatever the credentials are like.
    """

    path: Path
    sha256: str
    has_credentials: bool
    state: State
    reasons: tuple[str, ...]
    trusted: bool = False
    own: bool = False
    expired: bool = False
    signer: str = ""
    act: str = ""
    engine: str = ""
    digital_source_type: str = ""
    ingredients: tuple[StatedIngredient, ...] = ()
    rights: str = ""
    consent: StatedConsent | None = None
    label: str = ""
    training_mining: str = ""
    stated_time: str = ""
    manifest_id: str = ""
    stamp: Stamp = "absent"
    sidecar: Path | None = None
    manifest_json: str = ""
    watermark: Watermark = NOT_SEARCHED

    @property
    def credentials_state(self) -> CredentialsState:
        """valid = sound and by someone in the trust list; untrusted = sound; tampered = not sound; none."""
        if self.state == "valid":
            return "valid" if self.trusted else "untrusted"
        return "tampered" if self.state == "invalid" else "none"

    @property
    def answer(self) -> str:
        """The answer in one clause."""
        if self.state == "absent":
            if self.watermark.found:
                return "no Content Credentials, but the watermark of likeness found"
            return "no Content Credentials found"
        if self.state == "invalid":
            return "Content Credentials found, but they do not hold"
        if self.expired:
            return "Content Credentials found, but the certificate of whoever signed is not valid today"
        if self.own and not self.trusted:
            return "Content Credentials found, signed by this computer's own likeness identity"
        known = "you chose to trust" if self.trusted else "you have not chosen to trust"
        return f"Content Credentials found, signed by an identity {known}"

    def summary(self) -> tuple[str, ...]:
        """A few lines for a person: the answer, why, and what the signer states."""
        lines = [f"{self.path.name}: {self.answer}.", *self.reasons]
        if not self.has_credentials:
            return tuple(lines)
        stated = {
            "made by": " with ".join(filter(None, (self.act, self.engine))),
            "kind": self.digital_source_type,
            "made from": one_line(", ".join(one.describe() for one in self.ingredients)),
            "visible label": self.label,
            "rights": self.rights,
            "consent": self.consent.describe() if self.consent else "",
            "training and mining": self.training_mining,
            "when": self.stated_time,
        }
        lines.append(_WORDS_BEFORE[self.state])
        lines += [f"  {name}: {text}" for name, text in stated.items() if text]
        return tuple(lines)

    def to_json(self) -> dict[str, Any]:
        """Everything, as JSON values: what `likeness verify --json` writes.

        `file`, `sha256`, `answer`, `credentials.state` and `watermark` are there for every file.
        """
        stated = ("act", "engine", "digital_source_type", "rights", "label", "training_mining", "stated_time")
        return {
            "file": str(self.path),
            "sha256": self.sha256,
            "answer": self.answer,
            "reasons": list(self.reasons),
            "credentials": {
                "state": self.credentials_state,
                "signer": self.signer,
                "own": self.own,
                "expired": self.expired,
                "time_stamp": self.stamp,
                "manifest_id": self.manifest_id,
                "sidecar": str(self.sidecar) if self.sidecar else None,
            },
            "watermark": asdict(self.watermark),
            "stated": {
                **{name: getattr(self, name) for name in stated},
                "consent": asdict(self.consent) if self.consent else None,
                "ingredients": [asdict(one) for one in self.ingredients],
            },
            "manifest": json.loads(self.manifest_json or "null"),
        }


def verify(path: Path | str) -> Verification:
    """Reads what a picture, video or sound says of itself.

    That is the Content Credentials in it, or in the sidecar `NAME.c2pa` beside it, and the watermark (of a
    long video or sound, five pieces of 12 s are searched). Uses no network, and changes nothing.

    Raises:
        MediaNotFound: there is no such file, or it is a folder, or may not be read.
        Unreadable: it is empty, text, or so damaged that nothing can be said of it.
        TooLarge: it carries more than 64 MB of credentials, which would take a multiple of that in memory.
        Unsupported: it is no picture, video or sound that is known here.
    """
    path = Path(path)
    kind = _kind_of(path)
    found = _read_credentials(path, kind)
    store = json.loads(found.manifest_json or "{}")
    manifest = store.get("manifests", {}).get(store.get("active_manifest"), {})
    watermark, words = run_apart(lambda: look_for_mark(path, kind, found.state, stated_payload(manifest)))
    reasons = (*found.reasons, *words)
    if watermark.found and found.state == "absent":
        lost = _LOST if kind in EMBEDDABLE else f"{_LOST} {_BESIDE.format(sidecar_of(path).name)}"
        reasons = (*words, *(lost if reason == _NONE else reason for reason in found.reasons))
    return replace(found, watermark=watermark, reasons=reasons)


def _read_credentials(path: Path, kind: str) -> Verification:
    """All but the watermark."""
    anchors = Anchors.gather()
    sha256 = hash_file(path)
    try:
        found = run_apart(lambda: _read(path, kind, open_context(anchors.pems)))
    except C2paError as error:
        if lies_elsewhere(error):
            elsewhere = (
                "It points to Content Credentials on a server; likeness fetches nothing, so look there."
            )
            return Verification(path, sha256, False, "absent", (elsewhere, *anchors.notes))
        if str(error).startswith(("Io:", "NotSupported", "Other: asset could not be parsed")):
            raise Unreadable(
                f"'{path.name}' is damaged ({one_line(str(error))}), so nothing can be said about it.",
                "Get the file again from where it came from.",
            ) from error
        damaged = f"The credentials are damaged and cannot be read ({one_line(str(error))})."
        return Verification(path, sha256, True, "invalid", (damaged, *anchors.notes))
    if found is None:
        return Verification(path, sha256, False, "absent", (_NONE, *anchors.notes))
    return _interpret(path, sha256, found, anchors)


def _kind_of(path: Path) -> str:
    """The media type; raises where there is nothing to verify."""
    if path.is_dir():
        raise MediaNotFound(f"'{path}' is a folder.", "Name one file in it.")
    if path.exists() and not path.is_file():  # a pipe might never answer
        raise MediaNotFound(f"'{path}' is not an ordinary file.", "Save it to a file first.")
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except FileNotFoundError as error:
        raise MediaNotFound(f"There is no file '{path}'.", "Check the path.") from error
    except OSError as error:
        raise MediaNotFound(
            f"'{path}' cannot be read: {error.strerror}.", "Check its permissions."
        ) from error
    if not head:
        raise Unreadable(f"'{path.name}' is empty.", "Get the file again from where it came from.")
    kind = sniff(head)
    if kind == UNKNOWN:
        hint = "Pictures, videos and sound can be verified."
        if is_text(head):
            raise Unreadable(f"'{path.name}' is text, whatever its name says.", hint)
        raise Unsupported(f"'{path.name}' is of no kind that is known here.", hint)
    return kind


@dataclass(frozen=True, slots=True)
class _Found:
    """What c2pa read."""

    state: str
    store: dict[str, Any]
    sidecar: Path | None


def _read(path: Path, kind: str, context: Context) -> _Found | None:
    with path.open("rb") as file:
        if excess := find_excess(file, kind):
            raise TooLarge(
                f"'{path.name}' {excess}, and that is not read.",
                "No honest program writes so much: be careful with this file.",
            )
        reader, sidecar = None, None
        if kind in EMBEDDABLE:
            reader = Reader.try_create(kind, file, None, context)
        if reader is None and (stored := read_sidecar(path)) is not None:
            file.seek(0)
            reader, sidecar = Reader(kind, file, stored, context), sidecar_of(path)
        if reader is None:
            return None
        with reader:
            return _Found(reader.get_validation_state() or "Invalid", json.loads(reader.json()), sidecar)


def _interpret(path: Path, sha256: str, found: _Found, anchors: Anchors) -> Verification:
    """Turns c2pa's findings into ours."""
    statement = Statement.read(found.store)
    valid = found.state in ("Valid", "Trusted") or is_intact(found.store)
    expired = is_expired(found.store)
    anchor = find_anchor(found.store) if found.state == "Trusted" else ""
    trusted_as = anchors.trusted.get(anchor, "")
    own = anchors.is_own(anchor, find_serial(found.store))
    stamp = find_stamp(found.store)
    signer = statement.signer or "nameless"
    if valid:
        reasons = why_valid(
            signer,
            own=own,
            trusted_as=one_line(trusted_as),
            sidecar=found.sidecar,
            stamp=stamp,
            time=statement.stated_time,
            expired=expired,
        )
    else:
        reasons = why_invalid(find_failures(found.store), found.sidecar)
    return Verification(
        path=path,
        sha256=sha256,
        has_credentials=True,
        state="valid" if valid else "invalid",
        reasons=(*reasons, *anchors.notes),
        trusted=bool(trusted_as),
        own=own,
        expired=expired,
        signer=signer,
        act=statement.act,
        engine=statement.engine,
        digital_source_type=statement.digital_source_type,
        ingredients=statement.ingredients,
        rights=statement.rights,
        consent=statement.consent,
        label=statement.label,
        training_mining=statement.training_mining,
        stated_time=statement.stated_time,
        manifest_id=statement.manifest_id,
        stamp=stamp,
        sidecar=found.sidecar,
        manifest_json=json.dumps(found.store, indent=1),
    )
