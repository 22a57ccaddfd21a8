import { userInfo } from "node:os";
import { Flags } from "@oclif/core";
import { parseMachineName } from "../../../domain/join/machine-name.ts";
import { TOKEN_MAX_MS, TOKEN_MIN_MS } from "../../../domain/join/site-token.ts";
import { parseDuration } from "../../../domain/spec/duration.ts";
import { OperationError } from "../../../ports/operation-error.ts";
import { createToken } from "../../../usecases/create-token.ts";
import { readSnapshot } from "../../../usecases/read-snapshot.ts";
import { BaseCommand, clusterFlags, outputFlags, repositoryFlags } from "../../base-command.ts";
import { clusterName } from "../../cluster-name.ts";
import { parseMetadata } from "../../metadata-flag.ts";
import { newTokenText } from "../../views/tokens-text.ts";

/** As many characters of a name as leave room for eight digits of an id. */
const PREFIX_MAX = 55;

export default class TokenCreateCommand extends BaseCommand {
  static override summary = "Make a token that lets one machine join without a commit";
  static override description =
    "For images and provisioning: fleet join HOST --token T on the machine, once, before the token ends. The token is printed and kept nowhere; the registry has its hash. What may run on such a machine is said in git all the same: it gets units only where the manifest has admit: any, or once it is listed.";
  static override examples = ["fleet token create --expires 1h --name-prefix web-"];
  static override flags = {
    ...repositoryFlags,
    ...clusterFlags,
    ...outputFlags,
    expires: Flags.string({ description: "How long it is good for", default: "24h" }),
    metadata: Flags.string({
      description: "key=value,key=value that the machine it lets in says of itself",
      default: "",
    }),
    "name-prefix": Flags.string({
      description:
        "What the machine's name begins with; one without a --name of its own gets the first digits of its id behind it",
      default: "",
    }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(TokenCreateCommand);
    const forMs = timeOf(flags.expires);
    const metadata = parseMetadata(flags.metadata);
    const namePrefix = prefixOf(flags["name-prefix"]);
    const composition = await this.compose(flags);
    try {
      const registry = await composition.needRegistry();
      const keys = composition.keysOf(await clusterName(composition, flags.cluster));
      const { identity } = (await readSnapshot(registry, keys)).snapshot;
      if (identity === null) {
        throw new OperationError("no-cluster", "the registry holds no cluster of that name yet", {
          next: "apply a commit first: fleet apply",
        });
      }
      const by = process.env.SUDO_USER ?? userInfo().username;
      const wanted = { clusterId: identity.id, forMs, by, metadata, namePrefix };
      const { text, token } = await createToken(registry, keys, wanted, composition);
      if (flags.json) return this.printJson({ token: text, ...token });
      this.print(text);
      this.say(newTokenText(token, composition.clock.wallMs()));
    } finally {
      await composition.close();
    }
  }
}

function timeOf(text: string): number {
  const forMs = parseDuration(text);
  if (forMs !== null && forMs >= TOKEN_MIN_MS && forMs <= TOKEN_MAX_MS) return forMs;
  throw new OperationError("bad-duration", `${text} is no time for a token to be good for`, {
    next: "give one from 60s to 720h, such as 24h",
  });
}

function prefixOf(text: string): string {
  // It may end in what no name may end in: site-.
  if (text === "" || (text.length <= PREFIX_MAX && parseMachineName(`${text}0`) !== null)) return text;
  throw new OperationError("bad-name", `no machine's name can begin with ${JSON.stringify(text)}`, {
    next: `a-z, 0-9, dots and dashes, at most ${PREFIX_MAX}: --name-prefix site-`,
  });
}
