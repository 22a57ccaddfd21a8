import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Args } from "@oclif/core";
import { BaseCommand } from "../base-command.ts";
import { bashCompletion, fishCompletion, zshCompletion } from "../completion-scripts.ts";
import { shownCommands } from "../shown-commands.ts";

const MANIFEST = fileURLToPath(new URL("../oclif.manifest.json", import.meta.url));
const SCRIPTS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const;

export default class CompletionCommand extends BaseCommand {
  static override summary = "Print what makes a shell complete commands, flags, and names of units and machines";
  static override description =
    "The Debian package has all three in place. Else: source <(fleet completion bash) in ~/.bashrc; fleet completion zsh > a folder of $fpath/_fleet; fleet completion fish > ~/.config/fish/completions/fleet.fish. Names come from the registry within 200 ms, or not at all.";
  static override examples = ["fleet completion bash"];
  static override args = {
    shell: Args.string({ required: true, options: Object.keys(SCRIPTS), description: "bash, zsh or fish" }),
  };

  async run(): Promise<void> {
    const { args } = await this.parse(CompletionCommand);
    const commands = shownCommands(readFileSync(MANIFEST, "utf8"));
    this.print(SCRIPTS[args.shell as keyof typeof SCRIPTS](commands));
  }
}
