import type { Release } from "../domain/cluster/cluster-snapshot.ts";
import { directivesOf, type PlacedDirective } from "../domain/history/directives-of.ts";
import type { CommitId } from "../domain/names.ts";
import type { ClusterSpec, SpecUnit } from "../domain/spec/cluster-spec.ts";
import type { Manifest } from "../domain/spec/manifest.ts";
import type { GitSource } from "../ports/git-source.ts";
import { OperationError } from "../ports/operation-error.ts";
import { blameLines, type LineOrigin, type LineOrigins } from "./blame-lines.ts";
import { CommitBook, type CommitFacts } from "./commit-facts.ts";

export interface BlamedUnit {
  readonly unit: SpecUnit;
  /** Null: any machine without files of its own for it. */
  readonly machine: string | null;
  readonly directives: readonly BlamedDirective[];
}

export interface BlamedDirective extends PlacedDirective {
  readonly origin: DirectiveOrigin;
}

export type DirectiveOrigin =
  /** The newest commit that touched one of its lines. */
  | { readonly kind: "commit"; readonly facts: CommitFacts; readonly applied: AppliedBy }
  | Extract<LineOrigin, { kind: "older" }>
  /** Fleet wrote it, and no line of the repository asks for it. */
  | { readonly kind: "fleet" };

export type AppliedBy =
  /** The first release that has it. */
  | { readonly kind: "release"; readonly release: Release }
  | { readonly kind: "not-yet" }
  /** Without a registry nobody knows. */
  | { readonly kind: "unknown" };

type BlameSource = Pick<GitSource, "readCommit" | "describeCommit" | "listFiles" | "readBlob" | "isAncestor">;

/** Who wrote each directive in force of these units, and when it was applied. Reads git alone; `releases`: null where no registry was asked. */
export async function blameUnits(input: {
  readonly units: readonly SpecUnit[];
  readonly machine: string | null;
  readonly commit: CommitId;
  readonly spec: ClusterSpec;
  readonly manifest: Manifest;
  readonly manifestPath: string;
  readonly source: BlameSource;
  /** Oldest first. */
  readonly releases: readonly Release[] | null;
}): Promise<readonly BlamedUnit[]> {
  const { units, machine, commit, spec, manifest, source } = input;
  const placed = units.map((unit) => ({ unit, directives: directivesOf(unit, machine, spec, manifest) }));
  const book = new CommitBook(source, input.manifestPath);
  const wanted = wantedLines(placed.flatMap(({ directives }) => directives));
  const origins = await blameLines(source, book.history, commit, wanted);
  const applied = new AppliedReleases(source, input.releases);
  const facts = new Map<CommitId, CommitFacts | null>();
  const blamed: BlamedUnit[] = [];
  for (const { unit, directives } of placed) {
    const told: BlamedDirective[] = [];
    for (const directive of directives) {
      const origin = await newestOf(directive, origins, source);
      if (origin === null || origin.kind === "older") {
        told.push({ ...directive, origin: origin ?? { kind: "fleet" } });
        continue;
      }
      if (!facts.has(origin.commit)) facts.set(origin.commit, await book.facts(origin.commit, commit));
      const known = facts.get(origin.commit);
      if (known == null) continue;
      told.push({ ...directive, origin: { kind: "commit", facts: known, applied: await applied.of(origin.commit) } });
    }
    blamed.push({ unit, machine, directives: told });
  }
  return blamed;
}

function wantedLines(directives: readonly PlacedDirective[]): ReadonlyMap<string, ReadonlySet<number>> {
  const wanted = new Map<string, Set<number>>();
  for (const { at } of directives) {
    if (at === null) continue;
    const lines = wanted.get(at.path) ?? new Set();
    for (let line = at.line; line <= at.lastLine; line++) lines.add(line);
    wanted.set(at.path, lines);
  }
  return wanted;
}

/** An assignment over several lines is as new as the newest of them. */
async function newestOf(
  { at }: PlacedDirective,
  origins: LineOrigins,
  source: Pick<GitSource, "isAncestor">,
): Promise<LineOrigin | null> {
  if (at === null) return null;
  const lines = origins.get(at.path);
  let newest: LineOrigin | null = null;
  for (let line = at.line; line <= at.lastLine; line++) {
    const origin = lines?.get(line);
    if (origin === undefined) continue;
    const isNewer =
      newest === null ||
      newest.kind === "older" ||
      (origin.kind === "commit" &&
        origin.commit !== newest.commit &&
        (await source.isAncestor(newest.commit, origin.commit)) === "yes");
    if (isNewer) newest = origin;
  }
  return newest;
}

/** Releases only go forward, so the first that has a commit is found by halving. */
class AppliedReleases {
  readonly #source: Pick<GitSource, "isAncestor" | "describeCommit">;
  readonly #releases: readonly Release[] | null;
  readonly #known = new Map<CommitId, AppliedBy>();

  constructor(source: Pick<GitSource, "isAncestor" | "describeCommit">, releases: readonly Release[] | null) {
    this.#source = source;
    this.#releases = releases;
  }

  async of(commit: CommitId): Promise<AppliedBy> {
    if (this.#releases === null) return { kind: "unknown" };
    const known = this.#known.get(commit) ?? (await this.#find(commit, this.#releases));
    this.#known.set(commit, known);
    return known;
  }

  async #find(commit: CommitId, releases: readonly Release[]): Promise<AppliedBy> {
    let [from, to] = [0, releases.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if (await this.#has(releases[middle]!, commit)) to = middle;
      else from = middle + 1;
    }
    const release = releases[from];
    return release === undefined ? { kind: "not-yet" } : { kind: "release", release };
  }

  /** A release whose commit this repository does not have is from before it was cloned. */
  async #has(release: Release, commit: CommitId): Promise<boolean> {
    try {
      return (await this.#source.isAncestor(commit, release.commit)) === "yes";
    } catch (error) {
      if (error instanceof OperationError && error.code === "commit-unknown") return false;
      throw error;
    }
  }
}
