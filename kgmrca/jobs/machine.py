"""What this machine has for a job: processors and memory that the system lets it use (no spaCy)."""

import os
import sys
import threading
from contextlib import suppress
from pathlib import Path

__all__ = ["available_cpus", "available_memory", "can_fork", "default_workers"]

_A_WORKER = 1_000_000_000  # bytes that a process with the shipped pipeline takes, with a good reserve
_CGROUP = Path("/sys/fs/cgroup")


def default_workers() -> int:
    """As many processes as there are processors to use and memory for; one where a GPU does the work."""
    if _uses_gpu():
        return 1
    memory = available_memory()
    return max(1, min(available_cpus(), memory // _A_WORKER if memory is not None else 1_000_000))


def available_cpus(cgroup: Path = _CGROUP) -> int:
    """The processors that this process may use, by its affinity and by the limit of its container."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with suppress(OSError, ValueError):  # no such limit
        quota, period = (cgroup / "cpu.max").read_text("ascii").split()
        count = min(count, max(1, round(int(quota) / int(period))))
    return count


def available_memory(cgroup: Path = _CGROUP, meminfo: Path = Path("/proc/meminfo")) -> int | None:
    """The bytes of memory that are free or can be freed, by the system and its container; None if it does not say."""
    found = []
    with suppress(OSError):
        rows = (line.split() for line in meminfo.read_text("ascii").splitlines())
        found += [1024 * int(row[1]) for row in rows if row[0] == "MemAvailable:"]
    with suppress(OSError, ValueError):
        limit, used = (int((cgroup / name).read_text("ascii")) for name in ("memory.max", "memory.current"))
        found.append(max(0, limit - used))
    return min(found, default=None)


def can_fork() -> bool:
    """Whether processes can be forked here, which share what is loaded, and start at once.

    A lock that another thread holds at that moment would never be released in them, and a GPU cannot be used by them.
    Torch's own threads are not there any more, so that a forked process may use one thread only.
    """
    others = [thread for thread in threading.enumerate() if type(thread).__module__.partition(".")[0] != "tqdm"]
    return sys.platform == "linux" and len(others) == 1 and not _uses_gpu()


def _uses_gpu() -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and torch.cuda.is_initialized()
