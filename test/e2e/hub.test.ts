import assert from "node:assert/strict";
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { dirname, join } from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import { nodeKeyOf } from "../../src/adapters/identity/node-identity.ts";
import { encodeJoin } from "../../src/codec/join-record.ts";
import { parseNodeKey } from "../../src/domain/identity/node-key.ts";
import { machineFolder, needLab } from "../../src/lab/lab-state.ts";
import { ClusterOnLab } from "./cluster-on-lab.ts";
import { eventually, LAB_NAME, labSkipReason } from "./lab-name.ts";
import { type LifeEvent, unitLives } from "./unit-lives.ts";

const ROOT = dirname(dirname(import.meta.dirname));
const MACHINES = ["m1", "m2", "m3"];
const ENGINES = ["m1", "m2"];
const PORT = 7440;
/** Everywhere, so that no machine's loss moves any; the first three change with each version, the last one never. */
const ROLLED = ["a.service", "b.service", "c.service"];
const UNITS = [...ROLLED, "steady.service"];
/** Shorter than the test: every certificate there is at its beginning is over at its end. */
const CERTIFICATE_LIFE = "8s";

interface Keys {
  readonly agents: ReadonlyMap<string, KeyObject>;
  readonly engines: ReadonlyMap<string, string>;
}

describe("three machines that go through the engines of two of them", {
  skip: labSkipReason(),
  concurrency: false,
}, () => {
  let cluster: ClusterOnLab;
  let keys: Keys;
  /** Where m3 finds its engines: a way that breaks when it is told to. */
  let way: Server;
  const onTheWay = new Set<Socket>();
  let version = 0;

  before(async () => {
    cluster = await ClusterOnLab.up("hello", MACHINES.length);
    way = await flakyWay();
    keys = { agents: await giveKeys(), engines: await listen() };
    await cluster.commit("units everywhere", {
      ...Object.fromEntries(EXAMPLE.map((name) => [`units/${name}`, null])),
      ...Object.fromEntries(UNITS.map((name) => [`units/${name}`, service(0)])),
      "fleet.yaml": manifest(),
    });
    await apply();
    const state = await cluster.inside("m3", "cat", "/var/lib/fleet/agent/state.json");
    const id = (JSON.parse(state) as { clusterId: string }).clusterId;
    await Promise.all(MACHINES.map((machine) => goThroughEngines(machine, id)));
  });

  afterEach(async (context) => {
    if (!(context as { passed?: boolean }).passed) console.error(await cluster.report());
  });

  after(async () => {
    for (const socket of onTheWay) socket.destroy();
    way?.close();
    await cluster?.down();
  });

  const manifest = (agents: Readonly<Record<string, string>> = {}) => {
    const machines = needLab(LAB_NAME).machines.map(({ name, machineId }) => {
      const key = agents[name] ?? nodeKeyOf(keys.agents.get(name)!);
      const engine = keys.engines.get(name);
      return `  ${name}: { id: ${machineId}, key: "${key}"${engine === undefined ? "" : `, engineKey: "${engine}"`} }\n`;
    });
    return `apiVersion: fleet/v1\ncluster: hello\nmachines:\n${machines.join("")}`;
  };

  async function apply(...words: readonly string[]): Promise<void> {
    const { code, stdout, stderr } = await cluster.fleet("apply", "--auto-approve", "--timeout", "60s", ...words);
    assert.equal(code, 0, stdout + stderr);
  }

  /** A key of each agent, made here so that the manifest can list it. */
  async function giveKeys(): Promise<Map<string, KeyObject>> {
    const made = new Map<string, KeyObject>();
    const make = async (machine: string) => {
      const { privateKey, publicKey } = generateKeyPairSync("ed25519");
      await put(
        machine,
        "/var/lib/fleet/identity/key.pem",
        privateKey.export({ type: "pkcs8", format: "pem" }) as string,
      );
      made.set(machine, publicKey);
    };
    await Promise.all(MACHINES.map(make));
    return made;
  }

  /** Engines of two machines serve the others; each says with which key. The third has none. */
  async function listen(): Promise<Map<string, string>> {
    const said = new Map<string, string>();
    const serve = async (machine: string) => {
      await configure(machine, "fleet-engine", [`Environment=FLEET_LISTEN=0.0.0.0:${PORT}`]);
      said.set(
        machine,
        await eventually(`the engine of ${machine} serves`, async () => {
          return /ed25519:[A-Za-z0-9_-]{43}/.exec(await engineLog(machine))?.[0];
        }),
      );
    };
    await Promise.all([...ENGINES.map(serve), cluster.inside("m3", "systemctl", "stop", "fleet-engine.service")]);
    return said;
  }

  /** m1 and m2 know the engines by the commit they have accepted, m3 by what it pinned when it joined; it reads git through them as well. */
  async function goThroughEngines(machine: string, clusterId: string): Promise<void> {
    const addresses = ENGINES.map((name) => needLab(LAB_NAME).machines.find((one) => one.name === name)!.address);
    if (machine !== "m3") {
      return configure(machine, "fleet-agent", [`Environment=FLEET_REGISTRY=hub://${addresses.join(",")}`]);
    }
    const { address, port } = way.address() as { address: string; port: number };
    await cluster.inside(machine, "systemctl", "stop", "fleet-agent.service");
    // The lab's own way to its registry.
    await cluster.inside(machine, "rm", "/run/fleet/registry.sock");
    await cluster.inside(machine, "rm", "-r", "/var/lib/fleet/engine-keys.json", "/var/lib/fleet/agent/source");
    const join = { clusterId, cluster: "hello", source: null, branch: "main", manifest: "fleet.yaml" };
    const engineKeys = [...keys.engines.values()].map((key) => parseNodeKey(key)!);
    await put(
      machine,
      "/var/lib/fleet/join.json",
      encodeJoin({ ...join, engines: [`${address}:${port}`], engineKeys }),
    );
    await configure(machine, "fleet-agent", ["UnsetEnvironment=FLEET_SOURCE FLEET_REGISTRY"]);
  }

  async function configure(machine: string, daemon: string, lines: readonly string[]): Promise<void> {
    const folder = join(machineFolder(LAB_NAME, machine), "units", `${daemon}.service.d`);
    mkdirSync(folder, { recursive: true });
    const all = ["[Service]", `Environment=FLEET_CERTIFICATE_LIFE=${CERTIFICATE_LIFE}`, ...lines];
    writeFileSync(join(folder, "hub.conf"), `${all.join("\n")}\n`);
    await cluster.inside(machine, "systemctl", "daemon-reload");
    await cluster.inside(machine, "systemctl", "restart", "--no-block", `${daemon}.service`);
  }

  async function put(machine: string, path: string, text: string): Promise<void> {
    const script = 'umask 077; mkdir -p "$(dirname "$1")"; printf %s "$2" > "$1"';
    await cluster.inside(machine, "sh", "-c", script, "sh", path, text);
  }

  /** From the host's side of the bridge to one engine after the other. */
  async function flakyWay(): Promise<Server> {
    const { hostAddress, machines } = needLab(LAB_NAME);
    const targets = machines.filter(({ name }) => ENGINES.includes(name)).map(({ address }) => address);
    const server = createServer((client) => {
      targets.push(targets.shift()!);
      const dial = (at: number) => {
        const host = targets[at];
        if (host === undefined) return void client.destroy();
        let isOpen = false;
        const upstream = connect(PORT, host, () => {
          isOpen = true;
          client.pipe(upstream).pipe(client);
        });
        upstream.on("error", () => (isOpen ? client.destroy() : dial(at + 1)));
        upstream.on("close", () => (isOpen ? client.destroy() : undefined));
        client.once("close", () => upstream.destroy());
      };
      onTheWay.add(client);
      client.on("error", () => client.destroy());
      client.once("close", () => onTheWay.delete(client));
      dial(0);
    });
    await new Promise<void>((resolve) => server.listen(0, hostAddress, resolve));
    return server;
  }

  const engineLog = (machine: string) =>
    cluster.inside(machine, "journalctl", "-q", "-u", "fleet-engine.service", "--output=cat");

  const timesServed = async (machine: string) => (await engineLog(machine)).match(/serves machines/g)?.length ?? 0;

  /** The reboot guard, with what its unit leaves it of the machine's files. */
  const askGuard = (machine: string) => {
    const text = readFileSync(join(ROOT, "packaging/systemd/fleet-reboot-guard.service"), "utf8");
    const properties = text.match(/^(ProtectSystem|StateDirectory|RuntimeDirectory\w*)=.*$/gm)!;
    const words = properties.flatMap((property) => ["-p", property]);
    const command = ["/opt/fleet/node", "/opt/fleet/app/fleet.js", "reboot-guard", "--dry-run"];
    return cluster.inside(machine, "systemd-run", "--quiet", "--wait", "--pipe", ...words, ...command);
  };

  const engines = (act: "start" | "stop") =>
    Promise.all(ENGINES.map((machine) => cluster.inside(machine, "systemctl", act, "fleet-engine.service")));

  const condition = (machine: string) =>
    cluster.inside(machine, "systemctl", "show", "--property=StatusText", "--value", "fleet-agent.service");

  const says = async (machine: string, what: RegExp): Promise<void> => {
    let said = "";
    const isSo = async () => {
      said = await condition(machine);
      return what.test(said);
    };
    await eventually(`the agent of ${machine} says ${what}`, isSo).catch((error: Error) => {
      throw new Error(`${error.message}; it says: ${said}`);
    });
  };

  const allPresent = () =>
    eventually("all machines are present", async () => {
      const { members } = await cluster.status();
      return members.filter(({ present }) => present).length === MACHINES.length;
    });

  /** What of ours went up or down since then. */
  const lives = async (sinceMs: number): Promise<LifeEvent[]> =>
    (await unitLives(cluster, MACHINES, sinceMs)).filter(({ unit }) => UNITS.includes(unit));

  const upsOf = (events: readonly LifeEvent[]) =>
    events
      .filter(({ isUp }) => isUp)
      .map(({ unit, machine }) => `${unit} ${machine}`)
      .sort();

  const once = ROLLED.flatMap((unit) => MACHINES.map((machine) => `${unit} ${machine}`)).sort();

  /** The next version of all but one unit. */
  const change = async (): Promise<void> => {
    version += 1;
    const files = Object.fromEntries(ROLLED.map((name) => [`units/${name}`, service(version)]));
    await cluster.commit(`version ${version}`, files);
  };

  test("agents that change to engines stop and start nothing, and say through which they go", async () => {
    const before = Date.now();
    await Promise.all(MACHINES.map((machine) => says(machine, /through [0-9.]+:\d+/)));
    await allPresent();
    assert.deepEqual(await lives(before), []);
    assert.match(await askGuard("m3"), /nobody else wants to/);
  });

  test("engines are killed in turn under a rollout, and a link breaks every second: each unit changes once", async () => {
    const before = Date.now();
    await change();
    const breaking = setInterval(() => {
      for (const socket of onTheWay) socket.resetAndDestroy();
    }, 1_000);
    try {
      const applied = apply();
      for (const machine of [...ENGINES, ENGINES[0]!]) {
        const served = await timesServed(machine);
        await cluster.inside(machine, "systemctl", "kill", "--signal=KILL", "fleet-engine.service");
        await eventually(`${machine} serves again`, async () => (await timesServed(machine)) > served);
      }
      await applied;
    } finally {
      clearInterval(breaking);
    }
    assert.deepEqual(upsOf(await lives(before)), once);
    await allPresent();
  });

  test("a machine whose key git lists otherwise is told, with the line to commit, and runs on; so it does when it is mended", async () => {
    const before = Date.now();
    const other = nodeKeyOf(generateKeyPairSync("ed25519").publicKey)!;
    await cluster.commit("another key for m3", { "fleet.yaml": manifest({ m3: other }) });
    await apply("--detach");
    await says("m3", /refused-wrong-key/);
    const doctor = ["/opt/fleet/node", "/opt/fleet/app/fleet.js", "doctor", "--json"];
    const said = await cluster.inside("m3", "sh", "-c", `${doctor.join(" ")} || :`);
    const stanza = `m3: { id: ${needLab(LAB_NAME).machines[2]!.machineId}, key: "${nodeKeyOf(keys.agents.get("m3")!)}" }`;
    assert.ok(said.includes(JSON.stringify(stanza).slice(1, -1)), said);
    await eventually("the cluster's people see who asks in vain, and with which key", async () =>
      (await cluster.ask("status")).stdout.includes(nodeKeyOf(keys.agents.get("m3")!)!),
    );
    await cluster.commit("the key it has", { "fleet.yaml": manifest() });
    await apply("--detach");
    await allPresent();
    await says("m3", /through/);
    assert.deepEqual(await lives(before), []);
  });

  test("with every engine gone units run on and are started again, and the next release comes by new certificates", async () => {
    const before = Date.now();
    await engines("stop");
    await Promise.all(MACHINES.map((machine) => says(machine, /no engine to go through: .*engine-/)));
    await cluster.inside("m3", "systemctl", "stop", "steady.service");
    await eventually("the agent starts what was stopped by hand", async () =>
      upsOf(await lives(before)).includes("steady.service m3"),
    );
    assert.deepEqual(upsOf(await lives(before)), ["steady.service m3"]);
    await engines("start");
    await allPresent();
    await change();
    await apply();
    assert.deepEqual(upsOf(await lives(before)), [...once, "steady.service m3"].sort());
  });
});

const EXAMPLE = ["red.service", "blue.service", "everywhere.service", "hello@.service", "tick.service", "tick.timer"];

const service = (version: number) =>
  `[Service]\nEnvironment=VERSION=${version}\nExecStart=/bin/sleep infinity\n[X-Fleet]\nGlobal=true\n`;
