import { Flags } from "@oclif/core";
import type { RegistryKeys } from "../codec/registry-keys.ts";
import type { Registry } from "../ports/registry.ts";
import { BaseCommand, clusterFlags, outputFlags, repositoryFlags } from "./base-command.ts";
import { clusterName } from "./cluster-name.ts";
import { type ClusterView, readClusterView } from "./cluster-view.ts";
import type { Composition } from "./composition.ts";
import { fieldNames, selectFields } from "./fields.ts";
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

/** What a command reads of a cluster. */
type Read<T> = (registry: Registry, keys: RegistryKeys) => Promise<T>;

/** A command that reads a cluster and shows it. */
export abstract class LookingCommand extends BaseCommand {
  protected view(flags: LookingFlags): Promise<ClusterView> {
    return this.look(flags, readClusterView);
  }

  protected look<T>(flags: LookingFlags, read: Read<T>): Promise<T> {
    return this.#within(flags, (_composition, registry, keys) => read(registry, keys));
  }

  /** What is read of the cluster, once, or with `--watch` again and again until somebody interrupts or nobody reads any more. */
  protected async show<T>(
    flags: LookingFlags & { readonly watch: boolean; readonly json: boolean },
    { read, json, text }: { read: Read<T>; json: (read: T) => unknown; text: (read: T) => string },
  ): Promise<void> {
    if (!flags.watch) {
      const seen = await this.look(flags, read);
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

  protected tableText<Row>(
    rows: readonly Row[],
    known: Readonly<Record<string, (row: Row) => string>>,
    flags: { fields: string; "no-legend": boolean },
  ): string {
    const names = fieldNames(known, flags.fields);
    const fields = selectFields(known, flags.fields);
    const cells = rows.map((row) => fields.map((field) => field(row)));
    return table(flags["no-legend"] ? null : names, cells);
  }
}
