import assert from "node:assert/strict";
import { MemoryFileStore } from "../src/adapters/memory/memory-file-store.ts";
import { MemoryUnitManager } from "../src/adapters/memory/memory-unit-manager.ts";
import { VirtualClock } from "../src/adapters/memory/virtual-clock.ts";
import { sha256 } from "../src/adapters/sha256.ts";
import type { DriftPolicy } from "../src/domain/drift/drift-policy.ts";
import type { UnitDrift } from "../src/domain/drift/unit-drift.ts";
import type { UnitHash, UnitName } from "../src/domain/names.ts";
import type { UnitGoal } from "../src/domain/spec/cluster-spec.ts";
import type { Blocked, WantedUnit } from "../src/domain/tasks/task.ts";
import type { SecretReader } from "../src/ports/secret-reader.ts";
import { AgentFiles } from "../src/usecases/agent-files.ts";
import { DriftWatch } from "../src/usecases/drift-watch.ts";
import type { DetailsCache } from "../src/usecases/observe-units.ts";
import { reconcileUnits } from "../src/usecases/reconcile-units.ts";
import type { TaskProblems } from "../src/usecases/run-tasks.ts";
import { type JobFailure, UnitJobs } from "../src/usecases/unit-jobs.ts";

/** Longer than any start or stop below takes. */
const SETTLE_MS = 20_000;
export const UNITS = "/run/systemd/system";

/** A server whose command differs by the text. */
export const server = (text: string, head = "") => `[Unit]\n${head}[Service]\nExecStart=/bin/server ${text}\n`;

export function unit(
  name: string,
  text: string,
  changes: { goal?: UnitGoal; files?: Record<string, string>; adopt?: boolean; drift?: DriftPolicy } = {},
): WantedUnit {
  const contents = { [name]: text, ...changes.files };
  const files = Object.entries(contents).map(([path, content]) => ({ path, text: content }));
  const hash = sha256(JSON.stringify(files)) as UnitHash;
  const after = [...text.matchAll(/^After=(.*)$/gm)].map((match) => match[1] as UnitName);
  const oneshot = text.includes("Type=oneshot");
  return {
    name: name as UnitName,
    service: name as UnitName,
    goal: changes.goal ?? "launched",
    hash,
    files,
    after,
    oneshot,
    ...(changes.adopt === true ? { adopt: true } : {}),
    ...(changes.drift === undefined ? {} : { drift: changes.drift }),
  };
}

/** A machine with its systemd and its disk, and the agent's process on it, which may die and come again. */
export class AgentMachine {
  readonly clock = new VirtualClock();
  readonly disk = new MemoryFileStore(() => this.clock.wallMs());
  readonly manager = new MemoryUnitManager({ files: this.disk, clock: this.clock });
  readonly #secrets: SecretReader | null;
  #process: ReturnType<AgentMachine["newProcess"]>;

  /** `secrets`: null on a machine without a key. */
  constructor(secrets: SecretReader | null = null) {
    this.#secrets = secrets;
    this.#process = this.newProcess();
  }

  private newProcess() {
    const files = new AgentFiles(this.disk, undefined, this.#secrets);
    const publish = files.publishUnitFile.bind(files);
    files.publishUnitFile = async (file) => {
      await this.beforeWrite();
      await publish(file);
    };
    return {
      files,
      jobs: new UnitJobs(this.manager, () => {}),
      details: new Map() as DetailsCache,
      drift: new DriftWatch(this.clock, () => {}),
    };
  }

  /** One pass as the agent does it: look, decide, act. */
  async pass(wanted: readonly WantedUnit[]): Promise<TaskProblems> {
    const { files, jobs, details, drift } = this.#process;
    for (const { goal: _goal, adopt: _adopt, ...text } of wanted)
      if ((await files.readUnit(text.hash)) === null) await files.writeUnit(text);
    details.clear();
    const world = { manager: this.manager, files, clock: this.clock, jobs, details, drift };
    const { tasks, problems, blocked, drift: reports } = await reconcileUnits(wanted, new Set(), world);
    this.tasks = tasks.length;
    this.blocked = blocked;
    this.drift = reports;
    return problems;
  }
  /** As the agent does after each pass: what could not be saved is saved now. */
  save(): Promise<void> {
    return this.#process.files.saveOwned();
  }
  /** As the agent does where it knows its set: what a boot without it starts. */
  keepBootSet(): Promise<void> {
    return this.#process.files.bootSet.afterPass(true);
  }
  tasks = 0;
  blocked: readonly Blocked[] = [];
  /** What is told of units that others changed. */
  drift: ReadonlyMap<UnitName, UnitDrift> = new Map();
  /** What happens on the machine just before a unit's file is written. */
  beforeWrite = async (): Promise<void> => {};

  /** Passes until one finds nothing to do. Some time goes by in each. */
  async settle(wanted: readonly WantedUnit[]): Promise<void> {
    for (let passes = 0; passes < 10; passes++) {
      await this.during(this.pass(wanted));
      if (this.tasks === 0) return;
    }
    assert.fail("ten passes and still something to do");
  }

  /** Lets time go by until it has ended. */
  async during<T>(run: Promise<T>): Promise<T> {
    let over = false;
    const ended = run.finally(() => {
      over = true;
    });
    ended.catch(() => {});
    await this.clock.runUntil(() => over, 60_000);
    await this.clock.advance(SETTLE_MS);
    return ended;
  }

  /** Ends the agent's process and begins another one on what the first left behind. */
  restart(): void {
    this.disk.restartProcess();
    this.#process = this.newProcess();
  }

  /** Ends everything on the machine, and boots it again. */
  powerOff(): void {
    this.manager.powerOff();
    this.#process = this.newProcess();
  }

  /** How the last job of this unit ended badly. */
  failure(name: string): JobFailure | null {
    return this.#process.jobs.failure(name as UnitName);
  }

  running(): Record<string, string> {
    return Object.fromEntries([...this.manager.running()].map(([name, { text }]) => [name, text]));
  }

  files(): string[] {
    return [UNITS, ...this.disk.names(UNITS).map((name) => `${UNITS}/${name}`)]
      .flatMap((folder) => this.disk.names(folder).map((name) => `${folder}/${name}`))
      .filter((path) => this.disk.peek(path) !== null)
      .map((path) => path.slice(UNITS.length + 1))
      .sort();
  }

  assertAs(wanted: readonly WantedUnit[], because = ""): void {
    const launched = wanted.filter((one) => one.goal === "launched");
    assert.deepEqual(
      this.running(),
      Object.fromEntries(launched.map((one) => [one.name, one.files.map((file) => file.text).join("")])),
      because,
    );
    assert.deepEqual(this.files(), [...new Set(wanted.flatMap((one) => one.files.map((file) => file.path)))].sort());
    for (const file of wanted.flatMap((one) => one.files)) {
      assert.equal(this.disk.peek(`${UNITS}/${file.path}`)?.text, file.text, because);
    }
  }
}
