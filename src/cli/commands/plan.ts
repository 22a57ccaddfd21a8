import { Flags } from "@oclif/core";
import { encodePlan } from "../../codec/plan/encode-plan.ts";
import { whyReplaced } from "../../usecases/refuse-replaced.ts";
import { REPLACED_NEXT } from "../../usecases/replaced-detail.ts";
import { BaseCommand, clusterFlags, outputFlags, repositoryFlags } from "../base-command.ts";
import type { Composition } from "../composition.ts";
import { EXIT, SilentExit } from "../exit-codes.ts";
import { stateAgeText } from "../open-state.ts";
import { planExitCode } from "../plan-exit-code.ts";
import { changedUnits, type PlanView, planFromFlags } from "../plan-from-flags.ts";
import type { MachinePlanFlags } from "../plan-machine.ts";
import { saveFile } from "../save-file.ts";
import { sayDirty } from "../say-dirty.ts";
import { terminalOf } from "../terminal-of.ts";
import { diagnosticsText } from "../views/diagnostics-text.ts";
import { diffText } from "../views/diff-text.ts";
import { planJson } from "../views/plan-json.ts";
import { planMarkdown } from "../views/plan-markdown.ts";
import { planText } from "../views/plan-text.ts";
import { whatIfText } from "../views/what-if-text.ts";

export default class PlanCommand extends BaseCommand {
  static override summary = "Show what apply would change, on which machine and why";
  static override examples = ["fleet plan", "fleet plan --worktree --without m1"];
  static override flags = {
    ...repositoryFlags,
    ...clusterFlags,
    ...outputFlags,
    out: Flags.string({ description: "Save the plan to a file that `fleet apply FILE` takes" }),
    "detailed-exitcode": Flags.boolean({ description: "0 no changes, 1 error, 2 changes" }),
    markdown: Flags.boolean({ description: "Print Markdown, for a comment on a pull request", exclusive: ["json"] }),
    diff: Flags.boolean({ description: "Show how the changed units differ, as systemd reads them" }),
    only: Flags.string({ description: "Show only units of this name or pattern (repeatable)", multiple: true }),
    exclude: Flags.string({ description: "Leave out units of this name or pattern (repeatable)", multiple: true }),
    without: Flags.string({
      description: "Show the plan as if this machine, or those of a label such as zone=a, were lost (repeatable)",
      multiple: true,
    }),
    "n-1": Flags.boolean({
      description: "Show what the loss of each machine in turn would do; 1 if a unit stays down",
    }),
    machine: Flags.string({
      description: "Show what one machine that follows git alone would run and change, by the commit and nothing else",
      exclusive: ["out", "markdown", "only", "exclude", "without", "n-1", "diff"],
    }),
    metadata: Flags.string({
      description: "With --machine: key=value,key=value it has beside what git says of it",
      dependsOn: ["machine"],
    }),
    against: Flags.string({
      description: "With --machine: the commit it runs now (default: the parent of the one planned)",
      dependsOn: ["machine"],
    }),
    worktree: Flags.boolean({ description: "Preview the working tree; such a plan cannot be applied" }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(PlanCommand);
    const composition = await this.compose(flags);
    const { machine } = flags;
    try {
      if (machine !== undefined) return await this.#machinePlan(composition, { ...flags, machine });
      if (!flags.worktree)
        await sayDirty(
          composition,
          flags.revision,
          (line) => this.say(line),
          "this is the plan of HEAD (--worktree previews them)",
        );
      const planned = await planFromFlags(composition, flags.revision, viewOf(flags));
      if (planned.diagnostics.length > 0) this.say(diagnosticsText(planned.diagnostics));
      for (const { key, problem } of planned.quarantined)
        this.say(`warning: the record ${key} cannot be read (${problem}) and is left alone`);
      const age = stateAgeText(await composition.registry(), composition.clock.wallMs(), (key) => {
        const machine = planned.spec.machines.find(({ engineKey }) => engineKey === key);
        return machine === undefined ? `${key}, which this commit lists for no engine` : `the engine of ${machine.key}`;
      });
      if (age !== null) this.say(age);
      const replaced = whyReplaced(planned.snapshot);
      if (replaced !== null) this.say(`warning: ${replaced}; this cannot be applied: ${REPLACED_NEXT}`);
      if (flags.out !== undefined) await saveFile(flags.out, encodePlan(planned.plan));
      if (flags.json) this.printJson(planJson(planned));
      else if (flags.markdown) this.print(planMarkdown(planned, changedUnits(planned)));
      else this.print(planText(planned, terminalOf(process.stdout, flags["no-color"])));
      const isText = !flags.json && !flags.markdown;
      if (isText && planned.whatIf.length > 0) this.print(`\n${whatIfText(planned.whatIf, planned.plan.machines)}`);
      if (flags.diff && isText) this.print(diffText(changedUnits(planned)));
      const code = planExitCode(planned, flags["detailed-exitcode"]);
      if (code !== EXIT.done) throw new SilentExit(code);
    } finally {
      await composition.close();
    }
  }

  async #machinePlan(composition: Composition, flags: MachinePlanFlags & OutputFlags): Promise<void> {
    const [{ planMachine }, { machinePlanText }] = await Promise.all([
      import("../plan-machine.ts"),
      import("../views/standalone-text.ts"),
    ]);
    const plan = await planMachine(composition, flags);
    if (flags.json) this.printJson(plan);
    else this.print(machinePlanText(plan, terminalOf(process.stdout, flags["no-color"])));
    if (flags["detailed-exitcode"] && plan.changes.length > 0) throw new SilentExit(EXIT.changes);
  }
}

interface OutputFlags {
  readonly json: boolean;
  readonly "no-color": boolean;
  readonly "detailed-exitcode": boolean;
}

function viewOf(flags: ViewFlags): PlanView {
  const { worktree, only = [], exclude = [], without = [] } = flags;
  const selection = only.length + exclude.length === 0 ? undefined : { only, exclude };
  return { worktree, selection, without, eachLost: flags["n-1"] };
}

interface ViewFlags {
  readonly worktree: boolean;
  readonly only?: string[] | undefined;
  readonly exclude?: string[] | undefined;
  readonly without?: string[] | undefined;
  readonly "n-1": boolean;
}
