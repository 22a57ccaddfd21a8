import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { encodeRecord } from "../../src/codec/record.ts";
import { registryKeys } from "../../src/codec/registry-keys.ts";
import { type SeatCluster, seatCluster, seatMachine } from "./seat-cluster.ts";

/** Says how it was called, or, asked for a journal as JSON, gives two entries of a machine, in the wrong order for a merge. */
const SSH = `#!/bin/sh
case "$*" in
  *--output=json*)
    case "$*" in *web@1*) at=1767225601;; *) at=1767225600;; esac
    for plus in 0 2; do
      printf '{"__REALTIME_TIMESTAMP":"%s000000","SYSLOG_IDENTIFIER":"sh","_PID":"7","MESSAGE":"said"}\\n' $((at + plus))
    done ;;
  *) for word in "$@"; do printf '<%s>' "$word"; done; echo; exit 3 ;;
esac
`;

describe("what is done on other machines, by this system's ssh", { concurrency: 2 }, () => {
  let seat: SeatCluster;
  let programs: string;

  before(async () => {
    seat = await seatCluster();
    programs = mkdtempSync(join(tmpdir(), "fleet-ssh-"));
    writeFileSync(join(programs, "ssh"), SSH);
    chmodSync(join(programs, "ssh"), 0o755);
    seat.env.PATH = `${programs}:${process.env.PATH}`;
    // A machine that calls itself what ssh would take for an option, and lives nowhere.
    const keys = registryKeys("shop");
    const { entries } = await seat.cluster.registry.list(keys.member(seatMachine("m2")), { exact: true });
    const record = { ...JSON.parse(entries[0]!.value), name: "-oProxyCommand=true", address: "-oProxyCommand=true" };
    const put = { kind: "put", key: keys.member(seatMachine("evil")), value: encodeRecord(record) } as const;
    await seat.cluster.registry.txn({ when: [], then: [put] });
  });

  after(async () => {
    await seat?.end();
    rmSync(programs, { recursive: true, force: true });
  });

  const CALLS: readonly (readonly [sentence: string, words: readonly string[], called: string])[] = [
    ["a shell on a machine by its name", ["ssh", "m1"], "<--><192.0.2.1>"],
    ["a shell by the beginning of an id", ["ssh", "6d32"], "<--><192.0.2.1>"],
    [
      "a command where a unit runs, its words as they are",
      ["ssh", "web@1", "--", "ls", "-l", "a b"],
      "<--><192.0.2.1><ls><-l><a b>",
    ],
    ["one of a unit's machines", ["ssh", "probe.service@m2"], "<--><192.0.2.1>"],
    [
      "fleetctl's flags",
      ["ssh", "-A", "--ssh-port", "2222", "--user", "core", "--machine", "m1"],
      "<-l><core><-p><2222><-A><--><192.0.2.1>",
    ],
    [
      "a command that says the machine's name again, and a word twice",
      ["ssh", "m1", "--", "git", "-C", "m1", "log", "m1", "--user", "log"],
      "<--><192.0.2.1><git><-C><m1><log><m1><--user><log>",
    ],
    ["a unit by its flag", ["ssh", "--unit", "db", "--", "uptime"], "<--><192.0.2.1><uptime>"],
    [
      "the journal of one unit",
      ["journal", "db", "-n", "3"],
      "<--><192.0.2.1><'journalctl' '--quiet' '--no-pager' '--lines=3' '--unit=db.service'>",
    ],
    [
      "the journal since a time",
      ["journal", "db", "--since", "2026-01-01T00:00:00Z"],
      "<--><192.0.2.1><'journalctl' '--quiet' '--no-pager' '--lines=100000' '--unit=db.service' '--since=@1767225600.000'>",
    ],
    [
      "the journal of one machine's instance, followed",
      ["journal", "probe.service@m1", "-f"],
      "<--><192.0.2.1><'journalctl' '--quiet' '--no-pager' '--lines=10' '--unit=probe.service' '--follow'>",
    ],
  ];
  for (const [sentence, words, called] of CALLS) {
    test(`asks ssh for ${sentence}, and ends as ssh ends`, async () => {
      const { code, stdout } = await seat.run(...words);
      assert.deepEqual([code, stdout], [3, `${called}\n`]);
    });
  }

  const REFUSED: readonly (readonly [sentence: string, words: readonly string[], error: RegExp, next: RegExp])[] = [
    ["an unknown machine", ["ssh", "m9"], /there is no machine m9/, /did you mean m1/],
    ["the beginning of several ids", ["ssh", "6d3"], /6d3 is the beginning of 3 machines/, /more of the id/],
    ["an unknown unit", ["ssh", "wbe@1.service"], /no unit wbe@1\.service/, /list-unit-files/],
    ["a unit on several machines", ["ssh", "probe"], /probe is on several machines: m1, m2, m3/, /fleet ssh m1/],
    ["a unit that is on none", ["ssh", "spare"], /spare is on no machine \[not-placed\]/, /fleet status/],
    [
      "a machine whose address is an option",
      ["ssh", "--machine=-oProxyCommand=true"],
      /published no IP address/,
      /--public-ip/,
    ],
    ["a user who is an option", ["ssh", "m1", "--user=-oProxyCommand=true"], /is no name of a user/, /--user root/],
    ["nobody", ["ssh"], /no machine and no unit is named/, /fleet ssh m1/],
    [
      "commands through engines",
      ["exec", "m1", "--", "id"],
      /runs no commands through engines/,
      /fleet ssh MACHINE -- COMMAND/,
    ],
    ["a unit's journal on another machine", ["journal", "db", "--machine", "m2"], /db is not on m2/, /m1/],
    ["a time that is none", ["journal", "db", "--since", "soon"], /--since soon is no time/, /10m or 2h/],
  ];
  for (const [sentence, words, error, next] of REFUSED) {
    test(`refuses ${sentence}`, async () => {
      const { code, stdout, stderr } = await seat.run(...words);
      assert.deepEqual([code, stdout], [1, ""]);
      assert.match(stderr, error);
      assert.match(stderr, new RegExp(`^ {2}next: .*${next.source}`, "m"));
    });
  }

  test("journals of several units come by time, with the machines' names", async () => {
    const { code, stdout } = await seat.run("journal", "web@1", "db");
    assert.equal(code, 0);
    assert.deepEqual(stdout.trimEnd().split("\n"), [
      "2026-01-01T00:00:00.000Z m1 sh[7]: said",
      "2026-01-01T00:00:01.000Z m2 sh[7]: said",
      "2026-01-01T00:00:02.000Z m1 sh[7]: said",
      "2026-01-01T00:00:03.000Z m2 sh[7]: said",
    ]);
    const followed = await seat.run("journal", "web@1", "db", "--follow", "--json");
    const machines = followed.stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line).FLEET_MACHINE);
    assert.deepEqual(machines.sort(), ["m1", "m1", "m2", "m2"]);
  });

  test("without ssh there is a word for that", async () => {
    const { code, stderr } = await seat.runWith({ PATH: "/nowhere" }, "ssh", "m1");
    assert.equal(code, 1);
    assert.match(stderr, /cannot run ssh \[program-missing\]/);
  });
});
