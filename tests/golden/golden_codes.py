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
# Nothing tells them yet. One that is told after all must have its input.
NOT_TOLD = {"handler_failed", "unknown_actor", "report_not_writable", "trace_refused",
            "namespace_refused"}


def all_codes():
    text = (ROOT / "scenarios/codes.def").read_text()
    return {f"E{number}": name for number, name in re.findall(r"^X\((\d{4}), (\w+)", text, re.M)}


def names_of(numbers):
    known = all_codes()
    return {known[each] for each in numbers if each in known}


def told_at_load():
    """By the inputs of tests/golden/check, which a unit test compares."""
    texts = [each.read_text(errors="replace") for each in (GOLDEN / "check").glob("*.err")]
    return names_of(set(re.findall(r"\[(E\d{4})\]", "\n".join(texts))))


def mentioned_in_sources():
    found = set()
    for floor in ("engine", "scenarios", "reports", "runner"):
        for each in (ROOT / floor).rglob("*.[ch]pp"):
            found |= set(re.findall(r"\bcode::(\w+)", each.read_text()))
    return found


def what_is_wrong(told_by_runs):
    shown = told_by_runs | told_at_load()
    mentioned = mentioned_in_sources()
    wrong = []
    for number, name in all_codes().items():
        if name in NOT_TOLD:
            if name in mentioned:
                wrong.append(f"{number} {name} is told by now: it needs an input that shows it, "
                             "and no place in NOT_TOLD of golden_codes.py")
        elif name in SHOWN_ELSEWHERE:
            test = SHOWN_ELSEWHERE[name][0]
            text = (ROOT / test).read_text() if test else name
            if name in shown or (number not in text and name not in text):
                wrong.append(f"{number} {name}: what SHOWN_ELSEWHERE says is not so")
        elif name not in shown:
            wrong.append(f"{number} {name} has no failing input in tests/golden")
    return wrong
