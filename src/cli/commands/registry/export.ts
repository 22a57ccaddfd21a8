import { Args } from "@oclif/core";
import { encodeRegistryExport } from "../../../codec/registry-export.ts";
import { exportRegistry } from "../../../usecases/export-registry.ts";
import { BaseCommand, clusterFlags, repositoryFlags } from "../../base-command.ts";
import { clusterName } from "../../cluster-name.ts";
import { saveFile } from "../../save-file.ts";
import { counted } from "../../views/counted.ts";

const { directory, manifest } = repositoryFlags;
const { registry, cluster, "etcd-cafile": authority, "etcd-certfile": certificate, "etcd-keyfile": key } = clusterFlags;

export default class RegistryExportCommand extends BaseCommand {
  static override summary = "Save everything durable of a cluster's registry in one file: a backup, or to move it";
  static override description =
    "Read at one revision; the engines and agents go on meanwhile. Leases, presence and statuses are not in it: machines say them anew.";
  static override examples = ["fleet registry export shop.backup"];
  static override args = { file: Args.string({ description: "Where to; - or nothing: standard output" }) };
  static override flags = {
    directory,
    manifest,
    registry,
    cluster,
    "etcd-cafile": authority,
    "etcd-certfile": certificate,
    "etcd-keyfile": key,
  };

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
