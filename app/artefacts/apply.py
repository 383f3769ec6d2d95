"""Carrying out a plan: every file is written beside its place first, then all take their places."""

import errno
import fcntl
import os
import re
import secrets
import stat
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from app.artefacts import folder, manifest
from app.artefacts.errors import ArtefactError
from app.artefacts.manifest import MANIFEST_NAME
from app.artefacts.plan import Plan, refuse

_DISK_QUEUE = 16
_ASIDE = re.compile(r"\.headroom-[0-9a-f]{16}")
_NO_LOCKS_HERE = frozenset({errno.EBADF, errno.EINVAL, errno.ENOLCK, errno.EOPNOTSUPP})
_NO_LINKS_HERE = frozenset({errno.EPERM, errno.EMLINK, errno.ENOSYS, errno.EOPNOTSUPP})


def apply(plan: Plan) -> None:
    """Carry out a plan, whole or not at all.

    Every file is complete on disk before the first one takes its place, and the manifest comes
    last; on an error the old files are back. Raises `ArtefactError` for conflicts, for a folder
    that changed since it was looked at or that another run writes to, and for whatever the file
    system refuses.
    """
    refuse(plan)
    if plan.is_current:
        return
    with ExitStack() as unmake:
        _make_root(plan.out, unmake)
        with _locked(plan.out), ExitStack() as undo:
            if manifest.load(plan.out) != plan.manifest_before:
                raise ArtefactError(
                    f"{plan.out}: another run of Headroom wrote here meanwhile", hint="run it again"
                )
            work = _Work(plan.out, undo)
            work.carry_out(plan)
            undo.pop_all()
            work.tidy(plan.remove)
        unmake.pop_all()


class _Work:
    """The steps of one run; each leaves on `undo` how to take it back."""

    def __init__(self, root: Path, undo: ExitStack) -> None:
        self._root = root
        self._undo = undo
        self._aside: list[str] = []
        self._swept: set[str] = set()

    def carry_out(self, plan: Plan) -> None:
        contents = {**plan.contents, MANIFEST_NAME: plan.manifest}
        staged = {}
        for path, content in contents.items():
            with self._naming(path):
                staged[path] = self._stage(path, content)
        self._settle(staged)
        for path in (*plan.contents, *plan.remove, MANIFEST_NAME):
            with self._naming(path):
                self._set(path, staged.get(path))

    def tidy(self, removed: tuple[str, ...]) -> None:
        """Remove what was set aside, and the folders that this left empty."""
        for path in self._aside:
            self._forget(path)
        for path in removed:
            _remove_empty(self._root, _folders(path))

    def _stage(self, path: str, content: bytes) -> str:
        """Write the content beside its place and return where."""
        self._undo.callback(_remove_empty, self._root, _missing_folders(self._root, path))
        with self._folder(path, create=True) as (parent, name):
            aside = _new_name()
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            descriptor = os.open(aside, flags, 0o666, dir_fd=parent)
            self._undo.callback(self._forget, _beside(path, aside))
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                _keep_mode(parent, name, descriptor)
        return aside

    def _settle(self, staged: Mapping[str, str]) -> None:
        """Wait until the disk holds what was staged."""

        def settle(path: str) -> None:
            with self._naming(path), self._folder(path) as (parent, _):
                flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
                descriptor = os.open(staged[path], flags, dir_fd=parent)
                try:
                    os.fsync(descriptor)
                finally:
                    os.close(descriptor)

        # A disk puts away many files in the time of one: waiting for each in turn takes ten times
        # as long.
        with ThreadPoolExecutor(_DISK_QUEUE) as threads:
            for _ in threads.map(settle, staged):
                pass

    def _set(self, path: str, staged: str | None) -> None:
        """Put a staged file into its place, or take the file away; keep the old one aside."""
        with self._folder(path) as (parent, name):
            old = _new_name()
            self._aside.append(_beside(path, old))
            self._undo.callback(self._forget, _beside(path, old))
            _expect_file(parent, name)
            if staged is None:
                os.rename(name, old, src_dir_fd=parent, dst_dir_fd=parent)
            else:
                _keep(parent, name, old)
                os.rename(staged, name, src_dir_fd=parent, dst_dir_fd=parent)
            self._undo.callback(self._put_back, path, old)

    def _put_back(self, path: str, old: str) -> None:
        with suppress(OSError), self._folder(path) as (parent, name):
            try:
                os.rename(old, name, src_dir_fd=parent, dst_dir_fd=parent)
            except FileNotFoundError:  # there was no old file
                os.unlink(name, dir_fd=parent)

    def _forget(self, path: str) -> None:
        with suppress(OSError), self._folder(path) as (parent, name):
            os.unlink(name, dir_fd=parent)

    @contextmanager
    def _folder(self, path: str, *, create: bool = False) -> Iterator[tuple[int, str]]:
        above, _, name = path.rpartition("/")
        with folder.opened(self._root, above, create=create) as parent:
            if above not in self._swept:
                self._swept.add(above)
                _sweep(parent)
            yield parent, name

    @contextmanager
    def _naming(self, path: str) -> Iterator[None]:
        try:
            yield
        except OSError as cause:
            raise ArtefactError(
                f"{self._root / path}: {cause.strerror}", hint="nothing was changed"
            ) from cause


def _make_root(out: Path, unmake: ExitStack) -> None:
    try:
        for folder_ in reversed([path for path in (out, *out.parents) if not path.exists()]):
            folder_.mkdir(exist_ok=True)
            unmake.callback(_remove_folder, folder_)
    except OSError as cause:
        raise ArtefactError(f"{cause.filename or out}: {cause.strerror}") from cause


@contextmanager
def _locked(out: Path) -> Iterator[None]:
    """Hold the output folder's lock, which ends with the process and leaves no file behind."""
    try:
        descriptor = os.open(out, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as cause:
        raise ArtefactError(f"{out}: {cause.strerror}") from cause
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as cause:
            raise ArtefactError(
                f"{out}: another run of Headroom is writing here", hint="run it again later"
            ) from cause
        except OSError as cause:
            # Some network file systems lock no folders; two runs at once are rare enough.
            if cause.errno not in _NO_LOCKS_HERE:
                raise ArtefactError(f"{out}: {cause.strerror}") from cause
        yield
    finally:
        os.close(descriptor)


def _new_name() -> str:
    return f".headroom-{secrets.token_hex(8)}"


def _beside(path: str, name: str) -> str:
    above, slash, _ = path.rpartition("/")
    return f"{above}{slash}{name}"


def _keep_mode(parent: int, name: str, descriptor: int) -> None:
    with suppress(FileNotFoundError):
        old = os.stat(name, dir_fd=parent, follow_symlinks=False)
        if stat.S_ISREG(old.st_mode):
            os.fchmod(descriptor, stat.S_IMODE(old.st_mode))


def _expect_file(parent: int, name: str) -> None:
    """Raise `OSError` if something that is no file took the place since the plan was made."""
    with suppress(FileNotFoundError):
        mode = os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode
        if not stat.S_ISREG(mode):
            raise OSError(errno.EEXIST, "something that is no file took its place")


def _keep(parent: int, name: str, old: str) -> None:
    """Give the content of a file, if there is one, a second name: its place is never empty."""
    with suppress(FileNotFoundError):
        try:
            os.link(name, old, src_dir_fd=parent, dst_dir_fd=parent, follow_symlinks=False)
        except OSError as cause:
            if cause.errno not in _NO_LINKS_HERE:
                raise
            os.rename(name, old, src_dir_fd=parent, dst_dir_fd=parent)


def _sweep(parent: int) -> None:
    """Remove what a run that was killed left aside; under the lock nobody else can own it."""
    for name in os.listdir(parent):
        if _ASIDE.fullmatch(name):
            with suppress(OSError):
                os.unlink(name, dir_fd=parent)


def _folders(path: str) -> list[str]:
    """Return the folders that a path stands in, the innermost first."""
    parts = path.split("/")[:-1]
    return ["/".join(parts[:length]) for length in range(len(parts), 0, -1)]


def _missing_folders(root: Path, path: str) -> list[str]:
    return [name for name in _folders(path) if not (root / name).exists()]


def _remove_empty(root: Path, folders: list[str]) -> None:
    for name in folders:
        above, _, last = name.rpartition("/")
        try:
            with folder.opened(root, above) as parent:
                os.rmdir(last, dir_fd=parent)
        except OSError:
            return


def _remove_folder(path: Path) -> None:
    with suppress(OSError):
        path.rmdir()
