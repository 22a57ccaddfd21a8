import { hasErrors } from "../domain/diagnostic.ts";
import type { CommitId } from "../domain/names.ts";
import { type MachinePreview, previewMachine } from "../domain/standalone/preview-machine.ts";
import type { Composition } from "./composition.ts";
import { parseMetadata } from "./metadata-flag.ts";
import { commitFromFlags } from "./plan-from-flags.ts";
import { RejectedCommit } from "./report-error.ts";

export interface MachinePlanFlags {
  readonly machine: string;
  readonly metadata?: string | undefined;
  readonly revision: string;
  readonly against?: string | undefined;
  readonly worktree: boolean;
}

export interface MachinePlan extends MachinePreview {
  readonly commit: CommitId;
  /** What the changes are counted from; null: the machine runs nothing yet. */
  readonly against: CommitId | null;
}

/** What one standalone machine would run of a commit, from git alone. Throws RejectedCommit for one that does not compile. */
export async function planMachine(composition: Composition, flags: MachinePlanFlags): Promise<MachinePlan> {
  const repository = await composition.repository();
  const commit = await commitFromFlags(composition, flags.revision);
  const against =
    flags.against !== undefined
      ? await commitFromFlags(composition, flags.against)
      : flags.worktree
        ? commit
        : await repository.resolve(`${flags.revision}~1`);
  const compileCommits = await composition.compiler(repository);
  const compile = flags.worktree ? await composition.compiler(repository.openWorktree()) : compileCommits;
  const { spec, diagnostics } = await compile(commit);
  if (spec === null || hasErrors(diagnostics)) throw new RejectedCommit(diagnostics);
  const base = against === null ? null : (await compileCommits(against)).spec;
  const described = { nameOrId: flags.machine, metadata: parseMetadata(flags.metadata ?? "") };
  const preview = previewMachine(spec, base, described, composition.sha256);
  return { ...preview, commit, against: base === null ? null : against };
}
