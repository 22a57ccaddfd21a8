import { readTokens } from "../../../usecases/read-tokens.ts";
import { BaseCommand, clusterFlags, outputFlags, repositoryFlags } from "../../base-command.ts";
import { clusterName } from "../../cluster-name.ts";
import { tokensText } from "../../views/tokens-text.ts";

export default class TokenListCommand extends BaseCommand {
  static override summary = "List the tokens that may still be used, and the machines that came in by one";
  static override examples = ["fleet token list"];
  static override flags = { ...repositoryFlags, ...clusterFlags, ...outputFlags };

  async run(): Promise<void> {
    const { flags } = await this.parse(TokenListCommand);
    const composition = await this.compose(flags);
    try {
      const registry = await composition.needRegistry();
      const found = await readTokens(registry, composition.keysOf(await clusterName(composition, flags.cluster)));
      if (flags.json) this.printJson(found);
      else this.print(tokensText(found, composition.clock.wallMs()));
    } finally {
      await composition.close();
    }
  }
}
