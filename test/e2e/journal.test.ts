import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import { nodeKeyOf } from "../../src/adapters/identity/node-identity.ts";
import { machineFolder, needLab } from "../../src/lab/lab-state.ts";
import { ClusterOnLab } from "./cluster-on-lab.ts";
import { eventually, LAB_NAME, labSkipReason } from "./lab-name.ts";

const FLEET = "/opt/fleet/node /opt/fleet/app/fleet.js";
const UNIT = "[Service]\nExecStart=/bin/sh -c 'echo said it; exec sleep infinity'\n[X-Fleet]\nGlobal=true\n";

/** Of two machines the first runs an engine that serves the second, which nobody reaches by ssh. */
describe("the journal of a machine that only dials out", { skip: labSkipReason(), concurrency: false }, () => {
  let cluster: ClusterOnLab;

  before(async () => {
    cluster = await ClusterOnLab.up("hello", 2);
    const keys = await Promise.all(["m1", "m2"].map(giveKey));
    await configure("m1", "fleet-engine", "Environment=FLEET_LISTEN=0.0.0.0:7440");
    const engineKey = await eventually("the engine serves", async () => {
      const log = await inside("m1", "journalctl -q -u fleet-engine --output=cat");
      return /ed25519:[A-Za-z0-9_-]{43}/.exec(log)?.[0];
    });
    const machines = needLab(LAB_NAME).machines.map(({ name, machineId }, index) => {
      const engine = name === "m1" ? `, engineKey: "${engineKey}"` : "";
      return `  ${name}: { id: ${machineId}, key: "${keys[index]}"${engine} }\n`;
    });
    await cluster.commit("one unit everywhere", {
      ...Object.fromEntries(EXAMPLE.map((name) => [`units/${name}`, null])),
      "units/said.service": UNIT,
      "fleet.yaml": `apiVersion: fleet/v1\ncluster: hello\nmachines:\n${machines.join("")}`,
    });
    const { code, stdout, stderr } = await cluster.fleet("apply", "--auto-approve", "--timeout", "60s");
    assert.equal(code, 0, stdout + stderr);
  });
  afterEach(async (context) => {
    if (!(context as { passed?: boolean }).passed) console.error(await cluster.report());
  });
  after(() => cluster?.down());

  const inside = (machine: string, script: string) => cluster.inside(machine, "sh", "-c", script);

  async function giveKey(machine: string): Promise<string> {
    const { privateKey, publicKey } = generateKeyPairSync("ed25519");
    const pem = privateKey.export({ type: "pkcs8", format: "pem" }) as string;
    const folder = "/var/lib/fleet/identity";
    await inside(machine, `umask 077; mkdir -p ${folder}; printf %s '${pem}' > ${folder}/key.pem`);
    return nodeKeyOf(publicKey)!;
  }

  async function configure(machine: string, daemon: string, ...lines: readonly string[]): Promise<void> {
    const folder = join(machineFolder(LAB_NAME, machine), "units", `${daemon}.service.d`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "journal.conf"), `[Service]\n${lines.join("\n")}\n`);
    await inside(machine, `systemctl daemon-reload; systemctl restart --no-block ${daemon}.service`);
  }

  /** On the engine's machine, which is allowed or not by the other one's own configuration. */
  const read = (words = "") =>
    inside("m1", `${FLEET} journal said --machine m2 --through localhost ${words} 2>&1 || :`);

  test("is told to the machine that its own configuration names, and to no other", async () => {
    const address = needLab(LAB_NAME).machines[0]!.address;
    await configure("m2", "fleet-agent", `Environment=FLEET_REGISTRY=hub://${address} FLEET_ALLOW_JOURNAL=m7`);
    await eventually("m2 refuses it", async () => /journal-not-allowed/.test(await read()));
    await configure("m2", "fleet-agent", `Environment=FLEET_REGISTRY=hub://${address} FLEET_ALLOW_JOURNAL=m1`);
    await eventually("m2 tells it", async () => /^.* said it$/m.test(await read()));
    assert.match(
      await inside("m2", "journalctl -q -u fleet-agent --output=cat"),
      /machine m1 reads the journal of said/,
    );
    // A terminal that has engines alone finds the way as well; m1 lets nobody in, and does not go through engines itself.
    const other = `FLEET_REGISTRY=hub://${address} ${FLEET} journal said --through ${address} --machine ${needLab(LAB_NAME).machines[0]!.machineId}`;
    assert.match(await inside("m2", `${other} 2>&1 || :`), /machine-not-here/);
    const follow = `${FLEET} journal said --machine m2 --through localhost -f -n 5`;
    const untilSaid = "until grep -q ' said it$' /tmp/followed; do sleep 0.1; done";
    await inside("m1", `timeout 30 sh -c "${follow} > /tmp/followed & ${untilSaid}; kill \\$!"`);
    await eventually("nothing reads it there any more", async () => {
      const running = await inside("m2", "ps ax -o args");
      return !/journalctl.*--follow/.test(running);
    });
  });
});

const EXAMPLE = ["red.service", "blue.service", "everywhere.service", "hello@.service", "tick.service", "tick.timer"];
