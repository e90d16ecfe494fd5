"""What `likeness voice convert` needs for voice models of RVC: its options, and the target they make."""

from __future__ import annotations

from dataclasses import dataclass, fields
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from likeness.errors import MissingExtra, UnknownEngine, UsageError

if TYPE_CHECKING:
    from likeness.pipelines.target_voice import Target

RVC = "Voice models of RVC"
NAME = "rvc"

Engine = Annotated[
    str | None,
    typer.Option(
        "--engine",
        metavar="rvc|rvc:NAME",
        help="Convert with a voice model of RVC: a file (--checkpoint), or one that `likeness models import` "
        "made. [default: our own]",
        rich_help_panel=RVC,
    ),
]
Checkpoint = Annotated[
    Path | None, typer.Option(metavar="PTH", help="Its published file.", rich_help_panel=RVC)
]
Consent = Annotated[
    Path | None,
    typer.Option(
        metavar="RECORD",
        help="The consent record of the person whose voice it is, for the act “voice”: no such model holds "
        "one.",
        rich_help_panel=RVC,
    ),
]
Content = Annotated[
    Path | None,
    typer.Option(
        metavar="ONNX", help="A HuBERT or ContentVec, which hears what is said.", rich_help_panel=RVC
    ),
]
ContentOutput = Annotated[
    str | None,
    typer.Option(
        "--content-output", metavar="NAME", help="Which of its outputs, if several fit.", rich_help_panel=RVC
    ),
]
Index = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Frames that the voice was trained with: added_….index, or .npy.",
        rich_help_panel=RVC,
    ),
]
IndexRate = Annotated[
    float | None,
    typer.Option(
        "--index-rate",
        metavar="SHARE",
        help="How far what is said is drawn towards them (0 to 1). [default: 0.75]",
        rich_help_panel=RVC,
    ),
]
RmsMix = Annotated[
    float | None,
    typer.Option(
        "--rms-mix",
        metavar="SHARE",
        help="Whose course of loudness it has: 0 = the source's, 1 = the model's own. [default: 0.25]",
        rich_help_panel=RVC,
    ),
]
Speaker = Annotated[
    int | None,
    typer.Option(metavar="N", help="Which speaker of the model, from 0. [default: 0]", rich_help_panel=RVC),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class RvcOptions:
    """What was given of all that; None where nothing was."""

    checkpoint: Path | None = None
    consent: Path | None = None
    content: Path | None = None
    content_output: str | None = None
    index: Path | None = None
    index_rate: float | None = None
    rms_mix: float | None = None
    speaker: int | None = None


def choose_target(to: Path | None, engine: str | None, given: RvcOptions, *, offline: bool) -> Path | Target:
    """What to convert to: a `.voice` file for our own engine, or a voice model of RVC.

    Raises:
        UsageError: options are missing, or do not go together.
        UnknownEngine: there is no such engine.
        LikenessError: see `pipelines.rvc_voice.rvc_target`.
    """
    if engine is None:
        used = [field.name for field in fields(given) if getattr(given, field.name) is not None]
        if used:
            option = "--" + used[0].replace("_", "-")
            raise UsageError(f"{option} is for voice models of RVC.", "Add --engine rvc, or leave it out.")
        if to is None:
            raise UsageError("No voice was given.", "Add --to VOICE, or --engine rvc with its options.")
        return to
    kind, _, name = engine.partition(":")
    if kind != NAME or (":" in engine and not name):
        raise UnknownEngine(
            f"There is no engine called “{engine}” for voices.",
            "Use --engine rvc, --engine rvc:NAME, or leave it out.",
        )
    if to is not None:
        raise UsageError("--to is a voice of our own engine, and --engine another.", "Leave one of them out.")
    return _open(engine if name else None, given, offline=offline)


def _open(name: str | None, given: RvcOptions, *, offline: bool) -> Target:
    model = name or given.checkpoint
    if model is None or (name and given.checkpoint):
        raise UsageError(
            "Which voice model is it?", "Give either --checkpoint FILE, or --engine rvc:NAME; not both."
        )
    if given.consent is None:
        raise UsageError(
            "Whose voice a model of RVC speaks with, its file does not say.",
            "Add --consent RECORD, that person's consent for the act “voice” (`likeness consent`); yours, if "
            "it is your own.",
        )
    if given.content is None:
        raise UsageError(
            "A voice model of RVC needs a network that hears what is said.",
            "Add --content FILE: HuBERT or ContentVec as ONNX; docs/voice-rvc.md says where they are found.",
        )
    if given.index_rate and given.index is None:
        raise UsageError(
            "--index-rate draws what is said towards an index, and there is none.",
            "Add --index FILE, or leave it out.",
        )
    for module in ("torch", "onnxruntime"):
        if find_spec(module) is None:
            raise MissingExtra(
                f"This needs the package {module}, which is not installed here.",
                'Install it with `pip install "likeness[voice]"`.',
            )
    from likeness.engines.rvc.settings import RvcSettings
    from likeness.pipelines.rvc_voice import rvc_target

    chosen: dict[str, Any] = {
        "index_rate": given.index_rate,
        "rms_mix": given.rms_mix,
        "speaker": given.speaker,
    }
    return rvc_target(
        model,
        content=given.content,
        consent=given.consent,
        index=given.index,
        settings=RvcSettings(**{key: value for key, value in chosen.items() if value is not None}),
        content_output=given.content_output,
        offline=offline,
    )
