import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { shell } from "./fleet-process.ts";
import { type SeatCluster, seatCluster, seatMachine } from "./seat-cluster.ts";

/** What is typed, and what standard output then is; fields are one space apart here. */
const LISTS: readonly (readonly [sentence: string, words: string, lines: readonly string[]])[] = [
  [
    "every unit on each of its machines",
    "list-units",
    [
      "UNIT MACHINE ACTIVE SUB",
      "db.service m1/192.0.2.1 failed failed",
      "probe.service m1/192.0.2.1 active running",
      "probe.service m2/192.0.2.1 active running",
      "probe.service m3/192.0.2.1 active (old) running",
      "web@1.service m2/192.0.2.1 active running",
      "web@2.service m3/192.0.2.1 active (old) running",
      "web@3.service m1/192.0.2.1 active running",
    ],
  ],
  [
    "a pattern",
    "list-units web@* --no-legend --fields unit,load",
    ["web@1.service loaded", "web@2.service loaded", "web@3.service loaded"],
  ],
  [
    "a template's instances",
    "list-units web@ --no-legend --fields unit",
    ["web@1.service", "web@2.service", "web@3.service"],
  ],
  ["a pattern of nothing", "list-units mail* --no-legend", []],
  ["one state of systemd's", "list-units --state failed --fields unit,sub", ["UNIT SUB", "db.service failed"]],
  ["one of several states", "list-units --state dead,failed --no-legend --fields unit", ["db.service"]],
  [
    "a machine by the beginning of its id",
    "list-units --machine 6d32 --no-legend --fields unit",
    ["probe.service", "web@1.service"],
  ],
  [
    "wanted state beside actual state",
    "list-unit-files --fields unit,dstate,state,target",
    [
      "UNIT DSTATE STATE TARGET",
      "db.service launched launched m1/192.0.2.1",
      "probe.service launched launched 3 machines",
      "spare.service inactive inactive -",
      "web@1.service launched launched m2/192.0.2.1",
      "web@2.service launched launched m3/192.0.2.1",
      "web@3.service launched launched m1/192.0.2.1",
    ],
  ],
  [
    "unit files by state",
    "list-unit-files --state inactive --no-legend --fields unit,state",
    ["spare.service inactive"],
  ],
  [
    "unit files by fleetctl's older name of a field",
    "list-unit-files web@1 --no-legend --fields unit,tmachine,desc",
    ["web@1.service m2/192.0.2.1 The shop"],
  ],
  [
    "the machines",
    "list-machines",
    [
      "MACHINE NAME IP METADATA STATE",
      "6d310000... m1 192.0.2.1 role=db present",
      "6d320000... m2 192.0.2.1 role=web present",
      "6d330000... m3 192.0.2.1 role=web absent",
    ],
  ],
  ["machines in full", "list-machines --full --no-legend --fields machine m2", [seatMachine("m2")]],
  ["machines by state", "list-machines --state absent --no-legend --fields name", ["m3"]],
  ["machines by pattern", "list-machines m[12] --no-legend --fields name", ["m1", "m2"]],
];

/** Words that are wrong, and the two lines that say what is and what to do. */
const REFUSED: readonly (readonly [sentence: string, words: string, error: RegExp, next: RegExp])[] = [
  [
    "an unknown unit",
    "list-units wbe@1",
    /no unit wbe@1 in the release.*; did you mean web@1\.service\? \[unit-unknown\]/,
    /list-unit-files/,
  ],
  [
    "an instance there is none of",
    "list-units web@9",
    /no unit web@9: its template has web@1\.service, web@2/,
    /list-unit-files/,
  ],
  ["a pattern nobody can read", "list-units web[", /no unit web\[ in the release/, /list-unit-files/],
  [
    "an unknown machine",
    "list-units --machine m9",
    /there is no machine m9 in the cluster \[machine-unknown\]/,
    /did you mean m1\?/,
  ],
  ["a machine nobody has heard of", "list-machines gateway", /there is no machine gateway/, /list-machines names them/],
  [
    "the beginning of several ids",
    "list-units --machine 6d3",
    /6d3 is the beginning of 3 machines: m1 \(6d3100000000, 192\.0\.2\.1\), m2/,
    /more of the id, or the name/,
  ],
  [
    "an unknown field",
    "list-units --fields unit,nope",
    /there is no field nope \[unknown-field\]/,
    /the fields are active, drift/,
  ],
  ["an empty list of fields", "list-machines --fields=", /there is no field/, /the fields are/],
  ["a name that would steer the terminal", "list-units \u001b]0;red", /no unit \\x1b\]0;red\.?/, /list-unit-files/],
];

describe("reading a cluster", { concurrency: 2 }, () => {
  let seat: SeatCluster;
  before(async () => {
    seat = await seatCluster();
  });
  after(() => seat?.end());

  const run = (words: string) => seat.run(...words.split(" "));

  for (const [sentence, words, lines] of LISTS) {
    test(`lists ${sentence}`, async () => {
      const { code, stdout, stderr } = await run(words);
      assert.deepEqual([code, stderr], [0, ""]);
      assert.deepEqual(
        stdout
          .split("\n")
          .filter((line) => line !== "")
          .map((line) => line.replace(/ {2,}/g, " ")),
        lines,
      );
    });
  }

  for (const [sentence, words, error, next] of REFUSED) {
    test(`refuses ${sentence}, and says what to do`, async () => {
      const { code, stdout, stderr } = await run(words);
      assert.deepEqual([code, stdout], [1, ""]);
      assert.match(stderr, error);
      assert.match(stderr, new RegExp(`^ {2}next: .*${next.source}`, "m"));
    });
  }

  test("JSON holds the same rows, filtered alike", async () => {
    const units = JSON.parse((await run("list-units --json web@* --machine m2")).stdout) as { unit: string }[];
    assert.deepEqual(
      units.map(({ unit }) => unit),
      ["web@1.service"],
    );
    const machines = JSON.parse((await run("list-machines --json --state absent")).stdout) as { name: string }[];
    assert.deepEqual(
      machines.map(({ name }) => name),
      ["m3"],
    );
  });

  test("who closes the pipe early is told nothing and ends nothing badly", async () => {
    const code = "echo $PIPESTATUS";
    const script = `$FLEET list-units | true; ${code}; $FLEET plan | head -0; ${code}`;
    const { stdout, stderr } = await shell(script, { cwd: seat.repository.path, registry: seat.cluster.address });
    assert.deepEqual([stdout, stderr], ["0\n0\n", ""]);
  });
});
