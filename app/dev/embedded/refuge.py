"""Where a borrowed user can work when root's own directories are closed to it (a clone in /root)."""

import hashlib
import shutil
from pathlib import Path

from app.dev.embedded.identity import ServerUser
from app.dev.embedded.processes import EmbeddedServerError, run_as

REFUGE = Path("/var/lib/emporium")  # root's own, open to be walked through


def reachable(path: Path, user: ServerUser) -> bool:
    """Whether `user` may walk down to `path` and enter or execute it."""
    return run_as(user, ["/bin/test", "-x", str(path)]).returncode == 0


def settle(home: Path, user: ServerUser) -> Path:
    """Make `home` a directory that belongs to `user`, and return where it really is.

    Where a parent directory is closed to `user`, the real directory lies in the refuge and `home` is a
    symbolic link to it: nobody's permissions are widened. A refuge whose link is gone belonged to a deleted
    home and starts empty.

    Raises:
        EmbeddedServerError: `home` holds data already and has become unreachable.
    """
    home.mkdir(parents=True, exist_ok=True)
    real = home.resolve()
    user.own(real)
    if reachable(real, user):
        return real
    if home.is_symlink() or any(home.iterdir()):
        raise EmbeddedServerError(
            f"The database in {real} cannot be opened: you are root, PostgreSQL must run as {user.name}, and "
            f"a directory above it is closed to {user.name}. Open that directory (chmod o+x), or set "
            "SHOP_HOME to a directory that everybody can enter."
        )
    refuge = REFUGE / hashlib.sha256(str(home.absolute()).encode()).hexdigest()[:12]
    shutil.rmtree(refuge, ignore_errors=True)
    refuge.mkdir(parents=True)
    user.own(refuge)
    home.rmdir()
    home.symlink_to(refuge)
    return refuge


def reachable_package(package: Path, version: str, user: ServerUser) -> Path:
    """`package` (a directory of a wheel), or its copy in the refuge when `user` cannot enter the original.

    Its shared libraries lie beside it (`<package>.libs`, as auditwheel puts them) and are found by relative
    path.
    """
    if reachable(package, user):
        return package
    copies = REFUGE / f"{package.name}-{version}"
    if not copies.exists():
        unfinished = copies.with_name(f"{copies.name}.new")
        shutil.rmtree(unfinished, ignore_errors=True)
        for tree in (package, package.with_name(f"{package.name}.libs")):
            if tree.exists():
                shutil.copytree(tree, unfinished / tree.name)
        for path in (unfinished, *unfinished.rglob("*")):
            mode = path.stat().st_mode
            path.chmod(mode | (0o555 if path.is_dir() or mode & 0o100 else 0o444))
        unfinished.rename(copies)
    return copies / package.name
