"""Settings: every key of the server, where its value came from, and what is refused.

Precedence: command line, then ``GENARRATIVE_*`` environment, then the settings file, then the
default. A key that does not exist is an error wherever it stands, because a misspelt limit is worse
than none.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Literal, NamedTuple
from urllib.parse import urlsplit, urlunsplit

from pydantic import ByteSize, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from pydantic_settings.exceptions import SettingsError as SourceError

from actors.limits import MEMORY_BYTES_DEFAULT
from persistence.retention import DEFAULT_RETENTION, RetentionPolicy, parse_retention
from protocol.limits import MESSAGE_BYTES_MAX
from server.errors import SettingsError
from server.identity.role_rules import read_role_rules
from server.limits import (
    CLOCK_SKEW_SECONDS_DEFAULT,
    CLOCK_SKEW_SECONDS_MAX,
    INBOUND_MESSAGE_BYTES_DEFAULT,
    WEBSOCKET_TOKEN_SECONDS_DEFAULT,
    WEBSOCKET_TOKEN_SECONDS_MAX,
)

__all__ = [
    "ENVIRONMENT_PREFIX",
    "SETTINGS_FILE",
    "LoadedSettings",
    "Settings",
    "load_settings",
    "shown_value",
]

ENVIRONMENT_PREFIX = "GENARRATIVE_"
_FOR_CLIENTS = frozenset({"GENARRATIVE_ADMIN_TOKEN", "GENARRATIVE_TOKEN"})
"""Variables with our prefix that are no settings of the server, but may stand beside them."""

SETTINGS_FILE = "genarrative.toml"
"""Read from the working directory when no other file is named."""


class Settings(BaseSettings):
    """Effective settings; frozen. Field names are the keys."""

    model_config = SettingsConfigDict(
        env_prefix=ENVIRONMENT_PREFIX, extra="forbid", frozen=True, str_strip_whitespace=True
    )

    host: str = Field("127.0.0.1", min_length=1, description="Address to listen on.")
    port: int = Field(3000, ge=0, le=65_535, description="Port; 0 takes any free one.")
    allow_public_bind: bool = Field(
        False, description="Permit an address that other machines can reach."
    )
    data_dir: Path = Field(
        Path(".genarrative/local"), description="Folder of the journal, the keys and the lock."
    )
    store: str = Field(
        "sqlite",
        min_length=1,
        description="Where actors are kept: sqlite, sqlite:///PATH, redis://HOST:PORT/DB, memory:",
    )
    redis_password: SecretStr = Field(
        SecretStr(""), description="Password of a Redis store whose address has none."
    )
    retention: Annotated[RetentionPolicy, NoDecode] = Field(
        DEFAULT_RETENTION,
        description="History kept per kind of actors: records=1000,bytes=1MiB,age=7d;story:full",
    )
    module: str = Field(
        "actors.domains.entry", min_length=1, description="Python module that is served."
    )
    database: str = Field(
        "genarrative",
        pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$",
        max_length=63,
        description="Name of the database in addresses.",
    )
    rate_limits: bool = Field(True, description="Limit calls per user.")
    rate_per_second: int = Field(30, ge=1, le=1_000_000, description="Calls a user gains a second.")
    rate_burst: int = Field(60, ge=1, le=1_000_000, description="Calls a user may make at once.")
    message_bytes_max: int = Field(
        INBOUND_MESSAGE_BYTES_DEFAULT,
        ge=1_024,
        le=MESSAGE_BYTES_MAX,
        description="Size of one inbound websocket message.",
    )
    deflate: bool = Field(
        True, description="Compress larger websocket messages for clients that offer it."
    )
    memory_budget: ByteSize = Field(
        ByteSize(MEMORY_BYTES_DEFAULT),
        ge=0,
        description="What actors may take in memory, by estimate: bytes, or as in 512MiB.",
    )
    trusted_issuers: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Issuers (https addresses) whose tokens and roles are accepted."
    )
    accepted_issuers: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Further issuers whose tokens are accepted, but not their roles."
    )
    accepted_audiences: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Of these an issuer's token must name one (`aud`); any will do when empty."
    )
    role_claims: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Claims with the roles of a trusted issuer, where that is not `roles`:"
        " ISSUER#CLAIM, as in realm_access.roles.",
    )
    role_names: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="A trusted issuer's names for roles: ISSUER#NAME=ROLE; then no others count.",
    )
    clock_skew_seconds: int = Field(
        CLOCK_SKEW_SECONDS_DEFAULT,
        ge=0,
        le=CLOCK_SKEW_SECONDS_MAX,
        description="How far issuers' clocks and ours may differ.",
    )
    websocket_token_seconds: int = Field(
        WEBSOCKET_TOKEN_SECONDS_DEFAULT,
        ge=5,
        le=WEBSOCKET_TOKEN_SECONDS_MAX,
        description="Life of the token that a client puts into the address of a socket.",
    )
    anonymous: bool = Field(
        True, description="Let in who has no token, as somebody new with a token of ours."
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Origins whose pages may call the HTTP routes; those of loopback always may,"
        " while only this machine can reach the server. * allows all.",
    )
    text_models: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="OpenAI-compatible models that narrate, tried in order: BASE-ADDRESS#MODEL.",
    )
    text_model_keys: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        (), description="Keys of the text models, in their order; empty for those without."
    )
    text_model_requests_max: int = Field(
        16, ge=1, le=1_024, description="Requests to text models at the same time; more wait."
    )
    text_model_price: float = Field(
        0.0, ge=0, description="What 1,000 tokens of a text model cost, in any currency."
    )
    image_models: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="OpenAI-compatible models that make images, likewise: BASE-ADDRESS#MODEL.",
    )
    image_model_keys: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        (), description="Keys of the image models, in their order; empty for those without."
    )
    image_model_price: float = Field(0.0, ge=0, description="What an image of a model costs.")
    model_tokens_per_day: int = Field(
        0, ge=0, description="Tokens that a user may take from models in a day; 0 for any number."
    )
    model_cost_per_day: float = Field(
        0.0, ge=0, description="What a user's requests to models may cost in a day; 0 for anything."
    )
    record_models: Path | None = Field(
        None, description="Folder in which the answers of models are kept."
    )
    replay_models: Path | None = Field(
        None, description="Folder of such answers that are given instead of asking models."
    )
    replay_speed: float = Field(
        1.0, ge=0, description="How many times as fast as recorded; 0 waits for nothing."
    )
    objects: str = Field(
        "", description="Where files are kept: s3://BUCKET/FOLDER; the data folder when empty."
    )
    objects_endpoint: str = Field(
        "", description="Address of an S3-compatible service; Amazon's when empty."
    )
    objects_region: str = Field("us-east-1", min_length=1, description="Region of the service.")
    objects_access_key: SecretStr = Field(
        SecretStr(""), description="Key id for the service; the machine's own rights when empty."
    )
    objects_secret_key: SecretStr = Field(SecretStr(""), description="Secret of that key.")
    admin: bool = Field(True, description="Let operators in, on a port of their own.")
    admin_host: str = Field("127.0.0.1", min_length=1, description="Address for operators.")
    admin_port: int | None = Field(
        None,
        ge=0,
        le=65_535,
        description="Port for operators; 0 takes any free one. The one after the server's when"
        " absent, or any free one when that is taken.",
    )
    admin_allow_public_bind: bool = Field(
        False, description="Permit an address for operators that other machines can reach."
    )
    dev_fixtures: bool = Field(False, description="Allow the fixture world to be loaded.")
    metrics: bool = Field(True, description="Answer GET /metrics.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least severe log that is written."
    )
    log_format: Literal["pretty", "json"] = Field("pretty", description="Form of the logs.")
    access_log: bool = Field(
        False, description="Log each HTTP request, and each socket's beginning and end."
    )
    tracing: bool = Field(False, description="Make OpenTelemetry traces of calls and requests.")
    trace_share: float = Field(
        0.01, ge=0, le=1, description="Share of calls and requests that are traced."
    )
    trace_exporter: str = Field(
        "otlp_proto_http",
        pattern=r"^[a-z0-9_]+$",
        description="Installed OpenTelemetry exporter that traces are given to, as in console.",
    )

    @field_validator(
        "trusted_issuers",
        "accepted_issuers",
        "accepted_audiences",
        "role_claims",
        "role_names",
        "cors_origins",
        "text_models",
        "image_models",
        mode="before",
    )
    @classmethod
    def _split(cls, value: object) -> object:
        """Accept a comma-separated text, which is what environment and flags can hold."""
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("text_model_keys", "image_model_keys", mode="before")
    @classmethod
    def _split_keys(cls, value: object) -> object:
        """Accept the same for keys; between two commas stands the key of a model without one."""
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",")) if value.strip() else ()
        return value

    @field_validator("retention", mode="before")
    @classmethod
    def _parse_retention(cls, value: object) -> object:
        return parse_retention(value) if isinstance(value, str) else value

    @field_validator("text_models", "image_models")
    @classmethod
    def _check_models(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for address in value:
            parts = urlsplit(address)
            if parts.scheme not in {"http", "https"} or not parts.hostname or not parts.fragment:
                raise ValueError("a model is http(s)://HOST/PATH#MODEL")
            if parts.username or parts.password or parts.query:
                raise ValueError("keys of models belong into text_model_keys and image_model_keys")
        return value

    @field_validator("objects")
    @classmethod
    def _check_objects(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme != "s3" or not parts.hostname):
            raise ValueError("objects are kept in s3://BUCKET/FOLDER, or in the data folder")
        if parts.username or parts.password or parts.port or parts.query or parts.fragment:
            raise ValueError("endpoint and keys of objects are settings of their own")
        return value

    @field_validator("objects_endpoint")
    @classmethod
    def _check_endpoint(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme not in {"http", "https"} or not parts.hostname):
            raise ValueError("an endpoint is http(s)://HOST")
        if parts.username or parts.password:
            raise ValueError("keys of objects are settings of their own")
        return value

    @model_validator(mode="after")
    def _check_keys(self) -> Settings:
        if len(self.text_model_keys) > len(self.text_models):
            raise ValueError("there are more text_model_keys than text_models")
        if len(self.image_model_keys) > len(self.image_models):
            raise ValueError("there are more image_model_keys than image_models")
        return self

    @model_validator(mode="after")
    def _check_roles(self) -> Settings:
        read_role_rules(self.trusted_issuers, self.role_claims, self.role_names)
        return self

    @model_validator(mode="after")
    def _check_places(self) -> Settings:
        if self.record_models is not None and self.replay_models is not None:
            raise ValueError("record_models and replay_models exclude each other")
        has_both = bool(self.objects_access_key) == bool(self.objects_secret_key)
        if not has_both:
            raise ValueError("objects_access_key and objects_secret_key need each other")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature is the library's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read nothing behind the caller's back: ``load_settings`` names every source."""
        return (init_settings,)


class LoadedSettings(NamedTuple):
    """Settings, and for each key the source of its value."""

    settings: Settings
    sources: dict[str, str]


def _unknown(key: str, source: str) -> SettingsError:
    close = difflib.get_close_matches(key.lower(), Settings.model_fields, n=1)
    hint = f"; did you mean {close[0]}?" if close else ""
    return SettingsError(f"{source}: unknown setting {key}{hint}")


def _environment_layer(environ: Mapping[str, str]) -> dict[str, object]:
    for name in environ:
        if name.upper().startswith(ENVIRONMENT_PREFIX) and name not in _FOR_CLIENTS:
            key = name[len(ENVIRONMENT_PREFIX) :].lower()
            if key not in Settings.model_fields:
                raise _unknown(key, f"environment variable {name}")
    try:
        return EnvSettingsSource(Settings)()
    except SourceError as error:
        raise SettingsError(f"environment: {error}") from None


def _file_layer(path: Path) -> dict[str, object]:
    if not path.is_file():
        raise SettingsError(f"{path} is not a file")
    try:
        layer = TomlConfigSettingsSource(Settings, toml_file=path)()
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise SettingsError(f"{path}: {error}") from None
    for key in layer:
        if key not in Settings.model_fields:
            raise _unknown(key, str(path))
    return layer


def _fault_texts(error: ValidationError, sources: Mapping[str, str]) -> Iterable[str]:
    for fault in error.errors(include_url=False, include_context=False):
        key = ".".join(str(part) for part in fault["loc"])
        source = sources.get(str(fault["loc"][0]) if fault["loc"] else "", "default")
        yield f"{key} ({source}): {fault['msg']}"


def load_settings(flags: Mapping[str, object], config_file: Path | None = None) -> LoadedSettings:
    """Read all sources and combine them.

    Args:
        flags: keys given on the command line; those left out there are absent here.
        config_file: file named on the command line, which then must exist; without one the
            working directory's ``genarrative.toml`` is read if it is there.

    Raises:
        SettingsError: an unknown key, an unreadable file, or a value out of bounds.
    """
    path = config_file or Path(SETTINGS_FILE)
    layers: list[tuple[str, Mapping[str, object]]] = []
    if config_file is not None or path.is_file():
        layers.append((str(path), _file_layer(path)))
    layers.append(("environment", _environment_layer(os.environ)))
    layers.append(("command line", flags))
    sources = dict.fromkeys(Settings.model_fields, "default")
    values: dict[str, object] = {}
    for source, layer in layers:
        values.update(layer)
        sources.update(dict.fromkeys(layer, source))
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        raise SettingsError("; ".join(_fault_texts(error, sources))) from None
    return LoadedSettings(settings, sources)


def shown_value(settings: Settings, key: str) -> str:
    """Spell a value for people, with passwords left out."""
    value: object = getattr(settings, key)
    if isinstance(value, SecretStr):
        return "***" if value.get_secret_value() else ""
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    if "://" not in text:
        return text
    parts = urlsplit(text)
    if "@" not in parts.netloc:
        return text
    user, _, address = parts.netloc.rpartition("@")
    masked = f"{user.partition(':')[0]}:***@{address}"
    return urlunsplit(parts._replace(netloc=masked))
