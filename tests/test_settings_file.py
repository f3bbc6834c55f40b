"""What .env holds and would be passed over: a misspelt name, a line of a shell script."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import SettingsError
from pipeline.settings import load_settings

NEEDED = "OLTP_DB_NAME=a\nOLTP_DB_USER=b\nOLAP_DB_NAME=c\nOLAP_DB_USER=d\n"


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Writes .env, in the working directory, with what is needed and these lines."""
    monkeypatch.chdir(tmp_path)
    for name in ("ETL_TIMEZONE", "OLTP_DB_NAME", "OLTP_DB_USER", "OLAP_DB_NAME", "OLAP_DB_USER"):
        monkeypatch.delenv(name, raising=False)
    load_settings.cache_clear()
    yield lambda lines: (tmp_path / ".env").write_text(f"{NEEDED}# comment = no line\n\n{lines}\n")
    load_settings.cache_clear()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("ETL_TIMEZON=America/Lima", "ETL_TIMEZON is no setting: write ETL_TIMEZONE"),
        ("ETL_TIME_ZONE = America/Lima", "ETL_TIME_ZONE is no setting: write ETL_TIMEZONE"),
        ("export ETL_TIMEZONE=America/Lima", "leave out `export`"),
        ("export\tETL_TIMEZONE=America/Lima", "leave out `export`"),
    ],
)
def test_what_is_meant_for_a_setting_is_not_passed_over(
    write, tmp_path: Path, line: str, said: str
):
    write(line)
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert str(refused.value).startswith(f"{tmp_path / '.env'}, line 7: {said}")


@pytest.mark.parametrize(
    "line",
    [
        "ETL_TIMEZONE=America/Lima",
        "ETL_TIMEZON=x\nETL_TIMEZONE=America/Lima",
        "ETL_TIMEZONE=America/Lima\nOLTP_DB_IMAGE=postgres:18",
        "ETL_TIMEZONE=America/Lima\nOLTP_DB_PASSWORD_FILE=/run/secret",
        "ETL_TIMEZONE=America/Lima\nexport PATH=/bin",
        "ETL_TIMEZONE=America/Lima\nexport ETL_TIMEZONE=x",
        "ETL_TIMEZONE=America/Lima\nSUPERSET_USER=admin",
        "ETL_TIMEZONE=America/Lima\nno line at all",
    ],
)
def test_what_serves_others_is_let_be(write, line: str):
    write(line)
    assert load_settings().timezone == "America/Lima"


def test_what_the_environment_gives_is_not_sought_in_the_file(
    write, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("ETL_TIMEZONE", "America/Lima")
    write("ETL_TIMEZON=x")
    assert load_settings().timezone == "America/Lima"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"\ufeff{NEEDED}", "begins with a byte order mark"),
        (NEEDED.replace("OLTP_DB_NAME", "export OLTP_DB_NAME"), "line 1: leave out `export`"),
        (NEEDED.replace("OLAP_DB_NAME", "OLAP_DB_NAM"), "OLAP_DB_NAM is no setting: write OLAP_DB"),
    ],
)
def test_so_is_what_is_needed(write, tmp_path: Path, text: str, said: str):
    write("")
    (tmp_path / ".env").write_text(text)
    with pytest.raises(SettingsError, match=said):
        load_settings()


def test_a_byte_order_mark_is_named(write, tmp_path: Path):
    write("ETL_TIMEZONE=America/Lima")
    file = tmp_path / ".env"
    file.write_text(f"\ufeffETL_LANG=es\n{file.read_text()}")
    with pytest.raises(SettingsError, match="begins with a byte order mark"):
        load_settings()


def test_a_file_that_stands_before_env_is_named(write, tmp_path: Path):
    (tmp_path / "settings.ini").write_text("[settings]\n")
    write("ETL_TIMEZONE=America/Lima")
    with pytest.raises(SettingsError, match=r"in the environment or in .*/settings\.ini"):
        load_settings()


def test_another_programs_settings_ini_is_named_in_a_line(write, tmp_path: Path):
    (tmp_path / "settings.ini").write_text("no section\n")
    write("ETL_TIMEZONE=America/Lima")
    with pytest.raises(SettingsError, match=r"cannot be read: .*/settings\.ini") as refused:
        load_settings()
    assert "\n" not in str(refused.value)
