"""Runs that are repeated: the same again, without a fault, with other seeds, from a saved plan."""

import json
import shlex

from program import ProgramTest, main


def scenario(faults, sends=6, expect=None):
    """A client whose sends may fail, beside a server that takes what comes."""
    send = {"send": "x", "expect": expect or {"any_of": ["ok", "EPIPE", "ENOBUFS"]}}
    return {"seed": 3, "faults": faults, "actors": {
        "srv": {"server": "tcp://127.0.0.1:0", "do": [
            {"recv": {"eof": True}, "expect": {"data": {"any": True}}}]},
        "c": {"client": "${srv.addr}", "do": [{"repeat": {"times": sends, "do": [send]}}]}}}


def broken_send(errno="EPIPE", **more):
    return {"type": "cqe.errno", "errno": errno, "point": "before",
            "where": {"actor": "c", "op": "send"}, **more}


class Trials(ProgramTest):
    def hits(self, *words):
        """Which sends failed, for each scenario of a run."""
        self.expect(self.run_program("run", *words, "--report", "json=r.json"), 0)
        reports = json.loads((self.dir / "r.json").read_text())["scenarios"]
        return [[site["nth"] for fault in each["faults"] for site in fault.get("sites", [])]
                for each in reports]

    def test_what_a_seed_decides_is_the_same_each_time(self):
        self.write("s.scenario.json", scenario([broken_send(when={"p": 0.5}, require=False)]))
        result = self.expect(self.run_program("run", "--check-determinism", "4"), 0)
        self.assertIn("determinism: 1 scenario ran 4 times, 0 differ", result.stdout)

    def test_what_differs_is_named(self):
        # The time of day is nobody's choice, and here it is taken for a result.
        self.write("s.scenario.json", {
            "actors": {"a": {"task": True, "do": [
                {"exec": ["sh", "-c", "date +%N"], "expect": {"exit": 0}}]}}})
        result = self.expect(self.run_program("run", "--check-determinism", "3"), 1)
        self.assertIn("differs from run 1", result.stdout)
        self.assertIn("exec on a", result.stdout)

    def test_a_fault_that_makes_no_difference_is_found(self):
        self.write("s.scenario.json", scenario([
            broken_send(id="real", when={"nth": 2}),
            broken_send("ENOBUFS", id="idle", when={"nth": 99}, require=False)]))
        result = self.expect(self.run_program("run", "--ablate"), 1)
        self.assertIn("without the fault idle everything is the same", result.stdout)
        self.assertNotIn("fault real", result.stdout)
        self.assertIn("ablation: 2 faults in 1 scenario, 1 without effect", result.stdout)

    def test_ablation_needs_a_fault(self):
        self.write("s.scenario.json", scenario([]))
        self.expect(self.run_program("run", "--ablate"), 4)

    def test_seeds_replace_that_of_the_file(self):
        self.write("s.scenario.json", scenario([broken_send(when={"p": 0.5}, require=False)]))
        several = self.hits("--seeds", "1..8")
        self.assertEqual(len(several), 8)
        self.assertGreater(len({tuple(each) for each in several}), 1)
        self.assertEqual(self.hits("--seeds", "5"), [several[4]])
        self.expect(self.run_program("run", "--seeds", "5..4"), 2)
        self.expect(self.run_program("run", "--seeds", "x"), 2)

    def test_a_failure_tells_how_its_seed_is_run_again(self):
        self.write("s.scenario.json",
                   scenario([broken_send(when={"nth": 1})], expect="ok"))
        result = self.expect(self.run_program("run", "--seeds", "7"), 1)
        self.assertIn("--seeds 7", result.stdout)

    def test_a_failure_is_run_again_as_it_was_run(self):
        """With its variables, times, ring and plan: the command that is printed fails the same."""
        made = scenario([])
        made["vars"] = {"word": "none"}
        made["actors"]["c"]["do"] = [{"send": "${word}", "expect": "ok"}]
        self.write("s.scenario.json", made)
        self.write("plan.json", {"faults": [broken_send(when={"match": {"text": "a b"}})]})
        words = ["--var", "word=a b", "--time-scale", "2", "--deadline", "5s", "--ring-mode",
                 "plain", "--ring-entries", "64", "--strict", "--replay", "plan.json"]
        result = self.expect(self.run_program("run", *words), 1)
        (again,) = [line.split(": uring-scenario ")[1] for line in result.stdout.splitlines()
                    if "run again: " in line]
        self.assertEqual(sorted(shlex.split(again)), sorted(
            ["run", "s.scenario.json", "--seed", "3", "-v", *words]))
        self.assertIn("EPIPE", self.expect(self.run_program(*shlex.split(again)), 1).stdout)

    def test_a_saved_plan_hits_the_same_without_the_seed(self):
        self.write("s.scenario.json",
                   scenario([broken_send(id="odd", when={"p": 0.5}, require=False)]))
        (drawn,) = self.hits("--save-plan", "plan.json")
        plan = json.loads((self.dir / "plan.json").read_text())
        (rules,) = [each["faults"] for each in plan["plans"].values()]
        self.assertEqual([rule["when"] for rule in rules], [{"nth": n} for n in drawn])
        self.assertEqual(rules[0]["id"], "odd")
        self.write("s.scenario.json", {**scenario([]), "seed": 99})
        (replayed,) = self.hits("--replay", "plan.json")
        self.assertEqual(sorted(replayed), drawn)

    def reordered(self, when, **more):
        nops = [{"chain": {"link": "none", "do": [{"nop": {}, "id": letter} for letter in four]}}
                for four in ("abcd", "efgh", "ijkl")]
        return {"seed": 3, "faults": [
            {"id": "r", "type": "cqe.reorder", "window": 4, "when": when,
             "where": {"actor": "t", "op": "sqe.nop"}, **more}],
            "actors": {"t": {"task": True, "do": nops}}}

    def order_of(self, *words):
        """The requests of a run, as they completed."""
        self.expect(self.run_program("run", *words, "--report", "json=r.json"), 0)
        (report,) = json.loads((self.dir / "r.json").read_text())["scenarios"]
        came = {step["completions"][0]["volatile"]["order"]: step["id"]
                for actor in report["actors"] for step in actor["steps"] if "id" in step}
        return [came[order] for order in sorted(came)]

    def test_a_saved_plan_draws_the_same(self):
        self.write("s.scenario.json", self.reordered({"nth": "1..+4"}))
        first = self.order_of("--save-plan", "plan.json")
        self.assertEqual(self.order_of("--replay", "plan.json"), first)
        # Also where the scenario's seed is another one now.
        made = self.reordered({"nth": "1..+4"})
        self.write("s.scenario.json", {**made, "seed": 4})
        self.assertNotEqual(self.order_of(), first)
        self.assertEqual(self.order_of("--replay", "plan.json"), first)
        self.expect(self.run_program("run", "--replay", "plan.json", "--save-plan", "2.json"), 0)
        self.assertEqual(*(json.loads((self.dir / name).read_text())
                           for name in ("plan.json", "2.json")))

    def test_a_saved_plan_has_the_hits_that_were_done(self):
        self.write("s.scenario.json", self.reordered({"nth": "1.."}, times=3))
        first = self.order_of("--save-plan", "plan.json")
        (plan,) = json.loads((self.dir / "plan.json").read_text())["plans"].values()
        self.assertEqual([rule["id"] for rule in plan["faults"]], ["r"])
        self.assertEqual(self.order_of("--replay", "plan.json"), first)

    def test_a_saved_plan_asks_no_more_than_the_rule_did(self):
        """Of two connections only one has bytes that are cut."""
        self.write("s.scenario.json", {
            "proxies": {"px": {"listen": "tcp://127.0.0.1:0", "to": "${srv.addr}"}},
            "faults": [{"id": "cuts", "type": "wire.slicer", "average_size": 1,
                        "where": {"proxy": "px"}}],
            "actors": {
                "srv": {"server": "tcp://127.0.0.1:0", "accept": 2, "do": [
                    {"recv": {"exactly": 1}, "as": "who"},
                    {"if": {"cond": "${who == \"a\"}", "then": [{"send": "xyz"}]}},
                    {"recv": {"eof": True}}]},
                "a": {"client": "${px.addr}", "do": [{"send": "a"}, {"recv": {"exactly": 3}}]},
                "b": {"client": "${px.addr}", "do": [{"send": "b"}]}}})
        self.expect(self.run_program("run", "--save-plan", "plan.json"), 0)
        result = self.expect(self.run_program("run", "-v", "--replay", "plan.json"), 0)
        self.assertIn("cuts-2 (wire.slicer): fired 1, observed 0", result.stdout)

    def plan_of(self, sends, when):
        self.write("s.scenario.json", scenario([broken_send(id="many", when=when)], sends=sends))
        self.expect(self.run_program("run", "--save-plan", "plan.json"), 0)
        (plan,) = json.loads((self.dir / "plan.json").read_text())["plans"].values()
        (replayed,) = self.hits("--replay", "plan.json")
        return plan["faults"], len(replayed)

    def test_many_hits_in_a_row_are_one_rule(self):
        (rule,), hits = self.plan_of(900, {"nth": "1.."})
        self.assertEqual((rule["when"], rule["require"]), ({"nth": "1..900"}, {"fired": 900}))
        self.assertEqual(hits, 900)
        (rule,), hits = self.plan_of(60, {"nth": "2..+2"})
        self.assertEqual((rule["when"], hits), ({"nth": "2..60+2"}, 30))
        # Few of them are told one by one.
        rules, hits = self.plan_of(6, {"nth": "2.."})
        self.assertEqual((len(rules), hits), (5, 5))

    def test_more_hits_than_were_noted_stay_as_they_were_written(self):
        (rule,), _ = self.plan_of(1500, {"nth": "1.."})
        self.assertEqual(rule["when"], {"nth": "1.."})
        result = self.expect(self.run_program("run", "-v"), 0)
        self.assertIn("and 1497 more", result.stdout)
        result = self.expect(self.run_program("run", "-v", "--replay", "plan.json"), 0)
        self.assertIn("fired 1500", result.stdout)

    def test_a_plan_is_not_larger_than_can_be_read(self):
        # Drawn, so that no two of them are in a row.
        self.write("s.scenario.json", scenario(
            [broken_send(id="drawn", when={"p": 0.5}),
             broken_send(id="idle", when={"nth": 1, "p": 1}, require=False),
             {"id": "also", "type": "cqe.corrupt", "when": {"p": 0.9},
              "where": {"actor": "c", "op": "sqe.send"}, "require": False}], sends=1400))
        self.expect(self.run_program("run", "--save-plan", "plan.json"), 0)
        self.expect(self.run_program("run", "--replay", "plan.json"), 0)

    def test_a_plan_says_what_the_clock_still_decides(self):
        made = scenario([{"id": "clocked", "type": "ring.wait_errno", "errno": "EINTR",
                          "when": {"at": "1ms"}, "require": False},
                         broken_send(id="named", when={"window": ["0ms", "1h"], "nth": 2})])
        made["actors"]["c"]["do"].append({"sleep": "20ms"})
        self.write("s.scenario.json", made)
        result = self.expect(self.run_program("run", "--save-plan", "plan.json"), 0)
        self.assertIn("the clock still decides about clocked\n", result.stderr)
        result = self.expect(self.run_program("run", "--replay", "plan.json"), 0)
        self.assertEqual(result.stderr, "")

    def test_the_seed_of_a_plan_is_that_of_its_run(self):
        """What stays as it was written draws from it, unless another one is asked for."""
        made = scenario([broken_send(when={"p": 0.5}, require=False)], sends=2400)
        del made["seed"]
        self.write("s.scenario.json", made)
        (drawn,) = self.hits("--seed", "7", "--save-plan", "plan.json")
        (rule,) = json.loads((self.dir / "plan.json").read_text())["plans"][
            "s.scenario.json"]["faults"]
        self.assertEqual(rule["when"], {"p": 0.5})
        self.assertEqual(self.hits("--replay", "plan.json"), [drawn])
        self.assertNotEqual(self.hits("--replay", "plan.json", "--seed", "8"), [drawn])

    def test_a_report_is_a_plan_too(self):
        self.write("s.scenario.json",
                   scenario([broken_send(id="odd", when={"p": 0.5}, require=False)]))
        (drawn,) = self.hits()
        report = json.loads((self.dir / "r.json").read_text())
        self.write("kept.json", report)
        (plan,) = [each["volatile"]["plan"] for each in report["scenarios"]]
        self.assertEqual([rule["when"] for rule in plan["faults"]], [{"nth": n} for n in drawn])
        self.write("s.scenario.json", {**scenario([]), "seed": 99})
        (replayed,) = self.hits("--replay", "kept.json")
        self.assertEqual(sorted(replayed), drawn)
        self.write("t.scenario.json", scenario([]))
        result = self.expect(self.run_program("run", "t.scenario.json", "--replay", "kept.json"), 2)
        self.assertIn("report has no plan", result.stderr)

    def test_a_plan_need_not_have_what_steps_of_the_file_name(self):
        made = scenario([broken_send(id="here", when={"nth": 1}),
                         broken_send(id="never", when={"nth": 90}, armed=False, require=False)])
        made["actors"]["c"]["do"].insert(0, {"fault_on": "never"})
        self.write("s.scenario.json", made)
        self.assertEqual(self.hits("--save-plan", "plan.json"), [[1]])
        self.assertEqual(self.hits("--replay", "plan.json"), [[1]])

    def test_the_rules_of_a_plan_have_ids_of_their_own(self):
        self.write("s.scenario.json", scenario([
            broken_send(id="a", when={"nth": "1..3"}), broken_send(id="a-2", when={"nth": 4})]))
        (drawn,) = self.hits("--save-plan", "plan.json")
        (replayed,) = self.hits("--replay", "plan.json")
        self.assertEqual(sorted(replayed), sorted(drawn))

    def test_a_time_that_never_comes_does_not_come_at_once(self):
        far = "2562047h"
        made = scenario([broken_send(id="at", when={"at": far}, require=False)], expect="ok")
        self.write("at.scenario.json", made)
        self.write("open.scenario.json",
                   scenario([broken_send(id="open", when={"window": ["0ms", far]})]))
        self.expect(self.run_program("run"), 0)

    def test_a_deed_that_teardown_sets_off_ends_before_it_does(self):
        service = "trap 'exit 0' TERM; echo ready; while :; do sleep 0.05; done"
        for deed in ("kill", "stop"):
            self.write(f"{deed}.scenario.json", {
                "services": {"d": {"run": ["sh", "-c", service], "ready": {"stdout": "ready"}}},
                "faults": [{"id": "k", "type": f"process.{deed}", "armed": False,
                            "where": {"service": "d", "op": "sqe.nop"}, "when": {"nth": 2}}],
                "steps": [{"nop": {}}],
                "teardown": [{"fault_on": "k"}, {"nop": {}}, {"nop": {}}]})
        self.expect(self.run_program("run"), 0)

    def test_a_service_that_teardown_restarts_comes_back(self):
        service = "trap 'exit 0' TERM; sleep 0.2; echo ready; while :; do sleep 0.05; done"
        self.write("s.scenario.json", {
            "services": {"d": {"run": ["sh", "-c", service], "ready": {"stdout": "ready"}}},
            "faults": [{"id": "k", "type": "process.restart", "armed": False,
                        "require": {"fired": 1, "observed": 1},
                        "where": {"service": "d", "op": "sqe.nop"}, "when": {"nth": 2}}],
            "steps": [{"nop": {}}],
            "teardown": [{"fault_on": "k"}, {"nop": {}}, {"nop": {}}]})
        self.expect(self.run_program("run"), 0)

    def test_a_plan_ends_what_its_fault_ended(self):
        """Of two connections it is two rules in a plan, and is healed as the one that it was."""
        server = [{"recv": {"exactly": 2}}, {"send": "on"}]
        client = lambda *more: {"client": "${px.addr}", "do": [
            *more, {"send": "go"}, {"recv": {"exactly": 2}, "timeout": "20s"}]}
        for heal, faults in (({"heal": "cut"}, []),
                             ({"log": "by a fault"}, [
                                 {"type": "wire.heal", "fault": "cut",
                                  "when": {"after": {"step": "healer/both"}}}])):
            self.write("s.scenario.json", {
                "timeout": "20s",
                "proxies": {"px": {"listen": "tcp://127.0.0.1:0", "to": "${srv.addr}"}},
                "faults": [{"id": "cut", "type": "wire.partition", "where": {"proxy": "px"},
                            "dir": "c2s"}, *faults],
                "actors": {
                    "srv": {"server": "tcp://127.0.0.1:0", "accept": 2, "do": server},
                    "c1": client({"signal": "a"}), "c2": client({"signal": "b"}),
                    "healer": {"task": True, "do": [
                        {"await": {"signal": "a"}}, {"await": {"signal": "b"}},
                        {"sleep": "50ms", "id": "both"}, heal]}}})
            self.expect(self.run_program("run", "--save-plan", "plan.json"), 0)
            plan = json.loads((self.dir / "plan.json").read_text())
            (rules,) = [each["faults"] for each in plan["plans"].values()]
            self.assertEqual([(rule["id"], rule.get("part_of")) for rule in rules[:2]],
                             [("cut", None), ("cut-2", "cut")])
            self.expect(self.run_program("run", "--replay", "plan.json"), 0)
            # And so does the plan of that run.
            self.expect(self.run_program("run", "--replay", "plan.json", "--save-plan", "2.json"),
                        0)
            self.assertEqual(json.loads((self.dir / "2.json").read_text()), plan)

    def test_what_comes_after_a_fault_comes_after_the_first_of_its_parts(self):
        self.write("s.scenario.json", scenario([
            {"id": "late", "type": "cqe.errno", "errno": "ENOBUFS", "point": "before",
             "where": {"actor": "c", "op": "send"},
             "when": {"after": {"fault": "odd"}}},
            broken_send(id="odd", when={"nth": 90}, require=False),
            broken_send(id="odd-2", part_of="odd", when={"nth": 2})]))
        (hit,) = self.hits()
        self.assertEqual(sorted(hit), [2, 3])

    def test_a_plan_with_a_mistake_tells_it_once(self):
        for name in "st":
            self.write(f"{name}.scenario.json", scenario([]))
        (self.dir / "plan.json").write_text('{ "faults": [ }')
        result = self.expect(self.run_program("run", "--replay", "plan.json"), 2)
        self.assertEqual(result.stderr.count("plan.json:1:"), 1, result.stderr)

    def test_a_plan_that_is_not_there_is_a_mistake_of_usage(self):
        self.write("s.scenario.json", scenario([]))
        self.expect(self.run_program("run", "--replay", "nowhere.json"), 2)

    def test_a_plan_of_other_scenarios_is_a_mistake_of_usage(self):
        self.write("s.scenario.json", scenario([broken_send(when={"nth": 1})]))
        for plan, why in (({"plans": {"t.scenario.json": {"faults": []}}}, "other scenarios"),
                          ({"rules": []}, "neither")):
            self.write("plan.json", plan)
            result = self.expect(self.run_program("run", "--replay", "plan.json"), 2)
            self.assertIn(why, result.stderr)

    def test_what_can_not_be_done_in_one_run_is_refused(self):
        self.write("s.scenario.json", scenario([broken_send(when={"nth": 1})]))
        for flags, why in ((["--ablate", "--shrink"], "are two runs"),
                           (["--ablate", "--report", "json=r.json"], "want one"),
                           (["--seeds", "1..2", "--save-plan", "p.json"], "single one")):
            result = self.expect(self.run_program("run", *flags), 2)
            self.assertIn(why, result.stderr)

    def test_a_saved_plan_of_a_seed_is_the_case_s(self):
        self.write("s.scenario.json", scenario([broken_send(when={"p": 0.5})]))
        self.expect(self.run_program("run", "--seeds", "3..3", "--save-plan", "p.json"), 0)
        self.expect(self.run_program("run", "--replay", "p.json"), 0)

    def test_fail_fast_does_not_end_an_ablation(self):
        made = scenario([broken_send(id="needed", when={"nth": 1}),
                         broken_send(id="idle", when={"nth": 90}, require=False)])
        made["actors"]["c"]["do"] = [{"send": "x", "expect": "EPIPE"}]
        self.write("s.scenario.json", made)
        result = self.expect(self.run_program("run", "--ablate", "--fail-fast", "-j", "1"), 1)
        self.assertIn("without the fault idle everything is the same", result.stdout)

    def test_what_fails_is_shrunk_to_the_faults_that_matter(self):
        # Only the third send must not fail.
        made = scenario([
            broken_send(id="harmless", when={"nth": "1..2"}),
            broken_send("ENOBUFS", id="guilty", when={"nth": "3..5"})])
        made["actors"]["c"]["do"] = [
            {"send": "x", "expect": "ok" if n == 2 else {"any_of": ["ok", "EPIPE", "ENOBUFS"]}}
            for n in range(5)]
        self.write("s.scenario.json", made)
        result = self.expect(self.run_program("run", "--shrink"), 1)
        self.assertIn("fails with 1 of", result.stdout)
        self.assertIn('"id":"guilty"', result.stdout)
        self.assertNotIn("harmless", result.stdout)

    def test_very_many_hits_are_shrunk_too(self):
        made = scenario([broken_send(id="often", when={"p": 0.9}, require=False)],
                        sends=1500, expect={"any_of": ["ok", "EPIPE"]})
        made["actors"]["c"]["do"].append(
            {"nop": {}, "expect": "ok"})
        made["faults"].append({"id": "guilty", "type": "cqe.errno", "errno": "EINTR",
                               "point": "before", "where": {"actor": "c", "op": "sqe.nop"}})
        self.write("s.scenario.json", made)
        result = self.expect(self.run_program("run", "--shrink"), 1)
        self.assertIn("fails with 1 of 2 faults", result.stdout)
        self.assertIn('"id":"guilty"', result.stdout)

    def test_nothing_is_shrunk_where_nothing_fails(self):
        self.write("s.scenario.json", scenario([broken_send(when={"nth": 1})]))
        result = self.expect(self.run_program("run", "--shrink"), 0)
        self.assertIn("shrink: 0 of 1 scenario failed", result.stdout)

    def test_what_is_left_fails_in_the_same_place(self):
        """Without the reset the client that expects it fails: that is another failure."""
        server = [{"recv": {"line": True}},
                  {"send": "pong\n", "expect": {"any_of": ["ok", "EPIPE", "ECONNRESET"]}}]
        self.write("two.scenario.json", {
            "faults": [
                {"id": "reset", "type": "cqe.errno", "errno": "ECONNRESET", "point": "before",
                 "where": {"actor": "c", "op": "recv"}},
                {"id": "bad", "type": "cqe.corrupt", "where": {"actor": "d", "op": "recv"}}],
            "actors": {
                "srv": {"server": "tcp://127.0.0.1:0", "accept": 2, "do": server},
                "c": {"client": "${srv.addr}", "do": [
                    {"send": "hi\n"}, {"recv": {"line": True}, "expect": "ECONNRESET"},
                    {"signal": "reset"}]},
                "d": {"client": "${srv.addr}", "do": [
                    {"await": {"signal": "reset"}}, {"send": "hi\n"},
                    {"recv": {"line": True}, "expect": {"data": "pong"}}]}}})
        result = self.expect(self.run_program("run", "--shrink"), 1)
        self.assertIn("fails with 2 of 2 faults", result.stdout)


if __name__ == "__main__":
    main()
