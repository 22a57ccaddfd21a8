import assert from "node:assert/strict";
import { test } from "node:test";
import type { AgentCondition } from "../../daemon/agent-condition.ts";
import type { UnitName } from "../../domain/names.ts";
import { agentConditionText, engineConditionText } from "./daemon-condition-text.ts";

const GOOD: AgentCondition = {
  release: { seq: 12, commit: "3f2a9c1b".padEnd(40, "0") },
  units: 14,
  active: 13,
  problems: [],
  trouble: null,
  connected: true,
};
const bad = (unit: string, code: string) => ({ unit: unit as UnitName, code });

test("an agent says what is in force, and then what is wrong, the machine's own trouble first", () => {
  const cases: readonly [Partial<AgentCondition>, string][] = [
    [{}, "release 12 (3f2a9c1b): 14 units here, 13 active"],
    [{ units: 1, active: 1 }, "release 12 (3f2a9c1b): 1 unit here, 1 active"],
    [{ release: null }, "no release yet"],
    [
      { connected: false, trouble: "commit-unavailable", problems: [bad("web.service", "start-failed")] },
      "release 12 (3f2a9c1b): 14 units here, 13 active; commit-unavailable; the registry is away; web.service start-failed",
    ],
    [
      { problems: ["a", "b", "c", "d"].map((name) => bad(`${name}.service`, "conflict")) },
      "release 12 (3f2a9c1b): 14 units here, 13 active; a.service conflict; b.service conflict; 2 more with problems",
    ],
  ];
  for (const [change, text] of cases) assert.equal(agentConditionText({ ...GOOD, ...change }), text);
});

test("an agent that goes through engines says which, or why none can be used", () => {
  const since = "2026-01-01T00:00:00.000Z";
  const failure = (engine: string, code: string) => ({ engine, code, detail: "", next: null, since });
  const failures = [failure("a:7440", "engine-unreachable"), failure("b:7440", "refused-unlisted-key")];
  const what = "release 12 (3f2a9c1b): 14 units here, 13 active";
  assert.equal(agentConditionText(GOOD, { engine: "b:7440", since, failures }), `${what}; through b:7440`);
  for (const connected of [true, false]) {
    assert.equal(
      agentConditionText({ ...GOOD, connected, trouble: "commit-unavailable" }, { engine: null, since, failures }),
      `${what}; commit-unavailable; no engine to go through: a:7440 engine-unreachable, b:7440 refused-unlisted-key`,
    );
  }
  const nothing = { engine: null, since, failures: [] };
  assert.equal(agentConditionText({ ...GOOD, connected: false }, nothing), `${what}; the registry is away`);
});

test("an engine says whether it leads", () => {
  assert.equal(engineConditionText({ term: null, seq: null, connected: true }), "follows");
  assert.equal(engineConditionText({ term: 3, seq: null, connected: true }), "leads, term 3");
  assert.equal(
    engineConditionText({ term: 3, seq: 12, connected: false }),
    "leads, term 3, places release 12; the registry is away",
  );
});
