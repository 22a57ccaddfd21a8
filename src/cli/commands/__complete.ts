import { spawn } from "node:child_process";
import { Flags } from "@oclif/core";
import { BaseCommand, clusterFlags, repositoryFlags } from "../base-command.ts";
import { keepNames, keptNames, type NamesKind, readNames } from "../complete-names.ts";
import { registryAddress } from "../open-registry-at.ts";

/** From the start of the process: longer, and whoever pressed Tab has typed it. */
const LIMIT_MS = 200;
/** Of the one that looks for the next Tab: as long as reaching a registry may take. */
const REFRESH_LIMIT_MS = 5_000;
const KINDS: readonly string[] = ["units", "machines", "revisions"] satisfies readonly NamesKind[];

/**
 * For shells: names of these kinds, a line each, at once or not at all. What takes longer is looked for by another process meanwhile, and is
 * there for the next Tab. Whatever goes wrong, nothing is said into somebody's line.
 */
export default class CompleteCommand extends BaseCommand {
  static override summary = "Names for the completion of shells";
  static override hidden = true;
  static override strict = false;
  static override flags = {
    directory: repositoryFlags.directory,
    manifest: repositoryFlags.manifest,
    registry: clusterFlags.registry,
    cluster: clusterFlags.cluster,
    refresh: Flags.boolean({ description: "Only look, for the next time" }),
  };

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(CompleteCommand);
    const kinds = argv.map(String).filter((kind): kind is NamesKind => KINDS.includes(kind));
    const place = `${await registryAddress(flags)} ${flags.cluster ?? ""} ${process.cwd()} ${flags.directory}`;
    const kept = flags.refresh ? null : await keptNames(place, kinds);
    if (kept?.isFresh === true) return this.print(kept.names.join("\n"));
    const limitMs = flags.refresh ? REFRESH_LIMIT_MS : LIMIT_MS;
    const late = setTimeout(
      () => {
        this.print((kept?.names ?? []).join("\n"));
        if (!flags.refresh) lookForNextTime();
        process.exit(0);
      },
      Math.max(1, limitMs - performance.now()),
    );
    try {
      const names = await readNames(kinds, await this.compose(flags), flags.cluster);
      clearTimeout(late);
      if (!flags.refresh) this.print([...names.values()].flat().join("\n"));
      await keepNames(place, names);
    } catch {
      // Nobody can read a message there.
    }
    process.exit(0);
  }
}

function lookForNextTime(): void {
  const [node, ...words] = [process.execPath, ...process.argv.slice(1), "--refresh"] as [string, ...string[]];
  spawn(node, words, { detached: true, stdio: "ignore" }).unref();
}
