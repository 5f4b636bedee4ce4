"""Which codes of errors the inputs of tests/golden must show: all but those that stand here."""
import pathlib
import re

GOLDEN = pathlib.Path(__file__).resolve().parent
ROOT = GOLDEN.parents[1]

# Told by the program, and not by an input here: the test that shows it instead, where there is one,
# and why there is none.
SHOWN_ELSEWHERE = {
    "sandbox_forbids": ("tests/unit/scenarios/payload_test.cpp",
                        "no command of the program confines scenarios"),
    "ring_refused": ("tests/cli/refusal_test.py", "needs a seccomp filter"),
    "ring_disabled": (None, "is a setting of the whole machine"),
    "memory_locked": (None, "only kernels before 5.12 count rings as locked memory"),
    "kernel_lacks": (None, "no kernel that this is built for lacks it"),
    "teardown_failed": (None, "needs a process that SIGKILL does not end"),
    "cannot_switch_user": (None, "depends on who runs the tests"),
    "temporary_directory": (None, "needs a full disk"),
    "account_unbalanced": ("tests/unit/scenarios/request_account_test.cpp",
                           "only a mistake of the program's own tells it"),
}


def all_codes():
    text = (ROOT / "scenarios/codes.def").read_text()
    return {f"E{number}": name for number, name in re.findall(r"^X\((\d{4}), (\w+)", text, re.M)}


def names_of(numbers):
    known = all_codes()
    return {known[each] for each in numbers if each in known}


def told_at_load():
    """By the inputs of tests/golden/fail/check, which a unit test compares."""
    texts = [each.read_text(errors="replace") for each in (GOLDEN / "fail" / "check").glob("*.err")]
    return names_of(set(re.findall(r"\[(E\d{4})\]", "\n".join(texts))))


def what_is_wrong(told_by_runs):
    shown = told_by_runs | told_at_load()
    wrong = []
    for number, name in all_codes().items():
        if name in SHOWN_ELSEWHERE:
            test = SHOWN_ELSEWHERE[name][0]
            text = (ROOT / test).read_text() if test else name
            if name in shown or (number not in text and name not in text):
                wrong.append(f"{number} {name}: what SHOWN_ELSEWHERE says is not so")
        elif name not in shown:
            wrong.append(f"{number} {name} has no failing input in tests/golden")
    return wrong
