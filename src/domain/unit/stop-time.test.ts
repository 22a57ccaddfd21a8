import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { effectiveUnit } from "./effective-unit.ts";
import { parseUnitFile } from "./parse-unit-file.ts";
import { type StopTime, stopTimeOf } from "./stop-time.ts";

function stopOf(service: string, dropin = ""): StopTime {
  const read = (path: string, lines: string) => parseUnitFile(path, `[Service]\n${lines}\n`).file;
  return stopTimeOf(effectiveUnit(read("a.service", service), dropin === "" ? [] : [read("b.conf", dropin)]));
}

describe("how long a stop may take", () => {
  const cases: readonly [what: string, lines: string, steps: number, stepMs: number][] = [
    ["children may outlive the main process: twice", "TimeoutStopSec=4", 2, 4_000],
    ["killed with the main process: once", "TimeoutStopSec=4\nKillMode=mixed", 1, 4_000],
    ["every stop command has its own time", "TimeoutStopSec=4\nExecStop=/bin/a\nExecStop=/bin/b", 4, 4_000],
    ["also two on one line", "TimeoutStopSec=4\nExecStop=/bin/a ; /bin/b", 4, 4_000],
    ["and what runs afterwards", "TimeoutStopSec=4\nExecStopPost=/bin/a\nKillMode=mixed", 2, 4_000],
    ["a list that was emptied has none", "TimeoutStopSec=4\nExecStop=/bin/a\nExecStop=", 2, 4_000],
    ["TimeoutSec= sets it too, and the later one counts", "TimeoutStopSec=4\nTimeoutSec=6", 2, 6_000],
    ["a line that systemd cannot read changes nothing", "TimeoutStopSec=4\nTimeoutStopSec=soon", 2, 4_000],
    ["systemd's default is long", "", 2, 90_000],
    ["its own watchdog may be given longer", "TimeoutStopSec=4\nTimeoutAbortSec=9", 2, 9_000],
  ];
  for (const [what, lines, steps, stepMs] of cases) {
    test(what, () => {
      const stop = stopOf(lines);
      assert.deepEqual(stop.kind === "bounded" ? [stop.steps, stop.stepMs] : stop, [steps, stepMs]);
    });
  }

  test("drop-ins count, and are where the finding points", () => {
    const stop = stopOf("TimeoutStopSec=4", "TimeoutStopSec=7");
    assert.deepEqual(stop, { kind: "bounded", steps: 2, stepMs: 7_000, at: { path: "b.conf", line: 2, column: 1 } });
  });

  const endless: readonly [what: string, line: string][] = [
    ["never", "TimeoutStopSec=infinity"],
    ["never, in systemd's old words", "TimeoutStopSec=0"],
    ["children are left", "KillMode=process"],
    ["everything is left", "KillMode=none"],
    ["nothing is killed", "SendSIGKILL=no"],
    ["the last signal can be ignored", "FinalKillSignal=SIGQUIT"],
    ["cores are written first", "TimeoutStopFailureMode=abort"],
  ];
  for (const [what, line] of endless) {
    test(`has no end: ${what}`, () => {
      const stop = stopOf(line.startsWith("TimeoutStopSec") ? line : `TimeoutStopSec=4\n${line}`);
      assert.deepEqual(stop.kind === "endless" ? stop.saw : stop, line);
    });
  }
});
