"""The folders: whether one can write there, how much room there is, and what the disk of the queue is like."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from cbtui.host.doctor.check import GB, Check, Status, Subject
from cbtui.host.doctor.models import DOWNLOAD_BYTES, download_is_due

_ENOUGH_FOR_OUTPUT_BYTES = 0.1 * GB
_COMFORTABLE_FOR_DOWNLOAD_BYTES = 5 * GB

# How the names of file systems begin on which locks or fsync do not hold what SQLite needs; FUSE's prefix is cut off.
_NETWORK_TYPES = (
    *("9p", "afp", "afs", "beegfs", "ceph", "cifs", "davfs", "gluster", "gpfs", "lustre", "ncpfs", "nfs", "rclone"),
    *("s3fs", "smb", "sshfs", "vboxsf", "webdav"),
)

_PROBE_PREFIX = ".cbtui-doctor-"


def check_folders(subject: Subject) -> Iterator[Check]:
    """A file is really made and removed in each, or where the folder would be made."""
    options = {"jobs": "--jobs-dir", "output": "--output-dir", "state": "--state-dir", "cache": "--state-dir"}
    for name, option in options.items():
        folder: Path = getattr(subject.places, name)
        # Jobs that cannot be added to can still be rendered.
        harmless = name == "jobs" and folder.is_dir()
        yield _check_folder(name, folder, option, "warning" if harmless else "problem")


def check_disks(subject: Subject) -> Iterator[Check]:
    """One check for each file system, named by its mount point."""
    due = download_is_due(subject)
    for mount, folders in _by_file_system(_written_to(subject, download=due)).items():
        free = shutil.disk_usage(next(iter(folders.values()))).free
        yield _check_room(mount, free, list(folders), DOWNLOAD_BYTES[subject.model])


def check_state(subject: Subject) -> Iterator[Check]:
    """The queue is an SQLite database, which a network file system can corrupt."""
    kind = file_system_type(nearest_existing(subject.places.state.resolve()))
    if kind.removeprefix("fuse.").startswith(_NETWORK_TYPES):
        detail = f"{subject.places.state} is on a network file system ({kind}), where the queue can be damaged"
        yield Check("state disk", "warning", detail, "Give a folder on a local disk: --state-dir DIR")
    elif kind:
        yield Check("state disk", "ok", f"local file system, {kind}")
    else:
        yield Check("state disk", "info", "the type of file system is not known")


def nearest_existing(path: Path) -> Path:
    """`path`, or the nearest of its parents that is there; it need not be a folder."""
    return next(each for each in (path, *path.parents) if os.path.lexists(each))


def file_system_type(path: Path) -> str:
    """Such as `ext4` or `nfs4`, or '' when it is not known."""
    return _mount_of(path)[1]


def _check_folder(name: str, folder: Path, option: str, if_not: Status) -> Check:
    there = nearest_existing(folder)
    fix = f"Make it writable for you, or give another folder: {option} DIR"
    if not there.is_dir():
        what = f"{there} is not a folder"
        return Check(f"folder {name}", if_not, what, f"Move it away, or give another folder: {option} DIR")
    try:
        with tempfile.NamedTemporaryFile(prefix=_PROBE_PREFIX, dir=there) as probe:
            probe.write(b"cbtui")
            probe.flush()
    except OSError as error:
        return Check(f"folder {name}", if_not, f"{there} cannot be written to: {error.strerror or error}", fix)
    made = "" if there == folder else ", will be made"
    return Check(f"folder {name}", "ok", f"{folder}{made}")


def _written_to(subject: Subject, *, download: bool) -> dict[str, Path]:
    """Folders by what is written there. Caches of cbtui itself are small; downloads go to the hub client's cache."""
    places = subject.places
    folders = {"output": places.output, "state": places.state, "cache": places.cache}
    if download:
        from cbtui.engine.chatterbox.checkpoint import hub_cache_folder

        folders["download"] = hub_cache_folder().absolute()
    return folders


def _by_file_system(folders: dict[str, Path]) -> dict[str, dict[str, Path]]:
    """What exists of the folders, by mount point, or by itself where mount points are not known."""
    systems: defaultdict[str, dict[str, Path]] = defaultdict(dict)
    for name, folder in folders.items():
        there = nearest_existing(folder.resolve())
        systems[_mount_of(there)[0] or str(there)][name] = there
    return systems


def _check_room(mount: str, free: int, names: list[str], download_bytes: float) -> Check:
    name, detail = f"disk {mount}", f"{free / GB:.1f} GB free for {', '.join(names)}"
    if "download" in names and free < download_bytes:
        detail += f", and the model needs {download_bytes / GB:.1f} GB"
        return Check(name, "problem", detail, "Free space there, or set HF_HOME to a folder on a larger disk")
    if free < _ENOUGH_FOR_OUTPUT_BYTES:
        detail = f"{free / 1e6:.0f} MB free for {', '.join(names)}"
        fix = "Free space there, or give another folder: --output-dir DIR, --state-dir DIR"
        return Check(name, "problem" if "output" in names else "warning", detail, fix)
    if "download" in names and free < _COMFORTABLE_FOR_DOWNLOAD_BYTES:
        detail += f", and the model takes {download_bytes / GB:.1f} GB of it"
        return Check(name, "warning", detail, "Free space there, or set HF_HOME to a folder on a larger disk")
    return Check(name, "ok", detail)


def _mount_of(path: Path) -> tuple[str, str]:
    """Mount point and type of the file system that `path` lies on; both '' when they are not known."""
    try:
        import psutil
    except ImportError:
        return "", ""
    inside = path.resolve()
    mounts = [
        (each.mountpoint, each.fstype)
        for each in psutil.disk_partitions(all=True)
        if inside.is_relative_to(each.mountpoint)
    ]
    # Of two on the same point, the later one covers the earlier.
    return max(reversed(mounts), key=lambda mount: len(Path(mount[0]).parts), default=("", ""))
