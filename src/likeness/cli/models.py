"""`likeness models list | pull | import | info`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="The models and demo media: list them, fetch them, read their licences.")


@app.callback(invoke_without_command=True)
def models(context: typer.Context) -> None:
    """The models and demo media: list them, fetch them, read their licences."""
    if context.invoked_subcommand is None:
        list_models()


@app.command("list")
def list_models() -> None:
    """List every file that can be fetched, its licence, and whether it is here; and your own models."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from likeness.models import all_models, find
    from likeness.models.own import own_models

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("name", "size", "licence", "here", "for"):
        table.add_column(heading, no_wrap=heading != "for", justify="right" if heading == "size" else "left")
    for entry in all_models():
        here = "[green]yes[/]" if find(entry.name) else "[dim]no[/]"
        table.add_row(entry.name, f"{entry.size_bytes / 1e6:.1f} MB", entry.licence, here, entry.purpose)
    for model in own_models():
        size, licence = f"{model.path.stat().st_size / 1e6:.1f} MB", escape(model.say("licence") or "damaged")
        table.add_row(model.name, size, licence, "[green]yes[/]", escape(f"yours, from {model.say('from')}"))
    Console().print(table)


@app.command("pull")
def pull(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME", help="Which ones; all of them when left out.")
    ] = None,
) -> None:
    """Fetch files now, so that everything works without a network later.

    Each is checked against its SHA-256 and kept in the cache; what is there already is not fetched again.
    """
    from likeness.cli.progress import progress_bar
    from likeness.models import all_models, fetch_all

    wanted = names or [entry.name for entry in all_models()]
    with progress_bar() as report:
        paths = fetch_all(wanted, on_progress=report)
    for name, path in paths.items():
        typer.echo(f"{name}  {path}")


@app.command("import")
def import_(
    checkpoint: Annotated[
        Path, typer.Argument(metavar="CHECKPOINT", help="Published weights, .pth.tar or .pth.")
    ],
    name: Annotated[str, typer.Option("--name", help="What to call the model.")],
    config: Annotated[
        Path | None,
        typer.Option(
            "--config", metavar="YAML", help="The file that describes them; voice models of RVC have none."
        ),
    ] = None,
    licence: Annotated[
        str, typer.Option("--licence", help="Under which the weights were published; kept with them.")
    ] = "not stated",
    corners: Annotated[
        bool | None,
        typer.Option(
            "--align-corners/--no-align-corners",
            help="How the weights were trained to look things up: as torch 1.0 did (the published ones; the "
            "default), or as torch 1.3 and later do.",
        ),
    ] = None,
    whole_frame: Annotated[
        bool,
        typer.Option("--whole-frame", help="It knows whole pictures (bodies, clothes, drawings), not faces."),
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a model that has this name.")
    ] = False,
) -> None:
    """Convert a checkpoint, once: safetensors hold it from then on, with its hash and its licence.

    With --config it is a First Order Motion Model, which `animate --engine fomm:NAME` uses; without, a voice
    model of RVC, which `voice convert --engine rvc:NAME` uses.
    """
    from likeness.cli.extras import need_torch

    need_torch()
    if config is None:
        _import_voice(checkpoint, name, licence, overwrite, unwanted=corners is not None or whole_frame)
        return
    from likeness.engines.fomm.library import import_model

    path = import_model(
        checkpoint,
        config,
        name,
        licence=licence,
        align_corners=corners,
        whole_frame=whole_frame,
        overwrite=overwrite,
    )
    typer.echo(f"{path}\nuse it with --engine fomm:{name}")


def _import_voice(checkpoint: Path, name: str, licence: str, overwrite: bool, *, unwanted: bool) -> None:
    from likeness.errors import UsageError
    from likeness.rvc import import_model

    if unwanted:
        raise UsageError(
            "Without a configuration this is a voice model, which knows neither corners nor frames.",
            "Add --config YAML, or leave out --align-corners and --whole-frame (import_model in Python).",
        )
    path = import_model(checkpoint, name, licence=licence, overwrite=overwrite)
    typer.echo(f"{path}\nuse it with --engine rvc:{name} (`likeness voice convert`)")


@app.command("info")
def info(name: Annotated[str, typer.Argument(help="A name from `likeness models list`.")]) -> None:
    """Say all there is to know about one file: whose it is, its licence, its hash, where it comes from."""
    from likeness import models as library
    from likeness.models.own import own_model

    if ":" in name:
        model = own_model(name)
        said = {
            "name": f"{model.name} (yours)",
            "licence": model.say("licence") or "the file is damaged",
            "from": model.say("from"),
            "sha256": model.say("sha256"),
            "imported": model.say("imported"),
            "consent": model.say("consent"),
            "here": str(model.path),
        }
        _print_lines({label: value for label, value in said.items() if value})
        return
    entry, path = library.info(name), library.find(name)
    here = str(path) if path else f"no; fetched on first use, or with `likeness models pull {name}`"
    lines = {
        "name": f"{entry.name} ({entry.kind})",
        "for": entry.purpose,
        "licence": entry.licence,
        "whose": entry.attribution,
        "file": f"{entry.file_name}, {entry.size_bytes:,} bytes",
        "sha256": entry.sha256,
        "from": ", else ".join(str(source) for source in entry.sources),
        "here": here,
    }
    _print_lines(lines)


def _print_lines(lines: dict[str, str]) -> None:
    for label, value in lines.items():
        typer.echo(f"{label:8} {value}")
