import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { prepareFleet, shell } from "./fleet-process.ts";
import { type SeatCluster, seatCluster } from "./seat-cluster.ts";

const PAGE = readFileSync(join(import.meta.dirname, "../../docs/from-fleetctl.md"), "utf8");
const ROWS = [...PAGE.matchAll(/^\| `(fleetctl [^`]+)` \| `(fleet [^`]+)` \|/gm)].map(([, old, now]) => ({
  old: old!,
  now: now!,
}));

/** Everything fleetctl had, by its own help (1.0): each is in a row. */
const COMMANDS = [
  ...["cat", "destroy", "fd-forward", "help", "journal", "list-machines", "list-unit-files", "list-units", "load"],
  ...["restart", "ssh", "start", "status", "stop", "submit", "unload", "verify", "version"],
];
const FLAGS = [
  ...["driver", "endpoint", "etcd-key-prefix", "request-timeout", "key-file", "cert-file", "ca-file", "tunnel"],
  ...["ssh-username", "ssh-timeout", "strict-host-key-checking", "known-hosts-file", "debug", "version"],
  ...["full", "no-legend", "fields", "lines", "ssh-port", "sudo", "output", "machine", "unit", "no-block"],
  ...["block-attempts", "replace", "sign"],
];

/** Rows that end otherwise than with 0 in that cluster, and with what. */
const ENDS_WITH: Readonly<Record<string, number>> = {
  "fleet list-units --registry none": 1,
  "fleet why db.service": 5,
};

/** Where what is typed runs once: many old commands lead to one. */
const TYPED = [...new Set(ROWS.map(({ now }) => now))];

test("the page has a row for every command and every flag that fleetctl had", () => {
  assert.equal(ROWS.length, PAGE.match(/^\| `fleetctl /gm)?.length, "every row is read");
  const words = ROWS.map(({ old }) => ` ${old.replaceAll("=", " ")} `);
  const missing = [
    ...COMMANDS.filter((command) => !words.some((old) => old.includes(` ${command} `))),
    ...FLAGS.filter((flag) => !words.some((old) => old.includes(` --${flag} `))).map((flag) => `--${flag}`),
  ];
  assert.deepEqual(missing, []);
});

describe("what the page says to type does something", { concurrency: 2 }, () => {
  let seat: SeatCluster;
  let programs: string;

  before(async () => {
    await prepareFleet();
    seat = await seatCluster();
    programs = mkdtempSync(join(tmpdir(), "fleet-ssh-"));
    writeFileSync(join(programs, "ssh"), "#!/bin/sh\necho there\n");
    chmodSync(join(programs, "ssh"), 0o755);
  });

  after(async () => {
    await seat?.end();
    rmSync(programs, { recursive: true, force: true });
  });

  for (const now of TYPED) {
    test(now, async () => {
      // Of its own, because some change it.
      const copy = `d=$(mktemp -d) && git clone -q . "$d/shop" && cd "$d/shop"`;
      const unit = "printf '[Service]\\nExecStart=/bin/sleep 1d\\n' > ../new.service";
      const typed = now
        .replace(/^fleet\b/, "$FLEET")
        .replace("./new.service", "../new.service")
        .replace("etcd://10.0.0.1:2379", seat.cluster.address);
      const script = `${copy} && ${unit} && ${typed}; code=$?; rm -rf "$d"; exit $code`;
      const { code, stdout, stderr } = await shell(script, {
        cwd: seat.repository.path,
        registry: seat.cluster.address,
        env: { PATH: `${programs}:${process.env.PATH}` },
      });
      assert.equal(code, ENDS_WITH[now] ?? 0, stderr);
      assert.notEqual(stdout, "");
      assert.doesNotMatch(stderr, /fleet is wrong|\[usage\]/);
    });
  }
});
