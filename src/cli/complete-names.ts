import { execFile } from "node:child_process";
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { sha256 } from "../adapters/sha256.ts";
import { decodeRecord } from "../codec/record.ts";
import { MEMBER_SHAPE, type MemberRecord, RELEASE_SHAPE, type ReleaseRecord } from "../codec/registry-records.ts";
import { compareText } from "../domain/names.ts";
import { readSpecIndex } from "../usecases/read-spec-index.ts";
import { clusterName } from "./cluster-name.ts";
import type { Composition } from "./composition.ts";

export type NamesKind = "units" | "machines" | "revisions";

/** Whoever presses Tab twice is not asked for again. */
const FRESH_MS = 5_000;
/** Branches and tags: a shell shows no more. */
const REVISIONS_MAX = 200;
/** What no shell would take for a part of its own language, and no terminal for an order: names come from machines. */
const NAME = /^[\w@.:\\/+-]{1,256}$/;

/** Names somebody may want to type, by their kinds, each sorted. */
export async function readNames(
  kinds: readonly NamesKind[],
  composition: Composition,
  cluster: string | undefined,
): Promise<ReadonlyMap<NamesKind, readonly string[]>> {
  const found = await Promise.all(
    kinds.map(async (kind) => {
      const names = await (kind === "revisions" ? revisions() : clusterNames(kind, composition, cluster));
      return [kind, names.filter((name) => NAME.test(name) && !name.startsWith("-")).sort(compareText)] as const;
    }),
  );
  return new Map(found);
}

async function clusterNames(
  kind: "units" | "machines",
  composition: Composition,
  cluster: string | undefined,
): Promise<string[]> {
  const registry = await composition.needRegistry();
  const keys = composition.keysOf(await clusterName(composition, cluster));
  if (kind === "machines") {
    const { entries } = await registry.list(`${keys.root}members/`);
    return entries.flatMap(({ value }) => {
      const member = decodeRecord<MemberRecord>(value, MEMBER_SHAPE);
      return member.kind === "record" ? [member.record.name] : [];
    });
  }
  const { entries } = await registry.list(keys.release, { exact: true });
  const release = decodeRecord<ReleaseRecord>(entries[0]?.value ?? "", RELEASE_SHAPE);
  if (release.kind !== "record") return [];
  return (await readSpecIndex(registry, keys, release.record.specHash)).map(({ name }) => name);
}

/** git itself knows best what it calls a revision; without it there are none. */
function revisions(): Promise<string[]> {
  const words = [
    "for-each-ref",
    `--count=${REVISIONS_MAX}`,
    "--format=%(refname:short)",
    "refs/heads",
    "refs/tags",
    "refs/remotes",
  ];
  return new Promise((resolve) => {
    execFile("git", words, (error, output) => resolve(error === null ? ["HEAD", ...output.split("\n")] : []));
  });
}

/** What was found before, and whether a moment ago; null where one of the kinds never was. */
export async function keptNames(
  place: string,
  kinds: readonly NamesKind[],
): Promise<{ readonly names: readonly string[]; readonly isFresh: boolean } | null> {
  try {
    const kept = await Promise.all(
      kinds.map(async (kind) => {
        const path = pathOf(place, kind);
        const [text, { mtimeMs }] = await Promise.all([readFile(path, "utf8"), stat(path)]);
        return { names: text.split("\n").filter((name) => NAME.test(name)), atMs: mtimeMs };
      }),
    );
    const isFresh = kept.every(({ atMs }) => Date.now() - atMs < FRESH_MS);
    return { names: kept.flatMap(({ names }) => names), isFresh };
  } catch {
    return null; // Nothing was kept.
  }
}

export async function keepNames(place: string, found: ReadonlyMap<NamesKind, readonly string[]>): Promise<void> {
  await mkdir(folder(), { recursive: true, mode: 0o700 });
  for (const [kind, names] of found) await writeFile(pathOf(place, kind), names.join("\n"), { mode: 0o600 });
}

function pathOf(place: string, kind: NamesKind): string {
  return join(folder(), sha256(`${place} ${kind}`).slice(0, 32));
}

function folder(): string {
  return join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "fleet", "names");
}
