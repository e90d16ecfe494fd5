"""`likeness`: the verbs, and what happens when one of them fails."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from typing import Annotated

import typer

from likeness.cli import (
    animate,
    consent,
    consent_keep,
    consent_voice,
    demo,
    doctor,
    evaluate,
    faces,
    identity,
    identity_check,
    models,
    motion,
    swap,
    swap_convert,
    swap_train,
    train,
    trust,
    verify,
    voice,
    voice_convert,
    voice_evaluate,
)
from likeness.cli.metavars import name_values
from likeness.errors import LikenessError, UsageError

STOPPED = 130  # what shells report for a program that Ctrl-C ended
app = typer.Typer(
    name="likeness",
    help="Animate a portrait on your own machine, openly marked as synthetic.",
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    no_args_is_help=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

MAKE, LOOK, ASK, SET_UP = "Make", "Look", "Ask", "Set up"
app.command("animate", rich_help_panel=MAKE)(animate.animate)
app.command("demo", rich_help_panel=MAKE)(demo.demo)
app.add_typer(motion.app, name="motion", rich_help_panel=MAKE)
swap.app.command("train")(swap_train.train)
swap.app.command("refine")(swap_train.refine)
swap.app.command("convert")(swap_convert.convert)
swap.app.command("quick")(swap_convert.quick)
app.add_typer(swap.app, name="swap", rich_help_panel=MAKE)
voice.app.command("convert")(voice_convert.convert)
voice.app.command("evaluate")(voice_evaluate.evaluate)
app.add_typer(voice.app, name="voice", rich_help_panel=MAKE)
app.add_typer(train.app, name="train", rich_help_panel=MAKE)
app.command("faces", rich_help_panel=LOOK)(faces.faces)
app.command("verify", rich_help_panel=LOOK)(verify.verify)
app.command("evaluate", rich_help_panel=LOOK)(evaluate.evaluate)
app.command("identity-check", rich_help_panel=LOOK)(identity_check.identity_check)
consent.app.command("record-voice")(consent_voice.record_voice)
consent.app.command("revoke")(consent_keep.revoke)
consent.app.command("honour")(consent_keep.honour)
consent.app.command("corpus")(consent_keep.corpus)
consent.app.command("key")(consent_keep.key_)
app.add_typer(consent.app, name="consent", rich_help_panel=ASK)
app.command("doctor", rich_help_panel=SET_UP)(doctor.doctor)
app.add_typer(models.app, name="models", rich_help_panel=SET_UP)
app.add_typer(identity.app, name="identity", rich_help_panel=SET_UP)
app.add_typer(trust.app, name="trust", rich_help_panel=SET_UP)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"likeness {version('likeness')}")
        raise typer.Exit


@app.callback(invoke_without_command=False)
def options(
    version: Annotated[
        bool,
        typer.Option("--version", help="Say the version and stop.", callback=_show_version, is_eager=True),
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the whole traceback when something fails (works anywhere).")
    ] = False,
) -> None:
    """Animate a portrait on your own machine, openly marked as synthetic."""


def main() -> None:
    """The entry point of the command `likeness`."""
    for stream in (sys.stdout, sys.stderr):
        # An old Windows console lacks some of our characters; a question mark is better than a crash.
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    sys.exit(run(sys.argv[1:]))


def run(args: Sequence[str]) -> int:
    """Run one command line; returns the exit code.

    An error of ours becomes two lines on standard error (what happened, what to do).
    """
    debug = "--debug" in args
    words = [word for word in args if word != "--debug"] or ["--help"]
    try:
        command = typer.main.get_command(app)
        name_values(command)
        code = command(args=words, prog_name="likeness", standalone_mode=False)
        sys.stdout.flush()
    except LikenessError as error:
        return _fail(error.what, error.hint, error.exit_code, debug)
    except typer.TyperException as error:
        context = getattr(error, "ctx", None)
        command_path = "likeness" if context is None else context.command_path
        hint = f"`{command_path} --help` shows what there is."
        return _fail(error.format_message(), hint, UsageError.exit_code, debug)
    except (typer.Abort, KeyboardInterrupt):
        return _fail("stopped; nothing was written", "", STOPPED, debug)
    except Exception as error:  # noqa: BLE001 - the last line of defence: nobody meets a traceback unasked
        what = f"Something unexpected happened: {type(error).__name__}: {error}"
        return _fail(what, "Run it again with --debug to see where, and please report it.", 1, debug)
    if code == STOPPED:
        return _fail("stopped; nothing was written", "", STOPPED, debug=False)
    return code if isinstance(code, int) else 0


def _fail(what: str, hint: str, code: int, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    from rich.console import Console
    from rich.text import Text

    console = Console(stderr=True, soft_wrap=True, highlight=False)
    console.print(Text.assemble(("likeness: ", "bold red"), _sentence(what)))
    if hint:
        console.print(Text.assemble(("    next: ", "bold"), _sentence(hint)))
    return code


def _sentence(text: str) -> str:
    """On one line, however the text was broken, and with an end."""
    line = " ".join(text.split())
    return line if line.endswith((".", "?", "`", ")")) else f"{line}."
