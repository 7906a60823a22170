"""What the fault tests saw, for the summary at the end of the run."""

from collections.abc import Callable

from tests.faults.harness.checker import Effects, Verdict

Report = Callable[[str, str, Verdict], None]
Record = Callable[[str, object], None]
ReportLosses = Callable[[str, str, Effects], None]
