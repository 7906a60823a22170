"""Tune the garbage collector for a long-running server."""

import gc

_YOUNG, _MIDDLE, _FULL = 10_000, 10, 100


def freeze() -> None:
    """Freeze all objects created during startup, so that the garbage collector never scans them; call it once.

    A full collection stops everything else and takes half a microsecond per object: 0.1 s for modules and schemas, 1 s
    for the streams of ten thousand watchers. Full collections of the remaining objects run a hundredth as often as by
    default, since reference counting frees what a request allocates.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLE, _FULL)
