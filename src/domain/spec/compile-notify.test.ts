import assert from "node:assert/strict";
import { test } from "node:test";
import { compileNotify } from "./compile-notify.ts";

const at = { path: "fleet.yaml", line: 3, column: 1 };
const rule = (webhook: string | null, command: string | null = null) => ({
  on: ["held", "failed"] as const,
  webhook,
  command,
  at,
});

const REFUSED: readonly (readonly [says: string, webhook: string | null, command: string | null])[] = [
  ["neither of both", null, null],
  ["both", "https://chat.example.org/x", "/bin/notify"],
  ["a password in the address", "https://ada:secret@chat.example.org/x", null],
  ["another scheme", "ftp://chat.example.org/x", null],
  ["a scheme that reads files", "file:///etc/shadow", null],
  ["a line break, which would be another header", "https://chat.example.org/x\r\nHost: y", null],
  ["a fragment", "https://chat.example.org/#x", null],
  ["this machine by name", "http://localhost:2379/", null],
  ["this machine by address", "http://127.0.0.1:2379/", null],
  ["this machine by an address of v6", "http://[::1]/", null],
  ["the metadata service of a cloud", "http://169.254.169.254/latest", null],
  ["a short form of an address", "http://127.1/", null],
  ["a relative command", null, "bin/notify"],
  ["a command that climbs", null, "/usr/../bin/sh"],
  ["a folder", null, "/usr/local/bin/"],
];

for (const [says, webhook, command] of REFUSED) {
  test(`refuses ${says}, and does not quote it`, () => {
    const { notify, diagnostics } = compileNotify([rule(webhook, command)]);
    assert.deepEqual([notify, diagnostics.map(({ code }) => code)], [[], ["notify-target"]]);
    assert.doesNotMatch(JSON.stringify(diagnostics), /secret|169\.254|etc\/shadow/);
  });
}

test("takes https and http, by name and by address, and a program's path", () => {
  const targets = ["https://chat.example.org/hooks/T0/B0?x=1", "http://192.168.1.5:8080/", "https://[2001:db8::1]/x"];
  const { notify, diagnostics } = compileNotify([
    ...targets.map((url) => rule(url)),
    rule(null, "/usr/local/bin/notify"),
  ]);
  assert.deepEqual(diagnostics, []);
  assert.deepEqual(
    notify.map(({ to }) => to),
    [...targets.map((url) => ({ kind: "webhook", url })), { kind: "command", path: "/usr/local/bin/notify" }],
  );
  assert.deepEqual(notify[0]?.on, ["failed", "held"], "in one order, however it is written");
});
