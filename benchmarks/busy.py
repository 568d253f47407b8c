"""What else this machine does: a number measured beside someone else's work says so."""

import time

import psutil

LOOK_SECONDS = 1.0


def cores_busy() -> float:
    """How many cores' worth of work is being done now; asked before and after a bench, it is not ours."""
    before = psutil.cpu_times()
    time.sleep(LOOK_SECONDS)
    after = psutil.cpu_times()
    idle = (after.idle - before.idle) + (after.iowait - before.iowait)
    return max(0.0, (psutil.cpu_count() or 1) - idle / LOOK_SECONDS)
