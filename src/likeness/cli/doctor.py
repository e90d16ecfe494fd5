"""`likeness doctor`."""

from __future__ import annotations

from typing import Annotated

import typer


def doctor(
    json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Look at this installation, and say what to do about each gap.

    Versions, extras, engines, models with their licences, encoders, signing identity, disk. Changes nothing.
    Ends with 1 if something that is needed is broken, else with 0.
    """
    from likeness.doctor import examine, is_sound

    checks = examine()
    sound = is_sound(checks)
    if json:
        import dataclasses
        from json import dumps

        findings = [dataclasses.asdict(check) for check in checks]
        typer.echo(dumps({"sound": sound, "checks": findings}, indent=2))
    else:
        from rich.console import Console
        from rich.text import Text

        styles = {"ok": "green", "gap": "yellow", "broken": "bold red"}
        console = Console(highlight=False, soft_wrap=True)
        topic = ""
        for check in checks:
            if check.topic != topic:
                topic = check.topic
                console.print(Text(topic, "bold"))
            line = ("  ", (f"{check.state:7}", styles[check.state]), f"{check.name:26} ", check.detail)
            console.print(Text.assemble(*line))
            if check.advice:
                console.print(Text(f"          {check.advice}", "dim"))
        verdict = "All that is needed works." if sound else "Something that is needed is broken; see above."
        console.print(Text(verdict, "bold green" if sound else "bold red"))
    raise typer.Exit(0 if sound else 1)
