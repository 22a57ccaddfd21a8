import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildIfStale } from "../../scripts/build.ts";
import { labExec } from "../../src/lab/lab.ts";
import { labFolder, readLab } from "../../src/lab/lab-state.ts";
import { mustRun, type ProgramResult, runProgram } from "../../src/lab/run-program.ts";
import { clearAbandonedLabs, eventually, LAB_NAME } from "./lab-name.ts";
import { ResidentFleet } from "./resident-fleet.ts";

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** A row of `fleet status --json`: one unit on one machine, or nowhere. */
export interface ShownUnit {
  readonly unit: string;
  readonly goal: string;
  readonly machineName: string | null;
  readonly present: boolean;
  readonly wantedHash: string | null;
  readonly hash: string | null;
  readonly load: string;
  readonly active: string;
  readonly sub: string;
  readonly invocation: string;
  readonly problem: { readonly code: string; readonly detail: string; readonly journal: readonly string[] } | null;
}

export interface ShownCluster {
  readonly units: readonly ShownUnit[];
  readonly members: readonly { readonly name: string; readonly present: boolean; readonly id: string }[];
  readonly leader: { readonly machine: string } | null;
  readonly release: { readonly seq: number; readonly commit: string } | null;
}

/** An apply is over once what it started has stayed up: five seconds of each, where a test says nothing else. */
const IMPATIENT = "\ndefaults: { rollout: { minHealthyTime: 500ms } }\n";

/** An example's repository and a lab of machines that follow it, driven by the real command line as it is built. */
export class ClusterOnLab {
  readonly repository: string;
  /** A copy, so that a build during the test changes nothing in it. */
  readonly #bundle: string;
  readonly #resident: ResidentFleet;
  #registry: string | null;

  private constructor(bundle: string, repository: string, registry: string | null) {
    this.#bundle = bundle;
    this.#resident = new ResidentFleet(bundle);
    this.repository = repository;
    this.#registry = registry;
  }

  /**
   * Copies the example into a fresh repository and boots machines that follow it; returns once all have joined. `prepare` is called when
   * they run and perhaps nobody has joined yet.
   */
  static async up(
    example: string,
    machines: number,
    registry: string | null = null,
    prepare: (cluster: ClusterOnLab) => Promise<void> = async () => {},
  ): Promise<ClusterOnLab> {
    await buildIfStale();
    await clearAbandonedLabs();
    const bundle = mkdtempSync(join(tmpdir(), "fleet-e2e-bundle-"));
    cpSync(join(ROOT, "dist"), bundle, { recursive: true });
    const repository = mkdtempSync(join(tmpdir(), "fleet-e2e-"));
    cpSync(join(ROOT, "examples", example), repository, { recursive: true });
    await mustRun(["git", "-C", repository, "init", "-q", "-b", "main"]);
    const cluster = new ClusterOnLab(bundle, repository, registry);
    await cluster.commit("the example");
    const own = registry === null ? [] : ["--registry", registry];
    await cluster.#must(["lab", "up", "--name", LAB_NAME, "--machines", String(machines), "-C", repository, ...own]);
    await prepare(cluster);
    await eventually(`${machines} machines have joined`, async () => {
      const { code, stdout } = await cluster.ask("list-machines", "--json");
      if (code !== 0) return false;
      return (JSON.parse(stdout) as { present: boolean }[]).filter((machine) => machine.present).length === machines;
    });
    return cluster;
  }

  /** Writes files (null removes one) and commits them; the commit's id. A manifest that says nothing of health has `IMPATIENT`. */
  async commit(subject: string, files: Readonly<Record<string, string | null>> = {}): Promise<string> {
    for (const [path, text] of Object.entries(files)) {
      if (text === null) rmSync(join(this.repository, path));
      else {
        mkdirSync(dirname(join(this.repository, path)), { recursive: true });
        writeFileSync(join(this.repository, path), text);
      }
    }
    const manifest = join(this.repository, "fleet.yaml");
    const text = existsSync(manifest) ? readFileSync(manifest, "utf8") : null;
    if (text !== null && !/^defaults:|minHealthyTime/m.test(text)) writeFileSync(manifest, `${text}${IMPATIENT}`);
    const git = ["git", "-C", this.repository, "-c", "user.name=e2e", "-c", "user.email=e2e@localhost"];
    await mustRun([...git, "add", "-A"]);
    await mustRun([...git, "commit", "-q", "-m", subject]);
    return (await mustRun([...git, "rev-parse", "HEAD"])).trim();
  }

  /** Runs a fleet command against the cluster, standing in its repository, whatever it ends with. */
  fleet(...words: readonly string[]): Promise<ProgramResult> {
    return this.#cli([...words, ...this.#here()]);
  }

  /** A fleet command that stays, such as `fleet dns`; who starts it ends it. */
  start(...words: readonly string[]): ChildProcess {
    return spawn(process.execPath, [join(this.#bundle, "fleet.js"), ...words, ...this.#here()], { stdio: "pipe" });
  }

  /** The same for what is asked again and again and changes nothing: in a process that stays. */
  ask(...words: readonly string[]): Promise<ProgramResult> {
    return this.#resident.run([...words, ...this.#here()]);
  }

  /** From now on commands use that registry; machines are told by whoever moves them. */
  use(registry: string): void {
    this.#registry = registry;
  }

  /** Runs `fleet lab …`. */
  async lab(...words: readonly string[]): Promise<void> {
    await this.#must(["lab", ...words, "--name", LAB_NAME]);
  }

  async status(): Promise<ShownCluster> {
    const { code, stdout, stderr } = await this.ask("status", "--json");
    if (code !== 0) throw new Error(`fleet status ended with ${code}: ${stderr}`);
    return JSON.parse(stdout) as ShownCluster;
  }

  /** What a program in a machine printed; an error where it failed. */
  async inside(machine: string, ...argv: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await labExec(LAB_NAME, machine, argv);
    if (code !== 0) throw new Error(`${argv.join(" ")} in ${machine} ended with ${code}: ${stdout}${stderr}`);
    return stdout;
  }

  /** Machines that are switched on. */
  async machines(): Promise<string[]> {
    const { stdout } = await this.#must(["lab", "list", "--json", "--name", LAB_NAME]);
    return (JSON.parse(stdout) as { name: string; alive: boolean }[])
      .filter((machine) => machine.alive)
      .map((machine) => machine.name);
  }

  /** What somebody needs who asks why a test failed: the status, and what the daemons said last. */
  async report(): Promise<string> {
    if (readLab(LAB_NAME) === null) return "no lab is up";
    const parts = [(await this.fleet("status")).stdout];
    for (const machine of await this.machines()) {
      const daemons = ["-u", "fleet-agent", "-u", "fleet-engine"];
      const { stdout } = await labExec(LAB_NAME, machine, [
        "journalctl",
        "-q",
        "-n",
        "40",
        "-o",
        "short-iso-precise",
        ...daemons,
      ]);
      parts.push(`--- ${machine}\n${stdout}`);
    }
    return parts.join("\n");
  }

  /** Takes the lab down, which fails where anything of it is left, and removes the repository. */
  async down(): Promise<void> {
    this.#resident.end();
    if (readLab(LAB_NAME) !== null) await this.lab("down");
    for (const folder of [this.repository, this.#bundle]) rmSync(folder, { recursive: true, force: true });
  }

  #here(): readonly string[] {
    const registry = this.#registry ?? `unix:${join(labFolder(LAB_NAME), "shared/registry.sock")}`;
    return ["-C", this.repository, "--registry", registry];
  }

  #cli(words: readonly string[]): Promise<ProgramResult> {
    return runProgram([process.execPath, join(this.#bundle, "fleet.js"), ...words], { timeoutMs: 90_000 });
  }

  async #must(words: readonly string[]): Promise<ProgramResult> {
    const result = await this.#cli(words);
    if (result.code === 0) return result;
    throw new Error(`fleet ${words.join(" ")} ended with ${result.code}: ${result.stdout}${result.stderr}`);
  }
}
