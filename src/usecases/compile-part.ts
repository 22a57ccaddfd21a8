import { type Diagnostic, hasErrors } from "../domain/diagnostic.ts";
import type { CommitId } from "../domain/names.ts";
import { CommitPart } from "../domain/spec/commit-part.ts";
import type { GitSource } from "../ports/git-source.ts";
import { CommitFiles } from "./commit-files.ts";
import type { PartCompiler } from "./part-compiler.ts";

const NOTHING = new Uint8Array();

/** What of a commit is known before any unit of it is asked for; `part` is null where the manifest cannot be gone by. */
interface Opened {
  readonly part: CommitPart | null;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Reads of commits of that source the manifest, the names, and the contents of those files that the units asked for need: 250 units of
 * 1,000 cost a sixth of the whole. The last commit stays open for more of its units; files are remembered by blob.
 */
export function partCompiler(options: {
  readonly source: Pick<GitSource, "listFiles" | "readBlob">;
  readonly manifestPath: string;
}): PartCompiler {
  const { source, manifestPath } = options;
  const commits = new CommitFiles(source, manifestPath);
  let last: { readonly commit: CommitId; readonly opened: Promise<Opened> } | null = null;

  return async (commit, units) => {
    if (last?.commit !== commit) last = { commit, opened: open(commit) };
    const mine = last;
    let opened: Opened;
    try {
      opened = await mine.opened;
    } catch (error) {
      // What could not be read now may be readable later.
      if (last === mine) last = null;
      throw error;
    }
    const { part, diagnostics } = opened;
    if (part === null) return { spec: null, diagnostics };
    const problems: Diagnostic[] = [];
    const result = part.compile(units, await commits.readAll(part.filesOf(units), problems));
    const all = [...problems, ...result.diagnostics];
    return { spec: hasErrors(all) ? null : result.spec, diagnostics: all };
  };

  async function open(commit: CommitId): Promise<Opened> {
    const { manifest, diagnostics } = await commits.open(commit);
    if (manifest === null || hasErrors(diagnostics)) return { part: null, diagnostics };
    const { files, problem } = await commits.list(commit, manifest);
    if (problem !== null) return { part: null, diagnostics: [problem] };
    const named = files.map((file) => ({ ...file, bytes: NOTHING }));
    return { part: new CommitPart({ manifestPath, manifest, files: named, parse: commits.parse }), diagnostics };
  }
}
