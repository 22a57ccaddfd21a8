import { type Diagnostic, hasErrors } from "../domain/diagnostic.ts";
import type { CommitId, UnitName } from "../domain/names.ts";
import { CommitPart } from "../domain/spec/commit-part.ts";
import type { GitSource } from "../ports/git-source.ts";
import { CommitFiles } from "./commit-files.ts";
import type { PartCompiler } from "./part-compiler.ts";

const NOTHING = new Uint8Array();

type Compiled = Awaited<ReturnType<PartCompiler>>;

/** What of a commit is known before any unit of it is asked for. */
interface Opened {
  /** Null where the manifest cannot be gone by. */
  readonly part: CommitPart | null;
  readonly diagnostics: readonly Diagnostic[];
}

/** What came of which units of which contents. */
interface Done {
  readonly names: object;
  readonly units: ReadonlySet<UnitName>;
  readonly files: string;
  readonly compiled: Compiled;
}

/**
 * Reads of commits of that source the manifest, the names, and the contents of those files that the units asked for need. The last commit
 * stays open for more of its units; files are remembered by blob, and where none of those needed has changed the answer is the one before.
 */
export function partCompiler(options: {
  readonly source: Pick<GitSource, "listFiles" | "readBlob">;
  readonly manifestPath: string;
}): PartCompiler {
  const { source, manifestPath } = options;
  const commits = new CommitFiles(source, manifestPath);
  let last: { readonly commit: CommitId; readonly opened: Promise<Opened> } | null = null;
  let before: CommitPart | null = null;
  let done: Done | null = null;

  return async (commit, units) => {
    if (last?.commit !== commit) last = { commit, opened: open(commit) };
    const mine = last;
    try {
      return await compile(await mine.opened, units);
    } catch (error) {
      // What could not be read now may be readable later.
      if (last === mine) last = null;
      throw error;
    }
  };

  async function compile({ part, diagnostics }: Opened, units: ReadonlySet<UnitName>): Promise<Compiled> {
    if (part === null) return { spec: null, diagnostics };
    const needed = part.filesOf(units);
    const files = needed.map(({ path, oid }) => `${oid} ${path}`).join("\n");
    const isSame = done?.names === part.names && done.files === files && isSameSet(done.units, units);
    if (isSame && done !== null) return done.compiled;
    const problems: Diagnostic[] = [];
    const result = part.compile(units, await commits.readAll(needed, problems));
    const all = [...problems, ...result.diagnostics];
    const compiled = { spec: hasErrors(all) ? null : result.spec, diagnostics: all };
    // Of a commit with errors other files may be mended without a change of these.
    done = compiled.spec === null ? null : { names: part.names, units, files, compiled };
    return compiled;
  }

  async function open(commit: CommitId): Promise<Opened> {
    const { manifest, diagnostics } = await commits.open(commit);
    if (manifest === null || hasErrors(diagnostics)) return { part: null, diagnostics };
    const { files, problem } = await commits.list(commit, manifest);
    if (problem !== null) return { part: null, diagnostics: [problem] };
    const named = files.map((file) => ({ ...file, bytes: NOTHING }));
    before = new CommitPart({ manifestPath, manifest, files: named, parse: commits.parse }, before);
    return { part: before, diagnostics };
  }
}

function isSameSet(a: ReadonlySet<UnitName>, b: ReadonlySet<UnitName>): boolean {
  return a.size === b.size && [...a].every((name) => b.has(name));
}
