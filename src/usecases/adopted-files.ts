import { decodeTakeover, encodeTakeover, type TakeoverRecord } from "../codec/takeover-record.ts";
import { invariant } from "../domain/invariant.ts";
import type { UnitName } from "../domain/names.ts";
import { FOREIGN_FOLDER, FOREIGN_QUADLETS, type ForeignFiles } from "../domain/tasks/foreign-files.ts";
import { isQuadlet, unitNameParts } from "../domain/unit/unit-name.ts";
import type { FileStore } from "../ports/file-store.ts";
import { OperationError } from "../ports/operation-error.ts";

/** Where administrators, generators and packages put units, in systemd's order. */
const OTHERS_FOLDERS: readonly string[] = [
  FOREIGN_FOLDER,
  "/run/systemd/generator",
  "/usr/local/lib/systemd/system",
  "/usr/lib/systemd/system",
  "/lib/systemd/system",
  "/run/systemd/generator.late",
];

/** Where generators put what they make. */
const GENERATED = "/run/systemd/generator/";
/** Where administrators and packages put quadlets; podman's generator reads ours before them. */
const QUADLET_FOLDERS: readonly string[] = [FOREIGN_QUADLETS, "/usr/share/containers/systemd"];

/**
 * Files of units that others installed, as the agent reads them and puts them out of the way. What was taken over is kept, each file under
 * its old path: `adopted/web.service/etc/systemd/system/web.service`, and beside it `adopted/web.service.json`, which says what went.
 */
export class AdoptedFiles {
  readonly #files: FileStore;
  readonly #folder: string;

  constructor(files: FileStore, folder: string) {
    this.#files = files;
    this.#folder = folder;
  }

  async read(path: string): Promise<string | null> {
    try {
      return await this.#files.read(path);
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      return null;
    }
  }

  /**
   * The quadlet an administrator installed, and its drop-ins, where that service was made of it by a generator; null: it was not, or is
   * somewhere else.
   */
  async quadletOf(name: UnitName, fragmentPath: string): Promise<readonly string[] | null> {
    const path = `${FOREIGN_QUADLETS}/${name}`;
    if (!fragmentPath.startsWith(GENERATED) || (await this.isGone(path))) return null;
    const dropins = (await this.#files.list(`${path}.d`)).filter((conf) => conf.endsWith(".conf"));
    return [path, ...dropins.map((conf) => `${path}.d/${conf}`)];
  }

  /** Whether nothing is there by that name, not even a link. */
  async isGone(path: string): Promise<boolean> {
    const [print = null] = await this.#files.fingerprints([path]);
    return print === null;
  }

  /** Names of the files an administrator installed, units and quadlets among them. */
  async installed(): Promise<readonly string[]> {
    const names = await Promise.all([FOREIGN_FOLDER, FOREIGN_QUADLETS].map((folder) => this.#files.list(folder)));
    return names.flat();
  }

  /**
   * Of these units, by name, those somebody else has a file of, with its path: also where systemd does not hold them, because nothing needed
   * them yet. The template of an instance counts as its file. `/run/systemd/system`, where ours go, hides all of these but what is in /etc;
   * `/run/containers/systemd` all other quadlets.
   */
  async definedElsewhere(
    units: readonly { readonly name: UnitName; readonly service: UnitName }[],
  ): Promise<Map<UnitName, string>> {
    const found = new Map<UnitName, string>();
    const look = async (folders: readonly string[], names: ReadonlyMap<UnitName, UnitName>): Promise<void> => {
      if (names.size === 0) return;
      for (const folder of folders) {
        const there = new Set(await this.#files.list(folder));
        for (const [unit, name] of names) {
          const file = [name, unitNameParts(name).template].find((one) => one != null && there.has(one));
          if (file != null && !found.has(unit)) found.set(unit, `${folder}/${file}`);
        }
      }
    };
    const quadlets = units.filter(({ name }) => isQuadlet(name));
    const others = units.filter(({ name }) => !isQuadlet(name));
    await look(OTHERS_FOLDERS, new Map(others.map(({ name, service }) => [name, service])));
    await look(QUADLET_FOLDERS, new Map(quadlets.map(({ name }) => [name, name])));
    // What its own service was made of may have been ours: a generator made it at some earlier reload.
    const byHand = OTHERS_FOLDERS.filter((folder) => !folder.includes("/generator"));
    await look(byHand, new Map(quadlets.map(({ name, service }) => [name, service])));
    return found;
  }

  /** What enables units in /etc (`multi-user.target.wants/web.service`), by unit. */
  async links(): Promise<ReadonlyMap<string, readonly string[]>> {
    const links = new Map<string, string[]>();
    const folders = (await this.#files.list(FOREIGN_FOLDER)).filter((name) => /\.(wants|requires)$/.test(name));
    for (const folder of folders) {
      for (const unit of await this.#files.list(`${FOREIGN_FOLDER}/${folder}`)) {
        links.set(unit, [...(links.get(unit) ?? []), `${FOREIGN_FOLDER}/${folder}/${unit}`]);
      }
    }
    return links;
  }

  async takeover(unit: UnitName): Promise<TakeoverRecord | null> {
    return decodeTakeover(await this.read(`${this.#folder}/${unit}.json`));
  }

  /** Durable, before anything of it is moved. */
  async begin(unit: UnitName, foreign: ForeignFiles): Promise<void> {
    invariant(foreign.state === "same", `${unit} is not the same as ours`);
    const { fragmentPath, paths } = foreign;
    await this.#remember(unit, { fragmentPath, paths, done: false });
  }

  /** What a takeover has begun to put out of the way goes, the rest of it where it was cut short. */
  async finish(unit: UnitName): Promise<void> {
    const record = await this.takeover(unit);
    if (record === null || record.done) return;
    for (const path of record.paths) {
      await this.#files.move(path, `${this.#folder}/${unit}${path}`);
      if (/\.d\/[^/]+\.conf$/.test(path)) await this.#files.remove(path, { prune: true });
    }
    await this.#remember(unit, { ...record, done: true });
  }

  /** What a takeover put out of the way goes back where it was, links too; also the rest of it. False where nothing was taken over. */
  async giveBack(unit: UnitName): Promise<boolean> {
    const record = await this.takeover(unit);
    for (const path of record?.paths ?? []) await this.#files.move(`${this.#folder}/${unit}${path}`, path);
    return record !== null;
  }

  /** Once it has been given back for good. */
  async forget(unit: UnitName): Promise<void> {
    await this.#files.remove(`${this.#folder}/${unit}.json`);
  }

  async #remember(unit: UnitName, record: TakeoverRecord): Promise<void> {
    await this.#files.write(`${this.#folder}/${unit}.json`, encodeTakeover(record), { mode: 0o600 });
  }
}
