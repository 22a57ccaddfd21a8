import { MANIFEST_BYTES_MAX, readManifest } from "../codec/manifest/read-manifest.ts";
import { type Diagnostic, hasErrors } from "../domain/diagnostic.ts";
import { withExcerpts } from "../domain/lint/excerpt-of.ts";
import type { LintFinding } from "../domain/lint/lint-rules.ts";
import { lintUnitFile } from "../domain/lint/lint-unit-file.ts";
import type { CommitId, Sha256 } from "../domain/names.ts";
import { compileSpec } from "../domain/spec/compile-spec.ts";
import { manifestSources, type RepositoryFile } from "../domain/spec/repository-files.ts";
import { type ParsedUnitFile, parseUnitFile, UNIT_FILE_MAX } from "../domain/unit/parse-unit-file.ts";
import type { UnitFile } from "../domain/unit/unit-file.ts";
import type { UnitType } from "../domain/unit/unit-name.ts";
import type { GitSource, TreeFile } from "../ports/git-source.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { CommitCompiler } from "./commit-compiler.ts";
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
/** Specs remembered: the one in force, the one before it, and the one being looked at, with room for a rollback. */
const REMEMBERED_SPECS_MAX = 4;

type Compiled = Awaited<ReturnType<CommitCompiler>>;

/**
 * Reads commits of that source and compiles them. Files are remembered by blob, so a second commit reads only what is new;
 * specs by commit. Problems of the repository come back as diagnostics; rejects with OperationError where the commit cannot
 * be read. For the working tree make one of its own: its "commit" is always the same.
 */
export function commitCompiler(options: {
  readonly source: Pick<GitSource, "listFiles" | "readBlob">;
  readonly manifestPath: string;
  readonly sha256: Sha256;
  /** For people, who are also told what is legal and most likely not meant, and are shown the lines of all findings. */
  readonly lint?: boolean;
  /** See CompileInput. */
  readonly registryPorts?: readonly number[];
}): CommitCompiler {
  const { source, manifestPath, sha256 } = options;
  const contents = new LeastRecent<string, Uint8Array>(REMEMBERED_BYTES_MAX);
  const parsed = new LeastRecent<string, ParsedUnitFile>(REMEMBERED_BYTES_MAX);
  const linted = new WeakMap<UnitFile, readonly LintFinding[]>();
  const compiled = new LeastRecent<CommitId, Promise<Compiled>>(REMEMBERED_SPECS_MAX);

  return (commit) => {
    const known = compiled.get(commit);
    if (known !== undefined) return known;
    const compiling = compile(commit);
    compiled.set(commit, compiling, 1);
    // What could not be read now may be readable later.
    compiling.catch(() => compiled.delete(commit));
    return compiling;
  };

  async function compile(commit: CommitId): Promise<Compiled> {
    const [manifestFile] = (await source.listFiles(commit, [manifestPath])).filter(({ path }) => path === manifestPath);
    if (manifestFile === undefined || manifestFile.kind !== "file")
      return failed([manifestMissing(manifestPath, manifestFile)]);
    const bytes = await readOrNull(manifestFile, MANIFEST_BYTES_MAX);
    if (bytes === null) return failed([tooLarge(manifestPath, MANIFEST_BYTES_MAX)]);
    const { manifest, diagnostics } = readManifest(manifestPath, bytes);
    if (manifest === null) return failed(shown(diagnostics, new Map([[manifestPath, bytes]])));

    const sources = manifestSources(manifestPath, manifest);
    const listed = await source.listFiles(commit, sources.folders);
    const needed = listed.filter(({ path, kind }) => kind === "file" && sources.needs(path));
    if (needed.length > FILES_MAX) return failed([...diagnostics, tooManyFiles(manifestPath, needed.length)]);
    const problems: Diagnostic[] = [];
    const read = await readAll(needed, problems);
    const files: RepositoryFile[] = listed.flatMap(({ path, kind, oid }) => {
      const content = kind === "file" && sources.needs(path) ? read.get(path) : new Uint8Array();
      return content === undefined ? [] : [{ path, kind, oid, bytes: content }];
    });
    const { registryPorts = [] } = options;
    const input = { manifestPath, manifest, files, parse, registryPorts, ...(options.lint === true ? { lint } : {}) };
    const result = compileSpec(input, sha256);
    const all = shown([...diagnostics, ...problems, ...result.diagnostics], read.set(manifestPath, bytes));
    return { spec: hasErrors(all) ? null : result.spec, diagnostics: all };
  }

  /** Contents by path. Files that are too large are missing, and a problem each. */
  async function readAll(files: readonly TreeFile[], problems: Diagnostic[]): Promise<Map<string, Uint8Array>> {
    const read = new Map<string, Uint8Array>();
    let total = 0;
    let next = 0;
    const readSome = async (): Promise<void> => {
      for (let file = files[next++]; file !== undefined; file = files[next++]) {
        const bytes = await readOrNull(file, UNIT_FILE_MAX);
        if (bytes === null) {
          problems.push(tooLarge(file.path, UNIT_FILE_MAX));
          continue;
        }
        total += bytes.length;
        if (total > COMMIT_BYTES_MAX) {
          // Ends every reader; one of them says why.
          if (next <= files.length) problems.push(tooManyBytes(manifestPath));
          next = files.length + 1;
          return;
        }
        read.set(file.path, bytes);
      }
    };
    // One at first: it opens the pack, which concurrent first reads would each do again.
    const first = files[0];
    if (first !== undefined) await readOrNull(first, UNIT_FILE_MAX);
    await Promise.all(Array.from({ length: READS_IN_FLIGHT }, readSome));
    problems.sort((a, b) => ((a.at?.path ?? "") < (b.at?.path ?? "") ? -1 : 1));
    return read;
  }

  async function readOrNull(file: TreeFile, maxBytes: number): Promise<Uint8Array | null> {
    const known = contents.get(file.oid);
    if (known !== undefined) return known;
    try {
      const bytes = await source.readBlob(file.oid, maxBytes);
      contents.set(file.oid, bytes, bytes.length + REMEMBERED_FILE_BYTES);
      return bytes;
    } catch (error) {
      if (error instanceof OperationError && error.code === "blob-too-large") return null;
      throw error;
    }
  }

  function shown(diagnostics: readonly Diagnostic[], read: ReadonlyMap<string, Uint8Array>): readonly Diagnostic[] {
    if (options.lint !== true) return diagnostics;
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    return withExcerpts(diagnostics, (path) => {
      const bytes = read.get(path);
      return bytes === undefined ? null : decoder.decode(bytes);
    });
  }

  /** One file is always for units of one type, by its path. */
  function lint(file: UnitFile, type: UnitType | null): readonly LintFinding[] {
    const known = linted.get(file);
    if (known !== undefined) return known;
    const findings = lintUnitFile(file, type);
    linted.set(file, findings);
    return findings;
  }

  /** Diagnostics inside name the path, so the same blob under two paths is parsed twice. */
  function parse(path: string, bytes: Uint8Array, oid: string): ParsedUnitFile {
    const key = `${oid} ${path}`;
    const known = parsed.get(key);
    if (known !== undefined) return known;
    const file = parseUnitFile(path, bytes);
    if (oid !== "") parsed.set(key, file, bytes.length + REMEMBERED_FILE_BYTES);
    return file;
  }
}

function failed(diagnostics: readonly Diagnostic[]): Compiled {
  return { spec: null, diagnostics };
}

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
