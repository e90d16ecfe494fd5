"""What a manifest store states, read defensively: every value in it comes from a stranger.

Texts are cut to one printable line before anyone shows them; wrong types read as nothing said.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from likeness.disclosure.credentials.store import (
    MAKING,
    RIGHTS_NOT_STATED,
    SOURCE_TYPES,
    TRAINING_MINING,
    Json,
)
from likeness.disclosure.credentials.text import one_line

State: TypeAlias = Literal["valid", "invalid", "absent"]
Stamp: TypeAlias = Literal["trusted", "untrusted", "absent"]

UNTRUSTED = "signingCredential.untrusted"  # c2pa lists it among the failures, but nothing was changed
EXPIRED = "signingCredential.expired"  # likewise
_SIGNATURE_FITS = "claimSignature.validated"
_CONTENT_FITS = frozenset(f"assertion.{kind}Hash.match" for kind in ("data", "bmff", "boxes"))
_MAX_INGREDIENTS = 200  # a manifest of megabytes may list any number, and finding their roles is quadratic


@dataclass(frozen=True, slots=True)
class StatedIngredient:
    """A file that the output is said to be made from.

    Attributes:
        title: its file name.
        role: source, driver, audio; from other tools' files parentOf, componentOf, inputTo.
        sha256: of the whole file, or "" where it is not stated.
        credentials: whether it carried credentials of its own that are kept here, and how they stood then.
    """

    title: str
    role: str
    sha256: str
    credentials: State

    def describe(self) -> str:
        """In words: its name and role, and whether it said of itself how it was made."""
        kept = {
            "valid": "; it carried credentials of its own",
            "invalid": "; it carried credentials that did not hold",
            "absent": "",
        }
        return f"{self.title} ({self.role}{kept[self.credentials]})"


@dataclass(frozen=True, slots=True)
class StatedConsent:
    """The consent record that the output is said to be made under. Nobody has seen it here.

    Attributes:
        kind: "subject", or "corpus" for a published research corpus.
        record: its id.
        sha256: of the record: whoever holds it can show that it is this one (`likeness consent show`).
        statement: one sentence of the maker's program.
    """

    kind: str
    record: str
    sha256: str
    statement: str

    def describe(self) -> str:
        """The sentence, and which record it is."""
        record = f"record {self.record[:8]}, SHA-256 {self.sha256[:16]}…"
        return one_line(f"{self.statement or self.kind} ({record})")


@dataclass(frozen=True, slots=True)
class Statement:
    """What the active manifest says; "" where it says nothing. The fields are those of `Verification`."""

    manifest_id: str
    signer: str
    act: str
    engine: str
    digital_source_type: str
    ingredients: tuple[StatedIngredient, ...]
    rights: str
    consent: StatedConsent | None
    label: str
    training_mining: str
    stated_time: str

    @classmethod
    def read(cls, store: Json) -> Statement:
        """From the JSON of c2pa's reader."""
        manifest_id = _text(store.get("active_manifest"))
        manifest = _dict(_dict(store.get("manifests")).get(manifest_id))
        signature = _dict(manifest.get("signature_info"))
        assertions = {
            _text(one.get("label")): _dict(one.get("data")) for one in _dicts(manifest.get("assertions"))
        }
        making = assertions.get(MAKING, {})
        actions = [
            action
            for name in ("c2pa.actions.v2", "c2pa.actions")
            for action in _dicts(assertions.get(name, {}).get("actions"))
        ]
        return cls(
            manifest_id=one_line(manifest_id),
            signer=one_line(_text(signature.get("common_name")) or _text(signature.get("issuer"))),
            act=one_line(_text(making.get("act")) or _last(actions, "action")),
            engine=one_line(_engine(actions, manifest)),
            digital_source_type=one_line(_last(actions, "digitalSourceType").removeprefix(SOURCE_TYPES)),
            ingredients=_ingredients(manifest, making),
            rights=_rights(making),
            consent=_consent(making),
            label=_label(making),
            training_mining=_training_mining(assertions.get(TRAINING_MINING, {})),
            stated_time=one_line(_text(signature.get("time")) or _last(actions, "when")),
        )


def find_failures(store: Json) -> tuple[str, ...]:
    """Codes (C2PA 2.2, "Validation") of what does not hold, in the active manifest or one it includes."""
    results = _dict(store.get("validation_results"))
    deltas = [_dict(one.get("validationDeltas")) for one in _dicts(results.get("ingredientDeltas"))]
    codes = [
        _text(failure.get("code"))
        for group in (_dict(results.get("activeManifest")), *deltas)
        for failure in _dicts(group.get("failure"))
    ]
    return tuple(dict.fromkeys(code for code in codes if code != UNTRUSTED))


def is_intact(store: Json) -> bool:
    """Whether nothing was changed, though c2pa calls it invalid: all that fails is a certificate's date.

    The signature fits the statement then, and the statement fits the file. Only when it was signed is not
    proved: a certificate is not valid today, and no time stamp shows that it was.
    """
    active = _active(store)
    fits = _codes(active, "success")
    return (
        set(find_failures(store)) <= {EXPIRED}
        and _SIGNATURE_FITS in fits
        and not fits.isdisjoint(_CONTENT_FITS)
    )


def is_expired(store: Json) -> bool:
    """Whether the signer's certificate is not valid today, and no time stamp shows that it was."""
    return EXPIRED in _codes(_active(store), "failure")


def find_anchor(store: Json) -> str:
    """The name of the trust list entry that vouches for the signer, or ""."""
    return _text(_dict(store.get("validation_results")).get("trustListUri"))


def find_stamp(store: Json) -> Stamp:
    """Whether a time stamp shows when the active manifest was signed, and who vouches for the time."""
    codes = _codes(_active(store), "success")
    if "timeStamp.trusted" in codes:
        return "trusted"
    return "untrusted" if "timeStamp.validated" in codes else "absent"


def find_serial(store: Json) -> str:
    """The serial number of the signer's certificate, decimal, or ""."""
    manifest = _dict(_dict(store.get("manifests")).get(_text(store.get("active_manifest"))))
    return _text(_dict(manifest.get("signature_info")).get("cert_serial_number"))


def _ingredients(manifest: Json, making: Json) -> tuple[StatedIngredient, ...]:
    """Standard ingredients with the role and hash that our own assertion adds, in its order, by title."""
    ours = _dicts(making.get("ingredients"))[:_MAX_INGREDIENTS]
    left = list(range(len(ours)))
    found: list[tuple[int, StatedIngredient]] = []
    for one in _dicts(manifest.get("ingredients"))[:_MAX_INGREDIENTS]:
        title = _text(one.get("title"))
        index = next((i for i in left if _text(ours[i].get("title")) == title), None)
        extra = {} if index is None else ours[index]
        if index is not None:
            left.remove(index)
        role = _text(extra.get("role")) or _text(one.get("relationship"))
        stated = StatedIngredient(
            one_line(title or "untitled"),
            one_line(role),
            one_line(_text(extra.get("sha256"))),
            _standing(one),
        )
        found.append((len(ours) if index is None else index, stated))
    return tuple(stated for _, stated in sorted(found, key=lambda pair: pair[0]))


def _standing(ingredient: Json) -> State:
    """How an ingredient's own credentials stood when it was taken in."""
    if not ingredient.get("active_manifest"):
        return "absent"
    codes = _codes(_active(ingredient), "failure")
    return "invalid" if codes - {UNTRUSTED, EXPIRED} else "valid"


def _engine(actions: list[Json], manifest: Json) -> str:
    agents = [action.get("softwareAgent") for action in actions]
    agent = next((one for one in reversed(agents) if one), None)
    if isinstance(agent, str):
        return agent
    named = _dict(agent) or next(iter(_dicts(manifest.get("claim_generator_info"))), {})
    return " ".join(filter(None, (_text(named.get("name")), _text(named.get("version")))))


def _rights(making: Json) -> str:
    rights = _dict(making.get("rights"))
    kind, note = _text(rights.get("kind")), _text(rights.get("note"))
    return one_line(f"{kind} ({note})" if kind and note else kind or RIGHTS_NOT_STATED)


def _consent(making: Json) -> StatedConsent | None:
    consent = _dict(making.get("consent"))
    if not consent:
        return None
    parts = (one_line(_text(consent.get(key))) for key in ("kind", "record", "sha256", "statement"))
    return StatedConsent(*parts)


def _label(making: Json) -> str:
    label = _dict(making.get("label"))
    if not label:
        return ""
    return one_line(_text(label.get("text"))) if label.get("visible") is True else "none"


def _training_mining(data: Json) -> str:
    """One word where all entries agree, otherwise each with its own."""
    uses = {_text(name): _text(_dict(entry).get("use")) for name, entry in _dict(data.get("entries")).items()}
    if len(set(uses.values())) == 1:
        return one_line(next(iter(uses.values())))
    return one_line(", ".join(f"{name}: {use}" for name, use in uses.items()))


def _last(actions: Iterable[Json], key: str) -> str:
    return next((text for action in reversed(list(actions)) if (text := _text(action.get(key)))), "")


def _active(store: Json) -> Json:
    """What c2pa found of the active manifest, of a file or an ingredient."""
    return _dict(_dict(store.get("validation_results")).get("activeManifest"))


def _codes(results: Json, group: str) -> set[str]:
    return {_text(one.get("code")) for one in _dicts(results.get(group))}


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _dicts(value: object) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
