import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { MemoryGitSource, MemoryRepository } from "../../src/adapters/memory/memory-git-source.ts";
import { VirtualClock } from "../../src/adapters/memory/virtual-clock.ts";
import { MvccRegistry } from "../../src/adapters/mvcc/mvcc-registry.ts";
import { MvccStore } from "../../src/adapters/mvcc/mvcc-store.ts";
import { sha256 } from "../../src/adapters/sha256.ts";
import { readClusterView } from "../../src/cli/cluster-view.ts";
import { memberNames } from "../../src/cli/member-names.ts";
import { rolloutNow } from "../../src/cli/rollout-now.ts";
import { blameText } from "../../src/cli/views/blame-text.ts";
import { commitDiffText } from "../../src/cli/views/commit-diff-text.ts";
import { convergenceText } from "../../src/cli/views/convergence-text.ts";
import { diagnosticsText } from "../../src/cli/views/diagnostics-text.ts";
import { diffText } from "../../src/cli/views/diff-text.ts";
import { historyText } from "../../src/cli/views/history-text.ts";
import { planJson } from "../../src/cli/views/plan-json.ts";
import { planMarkdown } from "../../src/cli/views/plan-markdown.ts";
import { planText } from "../../src/cli/views/plan-text.ts";
import { rolloutText } from "../../src/cli/views/rollout-text.ts";
import { clusterStatusText } from "../../src/cli/views/status-text.ts";
import { testsText } from "../../src/cli/views/tests-text.ts";
import { unitRows } from "../../src/cli/views/unit-rows.ts";
import { validText } from "../../src/cli/views/validation-text.ts";
import { whatIfText } from "../../src/cli/views/what-if-text.ts";
import { whyText } from "../../src/cli/views/why-text.ts";
import { unknownText } from "../../src/cli/views/why-verdict-text.ts";
import { decodePlan } from "../../src/codec/plan/decode-plan.ts";
import { encodePlan } from "../../src/codec/plan/encode-plan.ts";
import { planReportSchema } from "../../src/codec/plan/plan-report-schema.ts";
import { registryKeys } from "../../src/codec/registry-keys.ts";
import { judgeConvergence } from "../../src/domain/cluster/convergence.ts";
import type { CommitId } from "../../src/domain/names.ts";
import { planSetWrites } from "../../src/domain/placement/plan-set-writes.ts";
import type { PlanSelection } from "../../src/domain/plan/view-of-plan.ts";
import { parseCpu, parseMemory } from "../../src/domain/unit/resource-requests.ts";
import type { Registry } from "../../src/ports/registry.ts";
import { applyPlan } from "../../src/usecases/apply-plan.ts";
import { blameUnits } from "../../src/usecases/blame-unit.ts";
import { CommitBook } from "../../src/usecases/commit-facts.ts";
import { commitCompiler } from "../../src/usecases/compile-commit.ts";
import { diffCommits } from "../../src/usecases/diff-commits.ts";
import { diffPlan } from "../../src/usecases/diff-plan.ts";
import { explainUnits, manifestAt } from "../../src/usecases/explain-units.ts";
import { commitHistory, releaseHistory } from "../../src/usecases/list-history.ts";
import { type PlannedCommit, planCommit } from "../../src/usecases/plan-commit.ts";
import { readReleases } from "../../src/usecases/read-releases.ts";
import { readSnapshot } from "../../src/usecases/read-snapshot.ts";
import { testCommit } from "../../src/usecases/test-commit.ts";
import { writeSets } from "../../src/usecases/write-sets.ts";
import { joinMachine, leaveMachine } from "../pretend-machine.ts";
import { trustOf } from "../trust-of.ts";
import { GOLDEN_AT, GOLDEN_NOW_MS, hold, lead, roll, say } from "./golden-words.ts";

type Words = readonly string[];
type Planned = Extract<PlannedCommit, { kind: "planned" }>;

/**
 * What a case's script does: each line of run.txt is one of these commands. Everything but the machines and the engine's process is
 * real: repository, registry, use cases and views, all in this process, with ids that are the same on every run.
 */
export class GoldenCluster {
  readonly #folder: string;
  readonly #repository = new MemoryRepository();
  readonly #registry: Registry = new MvccRegistry(new MvccStore(), new VirtualClock());
  readonly #keys = registryKeys("golden");
  #files: Record<string, string>;
  #joined = false;
  #ids = 0;

  constructor(folder: string) {
    this.#folder = folder;
    this.#files = filesUnder(join(folder, "repo"));
    this.#repository.push("main", this.#files, "first");
  }

  /** What the command prints; nothing for those that only change the world. */
  async run(line: string): Promise<string> {
    const [command, ...words] = line.split(/\s+/);
    switch (command) {
      case "join":
        return this.#join(words);
      case "leave":
        await leaveMachine(this.#registry, this.#keys, words[0]!);
        return "";
      // Somebody deletes what stands under a prefix of the cluster's keys.
      case "del":
        await this.#registry.txn({
          when: [],
          then: [{ kind: "delete-prefix", prefix: `${this.#keys.root}${words[0]!}` }],
        });
        return "";
      case "commit":
        return this.#commit(words);
      case "validate":
        return this.#validate();
      case "plan":
        return this.#show(await this.#plan(words), words);
      case "test":
        return this.#test();
      case "blame":
        return this.#blame(words);
      case "history":
        return this.#history();
      case "diff":
        return this.#diff(words);
      case "apply":
        return this.#apply();
      // The release is applied, and no engine has acted on it yet.
      case "release":
        return this.#release();
      case "says":
        return say(this.#registry, this.#keys, words);
      case "leads":
        return lead(this.#registry, this.#keys, words);
      case "rolls":
        return roll(this.#registry, this.#keys, words.join(" "));
      case "rollout":
        return this.#rollout();
      // How an apply of the tip would end by now.
      case "ends":
        return this.#ends();
      case "hold":
        return hold(this.#registry, this.#keys, words);
      case "why":
        return this.#why(words);
      case "status": {
        const view = await readClusterView(this.#registry, this.#keys);
        return clusterStatusText(view, unitRows(view), GOLDEN_NOW_MS);
      }
      default:
        throw new Error(`a golden case knows no command ${command}`);
    }
  }

  /** `join NAME [KEY=VALUE…] [has CPU MEMORY] [runs UNIT…]`: units that somebody else has installed there */
  async #join([name, ...words]: Words): Promise<string> {
    this.#joined = true;
    const runs = words.includes("runs") ? words.indexOf("runs") : words.length;
    const has = words.includes("has") ? words.indexOf("has") : runs;
    const metadata = Object.fromEntries(words.slice(0, has).map((pair) => pair.split("=")));
    const [cpu, memory] = words.slice(has + 1, runs).map((amount, index) => [parseCpu, parseMemory][index]!(amount));
    const capacity = has === runs ? null : { cpuMilli: cpu!, memoryBytes: memory! };
    await joinMachine(this.#registry, this.#keys, name!, metadata, { foreign: words.slice(runs + 1), capacity });
    return "";
  }

  /** `commit FOLDER` lays that folder of the case over the repository; `commit -PATH…` removes files. */
  #commit(words: Words): string {
    for (const word of words) {
      if (word.startsWith("-")) delete this.#files[word.slice(1)];
      else this.#files = { ...this.#files, ...filesUnder(join(this.#folder, word)) };
    }
    this.#repository.push("main", this.#files, words.join(" "));
    return "";
  }

  /** A new view of the repository each time: nothing is remembered between two commands, as between two processes. */
  #view() {
    const source = new MemoryGitSource(this.#repository, "main");
    return { source, compile: commitCompiler({ source, manifestPath: "fleet.yaml", sha256, lint: true }) };
  }

  /** There is a cluster from the first machine on. */
  async #plan(words: Words = []): Promise<PlannedCommit> {
    const cluster = this.#joined ? { registry: this.#registry, keysOf: registryKeys } : null;
    const { compile } = this.#view();
    const planned = await planCommit({
      commit: this.#tip(),
      compile,
      cluster,
      partial: null,
      sha256,
      ...lossOf(words),
      ...selectionOf(words),
    });
    if (planned.kind === "planned") checkSchemas(planned);
    return planned;
  }

  async #validate(): Promise<string> {
    const commit = this.#tip();
    const { spec, diagnostics } = await this.#view().compile(commit);
    const findings = diagnostics.length > 0 ? [diagnosticsText(diagnostics)] : [];
    return [...findings, ...(spec === null ? [] : [validText(spec, commit, diagnostics)])].join("\n");
  }

  async #test(): Promise<string> {
    const { source, compile } = this.#view();
    const tested = await testCommit({ commit: this.#tip(), source, manifestPath: "fleet.yaml", compile, sha256 });
    return tested.kind === "rejected" ? diagnosticsText(tested.diagnostics) : testsText(tested.files);
  }

  /** `diff BEFORE [AFTER]`: revisions, as the command takes them. */
  async #diff([before, after = "HEAD"]: Words): Promise<string> {
    const { source, compile } = this.#view();
    const [from, to] = [await source.resolve(before!), await source.resolve(after)];
    const compared = await diffCommits({ before: from!, after: to!, compile, sha256 });
    if (compared.kind === "rejected") return diagnosticsText(compared.diagnostics);
    return [commitDiffText(compared, null), diffText(compared.texts).trimEnd()].join("\n\n");
  }

  /** `blame UNIT [MACHINE]`, of the tip. */
  async #blame([unit, machine = null]: readonly (string | null)[]): Promise<string> {
    const { source, compile } = this.#view();
    const commit = this.#tip();
    const { spec } = await compile(commit);
    const manifest = await manifestAt({ source, manifestPath: "fleet.yaml" }, commit);
    const units = spec!.units.filter(({ name }) => name === unit);
    const releases = await readReleases(this.#registry, this.#keys);
    const at = { commit, spec: spec!, manifest: manifest!, manifestPath: "fleet.yaml" };
    return blameText(await blameUnits({ units, machine, ...at, source, releases }));
  }

  /** Releases once there is a cluster, else commits. */
  async #history(): Promise<string> {
    const { source, compile } = this.#view();
    const book = new CommitBook(source, "fleet.yaml");
    const entries = this.#joined
      ? await releaseHistory({ registry: this.#registry, keys: this.#keys, book, last: 10 })
      : await commitHistory({ tip: this.#tip(), compile, book, last: 10, sha256 });
    return historyText(entries);
  }

  async #why(words: Words): Promise<string> {
    const { source, compile } = this.#view();
    const view = await readClusterView(this.#registry, this.#keys);
    const reading = { ...view, rollout: rolloutNow(view.snapshot, view.report, GOLDEN_NOW_MS) };
    const explained = await explainUnits({
      asked: words,
      reading,
      registry: this.#registry,
      keys: this.#keys,
      repository: { source, compile, compileWorktree: null, manifestPath: "fleet.yaml" },
      sha256,
    });
    const text = whyText(explained, reading.snapshot.members, GOLDEN_NOW_MS);
    return [...(text === "" ? [] : [text]), ...explained.unknown.map(unknownText)].join("\n");
  }

  async #rollout(): Promise<string> {
    const { snapshot, report } = await readClusterView(this.#registry, this.#keys);
    const names = memberNames(snapshot);
    return rolloutText(rolloutNow(snapshot, report, GOLDEN_NOW_MS)!, (id) => names.get(id)!, GOLDEN_NOW_MS).join("\n");
  }

  async #ends(): Promise<string> {
    const { spec } = await this.#view().compile(this.#tip());
    const { snapshot, report } = await readClusterView(this.#registry, this.#keys);
    const rollout = rolloutNow(snapshot, report, GOLDEN_NOW_MS);
    return convergenceText(judgeConvergence(spec!, snapshot, sha256), memberNames(snapshot), rollout, GOLDEN_NOW_MS);
  }

  #show(planned: PlannedCommit, words: Words): string {
    if (planned.kind === "rejected") return diagnosticsText(planned.diagnostics);
    const { plan, whatIf, diagnostics } = planned;
    const findings = diagnostics.length > 0 ? [diagnosticsText(diagnostics)] : [];
    const losses = whatIf.length > 0 ? [`\n${whatIfText(whatIf, plan.machines)}`] : [];
    const diffs = diffPlan(plan, planned.spec, planned.released);
    if (words.includes("--markdown")) return planMarkdown(planned, diffs).trimEnd();
    const diff = words.includes("--diff") ? [`\n${diffText(diffs)}`.trimEnd()] : [];
    return [...findings, planText(planned), ...losses, ...diff].join("\n");
  }

  /** Releases the commit and writes the sets as the engine does, without its waiting. */
  async #apply(): Promise<string> {
    const planned = await this.#plan();
    if (planned.kind === "rejected") return diagnosticsText(planned.diagnostics);
    const released = await this.#release(planned);
    const { plan, spec } = planned;
    const { snapshot } = await readSnapshot(this.#registry, this.#keys);
    const globals = new Set(spec.units.filter((unit) => unit.options.global).map((unit) => unit.name));
    const leader = { key: this.#keys.leader, target: "create", is: "=", value: 0 } as const;
    const fence = { leader, releaseModRevision: snapshot.releaseModRevision };
    const writes = planSetWrites(plan.placements, globals, snapshot, sha256);
    const { complete } = await writeSets(this.#registry, this.#keys, fence, writes, this.#newId, GOLDEN_AT);
    if (!complete) throw new Error("nobody else writes here, and yet a set was not written");
    return released;
  }

  async #release(known: PlannedCommit | null = null): Promise<string> {
    const planned = known ?? (await this.#plan());
    if (planned.kind === "rejected") return diagnosticsText(planned.diagnostics);
    const { plan, spec } = planned;
    const applied = await applyPlan({
      registry: this.#registry,
      keys: this.#keys,
      source: this.#view().source,
      trust: trustOf(this.#view().source),
      sourceName: "https://git.example/golden.git",
      branch: "main",
      manifest: "fleet.yaml",
      plan,
      spec,
      by: "ada",
      clock: new VirtualClock(),
      newId: this.#newId,
      sha256,
    });
    if (applied.kind !== "released") return applied.kind;
    return `release ${applied.release.seq}`;
  }

  #tip(): CommitId {
    return this.#repository.branches.get("main")!;
  }

  readonly #newId = (): string => (++this.#ids).toString(16).padStart(32, "0");
}

/** `--without SELECTOR…` and `--n-1`, as the command takes them. */
/** `--only X`, `--exclude X` */
function selectionOf(words: Words): { readonly selection?: PlanSelection } {
  const after = (flag: string) => words.flatMap((word, index) => (word === flag ? [words[index + 1]!] : []));
  const [only, exclude] = [after("--only"), after("--exclude")];
  return only.length + exclude.length === 0 ? {} : { selection: { only, exclude } };
}

function lossOf(words: Words): { readonly without: Words; readonly eachLost: boolean } {
  const without = words.flatMap((word, index) => (word === "--without" ? [words[index + 1]!] : []));
  return { without, eachLost: words.includes("--n-1") };
}

/** Every plan of every case is as the schemas in schemas/ say, as a file and as `--json`. */
function checkSchemas(planned: Planned): void {
  const { plan } = planned;
  assert.deepEqual(decodePlan(encodePlan(plan)), { kind: "plan", plan });
  const { error } = planReportSchema.safeParse(JSON.parse(JSON.stringify(planJson(planned))));
  assert.equal(error, undefined);
}

function filesUnder(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    files
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [relative(folder, path), readFileSync(path, "utf8")]),
  );
}
