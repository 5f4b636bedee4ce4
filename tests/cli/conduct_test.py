"""How a scenario is run and told about: retries, xfail, locks, redact, secrets, deadlines."""

import base64
import json

from program import PASSING, FAILING, ProgramTest, environment, main

SECRET = "correct-horse!"
USES_SECRET = {
    "secrets": {"token": {"env": "TOKEN"}},
    "actors": {
        "srv": {"server": "tcp://127.0.0.1:0", "do": [
            {"recv": {"exactly": 7}}, {"recv": {"line": True}},
            {"recv": {"line": True}, "expect": {"data": "${hex(token)}"}},
            {"recv": {"line": True}, "expect": {"data": "nothing of the kind"}}]},
        "c": {"client": "${srv.addr}", "do": [
            {"send": "auth ${token}\n"},
            {"send": "${hex(token)}\n"},
            {"send": "basic ${b64(\"user:\" + token)} ${token}\n"},
            {"log": "used ${token}"}]}},
}


class Conduct(ProgramTest):
    def run_and_read(self, code, *words, **options):
        result = self.expect(
            self.run_program("run", *words, "--report", "json=r.json", **options), code)
        return result, json.loads((self.dir / "r.json").read_text())["scenarios"]

    def test_a_secret_appears_nowhere(self):
        self.write("s.scenario.json", USES_SECRET)
        words = ("--report", "junit=r.xml", "--report", "json-stable=s.json")
        result, _ = self.run_and_read(1, *words, env=environment(TOKEN=SECRET))
        shown = result.stdout + result.stderr
        for name in ("r.json", "r.xml", "s.json"):
            shown += (self.dir / name).read_text()
        self.assertIn("<secret:token>", shown)
        forms = [SECRET, SECRET.encode().hex(), SECRET.encode().hex().upper()]
        forms += [base64.b64encode((b"abc"[:n] + SECRET.encode()))[4:16].decode() for n in range(3)]
        for form in forms:
            self.assertNotIn(form, shown)
        # Nor does a part of it that a short receive took.
        self.assertNotIn('"auth ' + SECRET[:2], shown)

    def assert_hidden(self, secret, actors, *more_forms, code=1, **more):
        """Runs a scenario that fails, and looks for parts of the secret in all that it writes."""
        text = {"secrets": {"token": {"env": "TOKEN"}}, "actors": actors} | more
        self.write("s.scenario.json", text)
        words = ["--report", "junit=r.xml", "--report", "json-stable=s.json", "-vv"]
        result, _ = self.run_and_read(code, *words, env=environment(TOKEN=secret))
        shown = result.stdout + result.stderr
        for name in ("r.json", "r.xml", "s.json"):
            shown += (self.dir / name).read_text()
        self.assertIn("<secret", result.stdout)
        for form in (secret, secret.encode().hex(), secret.encode().hex(" "),
                     json.dumps(secret)[1:-1], *more_forms):
            self.assertNotIn(form, shown)
        return result.stdout

    def one_receives(self, send, recv, expect):
        return {"srv": {"server": "tcp://127.0.0.1:0", "do": [{"recv": recv, "expect": expect}]},
                "c": {"client": "${srv.addr}", "do": [{"send": send}]}}

    def test_a_secret_is_hidden_in_what_is_said_of_bytes(self):
        shown = self.assert_hidden(SECRET, self.one_receives(
            ["\0u\0${token}"], {"exactly": 3 + len(SECRET)}, {"data": {"prefix": "x"}}))
        self.assertIn("hex 00 75 00 <secret:token>", shown)

    def test_a_secret_is_hidden_in_what_a_cut_left_of_it(self):
        for before in (33, 38, 44):
            shown = self.assert_hidden(
                SECRET, self.one_receives("a" * before + "${token} and more and more and more",
                                          {"until": " and more and more and more"},
                                          {"data": {"prefix": "x"}}),
                "aa" + SECRET[:2])
            self.assertIn("a<secret:token>", shown)
        shown = self.assert_hidden(SECRET, self.one_receives(
            "\0" * 10 + "${token}" + "\0" * 30, {"exactly": 40 + len(SECRET)},
            {"data": {"prefix": "x"}}),
            SECRET[:4].encode().hex(" "))
        self.assertIn("00 <secret:token>", shown)

    def test_a_secret_that_is_escaped_in_a_message_is_hidden(self):
        for secret in ('pass"word', "back\\slash", "two\nlines", "tab\there"):
            visible = secret.replace("\\", "\\\\").replace('"', '\\"')
            visible = visible.replace("\n", "\\n").replace("\t", "\\t")
            self.assert_hidden(secret, self.one_receives(
                "<${token}>", {"exactly": 2 + len(secret)}, {"data": {"prefix": "x"}}), visible)

    def test_a_secret_that_came_in_pieces_is_hidden_in_what_is_said_of_each(self):
        half = len(SECRET) // 2
        server = {"server": "tcp://127.0.0.1:0", "do": [
            {"recv": {"exactly": half}, "expect": {"data": {"prefix": "x"}},
             "severity": "should"},
            {"recv": {"exactly": half}, "expect": {"data": {"prefix": "x"}}}]}
        client = {"client": "${srv.addr}", "do": [{"send": "${token}"}]}
        self.assert_hidden(SECRET, {"srv": server, "c": client}, SECRET[:half], SECRET[half:])

    def test_the_beginning_of_a_secret_is_hidden_when_the_rest_never_came(self):
        server = {"server": "tcp://127.0.0.1:0", "do": [
            {"recv": {"exactly": 1}}, {"recv": {"exactly": 50}, "timeout": "20ms"}]}
        client = {"client": "${srv.addr}", "do": [
            {"send": "${split(token, \"-\")[0]}"}, {"recv": {"eof": True}}]}
        shown = self.assert_hidden(SECRET, {"srv": server, "c": client}, SECRET.split("-")[0])
        self.assertIn('got ECANCELED: "<secret>"', shown)

    def test_a_secret_is_hidden_in_the_completions_of_a_multishot(self):
        steps = [
            {"make": {"kind": "socketpair"}, "as": ["a", "b"]},
            {"sqe.send": {"data": "${token}"}, "on": "b"},
            {"sqe.recv": {"multishot": True, "buf_group": "g", "total": len(SECRET)}, "on": "a",
             "expect": {"data": "x", "cqes": [{"res": 1}]}}]
        self.assert_hidden(
            SECRET, {"main": {"task": True, "ring": "r", "do": steps}}, *SECRET.split("-"),
            SECRET[:4], SECRET[8:12],
            rings={"r": {"buffer_rings": {"g": {"count": 8, "size": 4}}}})

    def test_a_secret_is_hidden_in_what_programs_write(self):
        secret = "first half\nsecond half"
        echo = ["sh", "-c", "printf 'a%s' \"$T\"; printf '%05000d%s' 0 \"$T\" >&2; exit 3"]
        self.assert_hidden(secret, {"main": {"task": True, "do": [
            {"exec": {"run": echo, "env": {"T": "${token}"}}}]}}, "first half", "second half")

    def test_a_secret_is_hidden_in_what_a_service_wrote(self):
        secret = "first half\nsecond half"
        self.assert_hidden(
            secret, {"main": {"task": True, "do": [{"log": "x"}]}}, "first half", "second half",
            code=5, services={"s": {"run": ["sh", "-c", "echo \"$T\"; exit 3"],
                                    "env": {"T": "${token}"}, "ready": {"stdout": "never"}}})

    def test_a_secret_that_is_not_there_is_an_error_with_a_remedy(self):
        self.write("s.scenario.json", USES_SECRET)
        result, (one,) = self.run_and_read(5)
        self.assertEqual(one["verdict"], "error")
        self.assertIn("the environment variable TOKEN is not set", result.stdout)
        self.assertIn("`requires`", result.stdout)
        result, _ = self.run_and_read(5, env=environment(TOKEN="abc"))
        self.assertIn("it has 3 bytes", result.stdout)

    def test_a_secret_can_be_read_from_a_file(self):
        self.write("token.txt", SECRET + "\n")
        self.write("s.scenario.json", {
            "secrets": {"t": {"file": "token.txt"}},
            "steps": [{"assert": {"value": "${len(t)}", "is": len(SECRET)}}, {"log": "${t}"}]})
        result, (one,) = self.run_and_read(0)
        self.assertEqual(one["logs"], ["main: <secret:t>"])

    def test_what_is_redacted_is_not_in_reports(self):
        self.write("r.scenario.json", {
            "redact": ["a.b", {"regex": "id=[0-9]+", "as": "<id>"}],
            "steps": [{"log": "a.b axb id=17"}]})
        _, (one,) = self.run_and_read(0)
        self.assertEqual(one["logs"], ["main: <redacted> axb <id>"])

    def test_an_expected_failure_is_none_and_its_absence_is_one(self):
        self.write("f.scenario.json", FAILING | {"xfail": "bug 7"})
        result, (one,) = self.run_and_read(0)
        self.assertEqual((one["verdict"], one["skip_reason"]), ("xfailed", "bug 7"))
        self.write("f.scenario.json", PASSING | {"xfail": "bug 7"})
        result, (one,) = self.run_and_read(1)
        self.assertEqual(one["verdict"], "xpassed")
        self.assertIn("E0128", result.stdout)

    def test_a_retry_that_passes_is_flaky(self):
        # The first attempt makes the file that the second one finds.
        steps = [{"openat": {"path": str(self.dir / "made"), "open_flags": ["creat", "excl"],
                             "mode": "0644"}, "as": "f", "expect": "EEXIST"}]
        self.write("f.scenario.json", {"retries": 2, "steps": steps})
        _, (one,) = self.run_and_read(0)
        self.assertEqual((one["verdict"], one["volatile"]["attempts"]), ("flaky", 2))
        (self.dir / "made").unlink()
        self.write("f.scenario.json", {"steps": steps})
        _, (one,) = self.run_and_read(1)
        self.assertEqual(one["verdict"], "failed")
        (self.dir / "made").unlink()
        _, (one,) = self.run_and_read(0, "--retries", "1")
        self.assertEqual(one["verdict"], "flaky")
        (self.dir / "made").unlink()
        self.run_and_read(6, "--retries", "1", "--fail-flaky")
        self.write("f.scenario.json", FAILING)
        _, (one,) = self.run_and_read(1, "--retries", "3")
        self.assertEqual((one["verdict"], one["volatile"]["attempts"]), ("failed", 4))

    def test_two_that_hold_a_lock_do_not_run_at_once(self):
        # Each makes a file that must not be there, and removes it.
        path = str(self.dir / "held")
        steps = [{"openat": {"path": path, "open_flags": ["creat", "excl"], "mode": "0644"},
                  "as": "f"}, {"sleep": "2ms"}, {"unlinkat": {"path": path}}]
        for number in range(30):
            self.write(f"{number}.scenario.json", {"locks": ["file", f"own {number}"],
                                                   "steps": steps})
            self.write(f"free{number}.scenario.json", PASSING)
        result, _ = self.run_and_read(0, "-j", "40", "--rings", "2")
        self.assertEqual(self.last_line(result), "scenarios: 60 passed, 0 failed, 0 skipped")

    def test_the_deadline_that_fired_is_named(self):
        # Of a time that is written down `check` knows that it is too long.
        steps = [{"set": {"long": "1h"}}, {"sleep": "${long}"}]
        self.write("f.scenario.json", {
            "actors": {"late": {"task": True, "timeout": "20ms", "do": steps},
                       "other": {"task": True, "do": steps}}})
        result, (one,) = self.run_and_read(1)
        self.assertIn("the actor late did not end within its timeout of 20ms", result.stdout)

    def test_tolerance_widens_upper_bounds_of_time(self):
        step = {"sleep": "30ms", "expect": {"took": {"ge": "30ms", "le": "1ms"}}}
        self.write("f.scenario.json", {"steps": [step]})
        self.run_and_read(1)
        self.write("f.scenario.json", {"tolerance": 1000, "steps": [step]})
        self.run_and_read(0)

    def test_a_suite_is_shared_by_the_scenarios_beside_it(self):
        self.write("suite.json", {
            "tags": ["shared"], "defaults": {"timeout": "10s", "recv": {"timeout": "1ms"}},
            "vars": {"who": "suite", "text": "${who}"}, "setup": [{"log": "suite"}],
            "teardown": [{"log": "suite ends"}]})
        self.write("f.scenario.json", {
            "vars": {"who": "own"}, "setup": [{"log": "own"}], "teardown": [{"log": "own ends"}],
            "actors": {
                "srv": {"server": "tcp://127.0.0.1:0", "do": [
                    {"recv": {"some": True}, "expect": "timed_out"}, {"signal": "over"}]},
                "c": {"client": "${srv.addr}", "do": [
                    {"await": "over"}, {"assert": {"value": "${text}", "is": "own"}}]}}})
        _, (one,) = self.run_and_read(0)
        self.assertEqual(one["tags"], ["shared"])
        self.expect(self.run_program("run", "--var", "text=own", "--var", "who=x"), 0)
        self.assertEqual(one["logs"], ["setup: suite", "setup: own", "teardown: own ends",
                                       "teardown: suite ends"])
        self.write("suite.json", {"actors": {}})
        result = self.expect(self.run_program("check", "f.scenario.json"), 3)
        self.assertIn("suite.json:2", result.stdout + result.stderr)


if __name__ == "__main__":
    main()
