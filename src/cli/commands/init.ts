import { access, mkdir, writeFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { Args } from "@oclif/core";
import { OperationError } from "../../ports/operation-error.ts";
import { BaseCommand } from "../base-command.ts";

export default class InitCommand extends BaseCommand {
  static override summary = "Start a cluster's repository: a two-line manifest and a folder for units";
  static override examples = ["fleet init shop"];
  static override args = { directory: Args.string({ default: ".", description: "Where; made if it is not there" }) };

  async run(): Promise<void> {
    const { args } = await this.parse(InitCommand);
    const directory = resolve(args.directory);
    const manifest = join(directory, "fleet.yaml");
    const there = await access(manifest).then(
      () => true,
      () => false,
    );
    if (there) throw new OperationError("exists", `${manifest} is there already`, { next: "fleet validate checks it" });
    await mkdir(join(directory, "units"), { recursive: true });
    await writeFile(manifest, manifestOf(basename(directory)), { flag: "wx" });
    this.print(`wrote ${manifest}\nnext: put unit files into ${join(directory, "units")}, commit, then: fleet plan`);
  }
}

function manifestOf(folder: string): string {
  const name =
    folder
      .toLowerCase()
      .replace(/[^a-z0-9-]+/g, "-")
      .replace(/^-+|-+$/g, "")
      .slice(0, 63) || "cluster";
  return `# Every unit under units/ is launched, unless another unit activates it.\napiVersion: fleet/v1\ncluster: ${name}\n`;
}
