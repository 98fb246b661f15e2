"""What all commands do alike: they refuse old spellings of their options, and say what was kept at Ctrl-C."""

import signal
import sys
from itertools import takewhile
from typing import Any

import typer
from typer.core import TyperCommand

from kgmrca.cli.interrupts import files_of, what_was_kept

__all__ = ["RENAMED", "Command"]

# command: {old spelling: new spelling}
RENAMED = {
    "check": {"--json": "--jsonl"},
    "enrich": {"--labels": "--languages"},
    "evaluate": {"--labels": "--per-label"},
    "graph": {"--csv": "--neo4j", "--format": "--input-format"},
    "link": {"--least": "--min-probability"},
    "validate": {"--format": "--report-format"},
}


class Command(TyperCommand):
    """A command of `kgmrca`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments; an old spelling is an error of usage, with exit code 2."""
        for argument in takewhile(lambda argument: argument != "--", args):
            old = argument.partition("=")[0]
            if new := RENAMED.get(str(self.name), {}).get(old):
                ctx.fail(f"The option '{old}' is called '{new}' now.")
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the command. Ctrl-C ends it with exit code 130, SIGTERM with 143; both say what was kept."""
        before = files_of(ctx.params)
        try:
            return super().invoke(ctx)
        except (KeyboardInterrupt, SystemExit) as interrupt:
            code = interrupt.code if isinstance(interrupt, SystemExit) else 128 + signal.SIGINT
            if code not in (128 + signal.SIGINT, 128 + signal.SIGTERM):
                raise
            print(f"kgmrca: {what_was_kept(ctx.params, before)}", file=sys.stderr)
            raise typer.Exit(int(code)) from None
