import { recipientTag } from "../codec/signatures/machine-ssh-key.ts";
import { type Diagnostic, hasErrors } from "../domain/diagnostic.ts";
import { withExcerpts } from "../domain/lint/excerpt-of.ts";
import type { LintFinding } from "../domain/lint/lint-rules.ts";
import { lintUnitFile } from "../domain/lint/lint-unit-file.ts";
import type { CommitId, Sha256 } from "../domain/names.ts";
import { compileSpec } from "../domain/spec/compile-spec.ts";
import type { RepositoryFile } from "../domain/spec/repository-files.ts";
import type { UnitFile } from "../domain/unit/unit-file.ts";
import type { UnitType } from "../domain/unit/unit-name.ts";
import type { GitSource } from "../ports/git-source.ts";
import type { CommitCompiler } from "./commit-compiler.ts";
import { CommitFiles } from "./commit-files.ts";
import { CommitTrusts } from "./commit-trust.ts";
import { LeastRecent } from "./least-recent.ts";

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
  /**
   * For people and for whoever makes releases: they are also told what is legal and most likely not meant, and which secrets do not reach
   * where they are needed, and are shown the lines of all findings.
   */
  readonly lint?: boolean;
  /** See CompileInput. */
  readonly registryPorts?: readonly number[];
  /** See CompileInput. */
  readonly assumeSecrets?: true;
}): CommitCompiler {
  const { source, manifestPath, sha256 } = options;
  const commits = new CommitFiles(source, manifestPath);
  const trusts = new CommitTrusts(source, manifestPath, null);
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
    const { manifest, bytes, diagnostics } = await commits.open(commit);
    const own: [string, Uint8Array][] = bytes === null ? [] : [[manifestPath, bytes]];
    if (manifest === null) return failed(shown(diagnostics, new Map(own)));
    const { sources, files: listed, problem } = await commits.list(commit, manifest);
    if (problem !== null) return failed([...diagnostics, problem]);
    const isNeeded = ({ path, kind }: { path: string; kind: string }) => kind === "file" && sources.needs(path);
    const problems: Diagnostic[] = [];
    const read = await commits.readAll(listed.filter(isNeeded), problems);
    const files: RepositoryFile[] = listed.flatMap((file) => {
      const content = isNeeded(file) ? read.get(file.path) : new Uint8Array();
      return content === undefined ? [] : [{ ...file, bytes: content }];
    });
    if (manifest.trust !== null) problems.push(...(await signerProblems(commit)));
    const { registryPorts = [], assumeSecrets } = options;
    const { parse } = commits;
    const looks = {
      ...(options.lint === true ? { lint, recipientTag } : {}),
      ...(assumeSecrets === undefined ? {} : { assumeSecrets }),
    };
    const input = { manifestPath, manifest, files, parse, registryPorts, ...looks };
    const result = compileSpec(input, sha256);
    const all = shown([...diagnostics, ...problems, ...result.diagnostics], new Map([...read, ...own]));
    return { spec: hasErrors(all) ? null : result.spec, diagnostics: all };
  }

  /** Of the file whose keys are trusted after this commit: one that cannot be read would lock everybody out. */
  async function signerProblems(commit: CommitId): Promise<readonly Diagnostic[]> {
    const { diagnostics } = await trusts.at(commit);
    return diagnostics.filter(({ code }) => code.startsWith("signers-"));
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
}

function failed(diagnostics: readonly Diagnostic[]): Compiled {
  return { spec: null, diagnostics };
}
