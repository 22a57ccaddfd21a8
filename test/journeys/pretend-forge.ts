import { spawn } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request as httpRequest, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { parse } from "yaml";
import { readLab } from "../../src/lab/lab-state.ts";
import { mustRun } from "../../src/lab/run-program.ts";
import { readRun } from "../action/action-world.ts";
import { GitHubServer } from "../action/github-server.ts";
import { type RunEvent, runnerEnvironment } from "../action/runner-environment.ts";
import { type GitHttpServer, serveGitRepository } from "../contract/git-http-server.ts";

const BUNDLE = join(import.meta.dirname, "../../action/index.js");
const PATH = "/acme/infra";
/** A whole apply. */
const RUN_LIMIT_MS = 90_000;

interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly jobs: Readonly<Record<string, { readonly steps: readonly WorkflowStep[] }>>;
}

interface WorkflowStep {
  readonly uses?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

interface Asked {
  readonly words: readonly string[];
  readonly cwd: string;
  readonly home: string;
  readonly lab: string;
}

interface Event {
  readonly event: RunEvent;
  readonly number: number;
  readonly baseSha: string;
  readonly headSha: string;
}

/**
 * A forge of one repository: the real git, pull requests, comments, and its workflows, whose steps that use fleet run the committed bundle as
 * a runner does. `gh` is how people talk to it.
 */
export class PretendForge {
  readonly #folder: string;
  /** `infra.git` in the home of whoever walks through the page. */
  #remote = "";
  readonly #github: GitHubServer;
  readonly #server: Server;
  readonly #branches: string[] = [];
  #log = "";
  #git: GitHttpServer | null = null;
  #door: Server | null = null;

  /** The program for people, which they call `gh`. */
  readonly gh: string;

  private constructor(folder: string, github: GitHubServer, server: Server) {
    this.#folder = folder;
    this.#github = github;
    this.#server = server;
    this.gh = join(folder, "gh");
    const { port } = server.address() as AddressInfo;
    const ask = `const body = JSON.stringify({ words: process.argv.slice(1), cwd: process.cwd(), home: process.env.HOME, lab: process.env.FLEET_LAB });
process.stdout.write(await (await fetch("http://127.0.0.1:${port}/", { method: "POST", body })).text());`;
    const words = `exec '${process.execPath}' --input-type=module -e '${ask}' -- "$@"`;
    writeFileSync(this.gh, `#!/bin/sh\n${words}\n`, { mode: 0o755 });
  }

  static async start(): Promise<PretendForge> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const forge = new PretendForge(mkdtempSync(join(tmpdir(), "fleet-forge-")), await GitHubServer.start(), server);
    server.on("request", async (request, response) => {
      const asked = JSON.parse(await text(request)) as Asked;
      response.end(await forge.#gh(asked).catch((error: unknown) => `gh: ${String(error)}\n`));
    });
    return forge;
  }

  async stop(): Promise<void> {
    for (const server of [this.#server, this.#door]) {
      server?.closeAllConnections();
      server?.close();
    }
    await this.#git?.close();
    await this.#github.stop();
    rmSync(this.#folder, { recursive: true });
  }

  async #gh({ words, cwd, home, lab }: Asked): Promise<string> {
    this.#remote = join(home, "infra.git");
    // What a job knows as the forge's address.
    const rewrite = `[url "${this.#remote}"]\n\tinsteadOf = https://github.example/acme/infra\n`;
    writeFileSync(join(this.#folder, ".gitconfig"), rewrite);
    const number = Number(words[2]);
    switch (words.slice(0, 2).join(" ")) {
      case "repo view":
        return `${await this.#address(lab)}\n`;
      case "api repos/acme/infra/commits/main/status":
        return this.#statuses();
      case "pr create":
        return this.#open(cwd);
      case "pr view":
        return this.#github
          .own(number)
          .flatMap(({ body, minimized }) => (minimized ? [] : [body.replace(/^.*\n/, "")]))
          .join("\n");
      case "pr merge":
        return this.#merge(number);
      case "run view":
        return this.#log;
      default:
        throw new Error(`this forge does not know ${words.join(" ")}`);
    }
  }

  /** Where machines of the lab reach it: the repository over HTTP, and all else of its API. */
  async #address(lab: string): Promise<string> {
    const address = readLab(lab)?.hostAddress;
    if (address === undefined) throw new Error(`no lab ${lab} is up`);
    this.#git ??= await serveGitRepository(this.#remote);
    const git = this.#git.url;
    this.#door ??= createServer((request, response) => {
      const { url = "", method, headers } = request;
      const to = url.startsWith(PATH)
        ? `${git}${url.slice(PATH.length).replace(/^\.git/, "")}`
        : `${this.#github.url}${url}`;
      request.pipe(
        httpRequest(to, { method, headers }, (answer) => {
          response.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(response);
        }).once("error", () => response.destroy()),
      );
    });
    if (!this.#door.listening) await new Promise<void>((resolve) => this.#door!.listen(0, address, resolve));
    return `http://${address}:${(this.#door.address() as AddressInfo).port}${PATH}`;
  }

  async #statuses(): Promise<string> {
    const sha = (await mustRun(["git", "-C", this.#remote, "rev-parse", "main"])).trim();
    const newest = new Map(this.#github.statuses.filter((one) => one.sha === sha).map((one) => [one.context, one]));
    return [...newest.values()]
      .map(({ state, context, description }) => `${state} ${context}: ${description}\n`)
      .join("");
  }

  async #open(cwd: string): Promise<string> {
    const branch = (await mustRun(["git", "-C", cwd, "branch", "--show-current"])).trim();
    await mustRun(["git", "-C", cwd, "push", "--quiet", this.#remote, branch]);
    const number = this.#branches.push(branch);
    const { workspace, git } = await this.#clone();
    const [baseSha, headSha] = [await git("rev-parse", "main"), await git("rev-parse", `origin/${branch}`)];
    await git("merge", "--quiet", "--no-ff", "--no-edit", headSha);
    const checks = await this.#run(workspace, { event: "pull_request", number, baseSha, headSha });
    return `https://github.example/acme/infra/pull/${number}\n${checks}`;
  }

  /** As a squash, which leaves none of the branch's commits. */
  async #merge(number: number): Promise<string> {
    const branch = this.#branches[number - 1];
    const { workspace, git } = await this.#clone();
    const [baseSha, headSha] = [await git("rev-parse", "main"), await git("rev-parse", `origin/${branch}`)];
    await git("merge", "--quiet", "--squash", headSha);
    await git("commit", "--quiet", "--message", `${await git("log", "-1", "--format=%s", headSha)} (#${number})`);
    await git("push", "--quiet", this.#remote, "HEAD:main");
    const sha = await git("rev-parse", "HEAD");
    this.#github.pulls.set(sha, [
      { number, base: { ref: "main" }, merged_at: "2026-01-01T00:00:00Z", merge_commit_sha: sha },
    ]);
    return `squashed and merged pull request #${number}\n${await this.#run(workspace, { event: "push", number, baseSha, headSha })}`;
  }

  async #clone() {
    const workspace = mkdtempSync(join(this.#folder, "workspace-"));
    await mustRun(["git", "clone", "--quiet", this.#remote, workspace]);
    const who = ["-c", "user.name=forge", "-c", "user.email=forge@localhost"];
    const git = async (...words: string[]) => (await mustRun(["git", "-C", workspace, ...who, ...words])).trim();
    return { workspace, git };
  }

  /** The steps of all workflows for that event that use fleet; a line for each workflow. */
  async #run(workspace: string, event: Event): Promise<string> {
    const lines: string[] = [];
    this.#log = "";
    for (const path of globSync(".github/workflows/*.yml", { cwd: workspace }).sort()) {
      const { on, jobs } = parse(readFileSync(join(workspace, path), "utf8")) as Workflow;
      if (!(event.event in on)) continue;
      const steps = Object.values(jobs).flatMap(({ steps }) => steps);
      for (const { uses = "", with: given = {} } of steps) {
        if (!/\/fleet@/.test(uses)) continue;
        const { code, log } = await this.#step(workspace, event, given);
        this.#log += log;
        lines.push(`${code === 0 ? "pass" : "fail"}  ${path.replace(/^.*\//, "")}\n`);
      }
    }
    return lines.join("");
  }

  async #step(workspace: string, event: Event, given: Readonly<Record<string, unknown>>) {
    const sha = (await mustRun(["git", "-C", workspace, "rev-parse", "HEAD"])).trim();
    const inputs = Object.entries(given).map(
      // This repository has neither secrets nor variables.
      ([name, value]) => [name, String(value).replace(/\$\{\{ (secrets|vars)\.\w+ \}\}/g, "")] as const,
    );
    const { env, files } = runnerEnvironment({
      ...{ above: this.#folder, workspace, sha, apiUrl: this.#github.url, ...event },
      inputs: Object.fromEntries(inputs),
    });
    const child = spawn(process.execPath, [BUNDLE], {
      cwd: workspace,
      env: { PATH: process.env.PATH, HOME: this.#folder, ...env },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: RUN_LIMIT_MS,
      killSignal: "SIGKILL",
    });
    const [code, out, errors] = await Promise.all([
      new Promise<number | null>((resolve) => child.once("close", resolve)),
      text(child.stdout),
      text(child.stderr),
    ]);
    return readRun(code, `${out}${errors}`, files);
  }
}
