"""The types of the functions with which fault tests record their results."""

from collections.abc import Callable

from tests.faults.harness.checker import Effects, Verdict

Report = Callable[[str, str, Verdict], None]
Record = Callable[[str, object], None]
ReportLosses = Callable[[str, str, Effects], None]
