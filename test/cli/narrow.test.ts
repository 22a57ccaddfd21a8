import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { displayWidth } from "../../src/cli/views/display-width.ts";
import { shell } from "./fleet-process.ts";
import { type SeatCluster, seatCluster } from "./seat-cluster.ts";

/** What a person looks at on a small terminal, and a line of it at 80 columns. */
const COMMANDS: readonly (readonly [words: string, at80: RegExp, at40: RegExp])[] = [
  ["list-units", /^web@1\.service +m2\/192\.0\.2\.1 +active +running$/m, /^web@1\.service +m2\/\S+ +active +running$/m],
  ["list-unit-files", /^db\.service +[0-9a-f]{7} +launched +launched +m1\/192\.0\.2\.1$/m, /^db\.service +/m],
  ["list-machines", /^6d310000\.\.\. +m1 +192\.0\.2\.1 +role=db +present$/m, /^6d310000\.\.\. +m1 +\S+ +\S+ +\S+$/m],
  ["status", /^db\.service +m1\/192\.0\.2\.1 +failed +failed +failed$/m, /^units 7 placed, 4 active, 2 active/m],
  ["status db", /^ problem: failed: it ended with 1$/m, /^ problem: failed: it ended with 1$/m],
  ["plan", /^start +1 +\+ +new\.service +m2 /m, /\+ +new\.service/],
];

describe("on a terminal of 40 and of 80 columns no line is wider", { concurrency: 2 }, () => {
  let seat: SeatCluster;
  before(async () => {
    seat = await seatCluster();
    seat.repository.commit({ "units/new.service": "[Service]\nExecStart=/bin/sleep infinity\n" });
  });
  after(() => seat?.end());

  for (const [words, at80, at40] of COMMANDS)
    for (const [columns, line] of [
      [80, at80],
      [40, at40],
    ] as const)
      test(`fleet ${words}, ${columns} columns`, async () => {
        const { stdout } = await shell(`script -qec "stty cols ${columns}; $FLEET ${words}" /dev/null`, {
          cwd: seat.repository.path,
          registry: seat.cluster.address,
          env: { TERM: "xterm", NO_COLOR: "1" },
        });
        const lines = stdout.replaceAll("\r", "").split("\n");
        // A word that is longer than a line stays whole, to be found by a search.
        const wide = lines.filter((one) => displayWidth(one) > columns && /\S +\S/.test(one.trim()));
        assert.deepEqual(wide, []);
        assert.match(stdout.replaceAll("\r", ""), line);
      });

  test("in full nothing is cut, and in a pipe neither", async () => {
    const options = { cwd: seat.repository.path, registry: seat.cluster.address };
    const { stdout } = await shell(`script -qec "stty cols 40; $FLEET list-machines --full" /dev/null`, options);
    assert.match(stdout, /^[0-9a-f]{32} +m1 +192\.0\.2\.1 +role=db +present\r?$/m);
    assert.match((await seat.run("list-machines")).stdout, /^6d310000\.\.\. +m1 +192\.0\.2\.1 +role=db +present$/m);
  });
});
