import { Args, Flags } from "@oclif/core";
import type { ClusterSnapshot, Member } from "../../../domain/cluster/cluster-snapshot.ts";
import { judgeRemoval, losesSomething, type Removal } from "../../../domain/cluster/judge-removal.ts";
import type { Machine } from "../../../domain/cluster/machine.ts";
import { machinesOf } from "../../../domain/cluster/machines-of.ts";
import type { ClusterSpec } from "../../../domain/spec/cluster-spec.ts";
import { OperationError } from "../../../ports/operation-error.ts";
import { readSnapshot } from "../../../usecases/read-snapshot.ts";
import { isPresent, removeMachine } from "../../../usecases/remove-machine.ts";
import { specAt } from "../../../usecases/spec-at.ts";
import { askYes } from "../../ask-yes.ts";
import { BaseCommand, clusterFlags, outputFlags, repositoryFlags } from "../../base-command.ts";
import { clusterName } from "../../cluster-name.ts";
import { clusterSource } from "../../cluster-source.ts";
import type { Composition } from "../../composition.ts";
import { EXIT, SilentExit } from "../../exit-codes.ts";
import { memberNames } from "../../member-names.ts";
import { removalText } from "../../views/removal-text.ts";

interface RemoveFlags {
  readonly source?: string | undefined;
  readonly branch?: string | undefined;
  readonly json: boolean;
  readonly "auto-approve": boolean;
  readonly "allow-deletes": boolean;
}

export default class MachineRemoveCommand extends BaseCommand {
  static override summary = "Take a machine that is gone out of the cluster";
  static override description =
    "Shows what becomes of the units that were placed there and which data stays behind on it, and asks. Then its set, its statuses and its membership are removed, and the engine places its units elsewhere. A machine that is present is refused: its agent would only join again.";
  static override examples = ["fleet machine remove m3", "fleet machine remove m3 --auto-approve"];
  static override args = {
    machine: Args.string({ description: "Its name or id, as list-machines or the commit has it", required: true }),
  };
  static override flags = {
    ...repositoryFlags,
    ...clusterFlags,
    ...outputFlags,
    "auto-approve": Flags.boolean({ description: "Do not ask" }),
    "allow-deletes": Flags.boolean({
      description: "With --auto-approve: also where data stays behind, or a unit has no other machine",
    }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(MachineRemoveCommand);
    const composition = await this.compose(flags);
    try {
      const registry = await composition.needRegistry();
      const keys = composition.keysOf(await clusterName(composition, flags.cluster));
      const { snapshot } = await readSnapshot(registry, keys);
      const spec = await this.#specInForce(composition, snapshot, flags);
      const machines = spec === null ? [] : machinesOf(spec, snapshot, new Set());
      const member = memberOf(args.machine, snapshot.members, machines);
      if (member.present) throw isPresent(args.machine);
      const removal = judgeRemoval(member, spec, snapshot, composition.sha256);
      const names = new Map([...memberNames(snapshot), ...machines.map(({ id, name }) => [id, name] as const)]);
      if (!flags.json) this.print(removalText(removal, names));
      await this.#approve(removal, flags);
      await removeMachine(registry, keys, member.id);
      if (flags.json) this.printJson({ result: "removed", ...removal });
      else this.say(`${removal.name} is removed`);
    } finally {
      await composition.close();
    }
  }

  /** Null where the release's commit cannot be read from here: then less is said, and nothing else is different. */
  async #specInForce(
    composition: Composition,
    { release, identity }: ClusterSnapshot,
    flags: RemoveFlags,
  ): Promise<ClusterSpec | null> {
    if (release === null) return null;
    try {
      const { source } = await clusterSource(composition, flags, identity);
      await source.fetch();
      return await specAt(await composition.compiler(source), release.commit);
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      this.say(`what becomes of its units cannot be told: ${error.message}`);
      return null;
    }
  }

  /** `--auto-approve` alone says yes to nothing that an engine cannot bring back. */
  async #approve(removal: Removal, flags: RemoveFlags): Promise<void> {
    const isCostly = losesSomething(removal);
    if (flags["auto-approve"]) {
      if (!isCostly || flags["allow-deletes"]) return;
      throw new OperationError("deletes-not-allowed", "data or units would be lost; nothing was changed", {
        next: "add --allow-deletes if that is meant",
      });
    }
    if (!process.stdin.isTTY) {
      throw new OperationError("not-approved", "nobody is there to say yes", { next: "add --auto-approve" });
    }
    if (await askYes(`Remove ${removal.name}${isCostly ? ", with what is lost by it" : ""}?`)) return;
    this.say("nothing was changed");
    throw new SilentExit(EXIT.error);
  }
}

/** By the commit's name for it, by its own, or by its id. A name that two machines have says neither. */
function memberOf(named: string, members: readonly Member[], machines: readonly Machine[]): Member {
  const byCommit = machines.find(({ name }) => name === named)?.id;
  const meant = members.filter(
    ({ id, name }) => id === (byCommit ?? named) || (byCommit === undefined && name === named),
  );
  const [only] = meant;
  if (meant.length === 1 && only !== undefined) return only;
  if (meant.length > 1) {
    throw new OperationError("which-machine", `${meant.length} machines are called ${named}`, {
      next: `give an id: ${meant.map(({ id }) => id).join(", ")}`,
    });
  }
  throw new OperationError("no-such-machine", `${named} is no machine of this cluster`, {
    next: "fleet list-machines --full shows them",
  });
}
