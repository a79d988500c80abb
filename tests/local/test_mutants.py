"""A change that no test noticed counts as explained only if the page shows that very change."""

from local.mutants import diff_of, explained, survivors, unexplained

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
