import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../../adapters/memory/virtual-clock.ts";
import type { Convergence } from "../../domain/cluster/convergence.ts";
import { emptySnapshot } from "../../domain/cluster/empty-snapshot.ts";
import type { UnitDrift } from "../../domain/drift/unit-drift.ts";
import type { CommitId, MachineId, SpecHash, UnitHash, UnitName } from "../../domain/names.ts";
import type { ClusterView } from "../cluster-view.ts";
import { convergenceText } from "./convergence-text.ts";
import { diagnosticsText } from "./diagnostics-text.ts";
import { printable } from "./printable.ts";
import { ProgressView } from "./progress-view.ts";
import { clusterStatusText, unitStatusText } from "./status-text.ts";
import { table } from "./table.ts";
import { type UnitRow, unitRows } from "./unit-rows.ts";

const ESCAPE = "\u001b[2J\u001b]0;title\u0007";
const M1 = "1".repeat(32) as MachineId;
const M2 = "2".repeat(32) as MachineId;
const A = "a.service" as UnitName;
const hash = "0".repeat(64) as UnitHash;

test("nothing from elsewhere can steer a terminal or turn a line around", () => {
  assert.equal(printable(`a${ESCAPE}b`), "a\\x1b[2J\\x1b]0;title\\x07b");
  assert.equal(printable("a\u009bb\u202ec\r\n\td"), "a\\x9bb\\u202ec\n\td");
  assert.equal(printable("grüße 日本"), "grüße 日本");
});

test("a table has its columns under each other, and no space at a line's end", () => {
  const text = table(["unit", "sub"], [["a.service", "running"], ["long-name.service", ""], ["b"]]);
  assert.equal(text, "UNIT               SUB\na.service          running\nlong-name.service  -\nb");
  assert.equal(table(null, []), "");
});

test("findings are shown with place, expectation and next step, and errors are counted", () => {
  const at = { path: "fleet.yaml", line: 3, column: 7 };
  assert.equal(
    diagnosticsText([
      { code: "bad", severity: "error", at, saw: `x${ESCAPE}`, expected: "y", next: "do z" },
      { code: "odd", severity: "info", saw: "w" },
    ]),
    [
      "fleet.yaml:3:7: error: x\\x1b[2J\\x1b]0;title\\x07 [bad]",
      "  expected: y",
      "  next: do z",
      "info: w [odd]",
      "1 error, 1 info; nothing was changed",
    ].join("\n"),
  );
});

const release = {
  seq: 3,
  commit: "f".repeat(40) as CommitId,
  specHash: "e" as SpecHash,
  contentId: "",
  planId: "",
  parent: null,
  by: `ann${ESCAPE}`,
  at: "today",
};

const member = { name: "m1", address: "10.0.0.1", metadata: {}, bootId: "", version: "", joined: "", acceptedSeq: 3 };
const view = (present: boolean): ClusterView => ({
  snapshot: {
    ...emptySnapshot,
    identity: { id: "c", name: "prod", source: "", branch: "main", manifest: "fleet.yaml", epoch: 1 },
    release,
    members: [{ ...member, id: M1, present, presenceRevision: present ? 1 : 0 }],
    sets: [{ machine: M1, header: null, headerModRevision: 0, placements: [{ unit: A, hash, goal: "launched" }] }],
    statuses: [
      {
        unit: A,
        machine: M1,
        load: "loaded",
        active: "failed",
        sub: "failed",
        hash,
        started: true,
        since: "",
        result: "exit-code",
        invocation: "",
        problem: { code: "failed", detail: "systemd says exit-code", journal: [`boom${ESCAPE}`] },
      },
    ],
  },
  quarantined: [{ key: "/fleet/prod/assign/x.service", problem: "no version" }],
  index: [A, "z.service" as UnitName].map((name) => ({
    name,
    goal: "launched",
    hash,
    global: false,
    group: name,
    description: "",
  })),
  leader: null,
  holds: [],
  refused: [],
  report: null,
});

test("status names whoever is away, whatever cannot be read, what failed and what is placed nowhere", () => {
  const text = clusterStatusText(view(false), unitRows(view(false)), 0);
  assert.doesNotMatch(text, /\u001b/);
  for (const line of [
    "engine none leads: nothing is placed or moved",
    "machines 0 of 1 present",
    "units 1 placed, 0 active, 1 with a problem, 1 not placed",
    "m1 is absent, and no engine can say since when: what it said last is shown below",
    "record /fleet/prod/assign/x.service cannot be read: no version",
    "a.service  m1/10.0.0.1  failed (old)  failed  failed",
    "z.service  -            -             -       not placed",
  ]) {
    assert.ok(text.split("\n").includes(line), `${line}\nis not in\n${text}`);
  }
});

test("what was changed by hand is shown until it is put back, and then as what happened", () => {
  const drift = { seen: [{ kind: "stopped" }], since: "then", corrected: 5, outcome: "given-up" } as const;
  const changed = (outcome: UnitDrift["outcome"]): ClusterView => {
    const before = view(true);
    const statuses = before.snapshot.statuses.map((status) => ({
      ...status,
      problem: null,
      active: "inactive",
      drift: { ...drift, outcome },
    }));
    return { ...before, snapshot: { ...before.snapshot, statuses } };
  };
  const [left, back] = [changed("given-up"), changed("corrected")];
  assert.match(
    clusterStatusText(left, unitRows(left), 0),
    /units .*1 changed by hand[\s\S]*a\.service .* drift, given up/,
  );
  assert.doesNotMatch(clusterStatusText(back, unitRows(back), 0), /changed by hand|drift/);
  assert.match(
    unitStatusText(unitRows(left)[0] as UnitRow, 0),
    /drift: stopped, since then, put back 5 times in the last hour: given up: more than 5 times an hour is left to people/,
  );
  assert.match(
    unitStatusText(unitRows(back)[0] as UnitRow, 0),
    /drift: stopped, since then, put back 5 times in the last hour$/m,
  );
});

test("before the first release status says what makes one", () => {
  const nothing = { ...view(true), snapshot: emptySnapshot };
  assert.match(clusterStatusText(nothing, [], 0), /no release yet: fleet apply/);
});

test("a failed unit is shown with its journal", () => {
  const text = unitStatusText(unitRows(view(true))[0] as UnitRow, 0);
  assert.match(text, /^x a\.service on m1\/10\.0\.0\.1\n/);
  assert.match(text, /problem: failed: systemd says exit-code\n {4}\| boom\\x1b/);
});

const state = (changes: Partial<Convergence>): Convergence => ({
  converged: false,
  settled: false,
  wanted: 3,
  waiting: [],
  failed: [],
  away: [],
  ...changes,
});

test("how it ended is one line where all is well, else each unit with its reason", () => {
  assert.equal(convergenceText(state({ converged: true }), new Map()), "converged: 3 of 3 as wanted");
  const problem = { code: "start-failed", detail: "exit 1", journal: ["boom"] };
  const text = convergenceText(
    state({
      failed: [{ unit: A, machine: M1, because: { code: "problem", problem } }],
      waiting: [
        { unit: "b.service" as UnitName, machine: null, because: { code: "not-placed" } },
        { unit: "c.service" as UnitName, machine: null, because: { code: "hand-off", from: M1, to: M2 } },
      ],
    }),
    new Map([[M1, "m1"]]),
  );
  assert.equal(
    text,
    [
      "not converged: 0 of 3 as wanted, 1 failed, waiting for 2",
      "x a.service on m1: start-failed: exit 1",
      "    | boom",
      "o b.service: not placed",
      `o c.service: waits until m1 has stopped it, so that ${M2.slice(0, 8)} may start it`,
      "next: fleet why a.service",
    ].join("\n"),
  );
});

test("progress is redrawn five times a second at most on a terminal, and elsewhere a line for what has changed, five seconds apart", async () => {
  const lines = async (isTTY: boolean) => {
    const clock = new VirtualClock();
    const written: string[] = [];
    const stream = { isTTY, write: (text: string) => written.push(text) } as unknown as NodeJS.WriteStream;
    const progress = new ProgressView(stream, clock);
    for (let at = 0; at < 1_100; at++) {
      progress.show({ state: state({ wanted: at < 700 ? 3 : 4 }), rollout: null, wave: null, names: new Map() });
      await clock.advance(10);
    }
    progress.end();
    return written;
  };
  assert.equal((await lines(true)).length, 55 + 1);
  assert.deepEqual(await lines(false), ["5.0 s: 3 of 3 as wanted\n", "10.0 s: 4 of 4 as wanted\n"]);
});
