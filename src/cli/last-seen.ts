import { mkdir, readdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { sha256 } from "../adapters/sha256.ts";
import type { ClusterView } from "./cluster-view.ts";

/** Of more units there would be tens of megabytes written for each look. */
const UNITS_MAX = 5_000;
/** How often what was seen is written: whoever looks every second does not want it a second younger. */
const WRITE_EVERY_MS = 60_000;
const BYTES_MAX = 32 << 20;
/** What a cluster may be called, and a file. */
const CLUSTER = /^[a-z0-9-]{1,63}$/;
/** Another shape of what is kept is not read. */
const VERSION = 1;

export interface LastSeen {
  readonly view: ClusterView;
  /** Milliseconds since 1970. */
  readonly atMs: number;
}

/** Keeps what a look at that registry saw, for when it does not answer: for whoever looked alone, as journals' lines are among it. */
export async function keepSeen(registry: string, view: ClusterView, nowMs: number): Promise<void> {
  const cluster = view.snapshot.identity?.name ?? "";
  if (view.snapshot.statuses.length > UNITS_MAX || !CLUSTER.test(cluster)) return;
  const path = join(folder(), `${prefixOf(registry)}${cluster}.json`);
  try {
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: 0 }));
    if (nowMs - mtimeMs < WRITE_EVERY_MS) return;
    await mkdir(folder(), { recursive: true, mode: 0o700 });
    const text = JSON.stringify({ v: VERSION, atMs: nowMs, view });
    await writeFile(`${path}.${process.pid}`, text, { mode: 0o600 });
    await rename(`${path}.${process.pid}`, path);
  } catch (error) {
    // Nowhere to keep it: it is not shown some other day.
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
  }
}

/** What was seen last of that cluster there, of whichever where `cluster` is null; or null. */
export async function lastSeen(registry: string, cluster: string | null): Promise<LastSeen | null> {
  const prefix = prefixOf(registry);
  const names = await readdir(folder()).catch(() => []);
  const wanted = names.filter((name) =>
    cluster === null ? name.startsWith(prefix) && name.endsWith(".json") : name === `${prefix}${cluster}.json`,
  );
  const seen = (await Promise.all(wanted.map(readSeen))).filter((one) => one !== null);
  return seen.sort((a, b) => b.atMs - a.atMs)[0] ?? null;
}

async function readSeen(name: string): Promise<LastSeen | null> {
  try {
    const path = join(folder(), name);
    if ((await stat(path)).size > BYTES_MAX) return null;
    const { v, atMs, view } = JSON.parse(await readFile(path, "utf8")) as {
      v: unknown;
      atMs: number;
      view: ClusterView;
    };
    return v === VERSION && Number.isFinite(atMs) && Array.isArray(view.index) ? { atMs, view } : null;
  } catch {
    return null; // Half a file: as if nobody had looked.
  }
}

function prefixOf(registry: string): string {
  return `${sha256(registry).slice(0, 16)}-`;
}

function folder(): string {
  return join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "fleet", "seen");
}
