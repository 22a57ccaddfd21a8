import { Flags } from "@oclif/core";
import type { RegistryKeys } from "../codec/registry-keys.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { Registry } from "../ports/registry.ts";
import { BaseCommand, clusterFlags, outputFlags, repositoryFlags } from "./base-command.ts";
import { clusterName, clusterOfRepository } from "./cluster-name.ts";
import { type ClusterView, readClusterView, readListView } from "./cluster-view.ts";
import type { Composition } from "./composition.ts";
import { EXIT } from "./exit-codes.ts";
import { fieldNames, selectFields } from "./fields.ts";
import { keepSeen, lastSeen } from "./last-seen.ts";
import { registryAddress } from "./open-registry-at.ts";
import { errorText } from "./report-error.ts";
import { terminalOf } from "./terminal-of.ts";
import { agoText } from "./views/duration-text.ts";
import { table } from "./views/table.ts";
import { watchView } from "./watch-view.ts";

/** fleetctl's flags of its list commands. */
export const listFlags = {
  full: Flags.boolean({ char: "l", description: "Do not shorten ids and hashes" }),
  "no-legend": Flags.boolean({ description: "No header line" }),
};

export const lookingFlags = { ...repositoryFlags, ...clusterFlags, ...outputFlags };

export const watchFlag = {
  watch: Flags.boolean({
    char: "w",
    description: "Show it again whenever it changes, until interrupted; in a pipe a line for what is new",
  }),
};

interface LookingFlags {
  readonly directory: string;
  readonly registry?: string | undefined;
  readonly cluster?: string | undefined;
  readonly manifest: string;
}

export interface WatchFlags extends LookingFlags {
  readonly watch: boolean;
  readonly json: boolean;
}

/** A registry that is not there now and may be later. */
const AWAY: ReadonlySet<string> = new Set(["registry-unreachable", "registry-timeout", "registry-no-leader"]);

/** What a command reads of a cluster. */
type Read<T> = (registry: Registry, keys: RegistryKeys) => Promise<T>;

interface Shown<T> {
  readonly read: Read<T>;
  /** In place of `read`, where it is not watched. */
  readonly once?: () => Promise<T>;
  readonly json: (read: T) => unknown;
  readonly text: (read: T) => string;
}

/** A command that reads a cluster and shows it. */
export abstract class LookingCommand extends BaseCommand {
  protected view(flags: LookingFlags): Promise<ClusterView> {
    return this.look(flags, readClusterView);
  }

  protected look<T>(flags: LookingFlags, read: Read<T>): Promise<T> {
    return this.#within(flags, (_composition, registry, keys) => read(registry, keys));
  }

  /**
   * The cluster for lists of units, also where its registry does not answer and somebody looked here before: that is said, with its age, and the
   * command ends with 1. Programs, which would take the old for the new, get the error alone.
   */
  protected async viewOrLastSeen(flags: LookingFlags & { readonly json: boolean }): Promise<ClusterView> {
    const address = await registryAddress(flags);
    try {
      const view = await this.look(flags, flags.json ? readClusterView : readListView);
      if (address !== null && !flags.json) await keepSeen(address, view, Date.now());
      return view;
    } catch (error) {
      if (flags.json || address === null || !(error instanceof OperationError) || !AWAY.has(error.code)) throw error;
      const composition = await this.compose(flags);
      const cluster = flags.cluster ?? (await clusterOfRepository(composition).finally(() => composition.close()));
      const seen = await lastSeen(address, cluster);
      if (seen === null) throw error;
      const at = new Date(seen.atMs).toISOString();
      this.say(`${errorText(error)}\nthe cluster is shown as it was seen here at ${at} (${agoText(at, Date.now())})`);
      process.exitCode = EXIT.error;
      return seen.view;
    }
  }

  /** What is read of the cluster, once, or with `--watch` again and again until somebody interrupts or nobody reads any more. */
  protected async show<T>(flags: WatchFlags, { read, once, json, text }: Shown<T>): Promise<void> {
    if (!flags.watch) {
      const seen = await (once === undefined ? this.look(flags, read) : once());
      return flags.json ? this.printJson(json(seen)) : this.print(text(seen));
    }
    await this.#within(flags, async ({ clock }, registry, keys) => {
      const look = () => read(registry, keys);
      const textOf = flags.json ? (seen: T) => JSON.stringify(json(seen)) : text;
      await watchView({ ...{ look, textOf, registry, keys, clock }, json: flags.json });
    });
  }

  async #within<T>(
    flags: LookingFlags,
    use: (composition: Composition, registry: Registry, keys: RegistryKeys) => Promise<T>,
  ): Promise<T> {
    const composition = await this.compose(flags);
    try {
      const registry = await composition.needRegistry();
      return await use(composition, registry, composition.keysOf(await clusterName(composition, flags.cluster)));
    } finally {
      await composition.close();
    }
  }

  /** Of the terminal on standard output; null: it is none, and lines may be as long as they are. */
  protected columns(): number | null {
    return terminalOf(process.stdout, true)?.columns ?? null;
  }

  protected tableText<Row>(
    rows: readonly Row[],
    known: Readonly<Record<string, (row: Row) => string>>,
    flags: { fields: string; full: boolean; "no-legend": boolean },
  ): string {
    const names = fieldNames(known, flags.fields);
    const fields = selectFields(known, flags.fields);
    const cells = rows.map((row) => fields.map((field) => field(row)));
    return table(flags["no-legend"] ? null : names, cells, flags.full ? null : this.columns());
  }
}
