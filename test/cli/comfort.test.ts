import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { before, describe, test } from "node:test";
import { type FleetResult, fleet, prepareFleet } from "./fleet-process.ts";

const run = (...words: readonly string[]): Promise<FleetResult> => fleet(words, { cwd: tmpdir() });

describe("for whoever does not know by heart", { concurrency: 2 }, () => {
  before(prepareFleet);

  test("a mistyped command or flag is told with the one that was meant", async () => {
    for (const [words, error, next] of [
      [["list-machine"], "command list-machine not found", "did you mean fleet list-machines?"],
      [["lab", "upp"], "command lab:upp not found", "did you mean fleet lab up?"],
      [["list-units", "--no-legnd"], "Nonexistent flag: --no-legnd", "did you mean --no-legend?"],
      [["frobnicate"], "command frobnicate not found", "add --help to see what is taken"],
    ] as const) {
      const { code, stdout, stderr } = await run(...words);
      assert.deepEqual([code, stdout, stderr], [1, "", `error: ${error} [usage]\n  next: ${next}\n`]);
    }
  });

  test("a code is explained, as it stands behind a message, too", async () => {
    for (const asked of ["manifest-unknown-key", "[manifest-unknown-key]"]) {
      const { code, stdout } = await run("explain", asked);
      assert.equal(code, 0);
      assert.match(stdout, /^manifest-unknown-key: The manifest\n {2}Severity: error\n {2}Cause: +\w.*\n {2}Cure: +\w/);
    }
    const [one] = JSON.parse((await run("explain", "manifest-unknown-key", "--json")).stdout);
    assert.deepEqual([one.code, one.section, one.severity], ["manifest-unknown-key", "The manifest", "error"]);
  });

  test("without a code all are listed, and a code there is none of is told with the nearest", async () => {
    const { code, stdout } = await run("explain");
    assert.equal(code, 0);
    assert.match(stdout, /^CODE +ABOUT\nmanifest-missing +The manifest$/m);
    const { code: failed, stderr } = await run("explain", "manifest-unknown-kye");
    assert.equal(failed, 1);
    assert.match(
      stderr,
      /there is no code manifest-unknown-kye .*\[code-unknown\]\n {2}next: did you mean manifest-unknown-key\?/,
    );
  });
});
