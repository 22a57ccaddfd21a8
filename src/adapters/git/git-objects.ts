import { closeSync, openSync, readdirSync, readFileSync, readSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { constants, inflateSync } from "node:zlib";
import type { ObjectType } from "../../ports/object-source.ts";
import { OperationError } from "../../ports/operation-error.ts";
import { corrupt, type GitObject, objectId, tooLarge } from "./git-object.ts";
import { PackFile } from "./pack-file.ts";

/** git's own limit on chains of alternates. */
const ALTERNATES_DEPTH_MAX = 5;
/** A loose object's header, `commit 123\0`, is in the first few inflated bytes. */
const HEADER_BYTES = 4096;

/**
 * All objects of a repository: loose, packed, and those of its alternates. Every object read is hashed again and compared
 * with its id, so what a caller gets is what the id names, whatever happened to the disk.
 */
export class GitObjects {
  readonly #folders: readonly string[];
  readonly #packs = new Map<string, PackFile>();
  readonly #isOurs: boolean;

  /** `isOurs`: nobody else adds packs, and we say when we do (`refresh`). */
  constructor(objectsFolder: string, options: { readonly isOurs?: boolean } = {}) {
    this.#folders = withAlternates(objectsFolder, 0);
    this.#isOurs = options.isOurs ?? false;
    this.#scanPacks();
  }

  /** Looks for packs that were added, and lets go of those whose index is gone. */
  refresh(): void {
    for (const [path, pack] of this.#packs) {
      if (isThere(path)) continue;
      pack.close();
      this.#packs.delete(path);
    }
    this.#scanPacks();
  }

  close(): void {
    for (const pack of this.#packs.values()) pack.close();
    this.#packs.clear();
  }

  has(oid: string): boolean {
    return this.#find(oid) !== null;
  }

  /**
   * The object, or null where there is none. Where one copy of several is damaged, another one is read. Rejects with `blob-too-large`
   * before inflating, or `object-corrupt`.
   */
  read(oid: string, maxBytes: number): GitObject | null {
    let damage: unknown;
    for (const place of this.#places(oid)) {
      try {
        return this.#readAt(place, oid, maxBytes);
      } catch (error) {
        if (!(error instanceof OperationError && error.code === "object-corrupt")) throw error;
        damage ??= error;
      }
    }
    if (damage !== undefined) throw damage;
    return null;
  }

  #readAt(place: Place, oid: string, maxBytes: number): GitObject {
    const object =
      place.kind === "loose"
        ? readLoose(place.path, oid, maxBytes)
        : place.pack.read(oid, place.offset, maxBytes, (base) => this.#readBase(base, maxBytes));
    if (objectId(object) !== oid) throw corrupt(`object ${oid} does not have the content its id names`);
    return object;
  }

  /** Full ids that start with these hexadecimal digits (four at least); two are enough to know it is ambiguous. */
  idsStartingWith(digits: string): readonly string[] {
    const ids = new Set<string>();
    for (const folder of this.#folders) {
      const rest = digits.slice(2);
      for (const name of namesIn(join(folder, digits.slice(0, 2)))) {
        if (name.startsWith(rest) && /^[0-9a-f]{38}$/.test(name)) ids.add(digits.slice(0, 2) + name);
      }
    }
    for (const pack of this.#packs.values()) for (const id of pack.idsStartingWith(digits)) ids.add(id);
    return [...ids].sort();
  }

  #readBase(oid: string, maxBytes: number): GitObject {
    const base = this.read(oid, Math.max(maxBytes, 1024 * 1024));
    if (base === null) throw corrupt(`the base ${oid} of a delta is missing`);
    return base;
  }

  #find(oid: string): Place | null {
    for (const place of this.#places(oid)) return place;
    return null;
  }

  *#places(oid: string): Generator<Place> {
    if (!/^[0-9a-f]{40}$/.test(oid)) return;
    // Packs first: nearly everything of a cloned repository is in one, and a look there costs no system call.
    yield* this.#packed(oid, this.#packs.values());
    for (const folder of this.#folders) {
      const path = join(folder, oid.slice(0, 2), oid.slice(2));
      if (isThere(path)) yield { kind: "loose", path };
    }
    // Somebody may have fetched or repacked since we looked.
    if (!this.#isOurs) yield* this.#packed(oid, this.#scanPacks());
  }

  *#packed(oid: string, packs: Iterable<PackFile>): Generator<Place> {
    for (const pack of packs) {
      const offset = pack.offsetOf(oid);
      if (offset !== null) yield { kind: "packed", pack, offset };
    }
  }

  /** Opens packs not seen before and returns them. Packs that vanished stay open: their content is still right. */
  #scanPacks(): readonly PackFile[] {
    const found: PackFile[] = [];
    for (const folder of this.#folders) {
      for (const name of namesIn(join(folder, "pack"))) {
        const path = join(folder, "pack", name);
        if (!name.endsWith(".idx") || this.#packs.has(path)) continue;
        const pack = PackFile.open(path);
        this.#packs.set(path, pack);
        found.push(pack);
      }
    }
    return found;
  }
}

type Place =
  | { readonly kind: "loose"; readonly path: string }
  | { readonly kind: "packed"; readonly pack: PackFile; readonly offset: number };

function withAlternates(folder: string, depth: number): string[] {
  let text: string;
  try {
    text = readFileSync(join(folder, "info", "alternates"), "utf8");
  } catch (error) {
    if (isMissing(error)) return [folder];
    throw error;
  }
  if (depth >= ALTERNATES_DEPTH_MAX)
    throw new OperationError("alternates-too-deep", `${folder} has alternates of alternates without end`);
  const others = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return [folder, ...others.flatMap((other) => withAlternates(resolve(folder, other), depth + 1))];
}

function readLoose(path: string, oid: string, maxBytes: number): GitObject {
  const start = inflateStart(path);
  const headerEnd = start.indexOf(0);
  const header = /^(commit|tree|blob|tag) (\d{1,15})$/.exec(
    start.subarray(0, Math.max(0, headerEnd)).toString("latin1"),
  );
  if (header === null) throw corrupt(`${path} has no object header`);
  const size = Number(header[2]);
  if (size > maxBytes) throw tooLarge(oid, size, maxBytes);
  try {
    const inflated = inflateSync(readFileSync(path), { maxOutputLength: headerEnd + 1 + size });
    return { type: header[1] as ObjectType, content: inflated.subarray(headerEnd + 1) };
  } catch (cause) {
    throw corrupt(`${path} cannot be inflated`, cause);
  }
}

function inflateStart(path: string): Buffer {
  const descriptor = openSync(path, "r");
  try {
    const bytes = Buffer.allocUnsafe(HEADER_BYTES);
    const read = readSync(descriptor, bytes, 0, HEADER_BYTES, 0);
    return inflateSync(bytes.subarray(0, read), { finishFlush: constants.Z_SYNC_FLUSH });
  } catch (cause) {
    throw corrupt(`${path} cannot be inflated`, cause);
  } finally {
    closeSync(descriptor);
  }
}

/** What is there and cannot be read is for whoever reads it. */
function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === "ENOENT" || code === "ENOTDIR";
}
