import { Flags } from "@oclif/core";
import { OperationError } from "../ports/operation-error.ts";
import { ConfCommand, confFlags } from "./conf-command.ts";
import { type Provision, provisionOf } from "./provision.ts";
import { problemsText } from "./views/conf-text.ts";

const { json: _json, ...daemonOptions } = confFlags;

/** Of the commands that print what a new machine is given: everything a daemon is told, and how it joins. */
export const provisionFlags = {
  ...daemonOptions,
  conf: Flags.string({ description: "Take the options of this file, too; this machine's own are not taken" }),
  join: Flags.string({ description: "Join there at the first boot: engines (host[:port],…), or a repository's URL" }),
  token: Flags.string({
    description: "With --join: the token that lets it in (fleet token create)",
    env: "FLEET_TOKEN",
  }),
  "engine-key": Flags.string({
    description: "With --join: the engine's key (ed25519:…); several times for several",
    multiple: true,
  }),
};

/** Flags that are no options of a daemon. */
const OWN = new Set(["conf", "join", "token", "engine_key"]);

interface ProvisionFlags {
  readonly conf?: string | undefined;
  readonly join?: string | undefined;
  readonly token?: string | undefined;
  readonly "engine-key"?: readonly string[] | undefined;
}

export abstract class ProvisionCommand extends ConfCommand {
  /** From what was typed and the file that is named; nothing of the machine it is typed on. */
  protected async provision(flags: ProvisionFlags, raw: Parameters<ConfCommand["typed"]>[0]): Promise<Provision> {
    const said = new Map([...this.typed(raw)].filter(([key]) => !OWN.has(key)));
    const conf = await this.readConf(flags.conf ?? "/dev/null", said);
    const told = {
      ...conf,
      path: flags.conf ?? null,
      problems: conf.problems.filter(({ saw }) => !saw.startsWith("environment:")),
    };
    if (told.problems.length > 0) this.say(problemsText(told));
    if (told.problems.some(({ severity }) => severity === "error")) {
      throw new OperationError("conf-refused", "a daemon would not start with that", {
        next: "correct what is said above",
      });
    }
    const options = conf.options.filter(({ from }) => from !== "environment");
    const { join, token } = flags;
    if (join === undefined && options.every(({ from }) => from === "default")) {
      throw new OperationError("nothing-said", "a machine that is told nothing would be a cluster of its own", {
        next: "--join nas.lan --token …, --conf FILE, or --registry, --source and what else it is to be told",
      });
    }
    if (join !== undefined && token !== undefined)
      this.say("it holds a token: whoever reads it may join until the token is used or ends");
    return provisionOf(
      options,
      join === undefined ? null : { target: join, token, engineKeys: flags["engine-key"] ?? [] },
    );
  }
}
