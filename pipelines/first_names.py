"""First names and family names with the share of women among those who have them, for training.

They are those of the packages faker (MIT; first names of many countries) and names (MIT; those of the United States'
census of 1990, which is in the public domain). Only training needs them.
"""

import importlib
import pkgutil
from collections import defaultdict
from importlib.resources import files

__all__ = ["read_names"]

PACKAGES = "faker==40.63.0 names==0.3.0"

_FAMILY_NAMES = 8_000  # the most frequent ones
_LATIN = 0x250  # the first character beyond Latin letters
_WEIGHT = 20  # of a percent of the people counted, in listings


def read_names() -> list[tuple[str, float]]:
    """Names and shares; a family name that is no first name has 0.5.

    Raises:
        ModuleNotFoundError: faker or names is not installed.
    """
    counts: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])  # men, women
    try:
        persons, census = importlib.import_module("faker.providers.person"), files("names")
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"Training needs lists of first names ({error}). To install them: pip install {PACKAGES}"
        ) from error
    for module in pkgutil.iter_modules(persons.__path__):
        provider = importlib.import_module(f"{persons.__name__}.{module.name}").Provider
        for which, attribute in enumerate(("first_names_male", "first_names_female")):
            for name in getattr(provider, attribute, None) or ():
                if name and name[0].isalpha() and all(ord(character) < _LATIN for character in name):
                    counts[name][which] += 1
    for which, name_of_list in enumerate(("male", "female")):
        for line in (census / f"dist.{name_of_list}.first").read_text(encoding="utf-8").splitlines():
            name, percent, *_ = line.split()
            counts[name.title()][which] += 1 + _WEIGHT * float(percent)
    family = [line.split()[0].title() for line in (census / "dist.all.last").read_text(encoding="utf-8").splitlines()]
    first = [(name, women / (men + women)) for name, (men, women) in counts.items()]
    return first + [(name, 0.5) for name in family[:_FAMILY_NAMES] if name not in counts]
