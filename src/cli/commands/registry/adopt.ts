import { createInterface } from "node:readline/promises";
import { Flags } from "@oclif/core";
import type { RegistryKeys } from "../../../codec/registry-keys.ts";
import type { ClusterIdentity, Release } from "../../../domain/cluster/cluster-snapshot.ts";
import { unadopted } from "../../../domain/fencing/judge-adoption.ts";
import { parseDuration } from "../../../domain/spec/duration.ts";
import { OperationError } from "../../../ports/operation-error.ts";
import type { Registry } from "../../../ports/registry.ts";
import { adoptionOf, adoptRegistry, hearMachines } from "../../../usecases/adopt-registry.ts";
import { writeSpecIndex } from "../../../usecases/apply-plan.ts";
import { readSnapshot } from "../../../usecases/read-snapshot.ts";
import { BaseCommand, clusterFlags, outputFlags, repositoryFlags } from "../../base-command.ts";
import { clusterName } from "../../cluster-name.ts";
import { clusterSource } from "../../cluster-source.ts";
import type { Composition } from "../../composition.ts";
import { EXIT, SilentExit } from "../../exit-codes.ts";
import { adoptionText } from "../../views/adoption-text.ts";

/** An agent tells what it keeps within a pass of hearing that the registry lost it; it may first have to connect again. */
const HEAR_MS = 8_000;
const LOOK_AGAIN_MS = 250;

export default class RegistryAdoptCommand extends BaseCommand {
  static override summary = "Take a cluster whose registry was wiped or restored over from its machines, as it runs";
  static override description =
    "Raises the registry's epoch, puts back the latest release that any machine has taken, and lets the engine write down what each machine says it runs: nothing is stopped or started for it. Asks before it changes anything, and changes nothing where somebody else wrote meanwhile. Running it once more is harmless.";
  static override examples = ["fleet registry adopt"];
  static override flags = {
    ...repositoryFlags,
    ...clusterFlags,
    ...outputFlags,
    "auto-approve": Flags.boolean({ description: "Do not ask" }),
    detach: Flags.boolean({ description: "Do not wait until every present machine is taken over" }),
    timeout: Flags.string({ description: "How long to wait for that", default: "5m" }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(RegistryAdoptCommand);
    const timeoutMs = parseDuration(flags.timeout);
    if (timeoutMs === null) {
      throw new OperationError("bad-timeout", `${flags.timeout} is not a duration`, {
        next: "write one such as 90s or 5m",
      });
    }
    const composition = await this.compose(flags);
    try {
      const registry = await composition.needRegistry();
      const keys = composition.keysOf(await clusterName(composition, flags.cluster));
      const { remains, silent } = await hearMachines(registry, keys, composition.clock, HEAR_MS);
      const choice = adoptionOf(remains);
      if (!flags.json) this.print(adoptionText(choice, remains));
      for (const { name } of silent) this.say(`${name} is there and has not told what it keeps`);
      await this.#approve(flags["auto-approve"]);
      if (choice.release !== null) await this.#writeIndex(composition, flags, keys, choice.identity, choice.release);
      if (!(await adoptRegistry(registry, keys, remains, choice, composition.newId))) {
        this.say("somebody else wrote into the registry meanwhile; nothing was changed. Look again: fleet status");
        throw new SilentExit(EXIT.stale);
      }
      this.say(`the registry is of epoch ${choice.identity.epoch}`);
      const left = flags.detach ? null : await this.#wait(composition, registry, keys, timeoutMs);
      const { identity, release, isReleasePutBack, machines } = choice;
      if (flags.json) this.printJson({ identity, release, isReleasePutBack, machines, left });
      if (left === null) return;
      if (left.length === 0) return this.say("every machine that is there is taken over");
      this.say(`not taken over yet: ${left.join(", ")}; fleet status says what the engine waits for`);
      throw new SilentExit(EXIT.notConverged);
    } finally {
      await composition.close();
    }
  }

  async #approve(isApproved: boolean): Promise<void> {
    if (isApproved) return;
    if (!process.stdin.isTTY) {
      throw new OperationError("not-approved", "nobody is there to say yes; nothing was changed", {
        next: "add --auto-approve",
      });
    }
    const terminal = createInterface({ input: process.stdin, output: process.stderr });
    const answer = await terminal.question("Adopt it? Only 'yes' goes on: ").finally(() => terminal.close());
    if (answer.trim() === "yes") return;
    this.say("nothing was changed");
    throw new SilentExit(EXIT.error);
  }

  /** For people and their lists only: where the commit is not at hand, lists are short until the next apply. */
  async #writeIndex(
    composition: Composition,
    flags: { readonly source?: string | undefined; readonly branch?: string | undefined },
    keys: RegistryKeys,
    identity: ClusterIdentity,
    release: Release,
  ): Promise<void> {
    try {
      const { source } = await clusterSource(composition, flags, identity);
      const { spec } = await (await composition.compiler(source))(release.commit);
      if (spec?.specHash !== release.specHash)
        throw new OperationError("spec-differs", "the commit compiles otherwise here");
      await writeSpecIndex(await composition.needRegistry(), keys, spec, composition.sha256);
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      this.say(`lists of units may be short until the next apply: ${error.message}`);
    }
  }

  /** Names of present machines that are not taken over when the time is over; none: all are. */
  async #wait(
    { clock, sha256 }: Composition,
    registry: Registry,
    keys: RegistryKeys,
    timeoutMs: number,
  ): Promise<string[]> {
    const untilMs = clock.monotonicMs() + timeoutMs;
    for (;;) {
      const { snapshot } = await readSnapshot(registry, keys);
      const open = new Set(unadopted(snapshot, sha256));
      const left = snapshot.members.filter(({ id, present }) => present && open.has(id)).map(({ name }) => name);
      if (left.length === 0 || clock.monotonicMs() >= untilMs) return left;
      await clock.sleep(LOOK_AGAIN_MS);
    }
  }
}
