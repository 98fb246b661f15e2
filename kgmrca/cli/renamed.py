"""Options that are called something else now: the old spelling fails and names the new one."""

from itertools import takewhile
from typing import Any

from typer.core import TyperCommand

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
    """A command that refuses the old spellings of its options."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments; an old spelling is an error of usage, with exit code 2."""
        for argument in takewhile(lambda argument: argument != "--", args):
            old = argument.partition("=")[0]
            if new := RENAMED.get(str(self.name), {}).get(old):
                ctx.fail(f"The option '{old}' is called '{new}' now.")
        return super().parse_args(ctx, args)
