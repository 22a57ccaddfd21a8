import { Args } from "@oclif/core";
import { encodeRegistryExport } from "../../../codec/registry-export.ts";
import { exportRegistry } from "../../../usecases/export-registry.ts";
import { BaseCommand, clusterAloneFlags } from "../../base-command.ts";
import { clusterName } from "../../cluster-name.ts";
import { saveFile } from "../../save-file.ts";
import { counted } from "../../views/counted.ts";

export default class RegistryExportCommand extends BaseCommand {
  static override summary = "Save everything durable of a cluster's registry in one file: a backup, or to move it";
  static override description =
    "Read at one revision; the engines and agents go on meanwhile. Leases, presence and statuses are not in it: machines say them anew.";
  static override examples = ["fleet registry export shop.backup"];
  static override args = { file: Args.string({ description: "Where to; - or nothing: standard output" }) };
  static override flags = clusterAloneFlags;

  async run(): Promise<void> {
    const { args, flags } = await this.parse(RegistryExportCommand);
    const composition = await this.compose(flags);
    try {
      const opened = await composition.needRegistry();
      const keys = composition.keysOf(await clusterName(composition, flags.cluster));
      const content = await exportRegistry(opened, keys, composition.clock);
      const text = encodeRegistryExport(content, composition.sha256);
      if (args.file === undefined || args.file === "-") this.print(text);
      else await saveFile(args.file, text, 0o600);
      this.say(
        `${content.cluster}, epoch ${content.epoch}, release ${content.seq}, as of revision ${content.revision}: ${counted(content.entries.length, "record")}`,
      );
    } finally {
      await composition.close();
    }
  }
}
