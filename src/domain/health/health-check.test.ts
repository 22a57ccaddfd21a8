import assert from "node:assert/strict";
import { test } from "node:test";
import { type HealthCheck, healthCheckText, type LoopbackHost } from "./health-check.ts";

const [V4, V6] = ["127.0.0.1", "::1"] as LoopbackHost[] as [LoopbackHost, LoopbackHost];

const CASES: readonly (readonly [HealthCheck, string])[] = [
  [{ kind: "http", host: V4, port: 8080, path: "/x?y=1" }, "http://127.0.0.1:8080/x?y=1"],
  [{ kind: "http", host: V6, port: 80, path: "/" }, "http://[::1]:80/"],
  [{ kind: "tcp", host: V6, port: 1 }, "tcp://[::1]:1"],
  [{ kind: "exec", argv: ["/bin/x", "-q", "a b"] }, "exec:/bin/x -q a b"],
];

for (const [check, text] of CASES) {
  test(`${text} is told as somebody would write it`, () => assert.equal(healthCheckText(check), text));
}
