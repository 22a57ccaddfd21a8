import { Args } from "@oclif/core";
import { revokeToken } from "../../../usecases/revoke-token.ts";
import { BaseCommand, clusterFlags, outputFlags, repositoryFlags } from "../../base-command.ts";
import { clusterName } from "../../cluster-name.ts";

export default class TokenRevokeCommand extends BaseCommand {
  static override summary = "Take a token back that nobody has used yet";
  static override description =
    "A machine that came in by it already stays: fleet machine remove is what takes one out.";
  static override examples = ["fleet token revoke 3f2a9c11"];
  static override args = {
    token: Args.string({ description: "Its id, as fleet token list has it", required: true }),
  };
  static override flags = { ...repositoryFlags, ...clusterFlags, ...outputFlags };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(TokenRevokeCommand);
    const composition = await this.compose(flags);
    try {
      const registry = await composition.needRegistry();
      const keys = composition.keysOf(await clusterName(composition, flags.cluster));
      const hash = await revokeToken(registry, keys, args.token);
      if (flags.json) this.printJson({ result: "revoked", hash });
      else this.say(`token ${args.token} lets nobody in any more`);
    } finally {
      await composition.close();
    }
  }
}
