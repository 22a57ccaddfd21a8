import { execFile } from "node:child_process";
import { lstat, mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { UnitName } from "../../domain/names.ts";
import type { InstalledFile } from "../../domain/tasks/task.ts";
import { OperationError } from "../../ports/operation-error.ts";
import { type DryRun, type ImageRequest, type Podman, type ProgramRunner, PULL_LIMIT_MS } from "../../ports/podman.ts";

/** What podman's generator calls by this path in every service it makes. */
const PODMAN = "/usr/bin/podman";
/** Where systemd looks for generators, in its order (systemd.generator(7)). */
const GENERATOR_FOLDERS: readonly string[] = [
  "/run/systemd/system-generators",
  "/etc/systemd/system-generators",
  "/usr/local/lib/systemd/system-generators",
  "/usr/lib/systemd/system-generators",
  "/lib/systemd/system-generators",
];
const GENERATOR = "podman-system-generator";
/** Where others' quadlets are, which ours may name. */
const OTHERS = ["/etc/containers/systemd", "/usr/share/containers/systemd"];
/** It reads files and prints text: a hundred of them in some 50 ms. */
const DRY_RUN_LIMIT_MS = 20_000;
/** A thousand services of two kilobytes, eight times. */
const DRY_RUN_OUTPUT_MAX = 16 * 1024 * 1024;
/** podman reads its storage under a lock, which a pull may hold for a while. */
const LOOK_LIMIT_MS = 60_000;

/** This machine's podman. What only reads runs as a child; what touches podman's storage is the runner's. */
export class MachinePodman implements Podman {
  readonly #runner: ProgramRunner;
  readonly #folder: string;
  readonly #generatorFolders: readonly string[];

  /** `folder`: of a dry run's files while it runs. */
  constructor(runner: ProgramRunner, folder: string, generatorFolders: readonly string[] = GENERATOR_FOLDERS) {
    this.#runner = runner;
    this.#folder = folder;
    this.#generatorFolders = generatorFolders;
  }

  async hasGenerator(): Promise<boolean> {
    return (await this.#generator()) !== null;
  }

  async dryRun(files: readonly InstalledFile[]): Promise<DryRun> {
    const generator = await this.#generator();
    if (generator === null) throw new OperationError("no-quadlet-generator", "podman's generator is not there");
    let folder: string | null = null;
    try {
      await mkdir(this.#folder, { recursive: true });
      folder = await mkdtemp(join(this.#folder, "dry-run-"));
      for (const { path, text } of files) {
        await mkdir(dirname(join(folder, path)), { recursive: true });
        await writeFile(join(folder, path), text);
      }
      return readOutput(await runGenerator(generator, folder), folder);
    } catch (error) {
      if (error instanceof OperationError) throw error;
      const why = (error as Error).message;
      throw new OperationError("generator-failed", `cannot try podman's generator: ${why}`, { cause: error });
    } finally {
      if (folder !== null) await rm(folder, { recursive: true, force: true });
    }
  }

  async hasImage({ image }: ImageRequest): Promise<boolean> {
    const { isDone } = await this.#runner.run([PODMAN, "image", "exists", "--", image], LOOK_LIMIT_MS);
    return isDone;
  }

  async pull({ image, authFile }: ImageRequest): Promise<string | null> {
    const credentials = authFile === null ? [] : ["--authfile", authFile];
    const { isDone, words } = await this.#runner.run(
      [PODMAN, "pull", "--quiet", ...credentials, "--", image],
      PULL_LIMIT_MS,
    );
    if (isDone) return null;
    return words === "" ? `podman pull failed, or took longer than ${PULL_LIMIT_MS / 60_000} minutes` : words;
  }

  close(): void {
    this.#runner.close();
  }

  /** The first of its name counts, also where it is a mask. */
  async #generator(): Promise<string | null> {
    for (const folder of this.#generatorFolders) {
      const path = `${folder}/${GENERATOR}`;
      if ((await lstat(path).catch(() => null)) === null) continue;
      const found = await stat(path).catch(() => null);
      return found?.isFile() && (found.mode & 0o111) !== 0 ? path : null;
    }
    return null;
  }
}

interface Output {
  readonly services: string;
  readonly words: string;
}

function runGenerator(generator: string, folder: string): Promise<Output> {
  const env = { PATH: "/usr/bin:/bin", QUADLET_UNIT_DIRS: [folder, ...OTHERS].join(":") };
  const limits = { timeout: DRY_RUN_LIMIT_MS, killSignal: "SIGKILL", maxBuffer: DRY_RUN_OUTPUT_MAX, env } as const;
  return new Promise((resolve, reject) => {
    execFile(generator, ["-dryrun"], limits, (error, services, words) => {
      // It ends with 1 where anything was wrong, and says what.
      if (error === null || typeof error.code === "number") resolve({ services, words });
      else reject(error);
    });
  });
}

/** `---db.service---` begins a service; what it reads and what it merely would do otherwise is no error. */
function readOutput({ services, words }: Output, folder: string): DryRun {
  const names = [...services.matchAll(/^---(\S+)---$/gm)].map((match) => match[1] as UnitName);
  const lines = words
    .split("\n")
    .map((line) =>
      line
        .replace(/^quadlet-generator\[\d+\]: /, "")
        .replaceAll(`${folder}/`, "")
        .trim(),
    )
    .filter((line) => line !== "" && !/^(Loading source|Warning:|No files parsed)/.test(line));
  return { services: new Set(names), words: lines };
}
