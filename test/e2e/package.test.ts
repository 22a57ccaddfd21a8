import assert from "node:assert/strict";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import { buildIfStale } from "../../scripts/build.ts";
import type { Architecture } from "../../scripts/package/architectures.ts";
import { ROOT } from "../../scripts/package/lock-file.ts";
import { nodeOfArchitecture } from "../../scripts/package/node-of-architecture.ts";
import { writeDeb } from "../../scripts/package.ts";
import { labDown, labExec, labUp } from "../../src/lab/lab.ts";
import { labFolder, needLab, readLab } from "../../src/lab/lab-state.ts";
import { mustRun, type ProgramResult } from "../../src/lab/run-program.ts";
import type { ShownCluster } from "./cluster-on-lab.ts";
import { clearAbandonedLabs, eventually, LAB_NAME, labSkipReason } from "./lab-name.ts";

/** A hub, and a machine that dials it. */
const MACHINES = ["m1", "m2"];
const DAEMONS = ["fleet-registry", "fleet-engine", "fleet-agent"];
const UNITS = process.env.FLEET_SOAK === "1" ? 600 : 60;
const MANIFEST = "apiVersion: fleet/v1\ncluster: packaged\ndefaults: { rollout: { minHealthyTime: 500ms } }\n";
/** One more unit is on each machine. */
const LOAD = `{ load@.service: { instances: ${UNITS - MACHINES.length} } }`;
const SLEEPER = "[Service]\nExecStart=/bin/sleep infinity\n";
const SOURCE_PORT = 8418;
/** Where machines see the repository that the lab serves. */
const REPOSITORY = "/opt/fleet/shared/repository";
const [FIRST, NEXT] = ["0.90.0", "0.91.0"];

const skip = labSkipReason() || (!existsSync("/usr/bin/dpkg") && "packages need dpkg");

/** From machines that have nothing of fleet to a hub under units, by what the package brings and nothing else. */
describe("a cluster of machines that installed the package", { skip, concurrency: false }, () => {
  const folder = mkdtempSync(join(tmpdir(), "fleet-e2e-package-"));
  const [dist, nothing] = [join(folder, "dist"), join(folder, "nothing")];
  const shared = join(labFolder(LAB_NAME), "shared");
  const repository = join(shared, "repository");
  /** What git says of machines, a line of each. */
  const stanzas: string[] = [];
  let running: ReadonlyMap<string, string>;

  before(async () => {
    await buildIfStale();
    await clearAbandonedLabs();
    cpSync(join(ROOT, "dist"), dist, { recursive: true });
    mkdirSync(nothing);
    await labUp({
      name: LAB_NAME,
      machines: MACHINES.length,
      bundle: { node: process.execPath, folder: nothing },
      environment: {},
      units: () => [],
      processes: (host) => [
        {
          role: "source",
          argv: [
            process.execPath,
            join(dist, "fleet.js"),
            "lab",
            "source",
            join(repository, ".git"),
            `${host}:${SOURCE_PORT}`,
          ],
        },
      ],
    });
    mkdirSync(join(repository, "units"), { recursive: true });
    await mustRun(["git", "-C", repository, "init", "-q", "-b", "main"]);
    writeFileSync(join(repository, "units/everywhere.service"), `${SLEEPER}[X-Fleet]\nGlobal=true\n`);
    await commit("a unit", "");
    const architecture: Architecture = process.arch === "arm64" ? "arm64" : "amd64";
    const node = nodeOfArchitecture(architecture);
    for (const version of [FIRST, NEXT]) writeDeb({ version, architecture, dist, out: shared, level: 1 }, node);
    for (const version of [FIRST, NEXT])
      cpSync(join(shared, `fleet_${version}_${architecture}.deb`), join(shared, `${version}.deb`));
  });

  afterEach(async (context) => {
    if ((context as { passed?: boolean }).passed || readLab(LAB_NAME) === null) return;
    const said = await everywhere("journalctl", "-q", "-n", "40", "-u", "fleet-*", "--no-pager");
    console.error(said.join("\n---\n"));
  });

  after(async () => {
    if (readLab(LAB_NAME) !== null) assert.deepEqual(await labDown(LAB_NAME), []);
    rmSync(folder, { recursive: true, force: true });
  });

  /** The stanzas there are, and what a test adds to the manifest. */
  const commit = async (subject: string, units: string): Promise<void> => {
    const machines = stanzas.length === 0 ? "" : `machines:\n${stanzas.map((line) => `  ${line}\n`).join("")}`;
    const manifest = `${MANIFEST}${machines}${units === "" ? "" : `units: ${units}\n`}`;
    writeFileSync(join(repository, "fleet.yaml"), manifest);
    const git = ["git", "-C", repository, "-c", "user.name=e2e", "-c", "user.email=e2e@localhost"];
    await mustRun([...git, "add", "-A"]);
    await mustRun([...git, "commit", "-q", "-m", subject]);
  };

  const inside = async (machine: string, ...argv: string[]): Promise<string> => {
    const { code, stdout, stderr } = await labExec(LAB_NAME, machine, argv);
    if (code !== 0) throw new Error(`${argv.join(" ")} in ${machine} ended with ${code}: ${stdout}${stderr}`);
    return stdout;
  };

  const everywhere = (...argv: string[]): Promise<string[]> =>
    Promise.all(MACHINES.map((machine) => inside(machine, ...argv)));

  /** Without the triggers of other packages: reading all manuals anew is not what is tested. */
  const dpkg = (...words: string[]): Promise<string[]> =>
    everywhere("dpkg", "--force-unsafe-io", "--no-triggers", ...words);

  const install = (version: string): Promise<string[]> => dpkg("--install", `/opt/fleet/shared/${version}.deb`);

  /** As somebody does it who is logged in on the hub. */
  const fleet = (...words: string[]): Promise<ProgramResult> =>
    labExec(LAB_NAME, "m1", ["fleet", ...words, "-C", REPOSITORY], { timeoutMs: 180_000 });

  const apply = async (): Promise<void> => {
    const { code, stdout, stderr } = await fleet("apply", "--auto-approve", "--timeout", "150s");
    assert.equal(code, 0, stdout + stderr);
  };

  interface Joined {
    readonly stanza: string;
    readonly engineKey: string | null;
    readonly started: readonly string[];
  }

  const joinCluster = async (machine: string, ...words: string[]): Promise<Joined> => {
    const joined = JSON.parse(await inside(machine, "fleet", "join", ...words, "--json")) as Joined;
    stanzas.push(joined.stanza);
    return joined;
  };

  /** Every unit of the cluster that is active, by machine and name, with the run it is in. */
  const invocations = async (): Promise<Map<string, string>> => {
    const found = new Map<string, string>();
    for (const machine of MACHINES) {
      const shown = await inside(
        machine,
        "systemctl",
        "show",
        "-p",
        "Id,ActiveState,InvocationID",
        "load@*",
        "everywhere.service",
      );
      for (const [, id, state, run] of shown.matchAll(/^Id=(.*)\nActiveState=(.*)\nInvocationID=(.*)$/gm))
        if (state === "active") found.set(`${machine} ${id}`, run!);
    }
    return found;
  };

  const untouched = async (): Promise<void> => assert.deepEqual(await invocations(), running);

  /** All are there in this version, and every unit is as it should be. */
  const settled = (version: string, machines = MACHINES.length): Promise<unknown> =>
    eventually(`all have settled in ${version}`, async () => {
      const { code, stdout } = await fleet("status", "--json");
      if (code !== 0) return false;
      const { members, units } = JSON.parse(stdout) as Cluster;
      return (
        members.length === machines &&
        members.every((member) => member.present && member.version === version) &&
        units.every((unit) => unit.active === "active" && unit.hash === unit.wantedHash && unit.problem === null)
      );
    });

  const states = async (): Promise<string[]> =>
    (await everywhere("systemctl", "show", "--value", "-p", "ActiveState", ...DAEMONS)).map((text) =>
      text.trim().split(/\n+/).join(" "),
    );

  test("installing starts nothing, and leaves a configuration alone that is there", async () => {
    await writeInside("m2", "/etc/fleet/fleet.conf", "# mine\n");
    const said = await install(FIRST);
    assert.match(await inside("m1", "cat", "/etc/fleet/fleet.conf"), /^#registry=/m);
    assert.equal(await inside("m2", "cat", "/etc/fleet/fleet.conf"), "# mine\n");
    for (const text of said) assert.match(text, /fleet: installed\. Nothing runs yet/);
    assert.deepEqual(
      await states(),
      MACHINES.map(() => "inactive inactive inactive"),
    );
    for (const text of await everywhere("fleet", "--version")) assert.match(text, /^fleet\/0\.90\.0 /);
    await everywhere("getent", "group", "fleet");
  });

  test("one command and one commit: a unit runs on a machine that had nothing", async () => {
    const address = needLab(LAB_NAME).hostAddress;
    const url = `http://${address}:${SOURCE_PORT}/repo.git`;
    const { started } = await joinCluster("m1", url, "--listen", "0.0.0.0:7440");
    assert.deepEqual(
      started.slice(0, 3),
      DAEMONS.map((name) => `${name}.service`),
    );
    await commit("the hub", "");
    await eventually("its agent is there", async () => {
      const { code, stdout } = await fleet("list-machines", "--json");
      return code === 0 && (JSON.parse(stdout) as unknown[]).length === 1;
    });
    await apply();
    await settled(FIRST, 1);
    assert.equal((await invocations()).size, 1);
  });

  test("and another machine, which reaches nothing but the hub", async () => {
    const { machines } = needLab(LAB_NAME);
    const hub = machines.find(({ name }) => name === "m1")!.address;
    const engineKey = /engineKey: "([^"]+)"/.exec(stanzas[0]!)![1]!;
    await joinCluster("m2", hub, "--engine-key", engineKey);
    await commit("another machine", "");
    await apply();
    await settled(FIRST);
    writeFileSync(join(repository, "units/load@.service"), SLEEPER);
    await commit("more", LOAD);
    await apply();
    await settled(FIRST);
    running = await invocations();
    assert.equal(running.size, UNITS);
    for (const machine of MACHINES)
      assert.equal(
        [...running.keys()].filter((unit) => unit.startsWith(`${machine} `)).length,
        UNITS / MACHINES.length,
      );
    assert.match(await inside("m2", "cat", "/etc/fleet/fleet.conf"), /^# mine$/m);
  });

  test("another version on all of them at once: daemons are new, and no unit notices", async () => {
    const before = await everywhere("systemctl", "show", "--value", "-p", "MainPID", "fleet-agent");
    await install(NEXT);
    await untouched();
    await settled(NEXT);
    await untouched();
    const now = await everywhere("systemctl", "show", "--value", "-p", "MainPID", "fleet-agent");
    for (const [index, pid] of now.entries()) assert.notEqual(pid, before[index]);
    writeFileSync(join(repository, "units/everywhere.service"), `${SLEEPER}Nice=1\n[X-Fleet]\nGlobal=true\n`);
    await commit("a change", LOAD);
    await apply();
    const later = await invocations();
    const changed = [...later].filter(([unit, run]) => running.get(unit) !== run).map(([unit]) => unit);
    assert.deepEqual(
      changed,
      MACHINES.map((machine) => `${machine} everywhere.service`),
    );
    running = later;
  });

  test("removed, nothing of fleet runs, and every unit does; installed again, it goes on with them", async () => {
    const said = await dpkg("--remove", "fleet");
    for (const text of said) assert.match(text, /fleet: stopped fleet-.*Units of the cluster run on/);
    assert.deepEqual(
      await states(),
      MACHINES.map(() => "inactive inactive inactive"),
    );
    await untouched();
    await install(NEXT);
    await settled(NEXT);
    await untouched();
    const active = ["active active active", "inactive inactive active"];
    assert.deepEqual(await states(), active);
  });

  test("purged, a machine has none of its state, says what is left, and its units run on", async () => {
    const [adopted, original] = ["/var/lib/fleet/agent/adopted/old.service", "etc/systemd/system/old.service"];
    await writeInside("m2", `${adopted}/${original}`, SLEEPER);
    // Also an agent that cannot run is stopped, or systemd would start what is not there once a second.
    const dropIn = "/etc/systemd/system/fleet-agent.service.d/broken.conf";
    await writeInside("m2", dropIn, "[Service]\nExecStart=\nExecStart=/bin/false\n");
    await inside("m2", "systemctl", "restart", "--no-block", "fleet-agent");
    await eventually("it ends again and again", async () => {
      const shown = await inside("m2", "systemctl", "show", "--value", "-p", "NRestarts", "fleet-agent");
      return Number(shown) > 1;
    });
    const said = await inside("m2", "dpkg", "--force-unsafe-io", "--no-triggers", "--purge", "fleet");
    const here = [...running.keys()].filter((unit) => unit.startsWith("m2 ")).map((unit) => unit.slice(3));
    assert.match(said, new RegExp(`left ${here.length} units`));
    for (const unit of here) assert.ok(said.includes(`  /run/systemd/system/${unit}\n`), unit);
    assert.match(said, /left \/var\/lib\/fleet\/agent\/adopted: files of others/);
    assert.match(said, /left \/etc\/systemd\/system\/fleet-agent\.service\.d\n/);
    const agent = await inside("m2", "systemctl", "show", "--value", "-p", "ActiveState", "fleet-agent");
    assert.match(agent, /^(inactive|failed)\n$/);
    const left = await inside("m2", "find", "/var/lib/fleet", "-type", "f");
    assert.equal(left, `${adopted}/${original}\n`);
    await inside("m2", "sh", "-c", "! ls -d /usr/lib/fleet /etc/fleet/fleet.conf 2>/dev/null");
    await untouched();
  });

  const writeInside = async (machine: string, path: string, text: string): Promise<void> => {
    const { code, stderr } = await labExec(
      LAB_NAME,
      machine,
      ["sh", "-c", 'mkdir -p "$(dirname "$1")" && cat > "$1" && systemctl daemon-reload', "sh", path],
      { stdin: text },
    );
    assert.equal(code, 0, stderr);
  };
});

/** `fleet status --json`, as far as this test reads it. */
interface Cluster extends ShownCluster {
  readonly members: readonly (ShownCluster["members"][number] & { readonly version: string })[];
}
