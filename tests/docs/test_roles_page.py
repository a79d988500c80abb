"""The page about roles says what the role files say."""

import re

from local.azurite import REPOSITORY
from local.roles_page import ROLES, table

PAGE = (REPOSITORY / "docs" / "roles.md").read_text(encoding="utf-8")


def test_the_table_is_the_one_that_the_role_files_make() -> None:
    found = re.search(r"<!-- generated: .* -->\n(.*)\n<!-- end -->", PAGE, re.DOTALL)

    assert found is not None
    assert found[1] == table()


def test_every_role_file_is_explained() -> None:
    files = {file.name for file in (REPOSITORY / "infra").glob("role*.json")}

    assert set(ROLES.values()) == files
    assert all(f"(../infra/{file})" in PAGE for file in files)


def test_a_right_without_a_role_would_have_no_line() -> None:
    lines = [line for line in table().splitlines() if line.startswith("| `")]

    assert lines
    assert all(" x " in line for line in lines)
