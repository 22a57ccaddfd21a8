import { MANIFEST_BYTES_MAX, readManifest } from "../codec/manifest/read-manifest.ts";
import type { Diagnostic } from "../domain/diagnostic.ts";
import type { CommitId } from "../domain/names.ts";
import { DELIVERED_FILE_MAX } from "../domain/spec/delivered-file.ts";
import type { Manifest } from "../domain/spec/manifest.ts";
import { type ManifestSources, manifestSources } from "../domain/spec/repository-files.ts";
import { type ParsedUnitFile, parseUnitFile, UNIT_FILE_MAX } from "../domain/unit/parse-unit-file.ts";
import { QUADLET_TYPES, UNIT_TYPES } from "../domain/unit/unit-name.ts";
import type { GitSource, TreeFile } from "../ports/git-source.ts";
import { OperationError } from "../ports/operation-error.ts";
import { LeastRecent } from "./least-recent.ts";

/** A mirror's first reads share one pack; beyond this many in flight reading gets no faster. */
const READS_IN_FLIGHT = 16;
/** The largest repository the plan is measured with. More files are most likely not units. */
const FILES_MAX = 20_000;
/** All contents of one commit: an average of 6 KiB for each of 20,000 files; the average unit has less than 1 KiB. */
const COMMIT_BYTES_MAX = 128 * 1024 * 1024;
/** Contents, and as many bytes of parsed files, remembered across commits so that the next one reads only what changed. */
const REMEMBERED_BYTES_MAX = COMMIT_BYTES_MAX;
/** What a remembered file costs beside its content. */
const REMEMBERED_FILE_BYTES = 256;

/** A commit's manifest and what it is about. */
export interface OpenCommit {
  /** Null where it cannot be gone by; then `diagnostics` says why. */
  readonly manifest: Manifest | null;
  /** The manifest's own; null where it could not be read. */
  readonly bytes: Uint8Array | null;
  readonly diagnostics: readonly Diagnostic[];
}

export interface ListedCommit {
  readonly sources: ManifestSources;
  /** Everything in the manifest's folders. */
  readonly files: readonly TreeFile[];
  /** Too many; null: not so. */
  readonly problem: Diagnostic | null;
}

/** Reads the files of commits of one source, and remembers them by blob: a second commit reads only what is new. */
export class CommitFiles {
  readonly #source: Pick<GitSource, "listFiles" | "readBlob" | "prefetch">;
  readonly #manifestPath: string;
  readonly #contents = new LeastRecent<string, Uint8Array>(REMEMBERED_BYTES_MAX);
  readonly #parsed = new LeastRecent<string, ParsedUnitFile>(REMEMBERED_BYTES_MAX);
  #opened: { readonly oid: string; readonly commit: OpenCommit } | null = null;

  constructor(source: Pick<GitSource, "listFiles" | "readBlob" | "prefetch">, manifestPath: string) {
    this.#source = source;
    this.#manifestPath = manifestPath;
  }

  /** The same value for the same manifest. Rejects with OperationError where the commit cannot be read. */
  async open(commit: CommitId): Promise<OpenCommit> {
    const path = this.#manifestPath;
    const [file] = (await this.#source.listFiles(commit, [path])).filter((listed) => listed.path === path);
    if (file === undefined || file.kind !== "file") {
      return { manifest: null, bytes: null, diagnostics: [manifestMissing(path, file)] };
    }
    if (this.#opened?.oid === file.oid) return this.#opened.commit;
    const bytes = await this.#readOrNull(file, MANIFEST_BYTES_MAX);
    if (bytes === null) return { manifest: null, bytes: null, diagnostics: [tooLarge(path, MANIFEST_BYTES_MAX)] };
    this.#opened = { oid: file.oid, commit: { bytes, ...readManifest(path, bytes) } };
    return this.#opened.commit;
  }

  async list(commit: CommitId, manifest: Manifest): Promise<ListedCommit> {
    const sources = manifestSources(this.#manifestPath, manifest);
    const files = await this.#source.listFiles(commit, sources.folders);
    const count = files.filter(({ path, kind }) => kind === "file" && sources.needs(path)).length;
    return { sources, files, problem: count > FILES_MAX ? tooManyFiles(this.#manifestPath, count) : null };
  }

  /** Contents by path. Files that are too large are missing, and a problem each. */
  async readAll(files: readonly TreeFile[], problems: Diagnostic[]): Promise<Map<string, Uint8Array>> {
    const read = new Map<string, Uint8Array>();
    const unread = files.map(({ oid }) => oid).filter((oid) => this.#contents.get(oid) === undefined);
    if (unread.length > 0) await this.#source.prefetch?.(unread, Math.max(...files.map(bytesMax)));
    let total = 0;
    let next = 0;
    const readSome = async (): Promise<void> => {
      for (let file = files[next++]; file !== undefined; file = files[next++]) {
        const bytes = await this.#readOrNull(file, bytesMax(file));
        if (bytes === null) {
          problems.push(tooLarge(file.path, bytesMax(file)));
          continue;
        }
        total += bytes.length;
        if (total > COMMIT_BYTES_MAX) {
          // Ends every reader; one of them says why.
          if (next <= files.length) problems.push(tooManyBytes(this.#manifestPath));
          next = files.length + 1;
          return;
        }
        read.set(file.path, bytes);
      }
    };
    // One at first: it opens the pack, which concurrent first reads would each do again.
    const first = files[0];
    if (first !== undefined) await this.#readOrNull(first, bytesMax(first));
    await Promise.all(Array.from({ length: READS_IN_FLIGHT }, readSome));
    problems.sort((a, b) => ((a.at?.path ?? "") < (b.at?.path ?? "") ? -1 : 1));
    return read;
  }

  /** Diagnostics inside name the path, so the same blob under two paths is parsed twice. */
  readonly parse = (path: string, bytes: Uint8Array, oid: string): ParsedUnitFile => {
    const key = `${oid} ${path}`;
    const known = this.#parsed.get(key);
    if (known !== undefined) return known;
    const file = parseUnitFile(path, bytes);
    if (oid !== "") this.#parsed.set(key, file, bytes.length + REMEMBERED_FILE_BYTES);
    return file;
  };

  async #readOrNull(file: TreeFile, maxBytes: number): Promise<Uint8Array | null> {
    const known = this.#contents.get(file.oid);
    if (known !== undefined) return known;
    try {
      const bytes = await this.#source.readBlob(file.oid, maxBytes);
      this.#contents.set(file.oid, bytes, bytes.length + REMEMBERED_FILE_BYTES);
      return bytes;
    } catch (error) {
      if (error instanceof OperationError && error.code === "blob-too-large") return null;
      throw error;
    }
  }
}

/** What a file may have: what is no unit is for units to read. */
function bytesMax({ path }: TreeFile): number {
  const isText = !path.includes("/files/") && UNIT_ENDING.test(path);
  return isText ? UNIT_FILE_MAX : DELIVERED_FILE_MAX;
}

const UNIT_ENDING = new RegExp(`\\.(conf|${[...UNIT_TYPES, ...QUADLET_TYPES].join("|")})$`);

function manifestMissing(path: string, found: TreeFile | undefined): Diagnostic {
  return {
    code: "manifest-missing",
    severity: "error",
    at: { path },
    saw: found === undefined ? `no ${path} in the commit` : `${path} is a ${found.kind}`,
    expected: "a manifest",
    next: "run `fleet init` and commit what it writes, or name the manifest with --manifest",
  };
}

function tooLarge(path: string, maxBytes: number): Diagnostic {
  return {
    code: "file-too-large",
    severity: "error",
    at: { path },
    saw: `a file of more than ${maxBytes} bytes`,
    next: "move it out of the folders of units",
  };
}

function tooManyBytes(path: string): Diagnostic {
  return {
    code: "too-many-bytes",
    severity: "error",
    at: { path },
    saw: `more than ${COMMIT_BYTES_MAX} bytes under the manifest's paths`,
    next: "name narrower folders under `paths:`",
  };
}

function tooManyFiles(path: string, count: number): Diagnostic {
  return {
    code: "too-many-files",
    severity: "error",
    at: { path },
    saw: `${count} files under the manifest's paths`,
    expected: `at most ${FILES_MAX}`,
    next: "name narrower folders under `paths:`",
  };
}
