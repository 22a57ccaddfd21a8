import { Args } from "@oclif/core";
import { OperationError } from "../../ports/operation-error.ts";
import { explainUnits, type StandingRepository } from "../../usecases/explain-units.ts";
import { BaseCommand, clusterFlags, outputFlags, repositoryFlags } from "../base-command.ts";
import { clusterName } from "../cluster-name.ts";
import { readClusterView } from "../cluster-view.ts";
import type { Composition } from "../composition.ts";
import { EXIT, SilentExit } from "../exit-codes.ts";
import { rolloutNow } from "../rollout-now.ts";
import { printable } from "../views/printable.ts";
import { syncTexts } from "../views/sync-text.ts";
import { whyJson, whyText } from "../views/why-text.ts";
import { unknownText } from "../views/why-verdict-text.ts";

const { revision: _head, ...standingFlags } = repositoryFlags;

export default class WhyCommand extends BaseCommand {
  static override summary = "Say why a unit is as it is, from the commit to its last journal lines";
  static override description =
    "Ends with 0 where every unit asked about is as the commit wants it, with 5 where one is not, with 1 where there is no such unit.";
  static override examples = ["fleet why db.service"];
  static override args = {
    units: Args.string({
      required: true,
      description: "Units by name, template or pattern such as 'web@*.service'; several may follow",
    }),
  };
  static override strict = false;
  static override flags = { ...standingFlags, ...clusterFlags, ...outputFlags };

  async run(): Promise<void> {
    const { flags, argv } = await this.parse(WhyCommand);
    const composition = await this.compose(flags);
    try {
      const registry = await composition.needRegistry();
      const keys = composition.keysOf(await clusterName(composition, flags.cluster));
      const view = await readClusterView(registry, keys);
      if (view.snapshot.release === null)
        throw new OperationError("no-release", "nothing has been released to this cluster yet", {
          next: "fleet apply makes the first release",
        });
      const explained = await explainUnits({
        asked: argv.map(String),
        reading: { ...view, rollout: rolloutNow(view.snapshot, view.report, Date.now()) },
        registry,
        keys,
        repository: await standingIn(composition),
        sha256: composition.sha256,
      });
      if (flags.json) this.printJson(whyJson(explained));
      else {
        const nowMs = Date.now();
        this.print(whyText(explained, view.snapshot.members, nowMs));
        // What was pushed and does not come is no unit's affair, and mostly why somebody asks.
        for (const text of syncTexts(view.report?.sync ?? {}, nowMs)) this.print(`\nthe branch  ${printable(text)}`);
        for (const unknown of explained.unknown) this.say(unknownText(unknown));
      }
      if (explained.unknown.length > 0) throw new SilentExit(EXIT.error);
      if (explained.explanations.some(({ verdict }) => verdict.state !== "as-wanted"))
        throw new SilentExit(EXIT.notConverged);
    } finally {
      await composition.close();
    }
  }
}

/** Who looks need not stand in a repository. */
async function standingIn(composition: Composition): Promise<StandingRepository | null> {
  try {
    const source = await composition.repository();
    await source.resolve("HEAD");
    return {
      source,
      compile: await composition.compiler(source),
      compileWorktree: source.worktree === null ? null : await composition.compiler(source.openWorktree()),
      manifestPath: composition.manifest,
    };
  } catch (error) {
    if (error instanceof OperationError) return null;
    throw error;
  }
}
