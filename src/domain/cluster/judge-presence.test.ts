import assert from "node:assert/strict";
import { test } from "node:test";
import type { MachineId } from "../names.ts";
import type { Member } from "./cluster-snapshot.ts";
import { judgePresence, startPresenceHistory } from "./judge-presence.ts";

const POLICY = { agentTtlMs: 30_000, graceMs: 60_000 };

/** Each step is a time in seconds and who is there; the verdict is that of the last step. */
const CASES: readonly { readonly says: string; readonly steps: readonly [number, string][]; readonly lost: string }[] =
  [
    {
      says: "a machine that is there is not lost",
      steps: [
        [0, "ab"],
        [1000, "ab"],
      ],
      lost: "",
    },
    {
      says: "silence shorter than the grace is absence",
      steps: [
        [0, "ab"],
        [200, "a"],
        [259, "a"],
      ],
      lost: "",
    },
    {
      says: "silence of the whole grace is loss",
      steps: [
        [0, "ab"],
        [200, "a"],
        [260, "a"],
      ],
      lost: "b",
    },
    {
      says: "a machine that showed itself starts anew",
      steps: [
        [0, "ab"],
        [200, "a"],
        [250, "ab"],
        [251, "a"],
        [300, "a"],
      ],
      lost: "",
    },
    {
      says: "a lost machine that returns is not lost",
      steps: [
        [0, "ab"],
        [200, "a"],
        [260, "a"],
        [261, "ab"],
      ],
      lost: "",
    },
    {
      says: "a new judge holds for one lease and the grace",
      steps: [
        [0, "a"],
        [89, "a"],
      ],
      lost: "",
    },
    {
      says: "after that, it believes its eyes",
      steps: [
        [0, "a"],
        [90, "a"],
      ],
      lost: "b",
    },
    {
      says: "where nobody is there, nobody is lost",
      steps: [
        [0, "ab"],
        [200, ""],
        [2000, ""],
      ],
      lost: "",
    },
    {
      says: "the first to return does not make the others lost",
      steps: [
        [0, "ab"],
        [200, ""],
        [2000, ""],
        [2001, "a"],
      ],
      lost: "",
    },
    {
      says: "they are lost when they stay away after it",
      steps: [
        [0, "ab"],
        [200, ""],
        [2000, ""],
        [2001, "a"],
        [2091, "a"],
      ],
      lost: "b",
    },
  ];

for (const { says, steps, lost } of CASES) {
  test(says, () => {
    let history = startPresenceHistory(steps[0]![0] * 1000);
    let verdict: ReadonlySet<MachineId> = new Set();
    for (const [seconds, there] of steps) {
      const judged = judgePresence(history, members(there), seconds * 1000, POLICY);
      history = judged.history;
      verdict = judged.lost;
    }
    assert.equal([...verdict].join(""), lost);
  });
}

function members(there: string): Member[] {
  return ["a", "b"].map((id) => ({
    id: id as MachineId,
    name: id,
    address: "",
    metadata: {},
    bootId: "",
    version: "",
    joined: "",
    acceptedSeq: 0,
    present: there.includes(id),
    presenceRevision: 0,
  }));
}
