import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { runAction } from "../../src/action/main.ts";
import { randomId } from "../../src/adapters/random-id.ts";
import { decodePlan } from "../../src/codec/plan/decode-plan.ts";
import type { Plan } from "../../src/domain/plan/plan.ts";
import { PretendCluster } from "../cli/pretend-cluster.ts";
import { makeTestRepository, type TestRepository } from "../contract/git-repository.ts";
import { GitHubServer } from "./github-server.ts";

const ACTION = parse(readFileSync(new URL("../../action.yml", import.meta.url), "utf8")) as {
  inputs: Record<string, { default?: string }>;
};

export interface RunOptions {
  readonly inputs: Readonly<Record<string, string>>;
  readonly event?: "pull_request" | "fork" | "push" | "schedule" | "merge_group";
  /** Of the pull request the event is about. */
  readonly number?: number;
  readonly sha?: string;
  /** What the pull request is to be merged into (default: what is checked out). */
  readonly baseSha?: string;
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
  environment({ inputs, event = "push", number = 7, sha, baseSha, env = {} }: RunOptions): {
    env: Record<string, string>;
    files: RunFiles;
  } {
    const folder = mkdtempSync(join(this.#temp, "run-"));
    const files = {
      folder,
      output: join(folder, "output"),
      summary: join(folder, "summary"),
      event: join(folder, "event.json"),
    };
    for (const path of [files.output, files.summary]) writeFileSync(path, "");
    const head = this.repository.git(["rev-parse", "HEAD"]);
    writeFileSync(files.event, JSON.stringify(payload(event, number, { base: baseSha ?? head, head })));
    const given = Object.fromEntries(
      Object.entries(ACTION.inputs).map(([name, { default: fallback = "" }]) => [name, fallback] as const),
    );
    const token = { "github-token": "canary-of-the-token" };
    const all = { ...given, ...token, registry: this.cluster.address, source: this.remote.path, ...inputs };
    return {
      files,
      env: {
        ...Object.fromEntries(Object.entries(all).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value])),
        ...{ CI: "true", GITHUB_ACTIONS: "true", RUNNER_OS: "Linux", RUNNER_TEMP: folder },
        ...{ GITHUB_OUTPUT: files.output, GITHUB_STEP_SUMMARY: files.summary, GITHUB_EVENT_PATH: files.event },
        GITHUB_EVENT_NAME: event === "fork" ? "pull_request" : event,
        GITHUB_REPOSITORY: "acme/infra",
        GITHUB_SHA: sha ?? head,
        GITHUB_REF: event === "push" || event === "schedule" ? "refs/heads/main" : `refs/pull/${number}/merge`,
        ...{ GITHUB_ACTOR: "alice", GITHUB_RUN_ID: "99", GITHUB_RUN_ATTEMPT: "1" },
        ...{ GITHUB_WORKSPACE: this.repository.path, GITHUB_SERVER_URL: "https://github.example" },
        ...{ GITHUB_API_URL: this.github.url, GITHUB_GRAPHQL_URL: `${this.github.url}/graphql` },
        ...env,
      },
    };
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

export interface RunFiles {
  readonly folder: string;
  readonly output: string;
  readonly summary: string;
  readonly event: string;
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

function payload(
  event: NonNullable<RunOptions["event"]>,
  number: number,
  { base, head }: { readonly base: string; readonly head: string },
): object {
  if (event === "merge_group") return { merge_group: { base_sha: base } };
  if (event !== "pull_request" && event !== "fork") return {};
  const of = (full_name: string, sha: string) => ({ sha, repo: { full_name } });
  const from = event === "fork" ? "mallory/infra" : "acme/infra";
  return { pull_request: { number, head: of(from, head), base: of("acme/infra", base) } };
}
