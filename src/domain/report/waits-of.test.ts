import assert from "node:assert/strict";
import { test } from "node:test";
import { compileRepository } from "../../../test/compile-repository.ts";
import type { MachineId, UnitHash, UnitName } from "../names.ts";
import type { PlacedSide } from "../placement/placed-now.ts";
import type { ReplicaState, RolloutChange } from "../rollout/plan-rollout.ts";
import { waitKey, waitsOf } from "./waits-of.ts";

const M1 = "m1" as MachineId;
const M2 = "m2" as MachineId;
const OLD = "old" as UnitHash;
const NEW = "new" as UnitHash;
const service = (head = "") => `[Unit]\n${head}[Service]\nExecStart=/bin/true\n`;
const SPEC = compileRepository({
  "fleet.yaml": "apiVersion: fleet/v1\ncluster: prod\nunits:\n  web@.service:\n    instances: 12\n",
  "units/web@.service": service("After=db.service\n"),
  "units/db.service": service("After=disk.service\n"),
  "units/disk.service": service(),
  "units/mail.service": service(),
}).spec!;

const side = (machine: MachineId, hash = OLD): PlacedSide => ({ machine, hash, goal: "launched" });
const change = (unit: string, from: MachineId | null, to: MachineId): RolloutChange => ({
  unit: unit as UnitName,
  effect: "restart",
  from: from === null ? null : side(from),
  to: side(to, NEW),
  reason: { code: "goal-changed" },
});

interface Case {
  readonly says: string;
  /** By unit, on m1: how it is. What is not named is up. */
  readonly states?: Readonly<Record<string, ReplicaState>>;
  readonly held: readonly RolloutChange[];
  readonly handingOver?: readonly string[];
  /** Those of what is held that wait for m2 to be ready. */
  readonly unprepared?: readonly string[];
  readonly away?: true;
  /** `units: for` of each. */
  readonly expected: readonly string[];
}

const CASES: readonly Case[] = [
  { says: "nothing is held, nothing waits", held: [], expected: [] },
  {
    says: "a machine that is not ready is named, whatever else would have to come first",
    states: { "web@1.service": "settling" },
    held: [change("web@2.service", M1, M2), change("mail.service", M1, M2)],
    unprepared: ["web@2.service", "mail.service"],
    expected: ["mail.service web@2.service: m2 ready"],
  },
  {
    says: "a replica waits for another of its set that is not up",
    states: { "web@1.service": "settling" },
    held: [change("web@2.service", M1, M1)],
    expected: ["web@2.service: web@1.service on m1 settling"],
  },
  {
    says: "those that wait for the same are one entry",
    states: { "web@1.service": "down" },
    held: [change("web@2.service", M1, M1), change("web@3.service", M1, M1)],
    expected: ["web@2.service web@3.service: web@1.service on m1 down"],
  },
  {
    says: "a unit waits for what it starts after",
    states: { "disk.service": "starting" },
    held: [change("db.service", M1, M1)],
    expected: ["db.service: disk.service on m1 starting"],
  },
  {
    says: "who waits for something that waits itself waits for the same",
    states: { "disk.service": "starting" },
    held: [change("db.service", M1, M1), change("web@1.service", M1, M1)],
    expected: ["db.service web@1.service: disk.service on m1 starting"],
  },
  {
    says: "a machine that is away is not waited for",
    states: { "web@1.service": "down" },
    away: true,
    held: [change("web@2.service", M1, M1)],
    expected: ["web@2.service: "],
  },
  {
    says: "a move waits for its machine to let go",
    held: [change("mail.service", M1, M2)],
    handingOver: ["mail.service"],
    expected: ["mail.service: m1 > m2"],
  },
  {
    says: "of many units ten are named and the rest counted",
    states: { "db.service": "down" },
    held: Array.from({ length: 12 }, (_, index) => change(`web@${index + 1}.service`, M1, M1)),
    expected: [
      "web@1.service web@10.service web@11.service web@12.service web@2.service web@3.service web@4.service web@5.service web@6.service web@7.service +2: db.service on m1 down",
    ],
  },
];

for (const { says, states = {}, held, handingOver = [], unprepared = [], away, expected } of CASES) {
  test(says, () => {
    const waits = waitsOf({
      spec: SPEC,
      before: new Map(SPEC.units.map(({ name }) => [name, [side(M1)]])),
      isAway: () => away === true,
      stateOf: (unit) => states[unit] ?? "up",
      held,
      handingOver: handingOver.map((unit) => ({ unit: unit as UnitName, machine: M1 })),
      unprepared: held.flatMap((one) => (unprepared.includes(one.unit) ? [{ change: one, machine: M2 }] : [])),
    });
    const shown = waits.map((wait) => {
      const what =
        wait.code === "hand-off"
          ? `${wait.from} > ${wait.to}`
          : wait.code !== "wave"
            ? `${wait.machine} ready`
            : wait.for.map(({ unit, machine, state }) => `${unit} on ${machine} ${state}`).join(", ");
      return `${wait.units.join(" ")}${wait.more > 0 ? ` +${wait.more}` : ""}: ${what}`;
    });
    assert.deepEqual(shown, expected);
  });
}

test("a wait is the same one for as long as it is for the same, whoever joins it", () => {
  const wave = (units: string[], state: "starting" | "settling") =>
    ({
      code: "wave",
      units: units as UnitName[],
      more: 0,
      for: [{ unit: "a" as UnitName, machine: M1, state }],
    }) as const;
  assert.equal(waitKey(wave(["b"], "starting")), waitKey(wave(["b", "c"], "settling")));
});
