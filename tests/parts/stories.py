"""Run the functions of a test program that are called test_*, and end as cmocka does (what tests/run reads)."""
import os
import pathlib
import shutil
import signal
import sys
import tempfile
import time
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))


def eventually(condition, what, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"never happened: {what}"
        time.sleep(0.05)


def end_plugins(folder):
    """Pulumi's plugins outlive a CLI that was killed, for ever if nobody ends them. Ours have the test's world."""
    mark = f"WORLD={folder}/".encode()
    for variables in pathlib.Path("/proc").glob("[0-9]*/environ"):
        try:
            if any(one.startswith(mark) for one in variables.read_bytes().split(b"\0")):
                os.kill(int(variables.parent.name), signal.SIGKILL)
        except OSError:
            pass  # it ended by itself


def run(tests):
    """Each test gets a folder of its own; ENVD_TEST_FILTER=NAME runs one, ENVD_TEST_KEEP=1 keeps a failed one's folder."""
    wanted = os.environ.get("ENVD_TEST_FILTER")
    failed, passed = [], 0
    for test in tests:
        if wanted and wanted != test.__name__:
            continue
        folder = pathlib.Path(tempfile.mkdtemp(prefix="envd-parts-"))
        print(f"[ RUN      ] {test.__name__}", flush=True)
        start = time.monotonic()
        try:
            test(folder)
            passed += 1
            print(f"[       OK ] {test.__name__} {time.monotonic() - start:.1f} s", flush=True)
        except Exception:
            traceback.print_exc()
            failed.append(test.__name__)
            print(f"[  FAILED  ] {test.__name__}", flush=True)
        end_plugins(folder)
        if test.__name__ not in failed or not os.environ.get("ENVD_TEST_KEEP"):
            shutil.rmtree(folder, ignore_errors=True)
    print(f"[  PASSED  ] {passed} test(s).")
    if failed:
        print(f"[  FAILED  ] {len(failed)} test(s)")
    sys.exit(1 if failed else 0)
