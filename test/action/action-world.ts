import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runAction } from "../../src/action/main.ts";
import { randomId } from "../../src/adapters/random-id.ts";
import { decodePlan } from "../../src/codec/plan/decode-plan.ts";
import type { Plan } from "../../src/domain/plan/plan.ts";
import { PretendCluster } from "../cli/pretend-cluster.ts";
import { makeTestRepository, type TestRepository } from "../contract/git-repository.ts";
import { GitHubServer } from "./github-server.ts";
import { type RunEvent, type RunFiles, runnerEnvironment } from "./runner-environment.ts";

export interface RunOptions {
  readonly inputs: Readonly<Record<string, string>>;
  readonly event?: RunEvent;
  /** Of the pull request the event is about. */
  readonly number?: number;
  readonly sha?: string;
  /** What the pull request is to be merged into (default: what is checked out). */
  readonly baseSha?: string;
  /** Its branch's last commit (default: what is checked out). */
  readonly headSha?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface RunResult {
  readonly code: number | null;
  /** All that was printed, the lines that only hide secrets left out. */
  readonly log: string;
  readonly outputs: Readonly<Record<string, string>>;
  readonly summary: string;
  /** Everything anybody could read of the run: log, outputs, summary and the files it left. */
  readonly all: string;
}

/** A repository with its remote, a cluster of two machines, and GitHub; the action is run in them as a runner runs it. */
export class ActionWorld {
  readonly repository: TestRepository = makeTestRepository();
  readonly remote: TestRepository = makeTestRepository({ bare: true });
  readonly cluster: PretendCluster;
  readonly github: GitHubServer;
  readonly #temp = mkdtempSync(join(tmpdir(), "fleet-action-"));

  private constructor(cluster: PretendCluster, github: GitHubServer) {
    this.cluster = cluster;
    this.github = github;
    this.repository.git(["remote", "add", "origin", this.remote.path]);
  }

  static async start(machines: readonly string[] = ["m1", "m2"]): Promise<ActionWorld> {
    const world = new ActionWorld(await PretendCluster.start(), await GitHubServer.start());
    for (const name of machines) await world.cluster.join("shop", name);
    return world;
  }

  /** Commits on what is checked out, and pushes it. */
  commit(files: Parameters<TestRepository["commit"]>[0]): string {
    const commit = this.repository.commit(files);
    this.push();
    return commit;
  }

  push(): void {
    this.repository.git(["push", "--quiet", "--force", "origin", "HEAD"]);
  }

  /** What a runner sets for a step. */
  environment({ inputs, event = "push", number = 7, sha, baseSha, headSha, env = {} }: RunOptions): {
    env: Record<string, string>;
    files: RunFiles;
  } {
    const head = this.repository.git(["rev-parse", "HEAD"]);
    const step = runnerEnvironment({
      ...{ above: this.#temp, event, number, sha: sha ?? head, baseSha: baseSha ?? head, headSha: headSha ?? head },
      ...{ workspace: this.repository.path, apiUrl: this.github.url },
      inputs: { registry: this.cluster.address, source: this.remote.path, ...inputs },
    });
    return { files: step.files, env: { ...step.env, ...env } };
  }

  /** In this process. */
  async run(options: RunOptions): Promise<RunResult> {
    const { env, files } = this.environment(options);
    let printed = "";
    const write = (text: string) => {
      printed += text;
    };
    const code = await runAction({ env, write, newId: randomId });
    return readRun(code, printed, files);
  }

  /** Writes the sets the plan wants, as an engine does. */
  async place(planPath: string): Promise<void> {
    await this.cluster.place("shop", planAt(planPath));
  }

  async stop(): Promise<void> {
    await this.github.stop();
    await this.cluster.stop();
    this.repository.remove();
    this.remote.remove();
    rmSync(this.#temp, { recursive: true, force: true });
  }
}

export function planAt(path: string): Plan {
  const reading = decodePlan(readFileSync(path, "utf8"));
  if (reading.kind !== "plan") throw new Error(`${path}: ${reading.problem}`);
  return reading.plan;
}

/** What a runner makes of it. */
export function readRun(code: number | null, printed: string, files: RunFiles): RunResult {
  const log = printed.replace(/^::add-mask::.*\n/gm, "");
  const [output, summary] = [readFileSync(files.output, "utf8"), readFileSync(files.summary, "utf8")];
  const outputs = outputsOf(output);
  const kept = Object.entries(outputs).flatMap(([name, path]) =>
    name.endsWith("-path") ? [readFileSync(path, "utf8")] : [],
  );
  return { code, log, outputs, summary, all: [log, output, summary, ...kept].join("\n") };
}

function outputsOf(text: string): Record<string, string> {
  const found: Record<string, string> = {};
  const lines = text.split("\n");
  for (let index = 0; index < lines.length - 1; ) {
    const match = /^([a-z0-9-]+)<<(\S+)$/.exec(lines[index]!);
    if (match === null) throw new Error(`the runner cannot read the output ${JSON.stringify(lines[index])}`);
    const end = lines.indexOf(match[2]!, index + 1);
    if (end < 0) throw new Error(`the output ${match[1]} has no end`);
    found[match[1]!] = lines.slice(index + 1, end).join("\n");
    index = end + 1;
  }
  return found;
}
