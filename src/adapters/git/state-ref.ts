import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OperationError } from "../../ports/operation-error.ts";
import { pushCommit, runGit } from "./push-commit.ts";

/** Where the state of a cluster is published: beside the branches, so that nobody checks it out and no workflow runs for it. */
export function stateRef(cluster: string): string {
  return `refs/fleet/state/${cluster}`;
}

/** The one file of such a commit. */
const FILE = "state";

export interface StateRemote {
  /** An address, without credentials: these are in the environment, as git reads them. */
  readonly remote: string;
  readonly ref: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

const NOT_MADE = {
  code: "state-not-pushed",
  next: "is git installed, and is there room in the folder for temporary files?",
};
const NOT_PUSHED = { code: "state-not-pushed", next: "whoever runs this must be allowed to push there" };
const NOT_FETCHED = {
  code: "state-unreadable",
  next: "is it published there (fleet registry state --push), and may this run read the repository?",
};

/** Puts a state behind the ref, in place of the one before. Rejects with `state-not-pushed`. */
export function pushState({ remote, ref, environment }: StateRemote, text: string): Promise<string> {
  return inScratch(async (directory) => {
    const who = Object.fromEntries(
      ["AUTHOR", "COMMITTER"].flatMap((role) => [
        [`GIT_${role}_NAME`, "fleet"],
        [`GIT_${role}_EMAIL`, "fleet@localhost"],
      ]),
    );
    const at = { directory, environment: { ...environment, ...who } };
    await runGit(at, ["init", "--quiet", "--bare"], "", NOT_MADE);
    return pushCommit({
      ...at,
      ...{ remote, ref, text: "The cluster as its registry has it", files: { [FILE]: text }, isSigned: false },
      told: { notMade: NOT_MADE, notPushed: NOT_PUSHED },
    });
  });
}

/** What is behind the ref, at most so many bytes, as text. Rejects with `state-unreadable`. */
export function fetchState({ remote, ref, environment }: StateRemote, bytesMax: number): Promise<string> {
  return inScratch(async (directory) => {
    const at = { directory, environment, outputMax: bytesMax };
    await runGit(at, ["init", "--quiet", "--bare"], "", NOT_FETCHED);
    await runGit(
      at,
      ["fetch", "--quiet", "--no-tags", "--depth", "1", "--", remote, `${ref}:refs/state`],
      "",
      NOT_FETCHED,
    );
    const object = `refs/state:${FILE}`;
    const size = Number(await runGit(at, ["cat-file", "-s", object], "", NOT_FETCHED));
    if (!(size <= bytesMax))
      throw new OperationError("state-unreadable", `${ref} has ${size} bytes, more than the ${bytesMax} allowed`);
    return runGit(at, ["cat-file", "blob", object], "", NOT_FETCHED);
  });
}

async function inScratch<T>(work: (directory: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), "fleet-state-"));
  try {
    return await work(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
