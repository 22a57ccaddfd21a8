import assert from "node:assert/strict";
import { test } from "node:test";
import { compileRepository } from "../../../test/compile-repository.ts";
import type { MachineId, UnitHash, UnitName } from "../names.ts";
import type { ClusterSpec } from "../spec/cluster-spec.ts";
import type { Change, ChangeReason, Effect, Side } from "./plan.ts";
import { plannedTrials } from "./planned-trials.ts";

const [m1, m2] = ["1".repeat(32) as MachineId, "2".repeat(32) as MachineId];
const machines = [
  { id: m1, name: "m1", present: true, metadata: {} },
  { id: m2, name: "m2", present: true, metadata: {} },
];
const at = (machine: MachineId): Side => ({ machine, hash: "h" as UnitHash, goal: "launched" });
const change = (unit: string, effect: Effect, from: Side | null, to: Side | null, code = "files-changed"): Change => ({
  action: "change",
  effect,
  unit: unit as UnitName,
  from,
  to,
  reason: { code, causes: null } as unknown as ChangeReason,
});
function repository(wifi: string, manifest = ""): ClusterSpec {
  const { spec } = compileRepository({
    "fleet.yaml": `apiVersion: fleet/v1\ncluster: c\n${manifest}`,
    ...(wifi === "" ? {} : { "units/wifi.service": `[Service]\nExecStart=/bin/${wifi}\n` }),
    "units/web.service": "[Service]\nExecStart=/bin/web\n",
  });
  assert.ok(spec !== null);
  return spec;
}
const whole = repository("wifi");

const CASES: readonly (readonly [string, Change, ClusterSpec, readonly string[]])[] = [
  ["a restart of what touches the network", change("wifi.service", "restart", at(m1), at(m1)), whole, ["m1 90000"]],
  ["a restart of what does not", change("web.service", "restart", at(m1), at(m1)), whole, []],
  ["a change nobody notices", change("wifi.service", "quiet", at(m1), at(m1)), whole, []],
  ["only restarted along", change("wifi.service", "restart", at(m1), at(m1), "restart-with"), whole, []],
  [
    "a move is a change of both machines",
    change("wifi.service", "move", at(m1), at(m2)),
    whole,
    ["m1 90000", "m2 90000"],
  ],
  ["it goes", change("wifi.service", "stop", at(m1), null), repository(""), ["m1 90000"]],
  ["off", change("wifi.service", "restart", at(m1), at(m1)), repository("wifi", "defaults: { confirm: off }\n"), []],
  [
    "asked for",
    change("web.service", "restart", at(m1), at(m1)),
    repository("wifi", "units: { web.service: { confirm: 5s } }\n"),
    ["m1 5000"],
  ],
];
for (const [because, one, spec, expected] of CASES) {
  test(because, () => {
    const trials = plannedTrials({ changes: [one], machines }, spec, whole);
    const told = trials.map(
      ({ machine, withinMs }) => `${machines.find(({ id }) => id === machine)?.name} ${withinMs}`,
    );
    assert.deepEqual(told, expected);
  });
}

test("with the release's commit unknown, what goes is judged by its name", () => {
  const changes = [change("wifi.service", "stop", at(m1), null), change("web.service", "stop", at(m2), null)];
  assert.deepEqual(
    plannedTrials({ changes, machines }, repository(""), null).map(({ unit }) => unit),
    ["wifi.service"],
  );
});
