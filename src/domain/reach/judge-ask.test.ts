import assert from "node:assert/strict";
import { test } from "node:test";
import type { NodeKey } from "../identity/node-key.ts";
import type { MachineId, UnitName } from "../names.ts";
import type { SpecMachine } from "../spec/cluster-spec.ts";
import { ASK_GOOD_FOR_MS, type AskContext, type AskRefusal, type JournalAsk, judgeAsk } from "./judge-ask.ts";

const NAS = "a".repeat(32) as MachineId;
const LAPTOP = "b".repeat(32) as MachineId;
const PI = "c".repeat(32) as MachineId;
const keyOf = (machine: MachineId) => `ed25519:${machine}` as NodeKey;
const listed = (name: string, id: MachineId, machineKey?: NodeKey): SpecMachine => ({
  ...{ key: name, match: null, id, metadata: {}, drain: false, cordon: false, dropins: [] },
  ...(machineKey === undefined ? {} : { machineKey }),
});

const ask: JournalAsk = {
  ...{ clusterId: "c1", from: LAPTOP, to: NAS, unit: "web.service", lines: 10, follow: false, json: false },
  ...{ atMs: 1_000_000, id: "1" },
};
const context: AskContext = {
  ...{ self: NAS, clusterId: "c1", allowed: ["laptop"], nowMs: 1_000_500 },
  machines: [listed("nas", NAS, keyOf(NAS)), listed("laptop", LAPTOP, keyOf(LAPTOP)), listed("pi", PI)],
  wasAnswered: () => false,
  units: new Set(["web.service" as UnitName]),
  isSignedBy: (key) => key === keyOf(LAPTOP),
};

const CASES: readonly [says: string, ask: Partial<JournalAsk>, context: Partial<AskContext>, AskRefusal | null][] = [
  ["a machine that is listed and allowed", {}, {}, null],
  ["one allowed by its id", {}, { allowed: [LAPTOP] }, null],
  ["nobody is allowed", {}, { allowed: [] }, "journal-not-allowed"],
  ["others are", {}, { allowed: ["nas", "lap", "*"] }, "journal-not-allowed"],
  ["a signature of another key", {}, { isSignedBy: (key) => key === keyOf(NAS) }, "ask-unproven"],
  ["somebody else's name under one's own signature", { from: NAS }, { allowed: ["nas"] }, "ask-unproven"],
  ["a machine without a key", { from: PI }, { allowed: ["pi"] }, "ask-unproven"],
  ["a machine git does not list", { from: "d".repeat(32) as MachineId }, { allowed: ["d".repeat(32)] }, "ask-unproven"],
  ["another cluster", { clusterId: "c2" }, {}, "ask-elsewhere"],
  ["another machine", { to: PI }, {}, "ask-elsewhere"],
  ["a unit that is not fleet's here", { unit: "ssh.service" }, {}, "unit-not-here"],
  ["a copy of what was answered", {}, { wasAnswered: (id) => id === "1" }, "ask-repeated"],
  ["an old one", {}, { nowMs: 1_000_001 + ASK_GOOD_FOR_MS }, "ask-late"],
  ["one of tomorrow", { atMs: 1_000_501 + ASK_GOOD_FOR_MS }, {}, "ask-late"],
  ["no commit accepted yet", {}, { machines: null }, "reach-not-ready"],
  ["no cluster known yet", {}, { clusterId: null }, "reach-not-ready"],
];
for (const [says, others, otherwise, expected] of CASES) {
  test(`whether a journal is told: ${says}`, () => {
    assert.equal(judgeAsk({ ...ask, ...others }, { ...context, ...otherwise }), expected);
  });
}
