from __future__ import annotations

from pathlib import Path

import pytest

from server.errors import SettingsError
from server.settings import Settings, load_settings, shown_value


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_defaults():
    settings, sources = load_settings({})
    assert (settings.host, settings.port) == ("127.0.0.1", 3000)
    assert settings.data_dir == Path(".genarrative/local")
    assert settings.database == "genarrative"
    assert settings.rate_limits
    assert (settings.rate_per_second, settings.rate_burst) == (30, 60)
    assert set(sources.values()) == {"default"}
    assert sources.keys() == Settings.model_fields.keys()


def test_flags_win_over_environment_over_file_over_default(monkeypatch):
    Path("genarrative.toml").write_text('port = 1001\nhost = "::1"\ndatabase = "from-file"\n')
    monkeypatch.setenv("GENARRATIVE_PORT", "1002")
    monkeypatch.setenv("GENARRATIVE_HOST", "localhost")
    settings, sources = load_settings({"port": 1003})
    assert settings.port == 1003
    assert settings.host == "localhost"
    assert settings.database == "from-file"
    assert sources["port"] == "command line"
    assert sources["host"] == "environment"
    assert sources["database"] == "genarrative.toml"
    assert sources["store"] == "default"


def test_a_named_file_replaces_the_one_in_the_folder(tmp_path):
    Path("genarrative.toml").write_text("port = 1001\n")
    other = tmp_path / "other.toml"
    other.write_text("rate_burst = 7\n")
    settings, sources = load_settings({}, other)
    assert (settings.port, settings.rate_burst) == (3000, 7)
    assert sources["rate_burst"] == str(other)


def test_lists_come_as_text_or_as_lists(monkeypatch):
    monkeypatch.setenv("GENARRATIVE_TRUSTED_ISSUERS", "https://a.example, https://b.example")
    assert load_settings({}).settings.trusted_issuers == ("https://a.example", "https://b.example")
    monkeypatch.delenv("GENARRATIVE_TRUSTED_ISSUERS")
    Path("genarrative.toml").write_text('trusted_issuers = ["https://c.example"]\n')
    assert load_settings({}).settings.trusted_issuers == ("https://c.example",)


@pytest.mark.parametrize(("text", "size"), [("512MiB", 512 << 20), ("2GB", 2 * 10**9), ("0", 0)])
def test_a_size_comes_with_its_unit_or_in_bytes(text, size):
    assert load_settings({"memory_budget": text}).settings.memory_budget == size


def test_retention_is_text_and_shown_whole(monkeypatch):
    assert shown_value(load_settings({}).settings, "retention") == "records=256,bytes=64KiB,age=7d"
    monkeypatch.setenv("GENARRATIVE_RETENTION", "records=9; story:full")
    settings = load_settings({}).settings
    assert settings.retention.of("user/1").records_max == 9
    assert shown_value(settings, "retention") == "records=9,bytes=64KiB,age=7d;story:full"


def test_an_unknown_environment_variable_is_refused(monkeypatch):
    monkeypatch.setenv("GENARRATIVE_RATE_BRUST", "5")
    with pytest.raises(SettingsError, match=r"GENARRATIVE_RATE_BRUST.*did you mean rate_burst"):
        load_settings({})


def test_an_unknown_key_of_the_file_is_refused():
    Path("genarrative.toml").write_text("[server]\nport = 1\n")
    with pytest.raises(SettingsError, match=r"genarrative.toml: unknown setting server"):
        load_settings({})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("port = 70000", r"port \(genarrative.toml\)"),
        ('database = "Big_Name"', r"database \(genarrative.toml\)"),
        ('log_level = "loud"', r"log_level \(genarrative.toml\)"),
        ("port = ", "genarrative.toml: "),
        ("message_bytes_max = 40000000", "message_bytes_max"),
        ('memory_budget = "much"', r"memory_budget \(genarrative.toml\)"),
        ("memory_budget = -1", "memory_budget"),
        ('retention = "records=many"', r"retention \(genarrative.toml\): .*records=many"),
        ("retention = 7", r"retention \(genarrative.toml\)"),
    ],
)
def test_a_bad_value_names_its_key_and_its_source(text, message):
    Path("genarrative.toml").write_text(text + "\n")
    with pytest.raises(SettingsError, match=message):
        load_settings({})


def test_a_named_file_must_exist():
    with pytest.raises(SettingsError, match=r"nowhere.toml"):
        load_settings({}, Path("nowhere.toml"))


def test_passwords_are_not_shown():
    settings = load_settings({"store": "redis://me:hunter2@db.example:6379/0"}).settings
    assert shown_value(settings, "store") == "redis://me:***@db.example:6379/0"
    assert shown_value(load_settings({}).settings, "store") == "sqlite"
    assert shown_value(settings, "rate_limits") == "true"


def test_the_password_of_redis_is_read_and_not_shown(monkeypatch):
    assert shown_value(load_settings({}).settings, "redis_password") == ""
    monkeypatch.setenv("GENARRATIVE_REDIS_PASSWORD", "hunter2")
    loaded = load_settings({})
    assert loaded.settings.redis_password.get_secret_value() == "hunter2"
    assert loaded.sources["redis_password"] == "environment"
    assert shown_value(loaded.settings, "redis_password") == "***"
    assert "hunter2" not in str(loaded)


def test_rules_about_issuers_are_checked(monkeypatch):
    issuer = "https://id.example/realms/vale"
    flags = {"trusted_issuers": issuer, "role_claims": f"{issuer}#groups, {issuer}#realm.roles"}
    assert load_settings(flags).settings.role_claims[1] == f"{issuer}#realm.roles"
    monkeypatch.setenv("GENARRATIVE_ROLE_NAMES", f"{issuer}#gm=moderator")
    assert load_settings(flags).settings.role_names == (f"{issuer}#gm=moderator",)
    with pytest.raises(SettingsError, match="none of the trusted_issuers"):
        load_settings({})
    monkeypatch.setenv("GENARRATIVE_ROLE_NAMES", f"{issuer}#gm=king")
    with pytest.raises(SettingsError, match="one of the roles"):
        load_settings(flags)


@pytest.mark.parametrize(
    "flags",
    [
        {"clock_skew_seconds": -1},
        {"clock_skew_seconds": 601},
        {"websocket_token_seconds": 4},
        {"websocket_token_seconds": 3_601},
    ],
)
def test_times_of_tokens_have_bounds(flags):
    (name,) = flags
    with pytest.raises(SettingsError, match=f"{name} .command line."):
        load_settings(flags)
