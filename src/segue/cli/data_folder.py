"""The data folder that a command is about: by its flag, else by the settings of where it runs."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from segue.services.settings import Settings, read_settings
from segue.storage.open import open_journal
from segue.storage.ports import Journal


def settings_here(**flags: Any) -> Settings:
    """Read the settings of this folder and the environment, overridden by flags that are given.

    Raises:
        InvalidError: with every fault.
    """
    return read_settings(Path.cwd(), dict(os.environ), flags)


@contextmanager
def opened_journal(settings: Settings) -> Iterator[Journal]:
    """Open what people set up, with or without a running server."""
    journal = open_journal(settings.data_dir)
    try:
        yield journal
    finally:
        journal.close()
