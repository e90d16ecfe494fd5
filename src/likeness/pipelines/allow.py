"""What a consent record allows of a creation: asked before any media are opened, then of the face itself."""

from __future__ import annotations

from pathlib import Path

from likeness.config import AnimateConfig
from likeness.consent.permission import Permission, require
from likeness.consent.record import Act
from likeness.engines.base import Source
from likeness.errors import ConsentScope, FaceTooSmall


def allow(consent: Path, act: Act, config: AnimateConfig) -> Permission:
    """The permission of a record, or an error; opens no media.

    Raises:
        ConsentError: the record does not allow it.
    """
    permission = require(consent, act)
    if config.label == "none" and not permission.record.may_leave_out_label:
        raise ConsentScope(
            f"The consent of {permission.record.name} does not allow leaving out the label.",
            "Keep the label, or ask for a record that allows it.",
        )
    return permission


def compare_portrait(
    permission: Permission, portrait: Source, name: str, config: AnimateConfig
) -> Permission:
    """The permission, once the chosen face was compared with the record's reference.

    Where that cannot be done the permission says so in its notes. Under a corpus record nobody is compared.

    Raises:
        SubjectMismatch: it is somebody else.
        ModelError: the network cannot be fetched.
    """
    if permission.record.kind == "corpus":
        return permission
    from likeness.consent.match import compare_face, unknown_face
    from likeness.faces.identity import embed_face

    reference = permission.references.face
    if reference is None:
        return permission.compare(unknown_face(name, "the record holds no face to compare with"))
    try:
        embedding = embed_face(portrait.image, portrait.face, offline=config.offline or None)
    except FaceTooSmall:
        return permission.compare(unknown_face(name, "it is too small"))
    return permission.compare(compare_face(embedding, reference, name))
