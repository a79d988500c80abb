"""How much memory this process has needed, as the operating system counts it: what a hosting plan bills and limits."""

import resource
import sys
from pathlib import Path

_STATUS = Path("/proc/self/status")
_MIB, _KIB = 2**20, 2**10


def peak_mib(status: Path = _STATUS) -> float:
    """
    Most resident memory of this process so far, in MiB.

    Args:
        status: What Linux tells of the process; other systems have no such file.
    """
    if status.exists():  # ru_maxrss remembers the parent's size from before exec, this does not
        return int(status.read_text().partition("VmHWM:")[2].split()[0]) / _KIB
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (_MIB if sys.platform == "darwin" else _KIB)
