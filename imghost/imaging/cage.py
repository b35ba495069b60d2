"""What a process takes from itself before it decodes bytes of strangers."""

from __future__ import annotations

import math
import sys

if sys.platform == "win32":
    import ctypes
    from ctypes import wintypes

    _PROCESS_MEMORY, _DIE_ON_UNHANDLED_EXCEPTION = 0x100, 0x400
    _EXTENDED_LIMIT_INFORMATION = 9
    _BELOW_NORMAL_PRIORITY = 0x4000

    class _Basic(ctypes.Structure):
        _fields_ = (
            ("process_time_limit", ctypes.c_int64),
            ("job_time_limit", ctypes.c_int64),
            ("limit_flags", wintypes.DWORD),
            ("least_working_set", ctypes.c_size_t),
            ("most_working_set", ctypes.c_size_t),
            ("active_processes", wintypes.DWORD),
            ("affinity", ctypes.c_size_t),
            ("priority_class", wintypes.DWORD),
            ("scheduling_class", wintypes.DWORD),
        )

    class _Extended(ctypes.Structure):
        _fields_ = (
            ("basic", _Basic),
            ("io_counters", ctypes.c_uint64 * 6),
            ("process_memory_bytes", ctypes.c_size_t),
            ("job_memory_bytes", ctypes.c_size_t),
            ("peak_process_memory_bytes", ctypes.c_size_t),
            ("peak_job_memory_bytes", ctypes.c_size_t),
        )

    def limit_memory(max_bytes: int) -> None:
        """Get no more memory than this from now on. Raises OSError."""
        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        kernel.CreateJobObjectW.restype = wintypes.HANDLE
        kernel.GetCurrentProcess.restype = wintypes.HANDLE
        job = wintypes.HANDLE(kernel.CreateJobObjectW(None, None))
        limits = _Extended(process_memory_bytes=max_bytes)
        limits.basic.limit_flags = _PROCESS_MEMORY | _DIE_ON_UNHANDLED_EXCEPTION
        size_bytes = ctypes.sizeof(limits)
        if not (
            kernel.SetInformationJobObject(
                job, _EXTENDED_LIMIT_INFORMATION, ctypes.byref(limits), size_bytes
            )
            and kernel.AssignProcessToJobObject(job, wintypes.HANDLE(kernel.GetCurrentProcess()))
        ):
            raise ctypes.WinError(ctypes.get_last_error())

    def let_others_first() -> None:
        """Work when other programs leave the processor free. Raises OSError."""
        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        kernel.GetCurrentProcess.restype = wintypes.HANDLE
        this = wintypes.HANDLE(kernel.GetCurrentProcess())
        if not kernel.SetPriorityClass(this, _BELOW_NORMAL_PRIORITY):
            raise ctypes.WinError(ctypes.get_last_error())

    def allow_cpu(more_s: float) -> None:
        """Windows has no such limit that could be raised again; the parent's deadline must do."""
else:
    import os
    import resource

    _NICER_BY = 10

    def limit_memory(max_bytes: int) -> None:
        """Get no more memory than this from now on, and leave no picture behind in a core dump.

        macOS cannot limit memory: it refuses what is less than a new process has mapped already.
        """
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if sys.platform != "darwin":
            resource.setrlimit(resource.RLIMIT_AS, (max_bytes, max_bytes))

    def let_others_first() -> None:
        """Work when other programs leave the processor free."""
        os.nice(_NICER_BY)

    def allow_cpu(more_s: float) -> None:
        """Be ended by the system after this much more processor time; counts anew each call."""
        used = resource.getrusage(resource.RUSAGE_SELF)
        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        until_s = math.ceil(used.ru_utime + used.ru_stime + more_s)
        resource.setrlimit(resource.RLIMIT_CPU, (until_s, hard))
