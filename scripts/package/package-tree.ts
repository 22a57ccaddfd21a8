import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { gzipSync } from "node:zlib";
import { bashCompletion, fishCompletion, zshCompletion } from "../../src/cli/completion-scripts.ts";
import { shownCommands } from "../../src/cli/shown-commands.ts";
import { ROOT } from "./lock-file.ts";
import { manPage } from "./man-page.ts";
import type { BundledNode } from "./node-of-architecture.ts";
import { type PackageFile, plainFile, programFile } from "./package-file.ts";

export interface TreeOptions {
  readonly version: string;
  /** Seconds since 1970: the commit's. */
  readonly time: number;
  /** The built bundle's folder. */
  readonly dist: string;
  readonly node: BundledNode;
}

/**
 * Everything a package puts on a machine, by its path. Units and their helpers are also below /usr/lib/fleet/systemd, as in any built folder:
 * units name the helpers there, and a lab reads the units.
 */
export function packageTree(options: TreeOptions): PackageFile[] {
  const { version, time, dist, node } = options;
  const ours = (path: string) => readFileSync(join(ROOT, "packaging", path));
  const page = (path: string) => readFileSync(join(ROOT, path));
  const commands = shownCommands(readFileSync(join(dist, "oclif.manifest.json"), "utf8"));
  const date = new Date(time * 1000).toISOString().slice(0, 10);
  const manual = manPage(commands, { version, date, commandsPage: page("docs/commands.md").toString() });
  const units = readdirSync(join(ROOT, "packaging/systemd")).filter((name) => name.endsWith(".service"));
  return [
    programFile("usr/bin/fleet", ours("files/fleet")),
    programFile("usr/bin/fleetd", ours("files/fleetd")),
    programFile("usr/lib/fleet/node", node.binary),
    ...bundleFiles(dist, version),
    ...units.map((name) => plainFile(`usr/lib/systemd/system/${name}`, ours(`systemd/${name}`))),
    // Enabled for all: it does nothing on a machine that never ran a unit of a cluster.
    {
      path: "usr/lib/systemd/system/multi-user.target.wants/fleet-restore.service",
      target: "../fleet-restore.service",
    },
    plainFile("usr/lib/systemd/system-preset/50-fleet.preset", ours("files/50-fleet.preset")),
    plainFile("usr/lib/sysusers.d/fleet.conf", ours("systemd/fleet.sysusers.conf")),
    // Not one of dpkg's conffiles: joining writes into it, and every later change of ours would stop unattended upgrades with a question.
    plainFile("usr/share/fleet/fleet.conf", ours("files/fleet.conf")),
    plainFile("usr/share/bash-completion/completions/fleet", bashCompletion(commands)),
    plainFile("usr/share/zsh/vendor-completions/_fleet", zshCompletion(commands)),
    plainFile("usr/share/fish/vendor_completions.d/fleet.fish", fishCompletion(commands)),
    plainFile("usr/share/man/man1/fleet.1.gz", gzipSync(manual, { level: 9 })),
    plainFile("usr/share/doc/fleet/copyright", ours("deb/copyright")),
    plainFile("usr/share/doc/fleet/changelog.gz", gzipSync(page("CHANGELOG.md"), { level: 9 })),
    plainFile("usr/share/doc/fleet/third-party.txt", readFileSync(join(dist, "third-party.txt"))),
    plainFile("usr/share/doc/fleet/node-license.txt", node.license),
  ];
}

/** The built folder, with another version's number where one is asked for. */
function bundleFiles(dist: string, version: string): PackageFile[] {
  return readdirSync(dist, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const absolute = join(entry.parentPath, entry.name);
      const path = relative(dist, absolute);
      const data = readFileSync(absolute);
      if (path === "package.json" || path === "oclif.manifest.json")
        return plainFile(`usr/lib/fleet/${path}`, withVersion(data.toString(), version));
      const isProgram = data.subarray(0, 3).toString() === "#!/" && !path.endsWith(".js");
      return isProgram ? programFile(`usr/lib/fleet/${path}`, data) : plainFile(`usr/lib/fleet/${path}`, data);
    });
}

function withVersion(json: string, version: string): string {
  return `${JSON.stringify({ ...JSON.parse(json), version }, null, 2)}\n`;
}
