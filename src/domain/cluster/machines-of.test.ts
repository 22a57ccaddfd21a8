import assert from "node:assert/strict";
import { test } from "node:test";
import type { MachineId, SpecHash } from "../names.ts";
import type { ClusterSpec, SpecMachine } from "../spec/cluster-spec.ts";
import type { Member } from "./cluster-snapshot.ts";
import { emptySnapshot } from "./empty-snapshot.ts";
import { machinesOf } from "./machines-of.ts";

const A = "a".repeat(32) as MachineId;
const B = "b".repeat(32) as MachineId;

test("a machine listed under its id bears the commit's name, whatever it calls itself", () => {
  const machines = see([member(A, "localhost")], [listed({ key: "nas", id: A })]);
  assert.deepEqual(
    machines.map(({ name, admitted }) => [name, admitted]),
    [["nas", true]],
  );
});

test("a machine that claims a name the commit gave to another id is not that machine", () => {
  const machines = see([member(B, "nas")], [listed({ key: "nas", id: A, metadata: { role: "db" } })]);
  assert.deepEqual(
    machines.map(({ name, admitted, metadata }) => [name, admitted, metadata]),
    [[B, false, {}]],
  );
});

test("one without its record is neither turned away nor given anything new, where it is not listed", () => {
  const lost = { ...member(A, A), unrecorded: true } as const;
  const [machine] = see([lost], [listed({ key: "nas" })]);
  assert.deepEqual([machine?.name, machine?.admitted, machine?.unrecorded], [A, true, true]);
});

test("of two members of one name the first by id keeps it, and the other goes by its id", () => {
  const machines = see([member(B, "pi"), member(A, "pi")], [listed({ key: "pi" })]);
  assert.deepEqual(
    machines.map(({ id, name, admitted }) => [id, name, admitted]),
    [
      [B, B, false],
      [A, "pi", true],
    ],
  );
});

test("git's metadata wins over the machine's, and a machine's stanza over a selector's", () => {
  const byRole: SpecMachine = {
    ...listed({ key: "role=db", metadata: { tier: "selector", backup: "yes", rack: "selector" } }),
    match: { kind: "metadata", key: "role", values: ["db"] },
  };
  const machines = see(
    [member(A, "nas", { role: "web", tier: "own", disk: "ssd" })],
    [listed({ key: "nas", metadata: { role: "db", rack: "git" } }), byRole],
  );
  assert.deepEqual(machines[0]!.metadata, { role: "db", tier: "selector", disk: "ssd", backup: "yes", rack: "git" });
});

test("a selector adds to a machine and does not admit it; where any may join, every member is admitted", () => {
  const byRole: SpecMachine = {
    ...listed({ key: "role=db", drain: true }),
    match: { kind: "metadata", key: "role", values: ["db"] },
  };
  const members = [member(A, "nas", { role: "db" })];
  assert.deepEqual(
    see(members, [byRole]).map(({ admitted, drain }) => [admitted, drain]),
    [[false, true]],
  );
  assert.deepEqual(
    see(members, [byRole], "any").map(({ admitted }) => admitted),
    [true],
  );
});

test("a silent machine is absent until it is judged lost; one that is there is never lost", () => {
  const members = [member(A, "a"), { ...member(B, "b"), present: false }];
  const spec = specOf([], "any");
  const presence = (lost: MachineId[]) =>
    machinesOf(spec, { ...emptySnapshot, members }, new Set(lost)).map((machine) => machine.presence);
  assert.deepEqual(presence([]), ["present", "absent"]);
  assert.deepEqual(presence([A, B]), ["present", "lost"]);
});

test("what a machine has is what it says, and nothing where it says nothing", () => {
  const capacity = { cpuMilli: 4_000, memoryBytes: 2 ** 30 };
  const machines = see([{ ...member(A, "a"), capacity }, member(B, "b")], [], "any");
  assert.deepEqual(
    machines.map((machine) => machine.capacity),
    [capacity, undefined],
  );
});

function see(members: readonly Member[], machines: readonly SpecMachine[], admit: ClusterSpec["admit"] = "listed") {
  return machinesOf(specOf(machines, admit), { ...emptySnapshot, members }, new Set());
}

function specOf(machines: readonly SpecMachine[], admit: ClusterSpec["admit"]): ClusterSpec {
  const loss = { agentTtlMs: 1, graceMs: 1 };
  return { cluster: "test", specHash: "" as SpecHash, units: [], groups: [], machines, admit, loss };
}

function listed(stanza: Partial<SpecMachine> & { readonly key: string }): SpecMachine {
  return { match: null, id: null, metadata: {}, drain: false, cordon: false, dropins: [], ...stanza };
}

function member(id: MachineId, name: string, metadata: Readonly<Record<string, string>> = {}): Member {
  const facts = { address: "", bootId: "", version: "", joined: "", acceptedSeq: 0 };
  return { id, name, metadata, ...facts, present: true, presenceRevision: 1 };
}
