"""All that making and starting a server takes: what is wanted, where, with which programs, as whom."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from agentsql.backends.embedded.account import Account, check_executable, find_account, let_reach
from agentsql.backends.embedded.binaries import find_programs
from agentsql.backends.embedded.home import Home
from agentsql.backends.embedded.options import Options


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    options: Options
    home: Home
    programs: Path
    account: Account

    @classmethod
    def prepare(cls, home: Home, options: Options) -> Self:
        programs = find_programs(options.version)
        account = find_account(home.cluster)
        home.prepare(account)
        let_reach(account, programs / "postgres")
        check_executable(account, programs / "postgres")
        return cls(options=options, home=home, programs=programs, account=account)
