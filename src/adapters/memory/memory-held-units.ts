import type { UnitName } from "../../domain/names.ts";
import { unitNameParts } from "../../domain/unit/unit-name.ts";
import { OperationError } from "../../ports/operation-error.ts";
import type { UnitSources } from "../../ports/unit-manager.ts";
import { type HeldUnit, isUp, newHeldUnit, REFUSALS, requiredBy } from "./memory-held-unit.ts";
import { GENERATED_FOLDER, generateQuadlets, type TextsOnDisk } from "./memory-quadlets.ts";
import { loadUnit } from "./memory-unit-text.ts";

/** The units systemd holds in memory: read when needed, read anew by a daemon-reload, forgotten when nothing keeps them. */
export class HeldUnits {
  readonly #files: TextsOnDisk;
  readonly #disk: TextsOnDisk;
  /** What podman's generator made of quadlets at the last reload, by path. */
  #generated: ReadonlyMap<string, string> = new Map();
  readonly #held = new Map<UnitName, HeldUnit>();

  constructor(disk: TextsOnDisk) {
    this.#disk = disk;
    this.#files = {
      peek: (path) => {
        const text = this.#generated.get(path);
        return text === undefined ? disk.peek(path) : { text };
      },
      names: (folder) => disk.names(folder),
    };
  }

  get(name: UnitName): HeldUnit | undefined {
    return this.#held.get(name);
  }

  /** As they are at this moment. */
  all(): readonly HeldUnit[] {
    return [...this.#held.values()];
  }

  /** Power off, and on: generators run again, after /run was emptied. */
  clear(): void {
    this.#held.clear();
    this.#generated = new Map();
  }

  reload(): void {
    const { services } = generateQuadlets(this.#disk);
    this.#generated = new Map([...services].map(([name, text]) => [`${GENERATED_FOLDER}/${name}`, text]));
    for (const held of this.all()) held.unit = loadUnit(this.#files, held.name);
    for (const held of this.all()) for (const other of held.unit.references) this.hold(other);
    this.collect();
  }

  /** Aliases are not modelled. */
  sources(name: UnitName): UnitSources | null {
    const held = this.#held.get(name)?.unit;
    if (held === undefined) return null;
    const now = loadUnit(this.#files, name);
    const isOutdated = held.path !== now.path || held.text !== now.text;
    return { fragmentPath: held.path, dropinPaths: held.dropinPaths, names: [name], isOutdated };
  }

  /** The unit as held, read from disk if it was not, and with it all it names. One without a file is looked for again. */
  hold(name: UnitName): HeldUnit {
    const known = this.#held.get(name);
    if (known !== undefined && (known.unit.load !== "not-found" || isUp(known))) return known;
    const unit = loadUnit(this.#files, name);
    const held = known ?? newHeldUnit(name, unit);
    held.unit = unit;
    this.#held.set(name, held);
    for (const other of unit.references) if (!this.#held.has(other)) this.hold(other);
    return held;
  }

  /** It and all it requires can be loaded, or there is no job at all. */
  mustLoad(name: UnitName, doing: string, seen = new Set<UnitName>()): void {
    if (seen.has(name)) return;
    seen.add(name);
    const { unit } = this.hold(name);
    const refusal = unitNameParts(name).isTemplate ? "systemd-refused" : REFUSALS[unit.load];
    if (refusal !== undefined) {
      this.collect();
      throw new OperationError(refusal, `${doing}: Unit ${name} is ${unit.load}`);
    }
    for (const other of requiredBy(unit)) this.mustLoad(other, doing, seen);
  }

  /** Forgets every unit that nothing keeps. */
  collect(): void {
    const kept = new Set<UnitName>();
    const keep = (name: UnitName): void => {
      if (kept.has(name)) return;
      kept.add(name);
      for (const other of this.#held.get(name)?.unit.references ?? []) keep(other);
    };
    for (const held of this.#held.values()) if (held.active !== "inactive" || held.job !== null) keep(held.name);
    for (const name of [...this.#held.keys()]) if (!kept.has(name)) this.#held.delete(name);
  }
}
