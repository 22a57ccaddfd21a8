import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, afterEach, before, describe, test } from "node:test";
import { ClusterOnLab } from "./cluster-on-lab.ts";
import { eventually, labSkipReason } from "./lab-name.ts";

const MACHINES = ["m1", "m2"] as const;
const MANIFEST = "apiVersion: fleet/v1\ncluster: hello\n";
const FLEET = ["/opt/fleet/node", "/opt/fleet/app/fleet.js"];
const DROPIN = "[Service]\nEnvironment=FLEET_STANDALONE=yes FLEET_POLL=1s\n";

const sleeper = (about: string, fleetLines: string) =>
  `[Unit]\nDescription=${about}\n\n[Service]\nExecStart=/bin/sleep infinity\n\n[X-Fleet]\n${fleetLines}\n`;

interface Shown {
  readonly commit: string | null;
  readonly problem: { readonly code: string } | null;
  readonly rewound: { readonly why: string } | null;
  readonly units: readonly { readonly unit: string; readonly status: { readonly active: string } | null }[];
}

describe("machines that follow git alone", { skip: labSkipReason(), concurrency: false }, () => {
  let cluster: ClusterOnLab;
  let first: string;

  before(async () => {
    cluster = await ClusterOnLab.up("hello", MACHINES.length);
    const gone = Object.fromEntries(
      ["red", "blue", "everywhere", "hello@", "tick"].map((name) => [`units/${name}.service`, null]),
    );
    first = await cluster.commit("for each of them, and for one", {
      ...gone,
      "units/tick.timer": null,
      "fleet.yaml": MANIFEST,
      "units/all.service": sleeper("all", "Global=true"),
      "units/one.service": sleeper("one", "MachineMetadata=machine=m2"),
      "units/free.service": sleeper("free", ""),
    });
    const script = `mkdir -p /run/systemd/system/fleet-agent.service.d
printf '%s' "$1" > /run/systemd/system/fleet-agent.service.d/standalone.conf
systemctl daemon-reload && systemctl stop fleet-engine && systemctl restart fleet-agent`;
    await Promise.all(MACHINES.map((machine) => cluster.inside(machine, "sh", "-c", script, "sh", DROPIN)));
  });

  afterEach(async (context) => {
    if (!(context as { passed?: boolean }).passed) console.error(await cluster.report());
  });

  after(() => cluster?.down());

  const shown = async (machine: string): Promise<Shown> => {
    return JSON.parse(await cluster.inside(machine, ...FLEET, "status", "--on-this-machine", "--json")) as Shown;
  };
  const follows = (machine: string, commit: string, units: string) =>
    eventually(`${machine} runs ${units} of ${commit.slice(0, 8)}`, async () => {
      const { commit: inForce, units: all } = await shown(machine).catch(() => ({ commit: null, units: [] }));
      const active = all.filter(({ status }) => status?.active === "active").map(({ unit }) => unit);
      return inForce === commit && active.join(" ") === units;
    });

  test("each runs what the commit gives it, takes the next, keeps it through a broken one, and does not forget", async () => {
    await Promise.all([follows("m1", first, "all.service"), follows("m2", first, "all.service one.service")]);

    const second = await cluster.commit("another one", { "units/more.service": sleeper("more", "Global=true") });
    await Promise.all([
      follows("m1", second, "all.service more.service"),
      follows("m2", second, "all.service more.service one.service"),
    ]);

    await cluster.commit("a manifest that is none", { "fleet.yaml": "units: [" });
    await eventually("m1 says what is wrong", async () => (await shown("m1")).problem?.code === "commit-invalid");
    await cluster.inside("m1", "sh", "-c", "systemctl stop fleet-agent && rm -r /var/lib/fleet/agent/state.json");
    await cluster.inside("m1", "systemctl", "start", "fleet-agent");
    await eventually(
      "m1 is back",
      async () => (await shown("m1").catch(() => null))?.problem?.code === "commit-invalid",
    );
    for (const unit of ["all.service", "more.service"])
      assert.equal((await cluster.inside("m1", "systemctl", "is-active", unit)).trim(), "active");
    assert.match(await cluster.inside("m1", "cat", "/var/lib/fleet-mark/hello.json"), new RegExp(second));

    // Somebody sets the branch back: nobody follows, but the machine on which root says so.
    execFileSync("git", ["-C", cluster.repository, "update-ref", "refs/heads/main", first]);
    for (const machine of MACHINES)
      await eventually(
        `${machine} does not go back`,
        async () => (await shown(machine)).problem?.code === "not-a-descendant",
      );
    await cluster.inside("m1", ...FLEET, "trust", "rewind", first, "--why", "more was a mistake");
    await follows("m1", first, "all.service");
    await eventually("m1 says why", async () => (await shown("m1")).rewound?.why === "more was a mistake");
    assert.deepEqual([(await shown("m2")).commit, (await shown("m2")).problem?.code], [second, "not-a-descendant"]);
    const said = await cluster.inside(
      "m1",
      "journalctl",
      "--no-pager",
      "-o",
      "cat",
      "-t",
      "fleet",
      "-t",
      "fleet-agent",
    );
    assert.match(said, new RegExp(`ordered that this machine may go back to commit ${first}: more was a mistake`));
    assert.match(said, new RegExp(`went back to commit ${first}, as root ordered here at .*: more was a mistake`));
  });
});
