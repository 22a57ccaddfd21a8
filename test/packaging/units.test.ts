import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { runProgram } from "../../src/lab/run-program.ts";

const FOLDER = join(import.meta.dirname, "../../packaging/systemd");

/**
 * systemd's own measure, from 0 to 10, of what a broken-into service could do. The agent is root, and must be, and may make other users of what it starts (0.4: its fetching child is none of root's); the registry is root
 * without anything that makes it more than another user.
 */
const EXPOSURE_MAX: Readonly<Record<string, number>> = {
  "fleet-agent.service": 2.7,
  "fleet-engine.service": 1.5,
  "fleet-registry.service": 2,
  "fleet-reboot-guard.service": 2.5,
};

for (const [unit, limit] of Object.entries(EXPOSURE_MAX)) {
  test(`${unit} is exposed at most ${limit}`, async (context) => {
    const { code, stdout, stderr } = await runProgram(
      ["sh", "-c", 'systemd-analyze security --offline=true --no-pager "$1"', "analyze", join(FOLDER, unit)],
      { timeoutMs: 30_000 },
    );
    const exposure = /Overall exposure level for \S+: ([\d.]+)/.exec(stdout)?.[1];
    if (exposure === undefined && (code === 127 || /unrecognized option|unknown/i.test(stderr))) {
      context.skip("systemd-analyze security --offline is not on this machine");
      return;
    }
    assert.ok(Number(exposure) <= limit, `${exposure}\n${stdout}${stderr}`);
  });
}

test("what an engine remembers of the registry is in a folder that systemd keeps for it across reboots", () => {
  const text = readFileSync(join(FOLDER, "fleet-engine.service"), "utf8");
  const [, folder] = /^StateDirectory=(\S+)$/m.exec(text) ?? [];
  const [, used] = /\bFLEET_STATE_DIRECTORY=(\S+)/.exec(text) ?? [];
  assert.equal(used, `/var/lib/${folder}`);
});
