"""Text -> entities and the relations between them, as spaCy components.

Raises:
    DependencyError: torch cannot be imported. It is said here, once for all modules of this package.
"""

from kgmrca.errors import DependencyError

try:
    import torch as _torch  # noqa: F401
except (ImportError, OSError) as error:
    raise DependencyError(
        f"torch cannot be imported ({error}). For the CPU, install it with `pip install torch --index-url "
        "https://download.pytorch.org/whl/cpu`, for an NVIDIA GPU with `pip install torch`, which downloads several "
        "gigabytes."
    ) from error
