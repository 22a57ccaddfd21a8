import assert from "node:assert/strict";
import { test } from "node:test";
import type { CommitId, UnitName } from "../../domain/names.ts";
import type { StandaloneState } from "../../domain/standalone/standalone-state.ts";
import { standaloneText } from "./standalone-text.ts";

const NOW = Date.parse("2026-01-02T00:00:00Z");
const A = "a".repeat(40) as CommitId;
const B = "b".repeat(40) as CommitId;

const state = (changes: Partial<StandaloneState> = {}): StandaloneState => ({
  cluster: "edge",
  source: "https://git.example/edge",
  branch: "ring/canary",
  manifest: "fleet.yaml",
  tip: A,
  fetchedAgoMs: 12_000,
  pollMs: 60_000,
  commit: A,
  since: "2026-01-01T21:00:00Z",
  rewound: null,
  problem: null,
  units: [
    { unit: "web.service" as UnitName, goal: "launched", status: { active: "active", sub: "running", problem: null } },
  ],
  refused: [],
  left: [],
  ...changes,
});

test("a machine says what it follows, since when, and how old its news is", () => {
  assert.equal(
    standaloneText("site-1", state(), NOW),
    `site-1 follows ring/canary of https://git.example/edge alone (cluster edge)
  in force  commit aaaaaaaaaaaa, taken 3 h ago
  branch    read 12 s ago, every 60 s

UNIT         GOAL      STATE           PROBLEM
web.service  launched  active/running  -`,
  );
});

test("a machine that went back on purpose says who ordered it, and why", () => {
  const rewound = { commit: A, by: "ann", why: "b was a mistake", at: "2026-01-01T21:00:00Z" };
  assert.match(
    standaloneText("site-1", state({ rewound }), NOW),
    /^ {2}went back to commit aaaaaaa, as ann ordered there, since 2026-01-01T21:00:00Z \(3 h ago\): b was a mistake$/m,
  );
});

test("what is in the way of the branch's tip is said, and what no standalone machine runs", () => {
  const text = standaloneText(
    "site-1",
    state({
      tip: B,
      problem: { code: "mass-stop", detail: "it would stop 3 of 4", journal: [] },
      units: [],
      refused: [{ unit: "x.service" as UnitName, because: { code: "cordoned" } }],
      left: [{ unit: "db.service" as UnitName, because: "needs-engine" }],
    }),
    NOW,
  );
  assert.match(text, /its tip bbbbbbbbbbbb is not in force/);
  assert.match(text, /problem {3}mass-stop: it would stop 3 of 4/);
  assert.match(text, /because this machine:\n {2}x\.service {2}is cordoned/);
  assert.match(text, /not for standalone:\n {2}db\.service {2}nothing says on which machine it runs/);
});

test("a machine that has heard nothing yet says so, and what comes from elsewhere cannot steer a terminal", () => {
  const problem = { code: "source-unreachable", detail: "\u001b[2Jno answer", journal: [] };
  const text = standaloneText(
    "site-1",
    state({ tip: null, commit: null, since: null, fetchedAgoMs: null, problem }),
    NOW,
  );
  assert.match(text, /in force {2}no commit yet/);
  assert.match(text, /branch {4}not read since the agent started/);
  assert.ok(!text.includes("\u001b"));
});
