"""Each claim has its proof or says that it has none, and each of both is there."""

from pathlib import Path

import pytest
import yaml

from scripts.course import proof

_README = """# Title

Tasks are *kept*: see
[the tests](tests/x.md).

- They are quick. Nobody waits.

<!-- no prose -->
```text
no prose either
```
"""
_TESTS = """import pytest

@pytest.mark.skipif(True, reason="no curl")
def test_kept() -> None: ...

async def test_quick() -> None:
    pytest.skip("too slow here")

def helper() -> None: ...
"""
_GOOD: list[dict[str, object]] = [
    {"claim": "Tasks are *kept*: see the tests", "by": ["tests/unit/test_x.py::test_kept"]},
    {"claim": "They are quick", "not": "nobody has measured it"},
    {"claim": "Nobody waits", "workflow": "a clock"},
]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "docs").mkdir()
    (tmp_path / "tests/unit").mkdir(parents=True)
    (tmp_path / "README.md").write_text(_README)
    (tmp_path / "tests/unit/test_x.py").write_text(_TESTS)
    return tmp_path


def _page(root: Path, entries: list[dict[str, object]]) -> str:
    (root / "docs/claims.yml").write_text(yaml.safe_dump({"README.md": entries}))
    return proof.page(root)


def test_the_page_names_the_tests_what_is_not_proven_and_what_may_be_skipped(root: Path) -> None:
    text = _page(root, _GOOD)
    assert "| Tasks are *kept*: see the tests | [`test_kept`](../tests/unit/test_x.py) |" in text
    assert "| They are quick | **not proven**: nobody has measured it |" in text
    assert "| [`tests/unit/test_x.py`](../tests/unit/test_x.py) | no curl |" in text
    assert "| [`tests/unit/test_x.py`](../tests/unit/test_x.py) | too slow here |" in text


def test_a_test_that_runs_nowhere_but_in_the_workflow_proves_nothing_here(root: Path) -> None:
    (root / "tests/unit/test_x.py").write_text(f"import os\npytestmark = pytest.mark.skipif(True)\n{_TESTS}")
    with pytest.raises(proof.Unproven, match="it proves nothing here"):
        _page(root, _GOOD)


@pytest.mark.parametrize(
    ("entries", "fault"),
    [
        (_GOOD[::2], "says nothing of this in README.md: They are quick."),
        (_GOOD[:2], "says nothing of this in README.md: Nobody waits."),
        ([*_GOOD, {"claim": "They are slow", "not": "no"}], "README.md does not say: They are slow"),
        ([_GOOD[0], _GOOD[2], {"claim": "They are quick"}], "is needed for: They are quick"),
        ([_GOOD[0], _GOOD[2], {**_GOOD[1], "tells": "nothing"}], "is needed for: They are quick"),
        (
            [{**_GOOD[0], "by": ["tests/unit/test_x.py::test_gone"]}, *_GOOD[1:]],
            "there is no test tests/unit/test_x.py::test_gone",
        ),
        (
            [{**_GOOD[0], "by": ["tests/unit/test_x.py::helper"]}, *_GOOD[1:]],
            "there is no test tests/unit/test_x.py::helper",
        ),
    ],
)
def test_what_does_not_fit_is_refused(root: Path, entries: list[dict[str, object]], fault: str) -> None:
    with pytest.raises(proof.Unproven) as refused:
        _page(root, entries)
    assert fault in str(refused.value)
