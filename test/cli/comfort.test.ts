import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { type FleetResult, fleet, prepareFleet, shell } from "./fleet-process.ts";
import { type SeatCluster, seatCluster } from "./seat-cluster.ts";

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

describe("names in a shell", { concurrency: false }, () => {
  let seat: SeatCluster;
  let programs: string;

  before(async () => {
    seat = await seatCluster();
    programs = mkdtempSync(join(tmpdir(), "fleet-shell-"));
    const program = fileURLToPath(new URL("../../bin/fleet.js", import.meta.url));
    writeFileSync(join(programs, "fleet"), `#!/bin/sh\nexec ${process.execPath} ${program} "$@"\n`, { mode: 0o755 });
  });

  after(async () => {
    await seat?.end();
    rmSync(programs, { recursive: true, force: true });
  });

  /** What bash makes of a line, with the cursor at its end. */
  const complete = async (line: string): Promise<string[]> => {
    const script = `source <(fleet completion bash); COMP_LINE=$1; COMP_POINT=\${#1}; read -ra COMP_WORDS <<<"\${1//@/ @ }"; [[ $1 == *[\\ @] ]] && COMP_WORDS+=(""); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _fleet; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, stderr, code } = await shell(`set -- '${line}'; ${script}`, {
      cwd: seat.repository.path,
      registry: seat.cluster.address,
      env: { PATH: `${programs}:${process.env.PATH}` },
    });
    assert.deepEqual([code, stderr], [0, ""]);
    return stdout.split("\n").filter((name) => name !== "");
  };

  test("bash completes units, machines and revisions where they are taken", async () => {
    // A machine with much else to do may not find them in 200 ms, and has them for the next Tab.
    const found = await seat.run("__complete", "units", "machines", "revisions", "--refresh");
    assert.deepEqual(found, { code: 0, stdout: "", stderr: "" });
    assert.deepEqual(await complete("fleet status d"), ["db.service"]);
    assert.deepEqual(await complete("fleet status web@"), ["1.service", "2.service", "3.service"]);
    assert.deepEqual(await complete("fleet list-units --machine "), ["m1", "m2", "m3"]);
    assert.deepEqual(await complete("fleet ssh m"), ["m1", "m2", "m3"]);
    assert.deepEqual(await complete("fleet plan --revision m"), ["main"]);
  });

  test("without a cluster there are no names, no message, and no wait", async () => {
    const started = performance.now();
    const { code, stdout, stderr } = await seat.runWith(
      { FLEET_REGISTRY: "etcd://192.0.2.1:2379" },
      "__complete",
      "units",
    );
    assert.deepEqual([code, stdout, stderr], [0, "", ""]);
    // Connecting alone is given up after 3 s.
    assert.ok(performance.now() - started < 2_500);
  });

  test("zsh and fish ask for the same names", async () => {
    const scripts = await Promise.all(["zsh", "fish"].map((name) => seat.run("completion", name)));
    assert.match(scripts[0]!.stdout, /'status'\) flags=\(.*\) rest='\*:name:\{_fleet_names units\}' ;;/);
    assert.match(scripts[0]!.stdout, /'--machine\[[^']*\]:name:\{_fleet_names machines\}'/);
    assert.match(scripts[1]!.stdout, /-n '__fleet_in \\'status\\'' -a '\(fleet __complete units 2>\/dev\/null\)'/);
  });
});
