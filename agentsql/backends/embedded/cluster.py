"""PostgreSQL's own data directory: made whole or not at all, and of the major version we run."""

import shutil
import subprocess
from pathlib import Path

from django.db.utils import OperationalError

from agentsql.backends.embedded.binaries import INSTALLS, clean_environment
from agentsql.backends.embedded.errors import full_disk
from agentsql.backends.embedded.home import Home
from agentsql.backends.embedded.options import Options
from agentsql.backends.embedded.site import Site

# PostgreSQL has its own UTF-8 locale since this version, the same on every system.
BUILTIN_LOCALE = 17

# The system's locale; not every system has the first.
LOCALES = ("C.UTF-8", "C")


def ensure_cluster(site: Site, start_lock: int) -> None:
    """Make the cluster when missing; the caller holds the start lock."""
    if not site.home.cluster.exists():
        _create(site, start_lock)
    _check_version(site.home.cluster, site.options)


def _create(site: Site, start_lock: int) -> None:
    for locale in LOCALES:
        shutil.rmtree(site.home.unfinished, ignore_errors=True)
        result = _initdb(site, locale, start_lock)
        if result.returncode == 0:
            site.home.unfinished.rename(site.home.cluster)
            return
        if "invalid locale" not in result.stderr:
            break
    raise OperationalError(_failure(site.home, result.stderr))


def _initdb(site: Site, locale: str, start_lock: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 (the wheel's program)
        [site.programs / "initdb", *_arguments(site.home, site.options, locale)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        cwd=site.home.path,
        env=clean_environment(),
        pass_fds=(start_lock,),  # should we be killed, the next start waits until initdb too has ended
        **site.account.popen_arguments,
    )


def _arguments(home: Home, options: Options, locale: str) -> list[str]:
    arguments = [
        f"--pgdata={home.unfinished}",
        "--username=postgres",
        "--auth=trust",  # the socket is open to its owner only
        "--encoding=UTF8",
        f"--locale={locale}",
        "--no-instructions",
    ]
    if options.version >= BUILTIN_LOCALE:
        arguments += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    if not options.durable:
        arguments.append("--no-sync")
    return arguments


def _failure(home: Home, output: str) -> str:
    if "No space left on device" in output:
        return full_disk(home.path)
    lines = [line.strip() for line in output.splitlines() if "error:" in line] or output.split("\n")[-3:]
    return f"PostgreSQL could not make its files in {home.path}: {'; '.join(lines)}"


def _check_version(cluster: Path, options: Options) -> None:
    made_by = (cluster / "PG_VERSION").read_text().strip()
    if made_by == str(options.version):
        return
    run_it = f"set POSTGRES_VERSION to {made_by}, " if made_by in map(str, INSTALLS) else ""
    raise OperationalError(
        f"The data in {cluster} was made by PostgreSQL {made_by} and this is PostgreSQL {options.version}: "
        f"{run_it}upgrade the data with pg_upgrade or a dump and restore, or name another DATA_DIR."
    )
