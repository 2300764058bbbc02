"""A plugin of dbt-duckdb that says in one sentence when there is no data directory to work in."""

from pathlib import Path
from typing import Any

from dbt.adapters.duckdb.plugins import BasePlugin
from dbt_common.exceptions import DbtRuntimeError


class Plugin(BasePlugin):
    """Looks for the databases that a target attaches, before dbt opens any."""

    def initialize(self, plugin_config: dict[str, Any]) -> None:
        """Find every attached database.

        Raises:
            DbtRuntimeError: one is missing; the message says which command makes it.
        """
        attached = self.creds.attach if self.creds and self.creds.attach else []
        for path in (Path(attachment.path) for attachment in attached):
            if path.exists():
                continue
            if path.name == "landing.duckdb":
                raise DbtRuntimeError(
                    f"There is no data directory in {path.parent} yet; run `rollcall init`, or "
                    "name another by the variable ROLLCALL_HOME."
                )
            raise DbtRuntimeError(
                f"No cycle has been published in {path.parent} yet; run `rollcall cycle` first."
            )
