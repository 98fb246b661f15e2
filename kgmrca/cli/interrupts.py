"""What a command that was interrupted has kept, in words."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from kgmrca.jobs.manifest import job_folder

__all__ = ["files_of", "what_was_kept"]

_OUTPUTS = ("output", "csv", "jsonl", "dev", "plot", "graphml", "neo4j", "quickstatements")

Files: TypeAlias = dict[str, tuple[int, int] | None]


def files_of(options: Mapping[str, Any]) -> Files:
    """The outputs among a command's options, each with what tells whether it was written since; None: not there."""
    given = (options.get(name) for name in _OUTPUTS)
    return {str(output): _state(str(output)) for output in given if output}


def what_was_kept(options: Mapping[str, Any], before: Files) -> str:
    """Say which outputs of an interrupted command are complete, and what a second run need not do again.

    Args:
        options: the command's options by their names in Python.
        before: its outputs as `files_of` gave them before it ran.
    """
    sentences = ["Interrupted."]
    for output, state in before.items():
        if output == "-":
            sentences.append("What was written to standard output is not complete.")
        elif _state(output) != state:
            sentences.append(f"'{output}' was written before that.")
        elif state:
            sentences.append(f"'{output}' is as it was before.")
        else:
            sentences.append(f"'{output}' was not written.")
    endpoint = str(options.get("endpoint", ""))
    if endpoint and (options.get("cache") or "://" in endpoint or endpoint in ("wikidata", "qlever")):
        without = " without --refresh" if options.get("refresh") else ""
        sentences.append(f"The endpoint's answers are in the cache: a second run{without} asks only for the rest.")
    elif before and not any(output != "-" and job_folder(output).is_dir() for output in before):
        sentences.append("A second run starts from the beginning.")
    return " ".join(sentences)


def _state(output: str) -> tuple[int, int] | None:
    try:
        found = Path(output).stat()
    except (OSError, ValueError):
        return None
    return found.st_ino, found.st_mtime_ns
