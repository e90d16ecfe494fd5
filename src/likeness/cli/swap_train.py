"""`likeness swap train` and `likeness swap refine`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

STOPPED = 130  # what shells report for a program that Ctrl-C ended
LENGTH, KEPT, LEARNING, RUNNING = "How long", "What is kept", "Learning", "Running"

Device = Annotated[
    Literal["auto", "cpu", "cuda", "mps"],
    typer.Option(help="Where the networks run.", rich_help_panel=RUNNING),
]
Threads = Annotated[
    int | None,
    typer.Option(min=1, help="Processor threads. [default: as torch likes]", rich_help_panel=RUNNING),
]


def train(
    faces_a: Annotated[
        Path, typer.Argument(metavar="A", help="The face set of the person whose performance is seen.")
    ],
    faces_b: Annotated[
        Path, typer.Argument(metavar="B", help="The face set of the person whose face is shown.")
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out", "-o", metavar="RUN", help="Where it goes. If a training stopped there, it goes on."
        ),
    ],
    consent: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="RECORD",
            help="B's consent record, for the act “swap” (`likeness consent`); checked first of all. Give "
            "A's, too, to swap the other way round as well.",
        ),
    ] = None,
    model: Annotated[
        Literal["warp64", "warp128", "warp256", "slim64", "slim128", "df128", "df256"],
        typer.Option(
            help="What is trained: a network that mends B's pictures when they are bent (warp…), or the "
            "classic encoder with two decoders. df128 and df256 are for graphics cards."
        ),
    ] = "warp128",
    steps: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Stop after so many in all. [default: by the model, 800 to 200000]",
            rich_help_panel=LENGTH,
        ),
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option(min=0, help="Stop after so long in all, instead.", rich_help_panel=LENGTH),
    ] = None,
    save_every: Annotated[
        int,
        typer.Option(
            min=0,
            metavar="STEPS",
            help="Save so often, or once a minute; 0: at the end.",
            rich_help_panel=KEPT,
        ),
    ] = 250,
    snapshot_every: Annotated[
        int,
        typer.Option(
            min=0, metavar="STEPS", help="Keep a copy of the model so often; 0: never.", rich_help_panel=KEPT
        ),
    ] = 0,
    preview_every: Annotated[
        int,
        typer.Option(
            min=0,
            metavar="STEPS",
            help="Draw a sheet to look at so often, or once a minute, and a film of all of them at the end; "
            "0: never.",
            rich_help_panel=KEPT,
        ),
    ] = 250,
    report_every: Annotated[
        int, typer.Option(min=0, metavar="STEPS", help="Write the losses so often.", rich_help_panel=KEPT)
    ] = 10,
    encoder: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Begin with the encoder of another of your models; nothing else of it is used.",
            rich_help_panel=LEARNING,
        ),
    ] = None,
    vgg: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="VGG19's weights (.safetensors or .pth) for a perceptual loss. [default: a loss without]",
            rich_help_panel=LEARNING,
        ),
    ] = None,
    batch_size: Annotated[
        int | None,
        typer.Option(min=1, max=1024, help="Faces of each person in a step.", rich_help_panel=LEARNING),
    ] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Of Adam.", rich_help_panel=LEARNING)] = None,
    flip: Annotated[
        bool, typer.Option("--flip/--no-flip", help="Mirror half of the faces.", rich_help_panel=LEARNING)
    ] = True,
    seed: Annotated[
        int, typer.Option(min=0, help="What all random numbers come from.", rich_help_panel=LEARNING)
    ] = 0,
    device: Device = "auto",
    threads: Threads = None,
) -> None:
    """Learn to show B's face where A's is.

    Both must be different people, with 50 faces each at least; some hundreds are better. The model carries
    B's consent record, and does not load without it. Ctrl-C stops after the step that is being taken; the
    same command goes on exactly there.

    **Examples**

    `likeness swap train faces/A faces/B -o runs/ab --consent B.consent.json --minutes 5`

    `torchrun --nproc-per-node 2 -m likeness swap train faces/A faces/B -o runs/ab --model df128 --consent …`
    """
    from likeness.cli.progress import progress_bar
    from likeness.engines.swap.model import need_torch

    need_torch()
    from likeness.training.device import set_threads
    from likeness.training.swap import Rhythm, SwapSettings, train_swap

    set_threads(threads)
    settings = SwapSettings.of(
        model, batch_size=batch_size, learning_rate=learning_rate, seed=seed, flip=None if flip else 0.0
    )
    try:
        with progress_bar() as report:
            done = train_swap(
                faces_a,
                faces_b,
                out,
                model=model,
                consent=consent,
                steps=steps,
                minutes=minutes,
                settings=settings,
                rhythm=Rhythm(save_every, report_every, preview_every, snapshot_every),
                encoder=encoder,
                vgg=vgg,
                device=device,
                on_progress=report,
            )
    except KeyboardInterrupt:
        # Elsewhere a stop leaves nothing behind, and that is what would be said.
        typer.echo(f"stopped; the same command goes on from what was last saved in {out}", err=True)
        raise SystemExit(STOPPED) from None
    for note in done.notes:
        typer.echo(f"note: {note}")
    if done.resumed_at:
        typer.echo(f"went on from step {done.resumed_at}")
    typer.echo(f"{done.model}  {done.steps} steps in {done.seconds / 60:.1f} minutes")


def refine(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a training that has converged.")],
    gan: Annotated[
        bool,
        typer.Option(
            "--gan", help="Against a discriminator; there is no other way yet, so it may be left out."
        ),
    ] = True,
    rounds: Annotated[int, typer.Option(min=1, help="At most so many.", rich_help_panel=LENGTH)] = 4,
    steps: Annotated[int, typer.Option(min=1, help="Of each round.", rich_help_panel=LENGTH)] = 500,
    faces_a: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="A's face set, if it is no longer where it was.")
    ] = None,
    faces_b: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="B's face set, if it is no longer where it was.")
    ] = None,
    vgg: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="VGG19's weights (.safetensors or .pth) for a perceptual loss.",
            rich_help_panel=LEARNING,
        ),
    ] = None,
    device: Device = "auto",
    threads: Threads = None,
) -> None:
    """Sharpen a trained face swap, in rounds that are each measured on held-out faces.

    A discriminator learns to tell filmed faces from made ones, and the model learns to pass. A round that
    made things worse is taken back; it ends when a round no longer helps, or when most of the sharpness
    that was lacking is there. RUN/refinement.json holds the figures. This is for picture quality only: what
    the model makes is marked as synthetic as before.

    **Example**

    `likeness swap refine runs/ab --gan`
    """
    from likeness.cli.progress import progress_bar
    from likeness.engines.swap.model import need_torch

    del gan
    need_torch()
    from likeness.training.device import set_threads
    from likeness.training.swap import refine_swap

    set_threads(threads)
    try:
        with progress_bar() as report:
            done = refine_swap(
                run,
                rounds=rounds,
                steps=steps,
                faces_a=faces_a,
                faces_b=faces_b,
                vgg=vgg,
                device=device,
                on_progress=report,
            )
    except KeyboardInterrupt:
        typer.echo(f"stopped; the rounds that were kept are in {run}", err=True)
        raise SystemExit(STOPPED) from None
    for note in done.notes:
        typer.echo(f"note: {note}")
    for one in done.rounds:
        typer.echo(f"round {one.number}: {one.outcome}, {one.why}")
    for side, now in done.after.items():
        then = done.before[side]
        typer.echo(
            f"{side}: sharpness {then.sharpness:.2f} → {now.sharpness:.2f} (1 = real), "
            f"SSIM {then.ssim:.3f} → {now.ssim:.3f}"
        )
    typer.echo(f"{done.model}  {done.kept} of {len(done.rounds)} rounds kept")
