import { Flags } from "@oclif/core";
import { BaseCommand, clusterFlags, outputFlags, repositoryFlags } from "./base-command.ts";
import { clusterName } from "./cluster-name.ts";
import { type ClusterView, readClusterView } from "./cluster-view.ts";
import { fieldNames, selectFields } from "./fields.ts";
import { table } from "./views/table.ts";

/** fleetctl's flags of its list commands. */
export const listFlags = {
  full: Flags.boolean({ char: "l", description: "Do not shorten ids and hashes" }),
  "no-legend": Flags.boolean({ description: "No header line" }),
};

export const lookingFlags = { ...repositoryFlags, ...clusterFlags, ...outputFlags };

/** A command that reads a cluster and shows it. */
export abstract class LookingCommand extends BaseCommand {
  protected async view(flags: {
    directory: string;
    registry?: string | undefined;
    cluster?: string | undefined;
    manifest: string;
  }): Promise<ClusterView> {
    const composition = await this.compose(flags);
    try {
      const registry = await composition.needRegistry();
      return await readClusterView(registry, composition.keysOf(await clusterName(composition, flags.cluster)));
    } finally {
      await composition.close();
    }
  }

  protected printTable<Row>(
    rows: readonly Row[],
    known: Readonly<Record<string, (row: Row) => string>>,
    flags: { fields: string; "no-legend": boolean },
  ): void {
    const names = fieldNames(known, flags.fields);
    const cells = rows.map((row) => selectFields(known, flags.fields).map((field) => field(row)));
    this.print(table(flags["no-legend"] ? null : names, cells));
  }
}
