import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { encodeRecord } from "../../src/codec/record.ts";
import { registryKeys } from "../../src/codec/registry-keys.ts";
import type { UnitName } from "../../src/domain/names.ts";
import { FleetFollowed } from "./fleet-followed.ts";
import { type SeatCluster, seatCluster, seatMachine } from "./seat-cluster.ts";

describe("fleet status", { concurrency: false }, () => {
  let seat: SeatCluster;

  before(async () => {
    seat = await seatCluster();
  });

  after(async () => {
    await seat?.end();
  });

  test("of the cluster: who is there, what runs, and what does not", async () => {
    const { code, stdout } = await seat.run("status");
    assert.equal(code, 0);
    for (const line of [
      /^shop {2}release 1 {2}commit [0-9a-f]{7} {2}by /m,
      /^machines 2 of 3 present/m,
      /^units 7 placed, 4 active, 2 active when last heard of, 1 with a problem$/m,
      /^m3 is absent/m,
      /^db\.service +m1\/192\.0\.2\.1 +failed +failed +failed$/m,
    ])
      assert.match(stdout, line);
  });

  test("of a template: how many of its instances run, then each", async () => {
    const { code, stdout } = await seat.run("status", "web@.service");
    assert.equal(code, 0);
    assert.match(stdout, /^web@\.service: 2 of 3 active, 1 active when last heard of\n\n\* web@1\.service on m2/);
    assert.equal(stdout.match(/^ {2}active: active \(running\) since 2026-01-01T00:00:00\.000Z$/gm)?.length, 3);
    assert.match(stdout, /^ {4}seen: before .*: m3 is absent$/m);
  });

  test("of a global unit: every machine", async () => {
    const { stdout } = await seat.run("status", "probe");
    assert.match(stdout, /^probe: 2 of 3 active/);
    assert.deepEqual(stdout.match(/on m\d/g), ["on m1", "on m2", "on m3"]);
  });

  test("of a unit that failed: why, and its last lines, none of which steers the terminal", async () => {
    const { code, stdout } = await seat.run("status", "db");
    assert.equal(code, 0);
    assert.match(stdout, /^x db\.service on m1/);
    assert.match(stdout, /^ problem: failed: it ended with 1\n {4}\| cannot open \\x1b\[31mdata$/m);
  });

  test("of units some of which there are none: those that are, a word on the others, and 1", async () => {
    const { code, stdout, stderr } = await seat.run("status", "db", "wbe@1");
    assert.equal(code, 1);
    assert.match(stdout, /^x db\.service/);
    assert.equal(stderr, "no unit wbe@1 in the release or on a machine; did you mean web@1.service?\n");
  });

  test("watched in a pipe: all at first, then a line for what is new", async () => {
    const followed = new FleetFollowed(["list-units", "db", "--watch", "--no-legend", "--fields", "unit,active"], seat);
    try {
      await followed.line("db.service  failed");
      const keys = registryKeys("shop");
      const key = keys.status(seatMachine("m1"), "db.service" as UnitName);
      const { entries } = await seat.cluster.registry.list(key, { exact: true });
      const value = encodeRecord({ ...JSON.parse(entries[0]!.value), active: "active", sub: "running", problem: null });
      await seat.cluster.registry.txn({ when: [], then: [{ kind: "put", key, value }] });
      assert.deepEqual(await followed.line("db.service  active"), ["db.service  failed", "db.service  active"]);
    } finally {
      await followed.end();
    }
  });

  test("watched on a terminal: the same screen again, with what it is now", async () => {
    const followed = new FleetFollowed(["list-units", "web@1", "--watch", "--fields", "sub,unit"], seat, true);
    try {
      const clear = "\u001b[H\u001b[2J\u001b[3J";
      await followed.line("running  web@1.service");
      assert.equal(followed.lines[0], `${clear}SUB      UNIT`);
      const keys = registryKeys("shop");
      const key = keys.status(seatMachine("m2"), "web@1.service" as UnitName);
      const { entries } = await seat.cluster.registry.list(key, { exact: true });
      const value = encodeRecord({ ...JSON.parse(entries[0]!.value), sub: "reload" });
      await seat.cluster.registry.txn({ when: [], then: [{ kind: "put", key, value }] });
      await followed.line("reload  web@1.service");
      assert.deepEqual(followed.lines.slice(-2), [`${clear}SUB     UNIT`, "reload  web@1.service"]);
    } finally {
      await followed.end();
    }
  });

  test("without its registry: what was seen before, how old it is, and 1; programs get the error alone", async () => {
    // Looked at within the last minute: it need not be written again.
    await seat.run("list-units");
    await seat.stopRegistry();
    for (const [line, ...words] of [
      [/^web@1\.service +/m, "status"],
      [/^web@1\.service +/m, "list-units"],
      [/^web@1\.service +/m, "list-unit-files", "web@1"],
      [/^6d310000\.\.\. +m1 +/m, "list-machines"],
    ] as const) {
      const { code, stdout, stderr } = await seat.run(...words);
      assert.equal(code, 1);
      assert.match(stderr, /^error: .*\[registry-unreachable\]$/m);
      assert.match(stderr, /^the cluster is shown as it was seen here at 20.*Z \(.* ago\)$/m);
      assert.match(stdout, line);
    }
    const { code, stdout, stderr } = await seat.run("list-units", "--json");
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(stderr, /\[registry-unreachable\]/);
  });
});
