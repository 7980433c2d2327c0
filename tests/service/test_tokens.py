import os
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from fleetpulse.secrets import Redactor
from fleetpulse.service.settings import HttpSettings, JournalSettings, Settings
from fleetpulse.service.tokens import TokenUnmadeError, access, token_file
from fleetpulse.web.access import Token


def settings(home: Path, **http: Any) -> Settings:
    return Settings(http=HttpSettings(**http), journal=JournalSettings(url=f"sqlite:///{home / 'fleetpulse.db'}"))


def test_the_first_start_makes_a_token_that_its_user_alone_may_read(tmp_path: Path) -> None:
    access(settings(tmp_path), redactor=Redactor())

    file = tmp_path / "fleetpulse.db.token"
    assert token_file(settings(tmp_path)) == file
    assert file.stat().st_mode & 0o777 == 0o600
    assert len(file.read_text().strip()) >= 43
    assert [each.name for each in tmp_path.iterdir()] == ["fleetpulse.db.token"]


def test_a_later_start_keeps_the_token(tmp_path: Path) -> None:
    access(settings(tmp_path), redactor=Redactor())
    made = token_file(settings(tmp_path)).read_text()

    access(settings(tmp_path), redactor=Redactor())

    assert token_file(settings(tmp_path)).read_text() == made


def test_a_start_that_was_killed_half_way_is_no_hindrance(tmp_path: Path) -> None:
    (tmp_path / "fleetpulse.db.token.new").write_text("half")

    access(settings(tmp_path), redactor=Redactor())

    assert len(token_file(settings(tmp_path)).read_text().strip()) >= 43


def test_the_made_token_stands_in_no_log_and_is_blanked(tmp_path: Path) -> None:
    redactor = Redactor()

    with capture_logs() as logs:
        access(settings(tmp_path), redactor=redactor)

    made = token_file(settings(tmp_path)).read_text().strip()
    assert made not in str(logs)
    assert redactor.redact(f"it is {made}") == "it is ***"


def test_a_token_that_others_may_read_is_warned_of(tmp_path: Path) -> None:
    file = tmp_path / "fleetpulse.db.token"
    file.write_text("an-invented-token")
    file.chmod(0o644)

    with capture_logs() as logs:
        access(settings(tmp_path), redactor=Redactor())

    assert [line["log_level"] for line in logs] == ["warning"]


def test_a_configured_token_is_taken_and_none_is_made(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.write_text("an-invented-token")

    access(settings(tmp_path, token_file=mine), redactor=Redactor())

    assert [each.name for each in tmp_path.iterdir()] == ["mine"]
    assert Token(token_file(settings(tmp_path, token_file=mine)), redactor=Redactor()).fits("an-invented-token")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_takes_no_token_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)

    with pytest.raises(TokenUnmadeError, match="cannot make"):
        access(settings(tmp_path), redactor=Redactor())


def test_a_journal_in_no_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(TokenUnmadeError, match=r"nowhere/fleetpulse\.db\.token: No such file"):
        access(settings(tmp_path / "nowhere"), redactor=Redactor())
