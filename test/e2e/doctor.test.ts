import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import type { AreaReport } from "../../src/domain/doctor/finding.ts";
import { labExec } from "../../src/lab/lab.ts";
import { needLab } from "../../src/lab/lab-state.ts";
import { ClusterOnLab } from "./cluster-on-lab.ts";
import { LAB_NAME, labSkipReason } from "./lab-name.ts";

const MACHINE = "m1";
/** Configured as the agent of the machine is. */
const DOCTOR =
  "env $(systemctl show --property=Environment --value fleet-agent) /opt/fleet/node /opt/fleet/app/fleet.js doctor --json";

describe("fleet doctor on a real machine", { skip: labSkipReason(), concurrency: false }, () => {
  let cluster: ClusterOnLab;

  before(async () => {
    cluster = await ClusterOnLab.up("hello", 1);
    // One machine has no room for those that conflict with each other.
    await cluster.commit("what fits on one machine", {
      "fleet.yaml": "apiVersion: fleet/v1\ncluster: hello\n",
      "units/red.service": null,
      "units/hello@.service": null,
    });
    const { code, stdout, stderr } = await cluster.fleet("apply", "--auto-approve", "--allow-deletes");
    assert.equal(code, 0, stdout + stderr);
  });

  afterEach(async (context) => {
    if (!(context as { passed?: boolean }).passed) console.error(await cluster.report());
  });

  after(async () => {
    registry("SIGCONT");
    await cluster?.down();
  });

  function registry(signal: "SIGSTOP" | "SIGCONT"): void {
    const process_ = needLab(LAB_NAME).processes.find(({ role }) => role === "registry");
    if (process_ !== undefined) process.kill(process_.pid, signal);
  }

  const doctor = async () => {
    const { code, stdout, stderr } = await labExec(LAB_NAME, MACHINE, ["/bin/sh", "-c", DOCTOR]);
    assert.equal(stderr, "");
    const { areas } = JSON.parse(stdout) as { areas: AreaReport[] };
    const findings = areas.flatMap((one) => one.findings);
    const errors = findings.filter(({ severity }) => severity === "error").map(({ code }) => code);
    return { code, areas, findings, errors };
  };

  test("a healthy machine has no errors, and everything on it was looked at", async () => {
    const { code, areas, errors, findings } = await doctor();
    assert.deepEqual(errors, [], JSON.stringify(findings));
    assert.equal(code, 0);
    assert.deepEqual(
      findings.filter(({ code }) => code === "not-seen"),
      [],
    );
    const saw = Object.fromEntries(areas.map((one) => [one.area, one.saw]));
    assert.match(saw.systemd!, /^systemd \d+, the system bus answers$/);
    assert.match(saw.daemons!, /^fleet-agent is active since .*, fleet-engine is active since /);
    assert.match(saw.memory!, /^cluster hello, release 1, \d+ units$/);
    assert.match(saw.registry!, /fleet's own, .* answers in \d+ ms$/);
    assert.equal(saw.cluster, "hello knows this machine as m1");
    assert.match(saw.source!, /answers in \d+ ms$/);
  });

  test("what somebody breaks is named, all of it at once, with the next step", async () => {
    const breakIt = `systemctl stop fleet-agent
      echo '{"v":1,' > /var/lib/fleet/agent/state.json
      echo 'start blue.service' > /var/lib/fleet/agent/boot-set
      ln -s /dev/null /etc/systemd/system/everywhere.service
      mkdir /etc/systemd/system/blue.service.d
      echo '[Service]' > /etc/systemd/system/blue.service.d/theirs.conf`;
    await cluster.inside(MACHINE, "/bin/sh", "-ec", breakIt);
    registry("SIGSTOP");
    const { code, errors, findings } = await doctor();
    registry("SIGCONT");
    assert.equal(code, 1);
    assert.deepEqual(errors, [
      "agent-not-running",
      "memory-damaged",
      "boot-set-damaged",
      "unit-masked",
      "registry-away",
    ]);
    const found = (code: string) => findings.find((one) => one.code === code)!;
    assert.match(found("agent-not-running").next, /systemctl start fleet-agent/);
    assert.match(found("memory-damaged").saw, /state\.json/);
    assert.match(found("unit-masked").next, /systemctl unmask everywhere\.service/);
    assert.match(found("drop-in-of-others").saw, /blue\.service\.d\/theirs\.conf changes blue\.service/);
  });
});
