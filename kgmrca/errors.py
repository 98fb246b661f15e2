"""Every error this package raises on purpose. Each says what was wrong, where, and what to do.

KgmrcaError
├── InputError       a file, record or argument that cannot be used as it is
├── ExtensionError   another package owns `doc._.relations`
├── EndpointError    a SPARQL endpoint that gave no answer that can be used
├── ResourceError    a file that ships with the package, or that a pipeline names, is missing or changed
└── ModelError       a pipeline or component that is not ready for what is asked of it
"""

__all__ = ["EndpointError", "ExtensionError", "InputError", "KgmrcaError", "ModelError", "ResourceError"]


class KgmrcaError(Exception):
    """Base of all errors of this package."""


class InputError(KgmrcaError, ValueError):
    """A file, record or argument that cannot be used as it is."""


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
