"""`sweep`: what is tried, how each trial is judged, what is told, kept and gone on from."""

import json
import os
import shutil
import signal
import subprocess
import time

from program import LONG, PROGRAM, ROOT, ProgramTest, environment, main

# A reply that is checked, and a deadline for what hangs.
REQUEST = {
    "timeout": "60s",
    "actors": {
        "srv": {"server": "tcp://127.0.0.1:0", "do": [
            {"recv": {"exactly": 4}, "as": "asked"}, {"send": "${asked}"}]},
        "c": {"client": "${srv.addr}", "do": [
            {"send": "ping"}, {"recv": {"exactly": 4}, "expect": {"data": "ping"}}]}}}


def one_send(after=(), **more):
    """A client that sends once, and does `after` when it has; a server that takes what comes."""
    return {"timeout": "60s", **more, "actors": {
        "srv": {"server": "tcp://127.0.0.1:0", "do": [
            {"recv": {"eof": True}, "expect": {"data": {"any": True}}}]},
        "c": {"client": "${srv.addr}", "do": [
            {"send": "x", "expect": {"any_of": ["ok", "EPIPE"]}, "capture": {"res": "res"}},
            *after]}}}


class Sweep(ProgramTest):
    def sweep(self, code, *words, **more):
        return self.expect(self.run_program("sweep", *words, **more), code)

    def report(self, code, *words):
        self.sweep(code, *words, "--report", "json=sweep.json")
        return json.loads((self.dir / "sweep.json").read_text())

    def ends(self, report):
        """The ends of all trials by their names."""
        return {f"{t['actor']} {t['op']}#{t['nth']} {t['fault']} {t['variant']}".strip(): t["end"]
                for each in report["scenarios"] for t in each["trials"]}

    def only_send(self, fault, *more):
        return ("--actor", "c", "--op", "send", "--fault", fault, *more)

    # ---- What is tried

    def test_each_completion_is_tried_with_each_fault_that_it_can_suffer(self):
        self.write("s.scenario.json", REQUEST)
        lines = self.sweep(0, "--list").stdout.splitlines()
        self.assertRegex(lines[-1], r"^sweep: \d+ trials of 7 completions in 1 scenario$")
        names = [line.split("  ")[1] for line in lines[:-1]]
        self.assertEqual(len(names), len(set(names)))
        for name in ("srv sqe.accept#1 cqe.errno EMFILE before",
                     "srv#1 (from c) sqe.recv#1 cqe.short_read 1 byte",
                     "srv#1 (from c) sqe.send#1 cqe.errno EPIPE after",
                     "c sqe.connect#1 cqe.errno ECONNREFUSED before",
                     "c sqe.send#1 cqe.short_write 1 byte", "c sqe.recv#1 cqe.eof after",
                     "c sqe.recv#1 cqe.hang", "c sqe.recv#1 cqe.drop"):
            self.assertIn(name, names)
        # None of these has a timeout, nor is any cancelled.
        for word in ("cqe.timeout", "cqe.cancel_race", "errno ECANCELED"):
            self.assertFalse([name for name in names if word in name], word)

    def test_the_flags_select_some(self):
        self.write("s.scenario.json", REQUEST)
        listed = lambda *words: self.sweep(0, "--list", *words).stdout.splitlines()[:-1]
        self.assertEqual(
            [line.split("  ")[1] for line in listed("--op", "recv", "--fault", "eof")],
            [f"{who} sqe.recv#1 cqe.eof {point}" for who in ("srv#1 (from c)", "c")
             for point in ("before", "after")])
        self.assertTrue(all("  c sqe." in line for line in listed("--actor", "c")))
        self.assertFalse([line for line in listed("--fault", "!cqe.errno") if "errno" in line])
        self.assertIn("did you mean", self.sweep(2, "--op", "recvv").stderr)
        self.assertIn("is not known", self.sweep(2, "--fault", "nothing").stderr)
        self.assertIn("no completion fits", self.sweep(4, "--op", "fsync").stderr)

    def test_a_scenario_that_does_not_pass_by_itself_is_refused(self):
        self.write("s.scenario.json", {"steps": [{"fail": "on purpose"}]})
        result = self.sweep(1)
        self.assertIn("does not pass by itself (failed)", result.stderr)
        self.assertIn("on purpose", result.stdout)
        self.write("s.scenario.json", {"steps": [{"log": "nothing is submitted"}]})
        self.assertIn("no step submits anything", self.sweep(4).stderr)
        self.write("s.scenario.json", {"steps": [{"slep": "0ns"}]})
        self.sweep(3)

    # ---- How it is judged

    def test_an_error_that_the_step_reports_is_clean(self):
        self.write("s.scenario.json", REQUEST)
        result = self.sweep(0, "--fault", "errno", "--fault", "eof", "--fault", "cancelled")
        self.assertRegex(result.stdout.splitlines()[-1],
                         r"^sweep: [1-9]\d* clean, 0 failed, 0 hung, 0 leaked; 0 not fired, ")

    def test_wrong_data_that_nobody_noticed_is_a_failure(self):
        self.write("s.scenario.json", REQUEST)
        report = self.report(1, "--fault", "corrupt", "--op", "recv")
        # The server hands on what it could not know to be wrong; the client sees it by itself.
        self.assertEqual(self.ends(report), {"srv#1 (from c) recv#1 cqe.corrupt": "failed",
                                             "c recv#1 cqe.corrupt": "clean"})
        (failure,) = report["scenarios"][0]["failures"]
        self.assertEqual(failure["why"], "c step 2 recv: E0103 data differs")

    def test_an_actor_that_has_no_connection_to_it_must_not_fail(self):
        made = one_send()
        made["actors"]["other"] = {"task": True, "do": [
            {"when": "${c.res < 0}", "fail": "it was not to hear of it"}]}
        self.write("s.scenario.json", made)
        ends = self.ends(self.report(1, *self.only_send("errno")))
        self.assertEqual(ends["c send#1 cqe.errno EPIPE before"], "failed")
        # An error that the scenario does not admit ends the client, and the other hears nothing.
        self.assertEqual(ends["c send#1 cqe.errno ENOMEM before"], "clean")

    def test_a_teardown_that_fails_is_a_failure(self):
        self.dir.chmod(0o777)  # programs run as nobody
        made = one_send(after=[{"when": "${res < 0}", "exec": ["touch", str(self.dir / "bad")]}])
        made["teardown"] = [{"exec": ["test", "!", "-e", str(self.dir / "bad")],
                             "expect": {"exit": 0}},
                            {"exec": ["rm", "-f", str(self.dir / "bad")]}]
        self.write("s.scenario.json", made)
        ends = self.ends(self.report(1, *self.only_send("errno", "-j1")))
        self.assertEqual(ends["c send#1 cqe.errno EPIPE before"], "failed")
        self.assertEqual(ends["c send#1 cqe.errno ENOMEM before"], "clean")

    def test_what_has_no_timeout_hangs(self):
        self.write("s.scenario.json", REQUEST)
        flags = ("--fault", "hang", "--actor", "c", "--op", "recv", "--deadline", "300ms")
        report = self.report(1, *flags)
        self.assertEqual(self.ends(report), {"c recv#1 cqe.hang": "hung"})
        (failure,) = report["scenarios"][0]["failures"]
        self.assertEqual(failure["why"], "E0108 scenario deadline passed")
        made = json.loads(json.dumps(REQUEST))
        made["actors"]["c"]["do"][1]["timeout"] = "20ms"
        self.write("s.scenario.json", made)
        self.assertEqual(self.ends(self.report(0, *flags[:-2])), {"c recv#1 cqe.hang": "clean"})

    def test_a_process_that_is_left_is_a_leak(self):
        # It leaves its group and both marks by which the harness would find it.
        daemon = ("ulimit -m 1000000; exec setsid env -i sleep 1000 >/dev/null 2>&1 & "
                  "until read name </proc/$!/comm && [ $name = sleep ]; do :; done")
        self.write("s.scenario.json", one_send(
            after=[{"when": "${res < 0}", "exec": ["sh", "-c", daemon]}]))
        report = self.report(1, *self.only_send("errno"))
        ends = self.ends(report)
        self.assertEqual(ends["c send#1 cqe.errno EPIPE before"], "leaked")
        self.assertEqual(ends["c send#1 cqe.errno ENOMEM before"], "clean")
        self.assertEqual({f["why"] for f in report["scenarios"][0]["failures"]}, {"1 process left"})

    def test_what_has_a_default_timeout_does_not_hang(self):
        made = json.loads(json.dumps(REQUEST))
        flags = ("--fault", "hang", "--actor", "c", "--op", "connect", "--deadline", "20s")
        # Nobody waits for it in a step of the list.
        made["defaults"] = {"timeout": "20ms"}
        self.write("s.scenario.json", made)
        self.assertEqual(self.ends(self.report(0, *flags)), {"c connect#1 cqe.hang": "clean"})
        made["defaults"] = {"timeout": "1h", "connect": {"timeout": "20ms"}}
        self.write("s.scenario.json", made)
        self.assertEqual(self.ends(self.report(0, *flags)), {"c connect#1 cqe.hang": "clean"})

    def test_what_breaks_without_the_fault_is_told(self):
        # Only the first run has a second send, and goes well.
        self.dir.chmod(0o777)
        made = one_send()
        made["actors"]["c"]["do"] = [
            {"exec": ["sh", "-c", f"mkdir {self.dir}/$$ && ls -d {self.dir}/[0-9]* | wc -l"],
             "as": "runs"},
            {"send": "x"},
            {"when": "${int(trim(runs)) == 1}", "send": "y"},
            {"when": "${int(trim(runs)) != 1}", "recv": {"exactly": 1}, "timeout": "10ms"}]
        self.write("s.scenario.json", made)
        report = self.report(1, *self.only_send("delay", "-j1"))
        ends = self.ends(report)
        self.assertEqual(ends["c send#1 cqe.delay before"], "clean")
        self.assertEqual(ends["c send#2 cqe.delay before"], "failed")
        why = report["scenarios"][0]["failures"][0]["why"]
        self.assertRegex(why, "^c step 4 recv: E.*; the fault did not fire: ")

    def test_what_did_not_fire_is_not_clean(self):
        # Only the first run has a second send.
        self.dir.chmod(0o777)
        made = one_send()
        made["actors"]["c"]["do"] = [
            {"send": "x"},
            {"exec": ["sh", "-c", f"mkdir {self.dir}/$$ && ls -d {self.dir}/[0-9]* | wc -l"],
             "as": "runs"},
            {"when": "${int(trim(runs)) == 1}", "send": "y"}]
        self.write("s.scenario.json", made)
        ends = self.ends(self.report(0, *self.only_send("delay", "-j1")))
        self.assertEqual(ends["c send#1 cqe.delay before"], "clean")
        self.assertEqual(ends["c send#2 cqe.delay before"], "not fired")

    # ---- Faults of its own

    def test_its_own_faults_stay_unless_they_are_left_out(self):
        made = one_send(faults=[{"id": "own", "type": "cqe.errno", "errno": "EPIPE",
                                 "point": "before", "where": {"actor": "c", "op": "sqe.send"}}])
        self.write("s.scenario.json", made)
        # It has the completion already.
        self.assertIn("no completion fits", self.sweep(4, *self.only_send("errno")).stderr)
        self.sweep(0, *self.only_send("errno", "--without-faults"))

    def test_a_failure_is_shrunk_to_the_faults_that_it_needs(self):
        own = {"type": "cqe.delay", "delay": "1ms", "require": False}
        made = json.loads(json.dumps(REQUEST))
        made["faults"] = [{"id": "slow-1", **own, "where": {"actor": "c", "op": "sqe.connect"}},
                          {"id": "slow-2", **own, "where": {"actor": "c", "op": "sqe.send"}}]
        self.write("s.scenario.json", made)
        report = self.report(1, "--fault", "corrupt", "--op", "recv")
        (failure,) = report["scenarios"][0]["failures"]
        self.assertEqual([rule["id"] for rule in failure["faults"]], ["sweep"])

    def replay(self, failure):
        """Its command, as a shell runs it."""
        bin_dir = self.dir / "bin"
        bin_dir.mkdir()
        os.symlink(PROGRAM, bin_dir / "uring-scenario")
        return subprocess.run(
            ["sh", "-c", failure["rerun"]], cwd=self.dir, text=True, capture_output=True,
            timeout=LONG, env=environment(PATH=f"{bin_dir}:{os.environ['PATH']}"))

    def test_a_failure_is_replayed_by_its_command(self):
        self.write("s.scenario.json", REQUEST)
        report = self.report(1, "--fault", "corrupt", "--op", "recv")
        (failure,) = report["scenarios"][0]["failures"]
        result = self.replay(failure)
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn("E0103", result.stdout)

    def test_its_command_has_what_decides_how_it_runs(self):
        self.write("s.scenario.json", {**REQUEST, "vars": {"n": "1"}})
        flags = ("--deadline", "2s", "--time-scale", "0.5", "--ring-mode", "plain",
                 "--ring-entries", "64", "--var", "n=2", "--seed", "3")
        report = self.report(1, "--fault", "hang", "--actor", "c", "--op", "recv", *flags)
        (failure,) = report["scenarios"][0]["failures"]
        words = failure["rerun"].split("| ")[-1].split()
        for flag, content in zip(flags[::2], flags[1::2]):
            self.assertIn(flag, words)
            self.assertEqual(words[words.index(flag) + 1], content)
        # And `run` understands them.
        result = self.replay(failure)
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn("E0108", result.stdout)

    # ---- What is told

    def test_two_sweeps_give_the_same_report(self):
        self.write("s.scenario.json", REQUEST)
        flags = ("--fault", "errno", "--fault", "corrupt", "--fault", "short_read")
        first = self.report(1, *flags)
        self.assertEqual(first, self.report(1, *flags, "-j", "7"))

    def test_the_table_counts_by_op_and_fault(self):
        self.write("s.scenario.json", REQUEST)
        result = self.sweep(1, "--fault", "corrupt", "--fault", "eof", "--op", "recv")
        rows = [line.split() for line in result.stdout.splitlines()]
        self.assertIn(["recv", "cqe.corrupt", "1", "1", "-", "-", "-", "-"], rows)
        self.assertIn(["recv", "cqe.eof", "4", "-", "-", "-", "-", "-"], rows)
        self.assertIn("run again: printf", result.stdout)
        self.assertIn("[6/6]", result.stdout)
        quiet = self.sweep(1, "--fault", "corrupt", "--op", "recv", "-q").stdout
        self.assertNotIn("[2/2]", quiet)

    def test_a_report_on_standard_output_is_alone_there(self):
        self.write("s.scenario.json", REQUEST)
        result = self.sweep(0, "--fault", "eof", "--report", "json")
        self.assertEqual(json.loads(result.stdout)["totals"]["clean"], 4)
        self.assertIn("sweep: 4 clean", result.stderr)
        self.assertIn("writes json", self.sweep(2, "--report", "junit=x.xml").stderr)

    # ---- Ends before the end

    def test_a_budget_ends_it(self):
        self.write("s.scenario.json", REQUEST)
        report = self.report(7, "--budget", "5", "--fault", "errno")
        self.assertEqual(report["totals"]["clean"], 5)
        self.assertGreater(report["totals"]["not_run"], 50)
        again = self.report(7, "--budget", "5", "--fault", "errno")
        self.assertEqual(report, again)
        other = self.report(7, "--budget", "5", "--fault", "errno", "--seed", "2")
        self.assertNotEqual(self.ends(report), self.ends(other))
        # Nothing ends as early as that.
        self.assertIn("budget", self.sweep(7, "--budget", "1ns").stderr)
        self.sweep(2, "--budget", "0")

    def test_it_goes_on_where_it_ended(self):
        self.write("s.scenario.json", REQUEST)
        flags = ("--fault", "errno", "--op", "recv", "--resume", "state")
        first = self.report(7, *flags, "--budget", "10")
        second = self.report(7, *flags, "--budget", "10")
        self.assertEqual(second["totals"]["clean"], 20)
        last = self.report(0, *flags)
        self.assertEqual(last["totals"]["not_run"], 0)
        done = {name for name, end in self.ends(first).items() if end == "clean"}
        self.assertEqual(len(done), 10)
        # Nothing is left: no trial runs.
        self.assertNotIn("[", self.sweep(0, *flags).stdout)
        self.assertIn("other settings", self.sweep(2, *flags, "--seed", "9").stderr)
        self.write("s.scenario.json", {**REQUEST, "timeout": "61s"})
        self.assertIn("another content", self.sweep(2, *flags).stderr)
        for text in ("{}", "[", '{"sweep": 2}', json.dumps("x")):
            (self.dir / "state").write_text(text)
            self.assertIn("not the state of a sweep", self.sweep(2, *flags).stderr, text)
        for path in ("/dev/full", str(self.dir)):
            self.assertIn("is no file", self.sweep(2, *flags[:-1], path).stderr)

    def test_a_state_of_other_files_or_of_another_version_is_refused(self):
        made = json.loads(json.dumps(REQUEST))
        made["cases"] = {"csv": "rows.csv"}
        made["actors"]["c"]["do"][0] = {"send": {"file": "asked.bin"}}
        self.write("s.scenario.json", made)
        (self.dir / "rows.csv").write_text("n:int\n1\n2\n")
        (self.dir / "asked.bin").write_text("ping")
        flags = ("--fault", "eof", "--op", "recv", "--resume", "state")
        self.sweep(0, *flags)
        self.sweep(0, *flags)
        (self.dir / "rows.csv").write_text("n:int\n1\n3\n")
        self.assertIn("another content", self.sweep(2, *flags).stderr)
        (self.dir / "rows.csv").write_text("n:int\n1\n2\n")
        self.sweep(0, *flags)
        # Nothing runs with it: what it has to say can't be what the sweep would find.
        (self.dir / "asked.bin").write_text("pong")
        result = self.sweep(2, *flags)
        self.assertIn("a file that is part of it; remove it", result.stderr)
        (self.dir / "asked.bin").write_text("ping")
        state = json.loads((self.dir / "state").read_text())
        self.write("state", {**state, "version": "0.0.1"})
        self.assertIn('is of uring-scenario "0.0.1"', self.sweep(2, *flags).stderr)
        self.write("state", {**state, "sweep": 1})
        self.assertIn("another layout", self.sweep(2, *flags).stderr)

    def test_a_state_that_can_not_be_kept_is_told_before_anything_runs(self):
        self.dir.chmod(0o777)
        self.write("s.scenario.json", one_send(after=[{"exec": ["touch", str(self.dir / "ran")]}]))
        result = self.sweep(5, *self.only_send("errno", "--resume", "nowhere/state"))
        self.assertIn("cannot write 'nowhere/state'", result.stderr.replace('"', "'"))
        self.assertFalse((self.dir / "ran").exists())

    def test_the_state_and_a_report_are_two_files(self):
        self.write("s.scenario.json", REQUEST)
        for other in ("state", "./state", str(self.dir / "state")):
            result = self.sweep(2, "--resume", "state", "--report", f"json={other}")
            self.assertIn("both write to", result.stderr)
        self.assertFalse((self.dir / "state").exists())

    def test_a_state_whose_values_are_of_other_types_is_refused(self):
        self.write("s.scenario.json", REQUEST)
        flags = ("--fault", "eof", "--op", "recv", "--resume", "state")
        self.sweep(0, *flags)
        good = (self.dir / "state").read_text()
        for key, value in (("end", 5), ("why", [5]), ("varies", "x")):
            state = json.loads(good)
            for trials in state["done"].values():
                for trial in trials.values():
                    trial[key] = value
            self.write("state", state)
            self.assertIn("not the state of a sweep", self.sweep(2, *flags).stderr, key)

    def test_a_round_that_is_cut_short_and_left_something_is_not_known(self):
        # Every trial leaves a process, and the last one keeps the round from its end.
        daemon = ("ulimit -m 1000000; exec setsid env -i sleep 1000 >/dev/null 2>&1 & "
                  "until read name </proc/$!/comm && [ $name = sleep ]; do :; done")
        self.write("s.scenario.json", one_send(
            after=[{"when": "${res < 0}", "exec": ["sh", "-c", daemon]},
                   {"when": "${res < 0}", "sleep": "20s"}]))
        flags = self.only_send("errno", "--resume", "state")
        cut = self.report(7, *flags, "--budget", "2s")
        self.assertEqual(cut["totals"]["clean"], 0, cut["totals"])

    def test_ctrl_c_keeps_what_was_done(self):
        # The trial that hangs would take a minute, the others are done at once.
        self.write("s.scenario.json", REQUEST)
        flags = ("--actor", "c", "--op", "recv", "--fault", "hang", "--fault", "eof")
        process = self.start_program("sweep", *flags, "--resume", "state", "-v",
                                     "--report", "json=sweep.json")
        for clean in (process.wait, process.kill, process.stdout.close, process.stderr.close):
            self.addCleanup(clean)
        for _ in range(2):
            self.assertIn("clean", process.stdout.readline())
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=LONG)
        self.assertEqual(process.returncode, 130, err)
        self.assertIn("interrupted", out)
        self.assertIn("sweep: 2 clean, 0 failed, 0 hung, 0 leaked; 0 not fired, 1 not run", out)
        report = json.loads((self.dir / "sweep.json").read_text())
        self.assertEqual(report["totals"]["not_run"], 1)
        state = json.loads((self.dir / "state").read_text())
        self.assertEqual(len(state["done"]["s.scenario.json"]), 2)
        # The rest, which another deadline would make another sweep.
        result = self.sweep(0, *flags, "--fault", "!hang", "--resume", "state")
        self.assertIn("sweep: 2 clean", result.stdout)

    # ---- The examples

    def test_examples_are_swept_in_seconds(self):
        shutil.copytree(ROOT / "examples", self.dir / "examples",
                        ignore=shutil.ignore_patterns("cpp"))
        for name, flags in (("echo", ()), ("half_close", ("-k", "over=ipv4")),
                            ("slow_peer", ("--op", "recv", "--fault", "errno")),
                            ("lost_ack", ())):
            with self.subTest(example=name):
                begun = time.monotonic()
                self.run_program("sweep", f"examples/{name}.scenario.json", "--deadline", "2s",
                                 *flags, "--report", "json=sweep.json")
                report = json.loads((self.dir / "sweep.json").read_text())
                self.assertLess(time.monotonic() - begun, LONG / 2)
                totals = report["totals"]
                self.assertGreater(totals["clean"], 20)
                self.assertEqual(totals["leaked"], 0)
                self.assertEqual(totals["not_run"], 0)

    def test_all_cases_or_some(self):
        self.write("s.scenario.json", {**REQUEST, "matrix": {"n": [1, 2, 3]}})
        report = self.report(0, "--fault", "eof")
        self.assertEqual([each["id"] for each in report["scenarios"]],
                         [f"s.scenario.json[n={n}]" for n in (1, 2, 3)])
        self.assertEqual(len(self.report(0, "--fault", "eof", "-k", "n=2")["scenarios"]), 1)


if __name__ == "__main__":
    main()
