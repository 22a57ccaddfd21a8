import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { Resolver } from "node:dns/promises";
import { cpSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import { thirdPartyBinary } from "../../scripts/third-party.ts";
import { labExec, labList } from "../../src/lab/lab.ts";
import { labFolder } from "../../src/lab/lab-state.ts";
import { ClusterOnLab } from "./cluster-on-lab.ts";
import { eventually, LAB_NAME, labSkipReason } from "./lab-name.ts";

/** One more than there are instances, so that a lost one has where to go. */
const MACHINES = ["m1", "m2", "m3", "m4"];
const INSTANCES = ["web@1", "web@2", "web@3"];

const skip =
  labSkipReason() ||
  (await thirdPartyBinary("nginx").then(
    () => false as const,
    (error: Error) => error.message,
  ));

describe("nginx in front of socket-activated instances on four machines", { skip, concurrency: false }, () => {
  let cluster: ClusterOnLab;

  before(async () => {
    cluster = await ClusterOnLab.up("web", MACHINES.length);
    await installNginx(cluster);
    const addresses = labList(LAB_NAME).map((machine) => machine.address);
    const manifest = readFileSync(join(cluster.repository, "fleet.yaml"), "utf8");
    const changed = manifest.replace(/WEB_MACHINES: .* \}/, `WEB_MACHINES: "${addresses.join(",")}" }`);
    assert.notEqual(changed, manifest);
    await cluster.commit("the machines of this lab", { "fleet.yaml": changed });
  });

  afterEach(async (context) => {
    if (!(context as { passed?: boolean }).passed) console.error(await cluster.report());
  });

  after(async () => {
    dns?.kill();
    await cluster?.down();
  });

  const resolver = new Resolver({ timeout: 2_000, tries: 2 });
  let dns: ChildProcess | undefined;
  /** `fleet dns` beside the lab, asked by c-ares. */
  const startResolver = async () => {
    dns = cluster.start("dns", "--cluster", "web", "--listen", "127.0.0.1:0");
    let said = "";
    dns.stderr!.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
    const port = await eventually("fleet dns listens", async () => /on 127\.0\.0\.1:(\d+)/.exec(said)?.[1]);
    resolver.setServers([`127.0.0.1:${port}`]);
  };

  /** What one machine's front door answers, or null. */
  const get = async (machine: string): Promise<{ front: string; body: string } | null> => {
    const { code, stdout } = await labExec(LAB_NAME, machine, ["curl", "-sfi", "-m", "5", "http://127.0.0.1/"]);
    if (code !== 0) return null;
    const front = /^x-front: (.*)$/im.exec(stdout)?.[1]?.trim() ?? "";
    return { front, body: stdout.slice(stdout.indexOf("\r\n\r\n") + 4).trim() };
  };

  /** Asks one machine until each instance has answered once; the answers by instance. */
  const allAnswers = async (machine: string): Promise<Map<string, string>> => {
    const answers = new Map<string, string>();
    return eventually(`every instance answers through ${machine}`, async () => {
      const answer = await get(machine);
      if (answer === null) return null;
      assert.equal(answer.front, machine);
      answers.set(/web@\d/.exec(answer.body)?.[0] ?? answer.body, answer.body);
      return INSTANCES.every((instance) => answers.has(instance)) && answers;
    });
  };

  const placed = async (): Promise<Map<string, string>> =>
    new Map((await cluster.status()).units.map((row) => [row.unit, row.machineName ?? "nowhere"]));

  test("apply converges, and every machine's nginx reaches all three instances", async () => {
    const { code, stdout, stderr } = await cluster.fleet("apply", "--auto-approve", "--timeout", "60s");
    assert.equal(code, 0, stdout + stderr);
    const on = await placed();
    for (const machine of MACHINES) {
      const answers = await allAnswers(machine);
      assert.deepEqual([...answers.values()].sort(), [
        // A drop-in of all instances, one of the second alone, the manifest's text as it is written, and machine.env.
        `bonjour from web@2 1.10 on ${on.get("web@2.socket")}`,
        `hello from web@1 1.10 on ${on.get("web@1.socket")}`,
        `hello from web@3 1.10 on ${on.get("web@3.socket")}`,
      ]);
    }
  });

  test("instances keep apart; each has its socket and its sidekick beside it", async () => {
    const on = await placed();
    assert.equal(new Set(INSTANCES.map((instance) => on.get(`${instance}.service`))).size, 3);
    for (const [index, instance] of INSTANCES.entries()) {
      assert.equal(on.get(`${instance}.socket`), on.get(`${instance}.service`));
      assert.equal(on.get(`web-sidekick@${index + 1}.service`), on.get(`${instance}.service`));
    }
    await eventually("a sidekick hears its instance", async () =>
      (await cluster.fleet("journal", "web-sidekick@3")).stdout.includes("web@3 answers"),
    );
  });

  test("the timer runs its oneshot again and again", async () => {
    await eventually("two reports are in the journal", async () => {
      const { stdout } = await cluster.fleet("journal", "report.service", "--lines", "50");
      return (stdout.match(/report: (hello|bonjour) from web@/g)?.length ?? 0) >= 2;
    });
  });

  test("the machine's environment file says what fleet and the machine say", async () => {
    for (const { name, address, machineId } of labList(LAB_NAME)) {
      const text = await cluster.inside(name, "cat", "/run/fleet/machine.env");
      const zone = ["m2", "m4"].includes(name) ? "b" : "a";
      for (const line of [
        `FLEET_MACHINE_ID="${machineId}"`,
        `FLEET_MACHINE_NAME="${name}"`,
        `FLEET_MACHINE_ADDRESS="${address}"`,
        `FLEET_METADATA_ZONE="${zone}"`,
      ])
        assert.ok(text.split("\n").includes(line), `${line} in ${text}`);
    }
  });

  test("names have the addresses of the machines where an instance listens", async () => {
    await startResolver();
    const addresses = new Map(labList(LAB_NAME).map(({ name, address }) => [name, address]));
    const on = await placed();
    const expected = INSTANCES.map((instance) => addresses.get(on.get(`${instance}.socket`)!)).sort();
    assert.deepEqual((await resolver.resolve4("web.web.fleet")).sort(), expected);
    const services = await resolver.resolveSrv("_http._tcp.web.web.fleet");
    assert.deepEqual(
      services.map(({ port }) => port),
      [8080, 8080, 8080],
    );
  });

  test("when a machine is lost its instance moves, and every nginx left answers for all three without a restart", async () => {
    const before = await placed();
    const victim = before.get("web@2.service")!;
    const left = MACHINES.filter((machine) => machine !== victim);
    const nginx = () =>
      Promise.all(
        left.map((machine) => cluster.inside(machine, "systemctl", "show", "-p", "InvocationID", "nginx.service")),
      );
    const invocations = await nginx();
    const lost = labList(LAB_NAME).find(({ name }) => name === victim)!.address;
    await cluster.lab("kill", victim);
    await eventually("its address is gone", async () => !(await resolver.resolve4("web.web.fleet")).includes(lost));
    // Two instances are still there: whoever asks is answered, before anything has moved.
    for (const machine of left) assert.ok(await eventually(`${machine} answers`, () => get(machine), 5_000));
    for (const machine of left) {
      const answers = await allAnswers(machine);
      assert.doesNotMatch(answers.get("web@2")!, new RegExp(`on ${victim}$`));
    }
    const now = await placed();
    assert.equal(now.get("web@2.socket"), now.get("web@2.service"));
    assert.equal(now.get("web-sidekick@2.service"), now.get("web@2.service"));
    for (const instance of ["web@1.service", "web@3.service"]) assert.equal(now.get(instance), before.get(instance));
    assert.deepEqual(await nginx(), invocations);
    await eventually("the name has three again", async () => (await resolver.resolve4("web.web.fleet")).length === 3);
  });
});

/** As `apt-get install nginx-light` would on a real machine: the program out of Debian's package, with the libraries it brings. */
async function installNginx(cluster: ClusterOnLab): Promise<void> {
  const binary = await thirdPartyBinary("nginx");
  const tree = basename(binary) === "start" ? dirname(binary) : dirname(dirname(dirname(binary)));
  cpSync(tree, join(labFolder(LAB_NAME), "shared", "nginx"), { recursive: true });
  const libraries = readdirSync(tree, { recursive: true, encoding: "utf8" })
    .filter((path) => /\/lib[^/]*\.so\.[^/]*$/.test(path))
    .map((path) => join("/opt/fleet/shared/nginx", dirname(path)));
  const starter = `#!/bin/sh\nLD_LIBRARY_PATH=${[...new Set(libraries)].join(":")} exec /opt/fleet/shared/nginx/usr/sbin/nginx "$@"\n`;
  for (const machine of MACHINES) {
    const script = `printf %s "$1" > /usr/sbin/nginx; chmod 755 /usr/sbin/nginx; mkdir -p /var/log/nginx`;
    await cluster.inside(machine, "sh", "-c", script, "sh", starter);
  }
}
