import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { UnitName } from "../names.ts";
import { effectiveUnit } from "../unit/effective-unit.ts";
import { parseUnitFile } from "../unit/parse-unit-file.ts";
import { leaseProblems, type StoppableUnit } from "./lease-bound.ts";

const TTL_MS = 30_000;

function unit(name: string, text: string, more: Partial<StoppableUnit> = {}): StoppableUnit {
  const effective = effectiveUnit(parseUnitFile(name, text).file, []);
  return { name: name as UnitName, service: name as UnitName, effective, after: [], stopAfterMs: null, ...more };
}

const db = (stopAfterMs: number, lines: string) => unit("db.service", `[Service]\n${lines}\n`, { stopAfterMs });
const told = (units: readonly StoppableUnit[], ttlMs = TTL_MS) =>
  leaseProblems(units, ttlMs).map((one) =>
    one.kind === "endless" ? `${one.of}: ${one.stop.saw}` : `${one.of}: ${one.needMs} of ${one.limitMs}`,
  );

describe("a unit is gone before its machine's lease is", () => {
  // 20 s + 1 step + 3 s to spare, of 30 s less 1 %.
  const edges: readonly [what: string, units: readonly StoppableUnit[], ttlMs: number, problems: readonly string[]][] =
    [
      ["on the edge it fits", [db(20_000, "KillMode=mixed\nTimeoutStopSec=6700ms")], TTL_MS, []],
      [
        "a millisecond beyond it does not",
        [db(20_000, "KillMode=mixed\nTimeoutStopSec=6701ms")],
        TTL_MS,
        ["db.service: 29701 of 29700"],
      ],
      ["twice with children", [db(20_000, "TimeoutStopSec=3350ms")], TTL_MS, []],
      ["twice with children, beyond", [db(20_000, "TimeoutStopSec=3351ms")], TTL_MS, ["db.service: 29702 of 29700"]],
      ["a longer lease has room", [db(20_000, "TimeoutStopSec=3351ms")], 31_000, []],
      ["it stops sooner", [db(19_000, "TimeoutStopSec=3351ms")], TTL_MS, []],
      ["systemd's default is beyond every lease", [db(20_000, "")], TTL_MS, ["db.service: 203000 of 29700"]],
      ["no end", [db(20_000, "TimeoutStopSec=infinity")], TTL_MS, ["db.service: TimeoutStopSec=infinity"]],
      ["one that is kept may take its time", [unit("db.service", "[Service]\n")], TTL_MS, []],
    ];
  for (const [what, units, ttlMs, problems] of edges) test(what, () => assert.deepEqual(told(units, ttlMs), problems));

  const quick = db(12_000, "KillMode=mixed\nTimeoutStopSec=5");
  const web = (text: string, after = ["db.service" as UnitName]) => unit("web.service", text, { after });

  test("what is stopped with it and has to be gone first counts", () => {
    assert.deepEqual(told([quick, web("[Unit]\nRequires=db.service\n[Service]\nTimeoutStopSec=2\n")]), []);
    const slow = web("[Unit]\nRequires=db.service\n[Service]\nTimeoutStopSec=5\n");
    assert.deepEqual(told([quick, slow]), ["web.service: 30000 of 29700"]);
  });

  test("what is stopped with it and may go later does not count", () => {
    assert.deepEqual(told([quick, web("[Unit]\nRequires=db.service\n[Service]\n", [])]), []);
  });

  test("what only starts after it is not stopped with it", () => {
    assert.deepEqual(told([quick, web("[Unit]\nWants=db.service\n[Service]\n")]), []);
  });

  test("neither does a timer take time, nor is anything known of a socket", () => {
    const after = ["db.service" as UnitName];
    const text = "[Unit]\nPartOf=db.service\n";
    assert.deepEqual(told([quick, unit("web.timer", text, { after })]), []);
    assert.deepEqual(told([quick, unit("web.socket", text, { after })]), ["web.socket: a .socket, web.socket"]);
  });

  test("of several rows the slowest counts", () => {
    const row = (name: string, leader: string, seconds: number) =>
      unit(name, `[Unit]\nRequires=${leader}\n[Service]\nKillMode=mixed\nTimeoutStopSec=${seconds}\n`, {
        after: [leader as UnitName],
      });
    const units = [quick, row("a.service", "db.service", 4), row("b.service", "a.service", 5)];
    assert.deepEqual(told([...units, row("c.service", "db.service", 5)]), []);
    assert.deepEqual(told([...units, row("c.service", "b.service", 1)]), ["db.service: 30000 of 29700"]);
  });

  test("says how long a step may take", () => {
    const [problem] = leaseProblems([db(20_000, "")], TTL_MS);
    assert.equal(problem?.kind === "too-long" && problem.fittingStepMs, 3_300);
  });

  test("a row without end in sight is refused, and does not take for ever", () => {
    const row = Array.from({ length: 5_000 }, (_, index) =>
      unit(`u${index + 1}.service`, `[Unit]\nRequires=u${index}.service\n[Service]\nTimeoutStopSec=1us\n`, {
        after: [`u${index}.service` as UnitName],
      }),
    );
    const first = unit("u0.service", "[Service]\nTimeoutStopSec=1\n", { stopAfterMs: 20_000 });
    assert.deepEqual(told([first, ...row]), ["u100.service: a row of more than 100 units that stop one after another"]);
  });
});
