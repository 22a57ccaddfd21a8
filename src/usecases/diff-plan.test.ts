import assert from "node:assert/strict";
import { test } from "node:test";
import { compileRepository } from "../../test/compile-repository.ts";
import type { MachineId, UnitName } from "../domain/names.ts";
import type { Change, Plan } from "../domain/plan/plan.ts";
import { diffPlan, type UnitDiff } from "./diff-plan.ts";

const MACHINE = "0".repeat(32) as MachineId;
const OTHER = "1".repeat(32) as MachineId;

function specOf(files: Readonly<Record<string, string>>) {
  const { spec, diagnostics } = compileRepository({
    "fleet.yaml": "apiVersion: fleet/v1\ncluster: c\nunits: { web@.service: { instances: 3 } }\n",
    "units/web@.service": "[Service]\nExecStart=/bin/web\n",
    ...files,
  });
  assert.notEqual(spec, null, JSON.stringify(diagnostics));
  return spec!;
}

function planOf(...changes: readonly (Partial<Change> & { readonly unit: string })[]): Plan {
  const side = { machine: MACHINE, hash: "h", goal: "launched" } as Change["to"];
  return {
    machines: [
      { id: MACHINE, name: "m1" },
      { id: OTHER, name: "m2" },
    ],
    changes: changes.map((change) => ({ from: side, to: side, ...change })),
  } as unknown as Plan;
}

const A = { unit: "a.service" as UnitName };
const old = specOf({ "units/a.service": "[Service]\nExecStart=/bin/old\n" });

function shown({ units, before, after }: UnitDiff): readonly unknown[] {
  const text = (lines: UnitDiff["before"]) => lines?.map((line) => line.text).join("|") ?? null;
  return [units.join(), text(before), text(after)];
}

test("a changed unit is shown as systemd reads it: drop-ins merged, resets applied, the last of what only counts once", () => {
  const next = specOf({
    "units/a.service": "# a comment\n[Service]\nRestart=no\nExecStart=/bin/old\n[Unit]\nAfter=x.service\n",
    "units/a.service.d/10.conf": "[Service]\nExecStart=\nExecStart=/bin/new\nRestart=always\n",
  });
  assert.deepEqual(diffPlan(planOf(A), next, old).map(shown), [
    [
      "a.service",
      "[Service]|ExecStart=/bin/old",
      "[Service]|ExecStart=/bin/new|Restart=always||[Unit]|After=x.service",
    ],
  ]);
});

test("each line knows the file and line it was written in", () => {
  const next = specOf({
    "units/a.service": "[Service]\nExecStart=/bin/old\n",
    "units/a.service.d/10.conf": "[Service]\n\nRestart=always\n",
  });
  const at = diffPlan(planOf(A), next, old)[0]?.after?.find((line) => line.text === "Restart=always")?.at;
  assert.deepEqual(at, { path: "units/a.service.d/10.conf", line: 3, column: 1 });
});

test("only comments, order of files or spelling of nothing: no difference", () => {
  const next = specOf({ "units/a.service": "# why\n[Service]\n\nExecStart=/bin/old\n" });
  assert.deepEqual(diffPlan(planOf(A), next, old), []);
});

test("instances of one template that change alike are one difference", () => {
  const next = specOf({ "units/web@.service": "[Service]\nExecStart=/bin/other\n" });
  const plan = planOf(...["1", "3", "2"].map((number) => ({ unit: `web@${number}.service` as UnitName })));
  const diffs = diffPlan(plan, next, specOf({}));
  assert.deepEqual(
    diffs.map((diff) => diff.units),
    [["web@1.service", "web@2.service", "web@3.service"]],
  );
});

test("a unit that goes has no after, one that comes or whose old text nobody has no before, one that moves no difference", () => {
  const next = specOf({ "units/a.service": "[Service]\nExecStart=/bin/new\n" });
  assert.equal(diffPlan(planOf({ ...A, to: null }), next, old)[0]?.after, null);
  assert.equal(diffPlan(planOf({ ...A, from: null }), next, old)[0]?.before, null);
  assert.equal(diffPlan(planOf(A), next, null)[0]?.before, null);
  assert.deepEqual(diffPlan(planOf({ ...A, action: "move" }), old, old), []);
});

test("where a machine's own drop-in makes another difference of a unit, each says on which machine", () => {
  const files = (value: string) => ({
    "fleet.yaml": [
      "apiVersion: fleet/v1\ncluster: c\nmachines:",
      `  m1: { id: ${MACHINE} }`,
      `  m2: { id: ${OTHER}, dropins: { a.service: [m2.conf] } }\n`,
    ].join("\n"),
    "m2.conf": `[Service]\nUser=${value}\n`,
    "units/a.service": `[Service]\nExecStart=/bin/${value}\n`,
  });
  const side = { machine: OTHER, hash: "h", goal: "launched" } as unknown as Change["to"];
  const diffs = diffPlan(planOf(A, { ...A, from: side, to: side }), specOf(files("new")), specOf(files("old")));
  assert.deepEqual(diffs.map(shown), [
    ["a.service on m1", "[Service]|ExecStart=/bin/old", "[Service]|ExecStart=/bin/new"],
    ["a.service on m2", "[Service]|ExecStart=/bin/old|User=old", "[Service]|ExecStart=/bin/new|User=new"],
  ]);
});

test("a delivered file is shown by itself, with its mode and owner; of what is no text only how much there is", () => {
  const web = { "units/x/x.service": "[Service]\nExecStart=/bin/x /var/lib/fleet/files/%n\n" };
  const older = specOf({
    ...web,
    "units/x/files/a.conf": "one\ntwo\n",
    "units/x/files/b": "\0",
    "units/x/files/c": "c",
  });
  const next = specOf({
    ...web,
    "units/x/files/a.conf": "one\n2\n",
    "units/x/files/b": "\0\0",
    "units/x/files/c": "c\n",
  });
  const head = "# 0644 root:root";
  assert.deepEqual(diffPlan(planOf({ unit: "x.service" as UnitName }), next, older).map(shown), [
    ["x.service file a.conf", `${head}|one|two`, `${head}|one|2`],
    [
      "x.service file b",
      `${head}|(1 bytes that are no text, 001e87c0)`,
      `${head}|(2 bytes that are no text, 001e883c)`,
    ],
    ["x.service file c", `${head}|c|(no newline at the end)`, `${head}|c`],
  ]);
});
