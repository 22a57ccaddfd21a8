import type { UnitName } from "../../domain/names.ts";
import type { InstalledFile } from "../../domain/tasks/task.ts";
import type { DryRun, ImageRequest, Podman } from "../../ports/podman.ts";
import { generateQuadlets, QUADLET_FOLDERS, type TextsOnDisk } from "./memory-quadlets.ts";

/** Where a dry run's files stand, before everybody else's. */
const DRY = "/dry-run";

/** A machine's podman in memory: its generator is the one systemd's twin runs, and a registry has all images but those it is told to lack. */
export class MemoryPodman implements Podman {
  readonly #disk: TextsOnDisk;
  isThere = true;
  /** Images that no registry has. */
  readonly lacking = new Set<string>();
  /** Images on this machine. */
  readonly images = new Set<string>();
  dryRuns = 0;

  constructor(disk: TextsOnDisk) {
    this.#disk = disk;
  }

  async hasGenerator(): Promise<boolean> {
    return this.isThere;
  }

  async dryRun(files: readonly InstalledFile[]): Promise<DryRun> {
    this.dryRuns++;
    const texts = new Map(files.map(({ path, text }) => [`${DRY}/${path}`, { text }]));
    const disk: TextsOnDisk = {
      peek: (path) => texts.get(path) ?? this.#disk.peek(path),
      names: (folder) => {
        if (!folder.startsWith(DRY)) return this.#disk.names(folder);
        const below = [...texts.keys()].filter((path) => path.startsWith(`${folder}/`));
        return [...new Set(below.map((path) => path.slice(folder.length + 1).split("/")[0]!))].sort();
      },
    };
    const [, ...others] = QUADLET_FOLDERS;
    const { services, problems } = generateQuadlets(disk, [DRY, ...others]);
    return { services: new Set<UnitName>(services.keys()), words: [...problems.values()] };
  }

  async hasImage({ image }: ImageRequest): Promise<boolean> {
    return this.images.has(image);
  }

  async pull({ image }: ImageRequest): Promise<string | null> {
    if (this.lacking.has(image)) return `Error: initializing source docker://${image}: manifest unknown`;
    this.images.add(image);
    return null;
  }

  close(): void {}
}
