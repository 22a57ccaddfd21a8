import type { StatusProblem } from "../domain/cluster/cluster-snapshot.ts";
import type { UnitName } from "../domain/names.ts";
import { imagesToPull } from "../domain/quadlet/quadlet-images.ts";
import { rejectedQuadlets } from "../domain/quadlet/rejected-quadlets.ts";
import { waitsForQuadlet } from "../domain/quadlet/waits-for-quadlet.ts";
import type { InstalledFile, WantedUnit } from "../domain/tasks/task.ts";
import { isQuadlet } from "../domain/unit/unit-name.ts";
import type { Clock } from "../ports/clock.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { ImageRequest, Podman } from "../ports/podman.ts";
import type { AgentFiles } from "./agent-files.ts";
import { ImagePulls, type ImageState } from "./image-pulls.ts";
import { isQuadletPath } from "./unit-folders.ts";

export interface QuadletGatePorts {
  readonly podman: Podman;
  readonly files: AgentFiles;
  readonly clock: Clock;
  /** Called when an image has come, or has not. */
  readonly wake: () => void;
}

/** What a generator refused it may take after an update of podman, which nobody tells us about. */
const PROOF_KEPT_MS = 60_000;

/** Who installs podman waits no longer; it is five looks at the disk. */
const CAPABILITY_KEPT_MS = 60_000;

/** Whether what a release would run here can run at once. */
export interface Readiness {
  readonly isReady: boolean;
  /** Which image cannot be had, and why; null: none, or it is still coming. */
  readonly problem: StatusProblem | null;
}

const READY: Readiness = { isReady: true, problem: null };

/**
 * What stands before a quadlet's new text: podman's generator must make a service of it, in a dry run with everything else that will be
 * there, and its image must be on this machine. Until then the old text stays, and what runs from it runs on.
 */
export class QuadletGate {
  readonly #ports: QuadletGatePorts;
  readonly #pulls: ImagePulls;
  #proof: { readonly basis: string; readonly untilMs: number; readonly rejected: Map<UnitName, StatusProblem> } | null =
    null;
  #capable: { readonly untilMs: number; readonly capabilities: readonly string[] } | null = null;
  /** Of the last release that was prepared for. */
  #prepared: readonly ImageRequest[] = [];

  constructor(ports: QuadletGatePorts) {
    this.#ports = ports;
    this.#pulls = new ImagePulls(ports.podman, ports.clock, ports.wake);
  }

  /** What this machine can run beyond systemd's units, as of a minute ago at most. */
  async capabilities(): Promise<readonly string[]> {
    const nowMs = this.#ports.clock.monotonicMs();
    if (this.#capable === null || nowMs >= this.#capable.untilMs) {
      const capabilities = (await this.#ports.podman.hasGenerator()) ? ["quadlet"] : [];
      this.#capable = { untilMs: nowMs + CAPABILITY_KEPT_MS, capabilities };
    }
    return this.#capable.capabilities;
  }

  /** Of these units those that are to stay as they are for now, and why. Those in `kept` stay anyway. */
  async judge(
    wanted: readonly WantedUnit[],
    kept: ReadonlySet<UnitName>,
  ): Promise<ReadonlyMap<UnitName, StatusProblem>> {
    const owned = await this.#ports.files.readOwned();
    const isNew = ({ name, hash, goal }: WantedUnit) =>
      isQuadlet(name) && goal !== "inactive" && !kept.has(name) && owned.get(name)?.onDisk !== hash;
    const changed = wanted.filter(isNew);
    if (changed.length === 0) {
      this.#proof = null;
      this.#pulls.keepOnly(this.#prepared);
      return new Map();
    }
    const problems = new Map(await this.#rejected(changed, wanted));
    const asked = [...this.#prepared];
    const images = imagesToPull(wanted);
    for (const { name } of changed.filter((unit) => !problems.has(unit.name))) {
      const image = images.get(name);
      if (image === undefined) continue;
      asked.push(image);
      const problem = imageProblem(image, this.#pulls.state(image));
      if (problem !== null) problems.set(name, problem);
    }
    this.#pulls.keepOnly(asked);
    return new Map([...problems, ...this.#waiting(wanted, problems, kept, owned)]);
  }

  /** What systemd would refuse to start without the service of a quadlet that is to wait. Where its old text stands, there is one. */
  #waiting(
    wanted: readonly WantedUnit[],
    problems: ReadonlyMap<UnitName, StatusProblem>,
    kept: ReadonlySet<UnitName>,
    owned: Awaited<ReturnType<AgentFiles["readOwned"]>>,
  ): readonly (readonly [UnitName, StatusProblem])[] {
    const isOnDisk = (name: UnitName) => (owned.get(name)?.onDisk ?? null) !== null;
    const absent = wanted.filter(({ name }) => problems.has(name) && !isOnDisk(name));
    if (absent.length === 0) return [];
    const open = wanted.filter(({ name, hash }) => !kept.has(name) && owned.get(name)?.onDisk !== hash);
    return [...waitsForQuadlet(open, absent)].map(([name, quadlet]) => {
      const { code, detail } = problems.get(quadlet)!;
      return [name, problemOf(code, `${quadlet}: ${detail}`)] as const;
    });
  }

  /** Fetches what these units, of a release that is accepted and not placed yet, will need. */
  prepare(units: readonly Pick<WantedUnit, "name" | "files">[]): Readiness {
    this.#prepared = [...imagesToPull(units).values()];
    const states = this.#prepared.map((image) => ({ image, state: this.#pulls.state(image) }));
    const problems = states.flatMap(({ image, state }) =>
      state.kind === "away" ? (imageProblem(image, state) ?? []) : [],
    );
    const isReady = states.every(({ state }) => state.kind === "here");
    return isReady ? READY : { isReady, problem: problems[0] ?? null };
  }

  async #rejected(
    changed: readonly WantedUnit[],
    wanted: readonly WantedUnit[],
  ): Promise<Map<UnitName, StatusProblem>> {
    const nowMs = this.#ports.clock.monotonicMs();
    const basis = JSON.stringify([changed, wanted].map((units) => units.map(({ name, hash }) => [name, hash])));
    if (this.#proof?.basis === basis && nowMs < this.#proof.untilMs) return this.#proof.rejected;
    const rejected = await this.#prove(changed, wanted);
    this.#proof = { basis, untilMs: nowMs + PROOF_KEPT_MS, rejected };
    return rejected;
  }

  async #prove(changed: readonly WantedUnit[], wanted: readonly WantedUnit[]): Promise<Map<UnitName, StatusProblem>> {
    const { podman } = this.#ports;
    const all = (code: string, detail: string) => new Map(changed.map(({ name }) => [name, problemOf(code, detail)]));
    try {
      if (!(await podman.hasGenerator())) return all("no-quadlet-generator", NO_GENERATOR);
      return await this.#settle(changed, wanted);
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      return all(error.code, error.message);
    }
  }

  /** What is rejected stays as it was, and with that the others may be rejected: until nobody more is. */
  async #settle(changed: readonly WantedUnit[], wanted: readonly WantedUnit[]): Promise<Map<UnitName, StatusProblem>> {
    const rejected = new Map<UnitName, StatusProblem>();
    const names = new Set(changed.map(({ name }) => name));
    for (;;) {
      const files = await this.#filesWithout(rejected, names, wanted);
      const open = [...names].filter((name) => !rejected.has(name));
      const found = rejectedQuadlets(open, await this.#ports.podman.dryRun(files));
      for (const [name, words] of found) rejected.set(name, problemOf("quadlet-rejected", words));
      if (found.size === 0) return rejected;
    }
  }

  /** The quadlets as they would stand here: new texts, and the old ones of what is not to change. */
  async #filesWithout(
    rejected: ReadonlyMap<UnitName, StatusProblem>,
    changed: ReadonlySet<UnitName>,
    wanted: readonly WantedUnit[],
  ): Promise<readonly InstalledFile[]> {
    const { files } = this.#ports;
    const owned = await files.readOwned();
    const isTaken = ({ name }: WantedUnit) => changed.has(name) && !rejected.has(name);
    const texts = new Map<string, InstalledFile>();
    const add = (list: readonly InstalledFile[]) => {
      for (const file of list) if (isQuadletPath(file.path)) texts.set(file.path, file);
    };
    const wantedNames = new Set(wanted.map(({ name }) => name));
    for (const [name, { onDisk }] of owned) {
      const stays = isQuadlet(name) && (wantedNames.has(name) ? !changed.has(name) || rejected.has(name) : false);
      if (stays && onDisk !== null) add((await files.readUnit(onDisk))?.files ?? []);
    }
    for (const unit of wanted.filter(isTaken)) add(unit.files);
    return [...texts.values()];
  }
}

const NO_GENERATOR = "podman's generator for systemd is not on this machine: no quadlet becomes a service here";

function imageProblem({ image }: ImageRequest, state: ImageState): StatusProblem | null {
  switch (state.kind) {
    case "here":
      return null;
    case "coming":
      return problemOf("pulling-image", `${image} is on its way`);
    case "away":
      return problemOf("image-pull-failed", `${image}: ${state.words}`);
  }
}

function problemOf(code: string, detail: string): StatusProblem {
  return { code, detail, journal: [] };
}
