import { Args } from "@oclif/core";
import { ConfCommand, confFlags } from "../../conf-command.ts";
import { EXIT, SilentExit } from "../../exit-codes.ts";
import { confJson, confText, problemsText } from "../../views/conf-text.ts";

export default class ConfigCheckCommand extends ConfCommand {
  static override summary = "Check fleet.conf, and show every option with its value and where that is from";
  static override description =
    "A flag beats the environment (FLEET_…), the environment beats the file. Ends with 1 where a daemon would refuse it.";
  static override examples = ["fleet config check", "fleet config check ./fleet.conf --agent-ttl 60s"];
  static override args = {
    file: Args.string({ description: "The file (default: /etc/fleet/fleet.conf, or what FLEET_CONF names)" }),
  };
  static override flags = confFlags;

  async run(): Promise<void> {
    const { args, flags, raw } = await this.parse(ConfigCheckCommand);
    const conf = await this.readConf(args.file, this.typed(raw));
    if (flags.json) this.printJson(confJson(conf));
    else {
      this.print(confText(conf));
      if (conf.problems.length > 0) this.say(problemsText(conf));
    }
    if (conf.problems.some(({ severity }) => severity === "error")) throw new SilentExit(EXIT.error);
  }
}
