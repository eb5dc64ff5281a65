"""Settings: `segue.toml`, overridden by `SEGUE_…` variables, overridden by flags."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

from msgspec import Meta, Struct, field, inspect

from segue.channels.settings import ChannelSettings
from segue.model.decoding import decode_document
from segue.model.problems import InvalidError, Problem

SETTINGS_FILE: Final = "segue.toml"
_PREFIX: Final = "SEGUE_"
KEY_VARIABLE: Final = "SEGUE_KEY"  # a key for commands that talk to a server; no setting of one


class SdkSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Pages and apps: with an `identity_secret`, a device speaks for a user who is signed by it."""

    identity_secret: Annotated[str, Meta(min_length=16)] | None = None
    session_timeout_s: Annotated[int, Meta(ge=1, le=86_400)] = 1_800

    def __repr__(self) -> str:
        """Show the settings without the secret."""
        fields = ", ".join(f"{name}={value!r}" for name, value in self.__rich_repr__())
        return f"SdkSettings({fields})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Return the fields without the secret, for rich."""
        secret = None if self.identity_secret is None else "***"
        return [("identity_secret", secret), ("session_timeout_s", self.session_timeout_s)]


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """Everything a person can set."""

    host: str = "127.0.0.1"
    port: int = 8000
    data: str = "./segue-data"  # a folder, or the URL of a database
    public_url: str | None = None  # what links and pixels begin with; default: host and port
    short_url: Annotated[str, Meta(pattern=r"^https?://[^\s?#]+$")] | None = None  # of SMS links
    log_bytes_max: int | None = None  # the oldest of the log goes beyond it; default: kept
    channels: ChannelSettings = field(default_factory=ChannelSettings)
    sdk: SdkSettings = field(default_factory=SdkSettings)

    @property
    def base_url(self) -> str:
        """What links in messages begin with."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def short_base_url(self) -> str:
        """What shortened links begin with."""
        return (self.short_url or self.base_url).rstrip("/")

    @property
    def database_url(self) -> str:
        """The URL of the database."""
        if self.data.startswith(("sqlite:", "memory:")):
            return self.data
        return f"sqlite://{Path(self.data).absolute()}"

    @property
    def data_dir(self) -> Path:
        """The data folder; of a database in memory, the one it would have."""
        return Path(self.data.removeprefix("sqlite://"))


def read_settings(
    folder: Path, environment: Mapping[str, str], flags: Mapping[str, Any]
) -> Settings:
    """Read the settings of a folder, the environment and flags (those that are not None).

    Raises:
        InvalidError: with every fault; a nested variable is written SEGUE_A__B.
    """
    raw: dict[str, Any] = {}
    path = folder / SETTINGS_FILE
    if path.exists():
        try:
            raw = tomllib.loads(path.read_text(encoding="utf-8"))
        except tomllib.TOMLDecodeError as error:
            raise InvalidError([Problem("", f"is no TOML: {error}")], str(path)) from None
    for name, text in environment.items():
        if name.startswith(_PREFIX) and name != KEY_VARIABLE:
            keys = name.removeprefix(_PREFIX).lower().split("__")
            _set(raw, keys, _typed(text, is_text=_is_text_at(keys)))
    raw.update({name: value for name, value in flags.items() if value is not None})
    return decode_document(raw, Settings, "The settings")


def _set(raw: dict[str, Any], path: list[str], value: Any) -> None:
    for part in path[:-1]:
        raw = raw.setdefault(part, {})
    raw[path[-1]] = value


def _typed(text: str, *, is_text: bool) -> Any:
    """Read a variable as TOML would; what is no TOML value, or is to be text, is text.

    A phone number or a key may look like a number to TOML.
    """
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
    return text if is_text and not isinstance(value, str) else value


def _is_text_at(path: list[str]) -> bool:
    """Return whether the setting at a path is text."""
    kinds = [inspect.type_info(Settings)]
    for part in path:
        kinds = [kind for outer in kinds for kind in _kinds_within(outer, part)]
    return any(isinstance(kind, inspect.StrType) for kind in kinds)


def _kinds_within(outer: inspect.Type, name: str) -> list[inspect.Type]:
    """Return the types that a setting of a name may have."""
    found: list[inspect.Type] = []
    if isinstance(outer, inspect.StructType):
        found = [field.type for field in outer.fields if field.encode_name == name]
    elif isinstance(outer, inspect.DictType):
        found = [outer.value_type]
    return [
        kind
        for one in found
        for kind in (one.types if isinstance(one, inspect.UnionType) else [one])
    ]
