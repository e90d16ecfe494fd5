"""Why credentials hold or do not hold, in plain words. Nothing here is ever called authentic."""

from __future__ import annotations

from pathlib import Path

from likeness.disclosure.credentials.statement import EXPIRED, Stamp
from likeness.disclosure.credentials.text import one_line

_NOT_OF_TODAY = (
    "The signer's certificate has ended (or not begun: are the clocks right?), and no time stamp shows that "
    "it was valid when the file was signed."
)
_FAILURES = (
    # What c2pa reports (C2PA 2.2, "Validation") → what that means. The first match for each code counts.
    ("assertion.dataHash", "The picture or sound was changed after it was signed."),
    ("assertion.bmffHash", "The picture or sound was changed after it was signed."),
    ("assertion.boxesHash", "The picture or sound was changed after it was signed."),
    ("assertion.action", "The list of what was done to it does not hold together."),
    ("assertion.", "The statement about how it was made was changed after it was signed."),
    ("claimSignature.outsideValidity", "The certificate was not valid at the time of signing."),
    ("claimSignature.", "The signature does not belong to the statement: one of them was changed."),
    ("claim.", "The statement about how it was made is damaged."),
    (EXPIRED, _NOT_OF_TODAY),
    ("signingCredential.invalid", "The signer's certificate may not sign Content Credentials."),
    ("signingCredential.revoked", "The signer's certificate was revoked."),
    ("ingredient.", "What it says of a file it was made from does not hold together."),
)


def why_invalid(codes: tuple[str, ...], sidecar: Path | None) -> tuple[str, ...]:
    """What does not hold; `codes` are c2pa's."""
    reasons = [
        next((words for start, words in _FAILURES if code.startswith(start)), f"c2pa says {one_line(code)}.")
        for code in codes
    ]
    if sidecar:
        reasons.append(f"'{sidecar.name}' may also belong to another file.")
    reasons.append("What the credentials state can therefore not be relied on.")
    return tuple(dict.fromkeys(reasons))


def why_valid(
    signer: str,
    *,
    own: bool,
    trusted_as: str,
    sidecar: Path | None,
    stamp: Stamp,
    time: str,
    expired: bool = False,
) -> tuple[str, ...]:
    """What does hold, and what that does not mean.

    Args:
        signer: the name in the certificate.
        own: whether this computer's identity signed.
        trusted_as: the file in the trust list that vouches for the signer, or "".
        sidecar: where the credentials lie, if not in the file.
        stamp, time: who vouches for the time of signing, and that time.
        expired: whether the certificate is not valid today, and no time stamp shows that it was.
    """
    who = f"The name on the signature is '{signer}'"
    if trusted_as:
        who += f", and you chose to trust its authority ('{trusted_as}')."
    elif own:
        who += (
            ": it was made here, or by someone who has this computer's key. Others see an identity they have "
            "not chosen to trust."
        )
    else:
        who += (
            ". Anyone can make an identity and name it as they like, so this does not tell who made the file."
        )
    where = f" Its credentials lie beside it, in '{sidecar.name}'." if sidecar else ""
    reasons = [who, f"What is shown, heard and stated has not been changed since.{where}"]
    if expired:
        reasons.append(_NOT_OF_TODAY)
    if stamp == "trusted":
        reasons.append(f"A time stamp of an authority you chose to trust says it was signed at {time}.")
    elif stamp == "untrusted":
        reasons.append(f"A time stamp says {time}, of an authority that you have not chosen to trust.")
    return tuple(reasons)
