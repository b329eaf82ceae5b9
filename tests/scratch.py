"""Where tests keep databases: in memory where there is room.

Nobody pulls the plug here, so a disk proves nothing, and other tests' flushes on it would stall these for seconds.
"""

import shutil
import tempfile
from pathlib import Path

MEMORY = Path("/dev/shm")
ROOM = 2 * 1024**3


def folder() -> Path:
    """An existing folder to make temporary ones in."""
    if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= ROOM:
        return MEMORY
    return Path(tempfile.gettempdir())
