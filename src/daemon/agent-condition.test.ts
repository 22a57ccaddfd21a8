import assert from "node:assert/strict";
import { test } from "node:test";
import type { StatusRecord } from "../codec/registry-records.ts";
import type { UnitName } from "../domain/names.ts";
import { agentCondition } from "./agent-condition.ts";

const status = (active: string, code: string | null): StatusRecord => ({
  load: "loaded",
  active,
  sub: "",
  hash: null,
  since: "",
  result: "",
  invocation: "",
  started: true,
  problem: code === null ? null : { code, detail: "", journal: [] },
});

test("counts what runs and names what has a problem, in order", () => {
  const statuses = new Map([
    ["web.service" as UnitName, status("failed", "start-failed")],
    ["db.service" as UnitName, status("active", null)],
    ["api.service" as UnitName, status("active", "conflict")],
  ]);
  const state = { clusterId: null, clusterName: "prod", accepted: null, set: null };
  assert.deepEqual(agentCondition(state, statuses, "cannot-look", false), {
    release: null,
    units: 3,
    active: 2,
    problems: [
      { unit: "api.service", code: "conflict" },
      { unit: "web.service", code: "start-failed" },
    ],
    trouble: "cannot-look",
    connected: false,
  });
});
