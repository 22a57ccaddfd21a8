import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import { buildIfStale } from "../../scripts/build.ts";
import { ROOT } from "../../scripts/package/lock-file.ts";
import { labDown, labExec, labUp } from "../../src/lab/lab.ts";
import { labFolder, machineFolder, needLab, readLab } from "../../src/lab/lab-state.ts";
import { BOOT_ID_COPY } from "../../src/lab/machine-init.ts";
import { mustRun, type ProgramResult, runProgram } from "../../src/lab/run-program.ts";
import { clearAbandonedLabs, eventually, LAB_NAME, labSkipReason } from "./lab-name.ts";

const SOURCE_PORT = 8418;
const FRONT_PORT = 7440;
const SERVICES = ["fleet-registry.service", "fleet-engine.service", "fleet-agent.service", "fleet-restore.service"];
/** The machine's own, which a service with a /proc of its own would not see. */
const BOOT_ID = `BindReadOnlyPaths=${BOOT_ID_COPY}:/proc/sys/kernel/random/boot_id`;
const EVERYWHERE = "[Service]\nExecStart=/bin/sleep infinity\n[X-Fleet]\nGlobal=true\n";
const manifest = (stanza: string) =>
  `apiVersion: fleet/v1\ncluster: joined\nadmit: any\ndefaults: { rollout: { minHealthyTime: 500ms } }\n${stanza}`;

/** Machines that have fleet on their disk, and nothing of it enabled, started or configured. */
describe("bare machines that join and leave", { skip: labSkipReason(), concurrency: false }, () => {
  const folder = mkdtempSync(join(tmpdir(), "fleet-e2e-join-"));
  const [dist, repository] = [join(folder, "dist"), join(folder, "repository")];
  let source: string;
  let engineKey: string;

  before(async () => {
    await buildIfStale();
    await clearAbandonedLabs();
    cpSync(join(ROOT, "dist"), dist, { recursive: true });
    mkdirSync(join(repository, "units"), { recursive: true });
    writeFileSync(join(repository, "units/everywhere.service"), EVERYWHERE);
    await mustRun(["git", "-C", repository, "init", "-q", "-b", "main"]);
    await commit("");
    const lab = await labUp({
      ...{ name: LAB_NAME, machines: 2, bundle: { node: process.execPath, folder: dist }, environment: {} },
      units: () => [],
      processes: (host, bundle) => {
        const serve = ["lab", "source", join(repository, ".git"), `${host}:${SOURCE_PORT}`];
        return [{ role: "source", argv: [process.execPath, join(bundle, "fleet.js"), ...serve] }];
      },
    });
    source = `http://${lab.hostAddress}:${SOURCE_PORT}/repo.git`;
    for (const machine of ["m1", "m2"]) await install(machine);
  });

  afterEach(async (context) => {
    if ((context as { passed?: boolean }).passed || readLab(LAB_NAME) === null) return;
    for (const machine of ["m1", "m2"]) {
      const { stdout } = await labExec(LAB_NAME, machine, [
        "journalctl",
        "-q",
        "-n",
        "40",
        "-u",
        "fleet-*",
        "--no-pager",
      ]);
      console.error(`--- ${machine}\n${stdout}`);
    }
  });

  after(async () => {
    if (readLab(LAB_NAME) !== null) assert.deepEqual(await labDown(LAB_NAME), []);
    rmSync(folder, { recursive: true, force: true });
  });

  async function commit(stanza: string): Promise<void> {
    writeFileSync(join(repository, "fleet.yaml"), manifest(stanza));
    const git = ["git", "-C", repository, "-c", "user.name=e2e", "-c", "user.email=e2e@localhost"];
    await mustRun([...git, "add", "-A"]);
    await mustRun([...git, "commit", "-q", "-m", "what joins"]);
  }

  /** What a package brings: its units, for where the lab has the programs. */
  async function install(machine: string): Promise<void> {
    for (const name of [...SERVICES, "fleet-lease@.service"]) {
      const text = readFileSync(join(ROOT, "packaging/systemd", name), "utf8")
        .replaceAll("/usr/lib/fleet/node", "/opt/fleet/node")
        .replaceAll("/usr/lib/fleet/", "/opt/fleet/app/")
        // The registry is also reached from the host: there the lab's machines have its default socket point to.
        .replace("--socket-mode 0660", "--socket-mode 0660 --listen unix:/opt/fleet/shared/registry.sock")
        .replace("[Service]", `[Service]\nReadWritePaths=/opt/fleet/shared\n${name.includes("agent") ? BOOT_ID : ""}`);
      writeFileSync(join(machineFolder(LAB_NAME, machine), "units", name), text);
    }
    await inside(machine, "systemctl", "daemon-reload");
  }

  async function inside(machine: string, ...argv: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await labExec(LAB_NAME, machine, argv);
    if (code !== 0) throw new Error(`${argv.join(" ")} in ${machine} ended with ${code}: ${stdout}${stderr}`);
    return stdout;
  }

  const fleetIn = (machine: string, ...words: readonly string[]) =>
    inside(machine, "/opt/fleet/node", "/opt/fleet/app/fleet.js", ...words);

  async function fleet(...words: readonly string[]): Promise<ProgramResult> {
    const registry = `unix:${join(labFolder(LAB_NAME), "shared", "registry.sock")}`;
    const argv = [process.execPath, join(dist, "fleet.js"), ...words, "-C", repository, "--registry", registry];
    const result = await runProgram(argv, { timeoutMs: 60_000 });
    assert.equal(result.code, 0, result.stdout + result.stderr);
    return result;
  }

  async function unit(machine: string): Promise<Record<string, string>> {
    const properties = "ActiveState,LoadState,InvocationID,FragmentPath";
    const shown = await inside(machine, "systemctl", "show", "-p", properties, "everywhere.service");
    return Object.fromEntries(
      shown
        .trim()
        .split("\n")
        .map((line) => line.split(/=(.*)/s).slice(0, 2)),
    );
  }

  const isActive = (machine: string) =>
    eventually(`it runs on ${machine}`, async () => (await unit(machine)).ActiveState === "active");
  const members = async () =>
    (JSON.parse((await fleet("list-machines", "--json")).stdout) as { name: string }[]).map(({ name }) => name).sort();

  test("one command and one commit: from a bare machine to a running unit", async () => {
    const said = await fleetIn("m1", "join", source, "--listen", `0.0.0.0:${FRONT_PORT}`, "--json");
    const { stanza, started, ...joined } = JSON.parse(said) as { stanza: string; started: string[]; engineKey: string };
    engineKey = joined.engineKey;
    assert.deepEqual(started, SERVICES);
    await commit(`machines:\n  ${stanza}\n`);
    await eventually("the registry answers", async () => (await members().catch(() => null)) !== null);
    await fleet("apply", "--auto-approve", "--timeout", "30s");
    assert.equal((await unit("m1")).ActiveState, "active");
    assert.deepEqual(await members(), ["m1"]);
    assert.match(await fleetIn("m1", "join", source), /lists it: nothing is left to be committed/, "again: harmless");
    const state = await fleetIn("m1", "registry", "state", "--sign", "--cluster", "joined");
    assert.ok(state.trimEnd().split("\n").at(-1)!.includes(`"key":"${engineKey}"`), "signed with the key git lists");
  });

  test("a token brings in a second one through the first, without a commit", async () => {
    const token = (await fleet("token", "create", "--metadata", "site=0123", "--name-prefix", "site-")).stdout.trim();
    const [m1, m2] = needLab(LAB_NAME).machines;
    const words = [
      "join",
      m1!.address,
      "--engine-key",
      engineKey,
      "--token",
      token,
      "--wait",
      "--timeout",
      "30s",
      "--json",
    ];
    const said = JSON.parse(await fleetIn("m2", ...words));
    assert.deepEqual([said.name, said.standing.code], [`site-${m2!.machineId.slice(0, 8)}`, "admitted"]);
    await isActive("m2");
    assert.deepEqual(await members(), ["m1", said.name]);
  });

  test("it leaves and keeps its units: they run on, and fleet is gone from it", async () => {
    const before = await unit("m2");
    const said = JSON.parse(await fleetIn("m2", "leave", "--keep-units", "--yes", "--json"));
    assert.deepEqual([said.kept, said.membership], [["everywhere.service"], { result: "removed" }]);
    const path = "/etc/systemd/system/everywhere.service";
    assert.deepEqual(await unit("m2"), { ...before, FragmentPath: path }, "nothing restarted");
    await inside("m2", "test", "-L", "/etc/systemd/system/multi-user.target.wants/everywhere.service");
    await inside("m2", "systemctl", "stop", "everywhere.service");
    await inside("m2", "systemctl", "start", "everywhere.service");
    assert.equal(
      await inside("m2", "find", "/var/lib/fleet", "/etc/fleet", "/run/fleet-agent", "-type", "f").catch(() => ""),
      "",
    );
    assert.deepEqual(await members(), ["m1"]);
  });

  test("the first leaves: its units stop, and what it was told is taken back", async () => {
    const said = JSON.parse(await fleetIn("m1", "leave", "--yes", "--json"));
    assert.deepEqual([said.removed, said.membership], [["everywhere.service"], { result: "removed" }]);
    assert.equal((await unit("m1")).LoadState, "not-found");
    assert.equal(await inside("m1", "ls", "/etc/fleet"), "");
    const active = await labExec(LAB_NAME, "m1", [
      "systemctl",
      "is-active",
      "fleet-agent",
      "fleet-engine",
      "fleet-registry",
    ]);
    assert.deepEqual(active.stdout.trim().split("\n"), ["inactive", "inactive", "active"]);
    assert.deepEqual(await members(), []);
  });
});
