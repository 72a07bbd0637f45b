"""What `hobbs up` keeps of its own between two starts, when the release between them is another."""

import json
from pathlib import Path

from hobbs.local.fleet_processes import role_passwords
from schemas.services import LOGINS


def test_a_service_that_is_new_since_the_data_was_made_gets_a_password_and_the_others_keep_theirs(
    tmp_path: Path,
) -> None:
    first = role_passwords(tmp_path)
    file, newest = tmp_path / "role-passwords.json", list(LOGINS)[-1]
    file.write_text(json.dumps({login: first[login] for login in first if login != newest}))
    second = role_passwords(tmp_path)
    assert set(second) == set(first) >= set(LOGINS)
    assert {login for login in first if second[login] != first[login]} == {newest}
    assert role_passwords(tmp_path) == second
    assert file.stat().st_mode & 0o077 == 0
    assert [one.name for one in tmp_path.iterdir()] == [file.name], "nothing unfinished is left"
