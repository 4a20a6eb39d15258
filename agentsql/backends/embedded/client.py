"""``manage.py dbshell`` on the embedded server, with the wheel's psql where the system has none."""

import shutil
from collections.abc import Iterable, Mapping
from typing import Any

from django.db.backends.postgresql import client as postgresql

# libpq's variables for the parameters that psql has no option for.
VARIABLES = {
    "hostaddr": "PGHOSTADDR",
    "target_session_attrs": "PGTARGETSESSIONATTRS",
    "channel_binding": "PGCHANNELBINDING",
    "gssencmode": "PGGSSENCMODE",
    "sslmode": "PGSSLMODE",
}


class DatabaseClient(postgresql.DatabaseClient):
    @classmethod
    def settings_to_cmd_args_env(
        cls, settings_dict: Mapping[str, Any], parameters: Iterable[str]
    ) -> tuple[list[str], dict[str, str] | None]:
        from agentsql.backends.embedded.binaries import find_programs  # noqa: PLC0415 (as in base)
        from agentsql.backends.embedded.options import read_options  # noqa: PLC0415
        from agentsql.backends.embedded.reach import reach  # noqa: PLC0415

        address = reach(settings_dict)
        place = {"HOST": address["host"], "PORT": address["port"], "USER": address["user"]}
        arguments, environment = super().settings_to_cmd_args_env({**settings_dict, **place}, parameters)
        if not shutil.which(cls.executable_name):
            arguments[0] = str(find_programs(read_options(settings_dict).version) / "psql")
        steadfast = {variable: address[parameter] for parameter, variable in VARIABLES.items()}
        return arguments, {**(environment or {}), **steadfast}
