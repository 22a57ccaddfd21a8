import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { Args, Flags } from "@oclif/core";
import { encodeState, type StateSigner } from "../../../codec/cluster-state.ts";
import { readState } from "../../../usecases/read-state.ts";
import { BaseCommand, clusterAloneFlags } from "../../base-command.ts";
import { clusterName } from "../../cluster-name.ts";
import { saveFile } from "../../save-file.ts";
import { counted } from "../../views/counted.ts";

export default class RegistryStateCommand extends BaseCommand {
  static override summary = "Save what a plan reads of a cluster, for those who cannot reach it: --registry file:FILE";
  static override description =
    "Names, metadata, placements and hashes at one revision: no addresses, no journals, no unit's text, and nothing that could be written back. Signed, it is what the action takes as its input state.";
  static override examples = ["fleet registry state shop.state"];
  static override args = { file: Args.string({ description: "Where to; - or nothing: standard output" }) };
  static override flags = {
    ...clusterAloneFlags,
    sign: Flags.boolean({
      description: "With the key of this machine's engine, which the manifest lists as engineKey",
    }),
    push: Flags.string({
      description: "Signed, to refs/fleet/state/<cluster> of that repository: an address, or a folder",
      helpValue: "ADDRESS",
    }),
    "engine-state": Flags.string({
      description: "The engine's state directory, for its key",
      default: "/var/lib/fleet-engine",
      helpValue: "FOLDER",
    }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(RegistryStateCommand);
    const composition = await this.compose(flags);
    try {
      const opened = await composition.needRegistry();
      const keys = composition.keysOf(await clusterName(composition, flags.cluster));
      const state = await readState(opened, keys, composition.clock);
      const isSigned = flags.sign || flags.push !== undefined;
      const signer = isSigned ? await engineSigner(flags["engine-state"]) : null;
      const text = encodeState(state, composition.sha256, signer);
      if (flags.push !== undefined) await push(flags.push, state.cluster, text);
      if (args.file !== undefined && args.file !== "-") await saveFile(args.file, text);
      else if (flags.push === undefined) this.print(text);
      this.say(`${state.cluster} as of revision ${state.revision}: ${counted(state.entries.length, "record")}`);
    } finally {
      await composition.close();
    }
  }
}

async function engineSigner(engineState: string): Promise<StateSigner> {
  const [{ ownEngineIdentity }, { signatureOf }] = await Promise.all([
    import("../../own-engine-key.ts"),
    import("../../../adapters/identity/key-signature.ts"),
  ]);
  const identity = await ownEngineIdentity(engineState);
  return { key: identity.key, sign: (bytes) => signatureOf(identity, bytes) };
}

async function push(address: string, cluster: string, text: string): Promise<void> {
  const { pushState, stateRef } = await import("../../../adapters/git/state-ref.ts");
  const remote = existsSync(address) ? resolve(address) : address;
  await pushState({ remote, ref: stateRef(cluster), environment: process.env }, text);
}
