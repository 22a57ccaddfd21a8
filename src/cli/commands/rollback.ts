import { Args, Flags } from "@oclif/core";
import { chooseRollback } from "../../domain/history/choose-rollback.ts";
import { OperationError } from "../../ports/operation-error.ts";
import { CommitBook } from "../../usecases/commit-facts.ts";
import { rolloutOfRelease } from "../../usecases/list-history.ts";
import { readReleases } from "../../usecases/read-releases.ts";
import { type Rollback, writeRollback } from "../../usecases/roll-back.ts";
import { BaseCommand, clusterFlags, outputFlags, repositoryFlags } from "../base-command.ts";
import { clusterName } from "../cluster-name.ts";
import { commitOfWord } from "../commit-of-word.ts";
import type { Composition } from "../composition.ts";
import { placeToCommit } from "../place-to-commit.ts";
import { commitFromFlags, planFromFlags } from "../plan-from-flags.ts";
import { terminalOf } from "../terminal-of.ts";
import { diagnosticsText } from "../views/diagnostics-text.ts";
import { planJson } from "../views/plan-json.ts";
import { planText } from "../views/plan-text.ts";

const { revision: _head, ...standingFlags } = repositoryFlags;

export default class RollbackCommand extends BaseCommand {
  static override summary = "Commit the files of an earlier release again, and show the plan of that";
  static override description =
    "Machines go forward only: going back is a commit on top of the branch you stand on, with the whole tree of the earlier one, made and signed by git as you have configured it. Nothing is pushed or applied, unless --push.";
  static override examples = ["fleet rollback", "fleet rollback @1 --why 'it was slower'"];
  static override args = {
    to: Args.string({
      description:
        "How many releases back (1, 2 …), a release (@3) or a revision; by default the last release that ended well",
    }),
  };
  static override flags = {
    ...standingFlags,
    ...clusterFlags,
    ...outputFlags,
    why: Flags.string({ char: "m", description: "The reason, for the commit's message" }),
    push: Flags.boolean({ description: "Push the branch: where the cluster follows it, that applies it" }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(RollbackCommand);
    const composition = await this.compose(flags);
    try {
      const source = await composition.repository();
      const { branch, git } = await placeToCommit(source);
      const head = await commitFromFlags(composition, "HEAD");
      const chosen = await this.choose(composition, args.to ?? null, flags.cluster);
      const { history } = new CommitBook(source, composition.manifest);
      const commit = await writeRollback(source, history, git, head, { ...chosen, why: flags.why ?? null });
      // A commit that this fleet would refuse moves no branch.
      const planned = await planFromFlags(composition, commit);
      await git.fastForward(commit);
      if (planned.diagnostics.length > 0) this.say(diagnosticsText(planned.diagnostics));
      if (flags.json) this.printJson({ commit, branch, target: chosen.target, plan: planJson(planned) });
      else this.print(planText(planned, terminalOf(process.stdout, flags["no-color"])));
      this.say(`committed ${commit.slice(0, 12)} on ${branch}, with the files of ${chosen.target.slice(0, 12)}`);
      if (flags.push) await git.push(branch);
      this.say(flags.push ? "pushed; next: fleet apply, unless the cluster follows the branch" : NEXT);
    } finally {
      await composition.close();
    }
  }

  private async choose(
    composition: Composition,
    to: string | null,
    cluster: string | undefined,
  ): Promise<Omit<Rollback, "why">> {
    const back = to === null || !/^[1-9]\d{0,2}$/.test(to) ? null : Number(to);
    if (to !== null && back === null) {
      const seq = /^@(\d{1,15})$/.exec(to)?.[1];
      const target = await commitOfWord(composition, to, cluster);
      return { target, seq: seq === undefined ? null : Number(seq), from: null };
    }
    const registry = await composition.needRegistry();
    const keys = composition.keysOf(await clusterName(composition, cluster));
    const releases = await readReleases(registry, keys);
    const rollout = await rolloutOfRelease(registry, keys, releases.at(-1) ?? null);
    const chosen = chooseRollback(releases, rollout, back);
    if (chosen.kind === "none") {
      const saw = chosen.because === "no-release" ? "nothing has been released yet" : "there is no release so far back";
      throw new OperationError(chosen.because, saw, { next: "see `fleet history`, or name a revision" });
    }
    const { release, inForce, failed } = chosen;
    return { target: release.commit, seq: release.seq, from: { seq: inForce.seq, failed } };
  }
}

const NEXT = "nothing is pushed or applied; next: git push && fleet apply (git reset --hard HEAD~1 takes it back)";
