import subprocess
import sys

from tests import ROOT


def test_a_create_passes_through_the_files_that_the_architecture_lists() -> None:
    command = [sys.executable, "-m", "tests.request_path", "--check"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
