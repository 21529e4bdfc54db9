"""Which file systems tell this machine of changes that others make."""

from __future__ import annotations

import os
import re
from pathlib import Path

_TABLE = Path("/proc/self/mountinfo")
# Types that do not start with "fuse". The kernel's events only cover changes made on this machine.
_REMOTE = (
    *("9p", "afs", "ceph", "cifs", "drvfs", "glusterfs", "gpfs", "lustre", "nfs", "nfs4", "ocfs2", "orangefs"),
    *("prl_fs", "smb3", "smbfs", "vboxsf", "virtiofs", "vmhgfs"),
)


def needs_polling(path: Path, table: Path = _TABLE) -> bool:
    """Whether `path` lies on a network file system, or another whose changes are not announced."""
    try:
        lines = os.fsdecode(table.read_bytes()).splitlines()
    except OSError:
        return False
    real = Path(os.path.realpath(path))
    kind, longest = "", -1
    for line in lines:
        fields, _, rest = line.partition(" - ")
        point = Path(_unescape(fields.split()[4]))
        if len(point.parts) >= longest and real.is_relative_to(point):
            kind, longest = rest.split()[0], len(point.parts)
    return kind in _REMOTE or kind.startswith("fuse")


def _unescape(field: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), field)
