"""Every error this package raises on purpose. Each says what was wrong, where, and what to do.

KgmrcaError
├── DependencyError a library that is not installed, or cannot be loaded here
├── InputError       a file, record or argument that cannot be used as it is
├── OutputError      an output that cannot be written, by its own name
├── ExtensionError   another package owns `doc._.relations`
├── EndpointError    a SPARQL endpoint that gave no answer that can be used
├── ResourceError    a file that ships with the package, or that a pipeline names, is missing or changed
└── ModelError       a pipeline or component that is not ready for what is asked of it
"""

import os

__all__ = [
    "DependencyError",
    "EndpointError",
    "ExtensionError",
    "InputError",
    "KgmrcaError",
    "ModelError",
    "OutputError",
    "ResourceError",
    "in_words",
    "unreadable",
]


class KgmrcaError(Exception):
    """Base of all errors of this package."""


class DependencyError(KgmrcaError, ImportError):
    """A library that is not installed, or cannot be loaded here."""


class InputError(KgmrcaError, ValueError):
    """A file, record or argument that cannot be used as it is."""


class OutputError(KgmrcaError, OSError):
    """An output that cannot be written: the disk is full, nothing may be written there, nobody reads the pipe."""


class ExtensionError(KgmrcaError, RuntimeError):
    """Another package has registered `doc._.relations` already."""


class EndpointError(KgmrcaError, RuntimeError):
    """A SPARQL endpoint that gave no answer that can be used, after all that was worth trying.

    Attributes:
        reason: the same in a few words that do not change from case to case, such as "timed out" or "refused (403)".
        is_timeout: a smaller question may well be answered.
    """

    def __init__(self, message: str, *, reason: str = "", is_timeout: bool = False) -> None:
        super().__init__(message)
        self.reason = reason
        self.is_timeout = is_timeout


class ResourceError(KgmrcaError, FileNotFoundError):
    """A file that ships with the package, or that a pipeline names, is missing or not the one expected."""


class ModelError(KgmrcaError, RuntimeError):
    """A pipeline or component that is not ready for what is asked of it."""


def in_words(error: OSError) -> str:
    """An error of the system in one sentence that names the file.

    >>> in_words(FileNotFoundError(2, "No such file or directory", "letters.txt"))
    "There is no file or folder 'letters.txt'."
    >>> in_words(PermissionError(13, "Permission denied", "letters.txt"))
    "'letters.txt': Permission denied."
    """
    if isinstance(error, KgmrcaError) or error.filename is None or error.strerror is None:
        return str(error)
    if isinstance(error, FileNotFoundError):
        return f"There is no file or folder '{os.fsdecode(error.filename)}'."
    return f"'{os.fsdecode(error.filename)}': {error.strerror}."


def unreadable(path: object, error: Exception) -> InputError:
    """What to raise where a file cannot be read.

    >>> print(unreadable("letters.txt", FileNotFoundError(2, "No such file or directory")))
    There is no file or folder 'letters.txt'.
    >>> print(unreadable("letters.txt", EOFError("the file ends too early")))
    'letters.txt' cannot be read: the file ends too early.
    """
    if isinstance(error, FileNotFoundError):
        return InputError(f"There is no file or folder '{path}'.")
    return InputError(f"'{path}' cannot be read: {getattr(error, 'strerror', None) or error}.")
