"""Every error this package raises on purpose. Each says what was wrong, where, and what to do.

KgmrcaError
├── InputError       a file, record or argument that cannot be used as it is
├── ExtensionError   another package owns `doc._.relations`
├── ResourceError    a file that ships with the package, or that a pipeline names, is missing or changed
└── ModelError       a pipeline or component that is not ready for what is asked of it
"""

__all__ = ["ExtensionError", "InputError", "KgmrcaError", "ModelError", "ResourceError"]


class KgmrcaError(Exception):
    """Base of all errors of this package."""


class InputError(KgmrcaError, ValueError):
    """A file, record or argument that cannot be used as it is."""


class ExtensionError(KgmrcaError, RuntimeError):
    """Another package has registered `doc._.relations` already."""


class ResourceError(KgmrcaError, FileNotFoundError):
    """A file that ships with the package, or that a pipeline names, is missing or not the one expected."""


class ModelError(KgmrcaError, RuntimeError):
    """A pipeline or component that is not ready for what is asked of it."""
