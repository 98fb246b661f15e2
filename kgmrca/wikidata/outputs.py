"""Where `link`, `check` and `enrich` write: never over what they read."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from kgmrca.files import Output, check_outputs
from kgmrca.triples.formats import is_rdf

if TYPE_CHECKING:
    from kgmrca.wikidata.lookups import Lookups

__all__ = ["check_writable"]


def check_writable(
    outputs: Iterable[Output | None], graphs: Iterable[str | Path], lookups: "Lookups", *, input_format: str | None
) -> None:
    """Refuse outputs that cannot be written, or that are graphs, the local endpoint or the cache under any name.

    Args:
        outputs: see `files.check_outputs`.
        graphs: files, folders, glob patterns, or "-".
        lookups: what is looked up, of which the files are not to be overwritten either.
        input_format: the format of all graphs, if it is given; then a folder gives all its files.

    Raises:
        InputError: an output is read as well, two outputs are one file, or an output has no folder.
        OutputError: an output may not be written.
    """
    places = list(outputs)
    check_outputs(places, graphs, takes=None if input_format else is_rdf)
    check_outputs(places, lookups.inputs, what="the endpoint or the cache", takes=is_rdf)
