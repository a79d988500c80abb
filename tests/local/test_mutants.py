"""A change that no test noticed counts as explained only if the page shows that very change."""

from pathlib import Path

import pytest

from local.mutants import HOME, QUALITY, TREE, diff_of, explained, main, survivors, unexplained
from tests.started import run

PAGE = """
Because nothing is below zero:

```diff
-if count < 1:
+if count <= 0:
```

```python
-not = a - diff
```
"""
SAME = """# shared.core.plan.x_f__mutmut_1: survived
--- shared/core/plan.py
+++ shared/core/plan.py
@@ -1,3 +1,3 @@
 def f(count):
-    if count < 1:
+    if count <= 0:
         return
"""
OTHER = SAME.replace("<= 0", "<= 1")


def test_a_diff_is_known_again_wherever_it_stands() -> None:
    assert diff_of(SAME) == ("-if count < 1:", "+if count <= 0:")
    assert explained(PAGE) == {diff_of(SAME)}


def test_what_the_page_does_not_show_is_unexplained() -> None:
    assert unexplained([SAME, OTHER], PAGE) == (OTHER,)


def test_a_change_that_no_test_met_is_a_survivor_as_well() -> None:
    results = "    a.x_f__mutmut_1: survived\n    a.x_f__mutmut_2: no tests\n    a.x_g__mutmut_1: killed\n"

    assert survivors(results) == ("a.x_f__mutmut_1", "a.x_f__mutmut_2")


PROGRAM = f"""
import sys
from pathlib import Path
match sys.argv[1:]:
    case ["run", *names]:
        Path("ran").write_text(" ".join(names))
    case ["results"]:
        print("    a.x_f__mutmut_1: survived\\n    a.x_g__mutmut_1: killed\\n    a.x_h__mutmut_1: timeout")
    case ["show", "a.x_f__mutmut_1"]:
        print({SAME!r})
    case ["show", "a.x_h__mutmut_1"]:
        print({OTHER!r})
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository whose mutmut lets two changes through, one of which its page explains."""
    files = {
        "kept.py": "committed",
        "gone.py": "deleted since",
        "ignored.log": "",
        ".gitignore": "*.log\n.local\n",
        str(QUALITY): PAGE,
        f"{HOME}/packages/mutmut.py": PROGRAM,
        f"{TREE}/old.py": "of an earlier run",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    run(["git", "init", "--quiet", str(tmp_path)])
    run(["git", "add", "."], cwd=tmp_path)
    (tmp_path / "gone.py").unlink()
    (tmp_path / "new.py").write_text("not committed yet")
    return tmp_path


@pytest.mark.slow
def test_the_command_ends_with_1_and_shows_the_change_that_nobody_explains(
    root: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["a.x_f*", "a.x_h*"], root) == 1

    said = capfd.readouterr().out
    assert said.startswith(OTHER)
    assert "2 changes went unnoticed, 1 of them without an explanation in docs/quality.md" in said
    assert SAME not in said


@pytest.mark.slow
def test_the_command_ends_with_0_when_all_are_explained_and_changes_only_a_copy_of_what_is_there_now(
    root: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (root / QUALITY).write_text(f"{PAGE}\n```diff\n{OTHER}```\n")

    assert main([], root) == 0

    assert capfd.readouterr().out.endswith(
        "2 changes went unnoticed, 0 of them without an explanation in docs/quality.md\n"
    )
    tree = root / TREE
    files = {str(file.relative_to(tree)) for file in tree.rglob("*") if file.is_file()}
    assert files == {"kept.py", "new.py", ".gitignore", str(QUALITY), "ran"}
    assert (tree / "ran").read_text() == ""
