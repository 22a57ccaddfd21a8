import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { compileRepository, shownFindings } from "../../../test/compile-repository.ts";
import { stopAfterOfFiles } from "./at-most-one-dropin.ts";

const HEAD = "apiVersion: fleet/v1\ncluster: prod\n";
const FITS = "[Service]\nExecStart=/bin/true\nTimeoutStopSec=3\n";
const ASKS = "[X-Fleet]\nOnDisconnect=stop-after=20s\n";

function compile(files: Readonly<Record<string, string>>) {
  return compileRepository({ "fleet.yaml": HEAD, ...files });
}

const found = (files: Readonly<Record<string, string>>) => shownFindings(compile(files).diagnostics);

test("a unit that runs at most once is bound to its machine's lease by a drop-in of ours", () => {
  const { spec } = compile({ "units/db.service": FITS + ASKS, "units/web.service": FITS });
  const [db, web] = spec!.units;
  assert.equal(db?.stopAfterMs, 20_000);
  assert.deepEqual(db?.dropins, [
    {
      name: "90-fleet-at-most-one.conf",
      path: "units/db.service",
      text:
        "[Unit]\nBindsTo=fleet-lease@20s.service\nAfter=fleet-lease@20s.service\n\n" +
        "[Service]\nEnvironmentFile=/run/fleet/fence/db.service.env\n",
    },
  ]);
  assert.deepEqual([web?.stopAfterMs, web?.dropins], [undefined, []]);
});

test("what an agent has of it tells how long it may outlive the lease", () => {
  const dropins = compile({ "units/db.service": FITS + ASKS }).spec!.units[0]!.dropins;
  const files = dropins.map(({ name, text }) => ({ path: `db.service.d/${name}`, text }));
  assert.equal(stopAfterOfFiles("db.service" as Parameters<typeof stopAfterOfFiles>[0], files), 20_000);
  assert.equal(stopAfterOfFiles("db.service" as Parameters<typeof stopAfterOfFiles>[0], []), null);
});

test("systemd reads the token's path as a pattern: a backslash counts twice", () => {
  const { spec } = compile({ "units/a\\x2db.service": FITS + ASKS });
  assert.match(spec!.units[0]!.dropins[0]!.text, /fence\/a\\\\x2db\.service\.env$/m);
});

test("instances of a template are bound one by one", () => {
  const { spec } = compile({
    "fleet.yaml": `${HEAD}units: { "db@.service": { instances: 2, onDisconnect: stop-after=15s } }\n`,
    "units/db@.service": FITS,
  });
  assert.deepEqual(
    spec!.units.map(({ name, dropins }) => [name, /fence\/(\S+)$/m.exec(dropins[0]!.text)?.[1]]),
    [
      ["db@1.service", "db@1.service.env"],
      ["db@2.service", "db@2.service.env"],
    ],
  );
});

test("as a default it is meant for services that run on one machine", () => {
  const { spec } = compile({
    "fleet.yaml": `${HEAD}defaults: { onDisconnect: stop-after=20s }\n`,
    "units/db.service": FITS,
    "units/db.timer": "[Timer]\nOnBootSec=1h\n",
    "units/all.service": `${FITS}[X-Fleet]\nGlobal=true\n`,
  });
  assert.deepEqual(
    spec!.units.map(({ name, stopAfterMs }) => [name, stopAfterMs]),
    [
      ["all.service", undefined],
      ["db.service", 20_000],
      ["db.timer", undefined],
    ],
  );
});

describe("what cannot run at most once is refused", () => {
  const cases: readonly [what: string, files: Readonly<Record<string, string>>, findings: readonly string[]][] = [
    [
      "a unit without processes of its own",
      { "units/db.service": FITS, "units/db.timer": `[Timer]\nOnBootSec=1h\n${ASKS}` },
      ["units/db.timer:4 stop-after-unsupported stop-after=20s for db.timer"],
    ],
    [
      "one that runs everywhere",
      { "units/db.service": `${FITS}${ASKS}Global=true\n` },
      ["units/db.service:5 stop-after-unsupported stop-after=20s for db.service, which runs on every machine"],
    ],
    [
      "one that leaves processes behind",
      { "units/db.service": `${FITS}KillMode=process\n${ASKS}` },
      [
        "units/db.service:4 stop-after-endless stop-after=20s for db.service, with KillMode=process: nobody knows when it has stopped",
      ],
    ],
    [
      "one that takes too long by a drop-in",
      { "units/db.service": FITS + ASKS, "units/db.service.d/10-slow.conf": "[Service]\nTimeoutStopSec=4\n" },
      [
        "units/db.service.d/10-slow.conf:2 stop-after-too-long stop-after=20s for db.service: " +
          "20 s without the lease, up to 8 s to stop, and 3 s to spare are 31 s",
      ],
    ],
    [
      "one for which the machine's lease is too short",
      { "fleet.yaml": `${HEAD}loss: { agentTtl: 20s }\n`, "units/db.service": FITS + ASKS },
      [
        "units/db.service:3 stop-after-too-long stop-after=20s for db.service: " +
          "20 s without the lease, up to 6 s to stop, and 3 s to spare are 29 s",
      ],
    ],
    [
      "one that says another thing than the manifest",
      {
        "fleet.yaml": `${HEAD}units: { db.service: { onDisconnect: stop-after=10s } }\n`,
        "units/db.service": FITS + ASKS,
      },
      [
        "fleet.yaml:3 option-contradiction onDisconnect: stop-after=10s, while db.service says OnDisconnect=stop-after=20s",
      ],
    ],
    [
      "a drop-in by our name",
      { "units/db.service": FITS, "units/db.service.d/90-fleet-at-most-one.conf": "[Service]\nNice=1\n" },
      [
        "units/db.service.d/90-fleet-at-most-one.conf dropin-reserved 90-fleet-at-most-one.conf, which fleet writes itself",
      ],
    ],
  ];
  for (const [what, files, findings] of cases) test(what, () => assert.deepEqual(found(files), findings));

  test("with the time that would fit", () => {
    const { diagnostics } = compile({ "units/db.service": `[Service]\nExecStart=/bin/true\n${ASKS}` });
    assert.equal(diagnostics[0]?.expected, "at most 29.7 s: after agentTtl, 30 s, the machine may count as gone");
    assert.equal(
      diagnostics[0]?.next,
      "TimeoutStopSec=3.3s in db.service fits (it has 2 steps, and one with KillMode=mixed); or raise loss.agentTtl to 206 s, or stop sooner",
    );
  });
});
