"""First names and family names with the share of women among those who have them, for training.

They are those of the packages faker (MIT; first names of many countries) and names (MIT; those of the United States'
census of 1990, which is in the public domain). This module is the one that reads these packages. Only training, and the
scripts that write the lists which ship, need them.
"""

import importlib
import pkgutil
from collections import defaultdict
from collections.abc import Iterator
from importlib.resources import files
from types import ModuleType

__all__ = ["counted_names", "is_latin", "lists_of_names", "read_names"]

_PACKAGES = "faker==40.63.0 names==0.3.0"

_FAMILY_NAMES = 8_000  # the most frequent ones
_LATIN = 0x250  # the first character beyond Latin letters
_WEIGHT = 20  # of a percent of the people counted, in listings


def read_names() -> list[tuple[str, float]]:
    """Names and shares; a family name that is no first name has 0.5.

    Raises:
        ModuleNotFoundError: faker or names is not installed.
    """
    counts: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])  # men, women
    for lists in lists_of_names("person"):
        for which, attribute in enumerate(("first_names_male", "first_names_female")):
            for name in getattr(lists, attribute, None) or ():
                if name and name[0].isalpha() and is_latin(name):
                    counts[name][which] += 1
    for which, gender in enumerate(("male", "female")):
        for name, percent in counted_names(f"{gender}.first"):
            counts[name][which] += 1 + _WEIGHT * percent
    family = [name for name, _ in counted_names("all.last")]
    first = [(name, women / (men + women)) for name, (men, women) in counts.items()]
    return first + [(name, 0.5) for name in family[:_FAMILY_NAMES] if name not in counts]


def lists_of_names(kind: str) -> Iterator[type]:
    """The classes of faker with its lists of names, one for each language.

    Args:
        kind: "person" or "address".

    Raises:
        ModuleNotFoundError: faker is not installed.
    """
    package = _installed(f"faker.providers.{kind}")
    for module in pkgutil.iter_modules(package.__path__):
        yield importlib.import_module(f"{package.__name__}.{module.name}").Provider


def counted_names(part: str) -> list[tuple[str, float]]:
    """The names of the census, the most frequent first, and how many percent of the people have each.

    Args:
        part: "female.first", "male.first" or "all.last".

    Raises:
        ModuleNotFoundError: names is not installed.
    """
    lines = (files(_installed("names")) / f"dist.{part}").read_text(encoding="utf-8").splitlines()
    return [(name.title(), float(percent)) for name, percent, *_ in map(str.split, lines)]


def is_latin(name: str) -> bool:
    """Whether a name has no characters beyond Latin letters."""
    return all(ord(letter) < _LATIN for letter in name)


def _installed(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"This needs lists of names ({error}). To install them: pip install {_PACKAGES}"
        ) from error
