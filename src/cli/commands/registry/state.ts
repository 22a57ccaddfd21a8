import { Args } from "@oclif/core";
import { encodeState } from "../../../codec/cluster-state.ts";
import { readState } from "../../../usecases/read-state.ts";
import { BaseCommand, clusterFlags, repositoryFlags } from "../../base-command.ts";
import { clusterName } from "../../cluster-name.ts";
import { saveFile } from "../../save-file.ts";
import { counted } from "../../views/counted.ts";

const { directory, manifest } = repositoryFlags;
const { registry, cluster, "etcd-cafile": authority, "etcd-certfile": certificate, "etcd-keyfile": key } = clusterFlags;

export default class RegistryStateCommand extends BaseCommand {
  static override summary = "Save what a plan reads of a cluster, for those who cannot reach it: --registry file:FILE";
  static override description =
    "Names, metadata, placements and hashes at one revision: no addresses, no journals, no unit's text, and nothing that could be written back.";
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
    const { args, flags } = await this.parse(RegistryStateCommand);
    const composition = await this.compose(flags);
    try {
      const opened = await composition.needRegistry();
      const keys = composition.keysOf(await clusterName(composition, flags.cluster));
      const state = await readState(opened, keys, composition.clock);
      const text = encodeState(state, composition.sha256);
      if (args.file === undefined || args.file === "-") this.print(text);
      else await saveFile(args.file, text);
      this.say(`${state.cluster} as of revision ${state.revision}: ${counted(state.entries.length, "record")}`);
    } finally {
      await composition.close();
    }
  }
}
