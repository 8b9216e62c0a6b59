"""One file, overridden by the environment, overridden by options; every setting told, every wrong one named by line."""

import json
import tomllib
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from guelta.cli import main
from headend.cli.config import template
from headend.cli.serve import _SETTING_OF, serve
from headend.configuration import DEFAULTS, TYPES, Configuration, effective, meaning, option, variable
from headend.settings import Address, SettingsRefused


def run(*words: str, **environment: str) -> Result:
    return CliRunner().invoke(main, list(words), env=environment)


def test_the_template_has_every_setting_with_its_default_and_meaning() -> None:
    """Made from the class, so that none is forgotten; with the '#' taken away it is a file that changes nothing."""
    for language in ("en", "fr"):
        text = template(language)
        for name in Configuration.__struct_fields__:
            assert meaning(name, language) in text and f"\n#{name} = " in text and variable(name) in text
        assert meaning("udp", "en") != meaning("udp", "fr")
    lines = [line.removeprefix("#") for line in template("en").splitlines() if line.startswith("#") and " = " in line]
    kept = [line for line in lines if not line.endswith('""')]
    assert {name for name, value in vars_of(DEFAULTS).items() if value is not None} == set(
        tomllib.loads("\n".join(kept))
    )


def vars_of(configuration: Configuration) -> dict[str, Any]:
    return {name: getattr(configuration, name) for name in Configuration.__struct_fields__}


def test_the_template_read_back_is_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    lines = [line.removeprefix("#") for line in template("fr").splitlines() if line.startswith("#") and " = " in line]
    file.write_text("\n".join(line for line in lines if not line.endswith('""')))
    assert effective(file, {}).configuration == DEFAULTS


def test_every_option_of_serve_is_a_setting_with_the_same_default() -> None:
    options = {
        _SETTING_OF.get(one.name or "", one.name or ""): one for one in serve.params if one.name != "config_file"
    }
    assert set(options) == set(TYPES)
    for name, parameter in options.items():
        assert option(name) in parameter.opts
        default = parameter.get_default(click.Context(serve), call=False)
        if getattr(DEFAULTS, name) is not None and not callable(default):
            assert parameter.type_cast_value(click.Context(serve), default) == getattr(DEFAULTS, name), name


def test_the_environment_comes_before_the_file_and_options_before_both(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    file.write_text('http = "127.0.0.1:1"\nudp = "127.0.0.1:1"\nutility = "File"\nallow_remote = true\n')
    environment = {"GUELTA_UDP": "127.0.0.1:2", "GUELTA_UTILITY": "Variable", "GUELTA_LEDGER_CHECK_S": "60"}
    found = effective(file, environment, {"utility": "Option"})
    assert found.configuration.http == Address("127.0.0.1", 1)
    assert found.configuration.udp == Address("127.0.0.1", 2)
    assert (found.configuration.utility, found.configuration.ledger_check_s) == ("Option", 60)
    assert found.configuration.allow_remote is True
    assert {name: found.origins[name] for name in ("http", "udp", "utility", "db")} == {
        "http": f"{file} line 1",
        "udp": "GUELTA_UDP",
        "utility": "--utility",
        "db": "default",
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('\n# a\nhtpp = "a"\n', "line 3: htpp: no such setting"),
        ("[http]\nhost = 1\n", "line 1: http = {'host': 1}: give a text"),
        ("[headend]\nx = 1\n", "line 1: headend: no such setting"),
        ('http = "8080"\n', "line 1: http = '8080': '8080' is not HOST:PORT"),
        ("\nallow_remote = 1\n", "line 2: allow_remote = 1: Expected `bool`, got `int`"),
        ('ledger_check_s = "60"\n', "line 1: ledger_check_s = '60': Expected `int`, got `str`"),
        ("ledger_check_s = -1\n", "line 1: ledger_check_s = -1: Expected `int` >= 0"),
        ('mode = "party"\n', "line 1: mode = 'party': Invalid enum value 'party'"),
        ('currency = "BTC"\n', "line 1: currency = 'BTC': Invalid enum value 'BTC'"),
        ('utility = ""\n', "line 1: utility = '': "),
        ('db = ""\n', "line 1: db = '': give a text"),
        ("db = \n", "at line 1"),
        ('db = "a"\ndb = "b"\n', "at line 2"),
    ],
)
def test_what_is_wrong_in_the_file_is_refused_by_name_and_line(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "a.toml"
    file.write_text(text)
    with pytest.raises(SettingsRefused) as refused:
        effective(file, {})
    assert words in str(refused.value)
    told = run("serve", "--config", str(file))
    assert told.exit_code == 2 and str(file) in told.output.replace("\n", "")


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("GUELTA_HTPP", "x", "the environment: GUELTA_HTPP: no such setting"),
        ("GUELTA_HTTP", "x", "GUELTA_HTTP: http = 'x'"),
        ("GUELTA_LEDGER_CHECK_S", "1e3", "GUELTA_LEDGER_CHECK_S: "),
        ("GUELTA_LEDGER_CHECK_S", "-1", "GUELTA_LEDGER_CHECK_S: ledger_check_s = -1: Expected `int` >= 0"),
        ("GUELTA_ALLOW_REMOTE", "perhaps", "GUELTA_ALLOW_REMOTE: "),
    ],
)
def test_what_is_wrong_in_the_environment_is_refused_by_name(name: str, value: str, words: str) -> None:
    with pytest.raises(SettingsRefused, match=words.replace("(", r"\(")):
        effective(None, {name: value})


def test_what_other_rooms_are_told_by_the_environment_is_no_setting() -> None:
    """A laptop may hold a headend and the technician's tool."""
    others = {"GUELTA_FIELD_HOME": "laptop", "GUELTA_MICROPYTHON": "micropython", "GUELTA_CONFIG": ""}
    assert effective(None, others) == effective(None, {})


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    for content, words in ((b"#\n\xff\xfe", "byte 2 is not UTF-8"), (b"#" * 70_000, "longer"), (b"db", "template")):
        file.write_bytes(content)
        with pytest.raises(SettingsRefused, match=rf"a\.toml: .*{words}"):
            effective(file, {})
    with pytest.raises(SettingsRefused, match="No such file"):
        effective(tmp_path / "none.toml", {})


def test_show_tells_values_and_origins_and_no_secret(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    file.write_text('chirpstack_url = "http://admin:hunter2@127.0.0.1:8090"\ndb = "b.db"\n')
    told = run("config", "show", "--config", str(file), "--json", GUELTA_HTTP="127.0.0.1:81")
    found = json.loads(told.output)
    assert set(found) == set(TYPES)
    assert found["http"] == {"value": '"127.0.0.1:81"', "origin": "GUELTA_HTTP"}
    assert found["db"] == {"value": '"b.db"', "origin": f"{file} line 2"}
    assert "hunter2" not in told.output and "[redacted]" in found["chirpstack_url"]["value"]
    assert "hunter2" not in run("config", "show", GUELTA_CONFIG=str(file)).output


def test_other_commands_take_the_database_of_the_file(tmp_path: Path) -> None:
    file, database = tmp_path / "a.toml", tmp_path / "named.db"
    file.write_text(f'db = "{database}"\n')
    assert run("db", "upgrade", GUELTA_CONFIG=str(file)).exit_code == 0
    assert database.exists()
    file.write_text("dbb = 1\n")
    refused = run("db", "check", GUELTA_CONFIG=str(file))
    assert refused.exit_code == 2 and "no such setting" in refused.output


def test_a_new_database_is_kept_as_the_file_and_the_environment_say(tmp_path: Path) -> None:
    """The currency of the books is for ever: `db upgrade` and `serve` must not differ about it."""
    file, database = tmp_path / "a.toml", tmp_path / "named.db"
    file.write_text(f'db = "{database}"\ncurrency = "KES"\nutility = "Nairobi"\n', encoding="utf-8-sig")
    told = run("db", "upgrade", GUELTA_CONFIG=str(file))
    assert told.exit_code == 0 and "books are kept in KES" in told.output
    assert "Nairobi" in run("audit", "list", "--json", "--db", str(database)).output
    other = run("db", "upgrade", "--db", str(tmp_path / "b.db"), GUELTA_CONFIG=str(file), GUELTA_CURRENCY="UGX")
    assert "books are kept in UGX" in other.output
