"""`likeness swap convert` and `likeness swap quick`."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

import typer

from likeness.cli.shared_options import DISCLOSURE, Language, Offline, Overwrite, TsaUrl
from likeness.cli.values import parse_rights, parse_time

if TYPE_CHECKING:
    from likeness.pipelines.swapped import Swapped

LOOK, TIME = "Look", "Time and sound"

Clip = Annotated[Path, typer.Argument(help="The video whose performance is kept.")]
Out = Annotated[
    Path,
    typer.Option(
        "--out", "-o", metavar="OUT", help="What to write: .mp4, .webm, .gif, or a folder for PNGs."
    ),
]
Colour = Annotated[
    Literal["auto", "lab", "light", "histogram", "seamless", "none"],
    typer.Option(help="How the new face gets the scene's colours.", rich_help_panel=LOOK),
]
Shape = Annotated[
    float,
    typer.Option(
        metavar="SHARE",
        help="How far the face takes on B's shape, too (0 to 1); its outline stays.",
        rich_help_panel=LOOK,
    ),
]
MaskErode = Annotated[
    float,
    typer.Option(
        "--mask-erode",
        metavar="SHARE",
        help="Move the mask's edge inwards, in sides of the face's square (-0.1 to 0.2; below 0 "
        "with slim… and df… only).",
        rich_help_panel=LOOK,
    ),
]
MaskBlur = Annotated[
    float,
    typer.Option(
        "--mask-blur", metavar="SHARE", help="How wide its soft edge is (0 to 0.25).", rich_help_panel=LOOK
    ),
]
Sharpen = Annotated[
    float,
    typer.Option(metavar="AMOUNT", help="Sharpen the new face, 0 to 1.", rich_help_panel=LOOK),
]
FaceScale = Annotated[
    float,
    typer.Option(
        "--face-scale",
        metavar="TIMES",
        help="Put the new face in larger or smaller (0.8 to 1.2).",
        rich_help_panel=LOOK,
    ),
]
Occlusion = Annotated[
    bool,
    typer.Option(
        "--occlusion/--no-occlusion",
        help="Leave what is seen in front of the face.",
        rich_help_panel=LOOK,
    ),
]
Face = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        help="Which face of the clip to replace, as `likeness faces` numbers them. [default: the largest, or "
        "the one that the model knows]",
        rich_help_panel=LOOK,
    ),
]
Start = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="Begin here in the clip: 12.5 or 1:02.5.", rich_help_panel=TIME),
]
End = Annotated[str | None, typer.Option(metavar="TIME", help="End here.", rich_help_panel=TIME)]
Audio = Annotated[
    Literal["keep", "none"], typer.Option(help="The clip's sound, or none.", rich_help_panel=TIME)
]
LabelOption = Annotated[
    Literal["auto", "none"],
    typer.Option(
        "--label",
        help="The visible label. “none” needs a consent record that allows it.",
        rich_help_panel=DISCLOSURE,
    ),
]
LabelLanguageOption = Annotated[
    Language,
    typer.Option("--label-language", help="Its language.", rich_help_panel=DISCLOSURE),
]
RightsOption = Annotated[
    Literal["public-domain", "synthetic", "self", "licensed"] | None,
    typer.Option("--rights", help="Why you may make this; recorded in the file.", rich_help_panel=DISCLOSURE),
]
Note = Annotated[
    str, typer.Option(help="Your statement that goes with --rights.", rich_help_panel=DISCLOSURE)
]


def _common(
    colour: Colour = "auto",
    shape: Shape = 0.6,
    mask_erode: MaskErode = 0.02,
    mask_blur: MaskBlur = 0.08,
    sharpen: Sharpen = 0.0,
    face_scale: FaceScale = 1.0,
    occlusion: Occlusion = True,
    start: Start = None,
    end: End = None,
    audio: Audio = "keep",
    label: LabelOption = "auto",
    label_language: LabelLanguageOption = "en",
    rights: RightsOption = None,
    note: Note = "",
    tsa_url: TsaUrl = None,
    overwrite: Overwrite = False,
    offline: Offline = False,
) -> dict[str, Any]:
    """The options that both commands have, as the configuration takes them."""
    return {
        "colour": colour,
        "shape": shape,
        "mask_erode": mask_erode,
        "mask_blur": mask_blur,
        "sharpen": sharpen,
        "face_scale": face_scale,
        "occlusion": occlusion,
        "start_s": parse_time("--start", start),
        "end_s": parse_time("--end", end),
        "audio": audio,
        "label": label,
        "label_language": label_language,
        "rights": parse_rights(rights, note),
        "tsa_url": tsa_url,
        "overwrite": overwrite,
        "offline": offline,
    }


def _with_common(command: Callable[..., None]) -> Callable[..., None]:
    """The command with the options of `_common` after its own; it gets what that makes of them, `common`."""
    own = dict(inspect.signature(command, eval_str=True).parameters)
    place = own.pop("common")
    shared = inspect.signature(_common, eval_str=True).parameters

    @wraps(command)
    def run(**given: Any) -> None:
        common = _common(**{name: given.pop(name) for name in shared})
        command(**given, **{place.name: common})

    # Both are where Typer looks for options.
    cast(Any, run).__signature__ = inspect.Signature([*own.values(), *shared.values()])
    run.__annotations__ = {one.name: one.annotation for one in (*own.values(), *shared.values())}
    return run


@_with_common
def convert(
    clip: Clip,
    model: Annotated[Path, typer.Option(metavar="RUN", help="The trained model, or the folder of its run.")],
    out: Out,
    common: dict[str, Any],
    to: Annotated[
        Literal["A", "B"], typer.Option(help="Whose face is shown; that person's consent is in the model.")
    ] = "B",
    alignments: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="This clip's alignments.json (`likeness swap extract`), repaired by hand, in place of "
            "tracking.",
        ),
    ] = None,
    mask: Annotated[
        Literal["model", "face", "both"],
        typer.Option(
            help="What is replaced: the face that the model sees, the face that is tracked, or what both "
            "agree on.",
            rich_help_panel=LOOK,
        ),
    ] = "both",
    face: Face = None,
) -> None:
    """Show the performance of a clip with a face that was trained.

    A model with decoders (slim…, df…) knows person A and replaces nobody else; one that bends pictures
    (warp…) replaces the largest face, or --face N. The consent record in the model is checked first.

    **Example**

    `likeness swap convert clip.mp4 --model runs/ab --to B -o out.mp4`
    """
    from likeness.cli.progress import progress_bar
    from likeness.config import SwapConfig
    from likeness.pipelines.swap import convert as run

    config = SwapConfig(to=to, alignments=alignments, mask=mask, face=face, **common)
    with progress_bar() as report:
        made = run(clip, model=model, out=out, config=config, on_progress=report)
    _say(made)


@_with_common
def quick(
    clip: Clip,
    shown: Annotated[
        Path, typer.Option("--face", metavar="FILE", help="A picture or clip of the person to show, alone.")
    ],
    consent: Annotated[
        Path,
        typer.Option(
            metavar="RECORD",
            help="Their consent record, for the act “swap” (`likeness consent`); checked first of all.",
        ),
    ],
    out: Out,
    common: dict[str, Any],
    looks: Annotated[
        int,
        typer.Option(help="How many pictures of a clip of them are used at most.", rich_help_panel=LOOK),
    ] = 48,
    number: Annotated[
        int | None,
        typer.Option(
            "--clip-face",
            metavar="N",
            help="Which face of the clip to replace, as `likeness faces` numbers them. [default: the "
            "largest]",
            rich_help_panel=LOOK,
        ),
    ] = None,
) -> None:
    """Swap a face at once, without training: a picture of the person is bent onto the clip's face.

    It is sharp, and keeps the outline of the face that was filmed, and its mouth: part of the likeness stays
    theirs.

    **Example**

    `likeness swap quick clip.mp4 --face anna.jpg --consent anna.consent.json -o out.mp4`
    """
    from likeness.cli.progress import progress_bar
    from likeness.config import QuickSwapConfig
    from likeness.pipelines.swap_quick import quick as run

    config = QuickSwapConfig(looks=looks, face=number, **common)
    with progress_bar() as report:
        made = run(clip, face=shown, consent=consent, out=out, config=config, on_progress=report)
    _say(made)


def _say(made: Swapped) -> None:
    rate, shape = f"{float(made.rate):.6g}", f"{made.width}×{made.height}"
    typer.echo(f"{made.path}  {made.frames} frames at {rate} a second, {shape} px")
    typer.echo(f"face replaced in {made.swapped_frames} of them")
    typer.echo(f"marked with: {', '.join(made.sealed.layers)}")
    for warning in made.warnings:
        typer.echo(f"note: {warning}")
