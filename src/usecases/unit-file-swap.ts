import type { OwnedUnit } from "../codec/agent-state.ts";
import type { UnitName } from "../domain/names.ts";
import type { WantedUnit } from "../domain/tasks/task.ts";
import type { AgentFiles } from "./agent-files.ts";

/**
 * How unit files change: first it is remembered which units will, then all new texts lie ready beside the old ones, and only then, with
 * what must stop stopped, each takes its place by a rename, which needs no room. Rejects with what the disk says, of one unit at a time.
 */
export class UnitFileSwap {
  readonly #wanted: ReadonlyMap<UnitName, WantedUnit>;
  readonly #owned: Map<UnitName, OwnedUnit>;
  readonly #files: AgentFiles;
  /** As they were owned before; null where they were not. */
  readonly #before = new Map<UnitName, OwnedUnit | null>();
  readonly #staged = new Set<string>();

  constructor(wanted: ReadonlyMap<UnitName, WantedUnit>, owned: Map<UnitName, OwnedUnit>, files: AgentFiles) {
    this.#wanted = wanted;
    this.#owned = owned;
    this.#files = files;
  }

  /**
   * From here to the end of the swap no text of these units passes for whole, and what is about to stop not for started: dying in between,
   * and wanted as they were by then, they are made so. Changes nothing where it cannot be written.
   */
  async mark(
    removed: readonly UnitName[],
    written: readonly UnitName[],
    stopping: ReadonlySet<UnitName>,
  ): Promise<void> {
    const marked = new Map(this.#owned);
    const mark = (unit: UnitName, wanted: WantedUnit | undefined): void => {
      const before = this.#owned.get(unit) ?? null;
      const service = wanted?.service ?? before?.service ?? unit;
      const paths = [...(before?.files ?? []), ...(wanted?.files ?? []).map(({ path }) => path)];
      const started = stopping.has(unit) ? null : (before?.started ?? null);
      const files = [...new Set(paths)].sort();
      marked.set(unit, { service, files, onDisk: null, loaded: before?.loaded ?? null, started });
      this.#before.set(unit, before);
    };
    for (const unit of removed) if (this.#owned.has(unit)) mark(unit, undefined);
    for (const unit of written) mark(unit, this.#wanted.get(unit));
    await this.#files.writeOwned(marked);
    for (const [unit, owned] of marked) this.#owned.set(unit, owned);
  }

  async stage(unit: UnitName): Promise<void> {
    const files = this.#filesOf(unit);
    await this.#files.delivered.remember(files);
    for (const file of files) {
      // What has not changed stays the very file: a mount of it shows no other. A secret is opened, whatever is there: that it cannot be is to
      // be told of its unit.
      const mayStay = file.delivery !== undefined && file.delivery.encoding !== "age";
      if (mayStay && (await this.#files.delivered.holds(file))) continue;
      await this.#files.stageUnitFile(file);
      this.#staged.add(file.path);
    }
  }

  async publish(unit: UnitName): Promise<void> {
    const kept = new Set(this.#filesOf(unit).map(({ path }) => path));
    const owned = this.#owned.get(unit)!;
    const stale = owned.files.filter((path) => !kept.has(path) && !this.#isShared(path, unit));
    // A template that travels with several units takes its place with the first of them.
    for (const file of this.#filesOf(unit)) {
      if (this.#staged.delete(file.path)) await this.#files.publishUnitFile(file);
    }
    for (const path of stale) await this.#files.removeUnitFile(path);
    this.#owned.set(unit, { ...owned, service: this.#wanted.get(unit)!.service, files: [...kept].sort() });
  }

  async remove(unit: UnitName): Promise<void> {
    for (const path of this.#owned.get(unit)?.files ?? []) {
      if (!this.#isShared(path, unit)) await this.#files.removeUnitFile(path);
    }
    this.#owned.delete(unit);
  }

  /** Owned as before, with the text it had; what units in `others` need of what lies ready stays. */
  async abandon(unit: UnitName, others: readonly UnitName[]): Promise<void> {
    const before = this.#before.get(unit) ?? null;
    if (before === null) this.#owned.delete(unit);
    else this.#owned.set(unit, before);
    const needed = new Set(others.flatMap((other) => this.#filesOf(other).map(({ path }) => path)));
    for (const { path } of this.#filesOf(unit)) {
      if (needed.has(path)) continue;
      this.#staged.delete(path);
      await this.#files.unstageUnitFile(path);
    }
  }

  #filesOf(unit: UnitName): WantedUnit["files"] {
    return this.#wanted.get(unit)?.files ?? [];
  }

  /** A template that travels with several units is removed with the last of them. */
  #isShared(path: string, except: UnitName): boolean {
    for (const [unit, owned] of this.#owned) if (unit !== except && owned.files.includes(path)) return true;
    return false;
  }
}
