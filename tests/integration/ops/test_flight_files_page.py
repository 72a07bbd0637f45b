"""docs/operations/flight-files.md: its commands are typed as they are written."""

import re
import shlex
from pathlib import Path

import pytest

from services.billing.handlers import configure_school
from tests.conftest import OpenDatabase
from tests.integration.billing.given import CHANGES, configured
from tests.integration.ops.conftest import Hobbs

PAGE = Path(__file__).resolve().parents[3] / "docs" / "operations" / "flight-files.md"


async def test_the_page_says_what_can_be_typed(
    open_db: OpenDatabase, hobbs: Hobbs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await configure_school(open_db("billing"), [configured(1, CHANGES)])
    page = PAGE.read_text(encoding="utf-8")
    files = re.findall(r"^```csv\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    for name, text in zip(("buch.csv", "names.csv", "logbook.csv"), files, strict=True):
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    said = []
    for block in re.findall(r"^```console\n(.*?)^```$", page, re.MULTILINE | re.DOTALL):
        result = await hobbs(*shlex.split(block)[1:])
        said.append((result.exit_code, result.stderr.splitlines()[-1]))
    assert said == [
        (1, "1 flights could be published, 1 rows rejected"),
        (0, "1 flights could be published, 0 rows rejected"),
        (0, "1 flights could be published, 0 rows rejected"),
    ]
