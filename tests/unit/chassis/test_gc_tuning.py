"""After `gc_tuning.freeze`, the garbage collector scans only newer objects."""

import subprocess
import sys

_PROGRAM = """
import gc, weakref
from chassis import gc_tuning

class Cycle:
    def __init__(self):
        self.itself = self

built = Cycle()
gc_tuning.freeze()
print(any(each is built for each in gc.get_objects()))
later = weakref.ref(Cycle())
gc.collect()
print(later() is None)
"""


def test_a_full_collection_scans_only_objects_created_after_startup() -> None:
    run = subprocess.run(
        [sys.executable, "-c", _PROGRAM], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=30
    )
    assert run.stdout.split() == ["False", "True"]
