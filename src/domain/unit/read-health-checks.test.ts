import assert from "node:assert/strict";
import { test } from "node:test";
import { healthCheckText } from "../health/health-check.ts";
import type { UnitName } from "../names.ts";
import { effectiveUnit } from "./effective-unit.ts";
import { parseUnitFile } from "./parse-unit-file.ts";
import { readFleetOptions } from "./read-fleet-options.ts";

function read(checks: string, { name = "web.service", service = "ExecStart=/bin/web", dropin = "" } = {}) {
  const file = (path: string, text: string) => parseUnitFile(path, text).file;
  const unit = effectiveUnit(
    file(name, `[Service]\n${service}\n[X-Fleet]\n${checks}\n`),
    dropin === "" ? [] : [file(`${name}.d/1.conf`, `[X-Fleet]\n${dropin}\n`)],
  );
  return readFleetOptions(name as UnitName, unit);
}

const GOOD: readonly (readonly [says: string, checks: string, texts: readonly string[]])[] = [
  [
    "an address with a path",
    "HealthCheck=http://127.0.0.1:8080/healthz?full=1",
    ["http://127.0.0.1:8080/healthz?full=1"],
  ],
  ["port 80 and the root where nothing is said", "HealthCheck=http://127.0.0.1", ["http://127.0.0.1:80/"]],
  ["localhost is its number", "HealthCheck=tcp://localhost:5432", ["tcp://127.0.0.1:5432"]],
  ["another address of the loopback", "HealthCheck=tcp://127.1.2.3:1", ["tcp://127.1.2.3:1"]],
  ["IPv6", "HealthCheck=http://[::1]:81/x", ["http://[::1]:81/x"]],
  ["a command", "HealthCheck=exec:/usr/bin/pg_isready -q", ["exec:/usr/bin/pg_isready -q"]],
  [
    "several, in the order written, each once",
    "HealthCheck=tcp://[::1]:2\nHealthCheck=tcp://[::1]:1\nHealthCheck=tcp://[::1]:2",
    ["tcp://[::1]:2", "tcp://[::1]:1"],
  ],
  ["nothing after a reset", "HealthCheck=tcp://[::1]:2\nHealthCheck=", []],
];
for (const [says, checks, texts] of GOOD) {
  test(says, () => {
    const { options, diagnostics } = read(checks);
    assert.deepEqual(diagnostics, []);
    assert.deepEqual((options.healthChecks ?? []).map(healthCheckText), texts);
    assert.equal("healthChecks" in options, texts.length > 0, "what says nothing has no field, and keeps its hash");
  });
}

test("a drop-in adds one", () => {
  const { options } = read("HealthCheck=tcp://[::1]:1", { dropin: "HealthCheck=tcp://[::1]:2" });
  assert.equal(options.healthChecks?.length, 2);
});

test("an instance's name fills in, and brings no new words into a command", () => {
  const name = "web@80\\x20b.service";
  const { options, diagnostics } = read(`HealthCheck=http://127.0.0.1:1/%p\nHealthCheck=exec:/bin/x "a %i" %%`, {
    name,
  });
  assert.deepEqual(diagnostics, []);
  assert.deepEqual(options.healthChecks, [
    { kind: "http", host: "127.0.0.1", port: 1, path: "/web" },
    { kind: "exec", argv: ["/bin/x", "a 80\\x20b", "%"] },
  ]);
});

const BAD: readonly (readonly [says: string, checks: string, code: string, saw: RegExp])[] = [
  ["a word", "HealthCheck=yes", "x-fleet-value", /^HealthCheck=yes, expected http/],
  ["TLS, whose certificate nobody could judge", "HealthCheck=https://127.0.0.1/", "x-fleet-value", /https/],
  ["another host", "HealthCheck=http://10.0.0.1:80/", "x-fleet-value", /expected 127\.0\.0\.1, \[::1\] or localhost/],
  ["a cloud's metadata", "HealthCheck=http://169.254.169.254/", "x-fleet-value", /or localhost/],
  ["a name, whoever it may be", "HealthCheck=tcp://db.example:5432", "x-fleet-value", /or localhost/],
  ["a loopback in disguise", "HealthCheck=http://127.0.0.1@10.0.0.1/", "x-fleet-value", /HealthCheck=/],
  ["no address of the loopback", "HealthCheck=tcp://127.0.0.256:1", "x-fleet-value", /or localhost/],
  ["tcp without a port", "HealthCheck=tcp://127.0.0.1", "x-fleet-value", /a port/],
  ["a port too high", "HealthCheck=tcp://127.0.0.1:65536", "x-fleet-value", /a port/],
  ["tcp with a path", "HealthCheck=tcp://127.0.0.1:1/x", "x-fleet-value", /HealthCheck=tcp/],
  ["a blank in a path", "HealthCheck=http://127.0.0.1/a b", "x-fleet-value", /HealthCheck=http/],
  ["a program without its path", "HealthCheck=exec:pg_isready", "x-fleet-value", /absolute path/],
  ["a prefix of ExecStart", "HealthCheck=exec:+/bin/true", "x-fleet-value", /absolute path/],
  ["a way up", "HealthCheck=exec:/usr/../bin/true", "x-fleet-value", /absolute path/],
  ["no program", "HealthCheck=exec:", "x-fleet-value", /absolute path/],
  ["an open quote", `HealthCheck=exec:/bin/a "b`, "x-fleet-value", /as in ExecStart=/],
  ["a page of a command", `HealthCheck=exec:/bin/a ${"x".repeat(2_000)}`, "x-fleet-value", /characters at most/],
  ["what only a machine knows", "HealthCheck=http://127.0.0.1/%H", "x-fleet-specifier", /%H in HealthCheck=/],
  [
    "nine",
    Array.from({ length: 9 }, (_, port) => `HealthCheck=tcp://[::1]:${port + 1}`).join("\n"),
    "x-fleet-value",
    /^9 /,
  ],
];
for (const [says, checks, code, saw] of BAD) {
  test(`refused: ${says}`, () => {
    const { diagnostics } = read(checks);
    assert.deepEqual(
      diagnostics.map((one) => one.code),
      [code],
    );
    assert.match(`${diagnostics[0]!.saw}, expected ${diagnostics[0]!.expected}`, saw);
    assert.ok((diagnostics[0]!.at?.line ?? 0) > 3, "it points at the line");
  });
}

for (const [says, of] of [
  ["a timer", { name: "web.timer", service: "" }],
  ["a oneshot", { service: "Type=oneshot\nExecStart=/bin/x" }],
  ["a oneshot that remains", { service: "Type=oneshot\nRemainAfterExit=yes\nExecStart=/bin/x" }],
  ["a volume", { name: "web.volume", service: "" }],
] as const) {
  test(`${says} has nothing to be asked`, () => {
    const { diagnostics } = read("HealthCheck=tcp://[::1]:1", of);
    assert.deepEqual(
      diagnostics.map((one) => one.code),
      ["x-fleet-contradiction"],
    );
  });
}
