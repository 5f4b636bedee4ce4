#!/usr/bin/env python3
"""Each rule of the language has an input here that breaks it, and an expected file with its words.

    golden_rules.py [-v]

The rules are read from the source: each place of scenarios/ and runner/ that makes an error or a
warning of a check (E00xx, E02xx, E03xx, E04xx) out of words that stand there. These words, with
anything where the program fills something in, must follow the rule's code in a .err or .out file
beside this one. What a run finds (E01xx, E05xx) breaks no rule; golden_codes.py asks for one input
per code there. -v prints the rules.
"""
import pathlib
import re
import sys

import golden_codes
from golden_codes import GOLDEN, ROOT

OF_RULES = ("E00", "E02", "E03", "E04")
RULES_MIN = 600

# Where a message, or a part of it, is made away from its code: calls, what is assigned to, words in
# front of it; and which of the arguments it is.
MADE_APART = {
    "builtin.cpp": {"failure": 0},
    "cases.cpp": {"why": 0},
    "codec.cpp": {"refused": 0},
    "compile_carrier.cpp": {"tell": 1},
    "compile_descriptor.cpp": {"tell_never": 1},
    "compile_passing.cpp": {"tell_never": 1},
    "compile_process.cpp": {"message": 0},
    "compile_proxy.cpp": {"wrong": 1},
    "compile_reach.cpp": {"tell_never": 1},
    "compile_rings.cpp": {"message": 0},
    "compile_sqe.cpp": {"tell": 1, "return": 0},
    "compile_strand.cpp": {"message": 0, "problem": 0},
    "compile_wire.cpp": {"wrong": 1},
    "digest.cpp": {"failure": 0},
    "document.cpp": {"tell_huge": 1},
    "expression_lexer.cpp": {"refuse": 1},
    "expression_parser.cpp": {"syntax_error": 0},
    "operators.cpp": {"failure": 0},
    "stream_trigger.cpp": {"reason": 0},
    "string_token.cpp": {"control_character": 0, "unknown_escape": 0, "short_unicode_escape": 0,
                         "lone_surrogate": 0, "not_utf8": 0},
    "tls_context.cpp": {"refuse": 2},
    "units.cpp": {"malformed": 0, "no_unit": 0, "bad_fraction": 0, "too_large": 0},
    "value_path.cpp": {"fail": 0},
    "wire_effect.cpp": {"idle": 0},
}

# By its words, what no input here can show: why, and the test case that shows it, if there is one.
SHOWN_ELSEWHERE = {
    "this build of OpenSSL refuses {}": ("needs a system that forbids MD5",),
    "the text is not UTF-8": ("files are refused before; this is for other texts",),
    "byte that is not UTF-8 inside a string": ("such files are refused before",),
    "OpenSSL does not take this certificate": ("what it takes is the policy of a system",),
    "there is no JSON value in the file": ("such files are refused before",),
    "this is not JSON": (
        "only if the library refused what our grammar takes",
        "tests/unit/scenarios/document_test.cpp", "this is not JSON"),
    "the file {} is outside the scenario's directory": (
        "no command of the program confines scenarios",
        "tests/unit/scenarios/payload_test.cpp",
        "in the sandbox a file may not lead out of the directory"),
    "{} may not be read": ("the tests may run as root, who may read everything",),
    "cannot read the directory {}: {}": ("the tests may run as root, who may read everything",),
}

TOKEN = re.compile(r"""(?P<blank>\s+ | //[^\n]* | /\*.*?\*/)
    | R"(?P<fence>\w*)\((?P<raw>.*?)\)(?P=fence)"
    | "(?P<text>(?:[^"\\\n]|\\.)*)"
    | '(?:[^'\\]|\\.)+' | \d[\w']* | [A-Za-z_]\w*(?:::\w+)* | .""", re.S | re.X)
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0"}
CODE = re.compile(r"(?:scenarios::)?code::(\w+)")
HOLE = re.compile(r"(\{\{|\}\}|\{[^{}]*\})")


class Token:
    def __init__(self, word, text, line):
        self.word = word
        self.text = text  # of a string; None for all else
        self.line = line

    def name(self):
        return self.word.rsplit("::", 1)[-1]


def tokens_of(source):
    """Of C++, without blanks and comments; strings side by side are one."""
    made = []
    line = 1
    for found in TOKEN.finditer(source):
        text = found["raw"]
        if found["text"] is not None:
            text = re.sub(r"\\(.)", lambda c: ESCAPES.get(c[1], c[1]), found["text"])
        if text is not None and made and made[-1].text is not None:
            made[-1].text += text
        elif found["blank"] is None:
            made.append(Token(found[0] if text is None else "", text, line))
        line += found[0].count("\n")
    return made


def arguments(tokens):
    """Up to the bracket that closes here, or to the end of the statement."""
    depth = 0
    made = [[]]
    for token in tokens:
        depth += (token.word in ("(", "[", "{")) - (token.word in (")", "]", "}"))
        if depth < 0 or (depth == 0 and token.word == ";"):
            break
        if depth == 0 and token.word == ",":
            made.append([])
        else:
            made[-1].append(token)
    return made


def words_in(parts):
    """Of the first part that has words and is no place: what follows a message is its remedy."""
    for part in parts:
        if any(token.name() in ("find", "find_member") for token in part):
            continue
        words = [token.text for token in part if token.text is not None]
        if words:
            return words
    return []


def pattern_of(part):
    if part in ("{{", "}}"):
        return re.escape(part[0])
    return ".*?" if part.startswith("{") else re.escape(part)


class Rule:
    def __init__(self, where, codes, words):
        self.where = where
        self.codes = codes
        self.words = words

    def is_in(self, expected):
        words = "".join(map(pattern_of, HOLE.split(self.words)))
        # What is made apart gets any code, or follows one as the help.
        codes = "|".join(sorted(self.codes)) or r"E\d{4}"
        begin = rf"\[(?:{codes})\]: " if self.codes else rf"(?:\[{codes}\]|= help): "
        return re.search(f"{begin}.*?{words}", expected) is not None

    def __str__(self):
        return f"{self.where}: {' '.join(sorted(self.codes))} \"{self.words}\""


def rules_of(path, known):
    tokens = tokens_of(path.read_text())
    apart = MADE_APART.get(path.name, {})
    unused = set(apart)
    made = {}
    openers = []
    for i, token in enumerate(tokens):
        if token.word in ("(", "{", "["):
            openers.append(i)
        elif token.word in (")", "}", "]") and openers:
            openers.pop()
        code = CODE.fullmatch(token.word)
        codes = set()
        parts = []
        if code and code[1] in known and openers:
            whole = arguments(tokens[openers[-1] + 1:])
            at = next((k for k, part in enumerate(whole) if token in part), len(whole))
            codes = {known[found[1]] for part in whole[at:at + 1] for each in part
                     if (found := CODE.fullmatch(each.word)) and found[1] in known}
            parts = whole[at + 1:]
        elif token.name() in apart:
            begin = i + 2 if tokens[i + 1].word in ("(", "=", ",") else i + 1
            parts = arguments(tokens[begin:])[apart[token.name()]:]
        for words in words_in(parts):
            rule = Rule(f"{path.relative_to(ROOT)}:{token.line}", codes, words)
            made.setdefault((rule.where, words), rule)
            unused.discard(token.name())
    return list(made.values()), unused


def expected_lines():
    files = sorted(each for kind in ("err", "out") for each in GOLDEN.rglob(f"*.{kind}"))
    lines = "\n".join(each.read_text(errors="replace") for each in files).split("\n")
    return "\n".join(line for line in lines if re.search(r"\[E\d{4}\]: |= help: ", line))


def is_shown(_, test=None, case=""):
    return test is None or case in (ROOT / test).read_text()


def main():
    known = {name: number for number, name in golden_codes.all_codes().items()
             if number.startswith(OF_RULES)}
    expected = expected_lines()
    rules = []
    wrong = []
    for folder in ("scenarios", "runner"):
        for path in sorted((ROOT / folder).rglob("*.cpp")):
            found, unused = rules_of(path, known)
            rules += found
            wrong += [f"{path.name}: MADE_APART names {each}, which makes no message"
                      for each in unused]
    if "-v" in sys.argv[1:]:
        print(*rules, sep="\n")
    if len(rules) < RULES_MIN:
        wrong.append(f"only {len(rules)} rules were found in the source")
    missing = [rule for rule in rules if not rule.is_in(expected)]
    wrong += [f"{rule}: no input of tests/golden shows this" for rule in missing
              if rule.words not in SHOWN_ELSEWHERE]
    for words, how in SHOWN_ELSEWHERE.items():
        if not any(rule.words == words for rule in missing) or not is_shown(*how):
            wrong.append(f"\"{words}\": what SHOWN_ELSEWHERE says is not so")
    print(*wrong, sep="\n", end="\n" if wrong else "")
    print(f"{len(rules)} rules, {len(wrong)} mistakes")
    sys.exit(1 if wrong else 0)


main()
