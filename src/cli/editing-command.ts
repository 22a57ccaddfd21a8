import { Args, Flags } from "@oclif/core";
import { EditedTree } from "../adapters/git/edited-tree.ts";
import type { EditableRepository, EditedUnits } from "../domain/edit/edit-units.ts";
import type { CommitId } from "../domain/names.ts";
import { OperationError } from "../ports/operation-error.ts";
import { type ChangedFile, editRepository } from "../usecases/edit-repository.ts";
import { BaseCommand, clusterFlags, outputFlags, repositoryFlags } from "./base-command.ts";
import type { Composition } from "./composition.ts";
import { EXIT, SilentExit } from "./exit-codes.ts";
import { placeToCommit } from "./place-to-commit.ts";
import { type Planned, planFromFlags } from "./plan-from-flags.ts";
import { errorText, RejectedCommit } from "./report-error.ts";
import { terminalOf } from "./terminal-of.ts";
import { editNoteText, editProblemText } from "./views/edit-text.ts";
import { planJson } from "./views/plan-json.ts";
import { planText } from "./views/plan-text.ts";
import { writtenDiff } from "./views/written-diff.ts";
import { writeFiles } from "./write-files.ts";

const { revision: _head, ...standingFlags } = repositoryFlags;

/** What every command takes that edits the repository. */
export const editingFlags = {
  ...standingFlags,
  ...clusterFlags,
  ...outputFlags,
  commit: Flags.boolean({ description: "Commit the change, signed as git is configured" }),
  push: Flags.boolean({ description: "Commit it and push the branch: where the cluster follows it, that applies it" }),
  why: Flags.string({ char: "m", description: "The reason, for the commit's message" }),
};

export const editingArgs = {
  units: Args.string({ required: true, description: "Units by name, or their files; several may follow" }),
};

interface EditingFlags {
  readonly commit: boolean;
  readonly push: boolean;
  readonly why?: string | undefined;
  readonly json: boolean;
  readonly "no-color": boolean;
}

/**
 * A verb of fleetctl as an edit of the repository: shown as a diff, with the plan of what a cluster would make of it, written into the working
 * tree, and committed if asked to. A running cluster is touched by nothing but a commit. Nothing is written unless the outcome compiles.
 */
export abstract class EditingCommand extends BaseCommand {
  protected async change(
    flags: EditingFlags & Parameters<BaseCommand["compose"]>[0],
    subject: string,
    decide: (repository: EditableRepository) => EditedUnits,
  ): Promise<void> {
    const composition = await this.compose(flags);
    try {
      const source = await composition.repository();
      const { worktree } = source;
      if (worktree === null) {
        throw new OperationError("no-worktree", "this is a bare repository: there is nothing to write into");
      }
      const place = flags.commit || flags.push ? await placeToCommit(source) : null;
      const tree = source.openWorktree();
      const result = await editRepository({
        tree,
        manifestPath: composition.manifest,
        compile: (one) => composition.compiler(one),
        withEdits: (one, edits) => new EditedTree(one, edits),
        decide,
      });
      if (result.kind === "rejected") throw new RejectedCommit(result.diagnostics);
      for (const note of result.edited.notes) this.say(editNoteText(note));
      if (result.kind === "refused") return this.#refuse(result.edited);
      const edits = result.files.map(({ path, after }) => ({ path, bytes: after }));
      const planned = edits.length === 0 ? null : await this.#plan(composition, new EditedTree(tree, edits));
      await writeFiles(worktree, edits);
      const commit =
        place === null || edits.length === 0
          ? null
          : await place.git.commitPaths(
              edits.map(({ path }) => path),
              messageOf(subject, flags.why),
            );
      this.#show(result.files, planned, commit, flags);
      if (commit !== null) this.say(`committed ${commit.slice(0, 12)} on ${place!.branch}: ${subject}`);
      if (commit !== null && flags.push) await place!.git.push(place!.branch);
      if (edits.length > 0) this.say(nextStep(commit, flags.push));
    } finally {
      await composition.close();
    }
  }

  #refuse({ problems }: EditedUnits): never {
    for (const problem of problems) this.say(editProblemText(problem));
    this.say("nothing was changed");
    throw new SilentExit(EXIT.error);
  }

  /** The cluster need not be there for somebody to edit a file; then it says why there is no plan. */
  async #plan(composition: Composition, tree: EditedTree): Promise<Planned | null> {
    try {
      return await planFromFlags(composition, "HEAD", { tree });
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      this.say(`no plan can be made:\n${errorText(error)}`);
      return null;
    }
  }

  #show(files: readonly ChangedFile[], planned: Planned | null, commit: CommitId | null, flags: EditingFlags): void {
    if (flags.json) {
      const changed = files.map(({ path, after }) => ({ path, change: after === null ? "removed" : "written" }));
      this.printJson({ files: changed, commit, plan: planned === null ? null : planJson(planned) });
      return;
    }
    for (const { path, before, after } of files) this.print(writtenDiff(path, textOf(before), textOf(after)));
    if (files.length === 0) this.print("nothing to change");
    else if (planned !== null) this.print(`\n${planText(planned, terminalOf(process.stdout, flags["no-color"]))}`);
  }
}

function messageOf(subject: string, why: string | undefined): string {
  return why === undefined ? `${subject}\n` : `${subject}\n\n${why}\n`;
}

function nextStep(commit: CommitId | null, push: boolean): string {
  if (commit === null) return "written to the working tree; next: git commit, or the same command with --commit";
  return push ? "pushed; next: fleet apply, unless the cluster follows the branch" : "next: git push && fleet apply";
}

function textOf(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : new TextDecoder().decode(bytes);
}
