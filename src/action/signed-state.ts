import { readFile, stat } from "node:fs/promises";
import { fetchState } from "../adapters/git/state-ref.ts";
import { isSignedBy } from "../adapters/identity/key-signature.ts";
import { sha256 } from "../adapters/sha256.ts";
import { systemClock } from "../adapters/system-clock.ts";
import { compose } from "../cli/composition.ts";
import { type ClusterState, decodeState, STATE_CHARACTERS_MAX } from "../codec/cluster-state.ts";
import type { Manifest } from "../domain/spec/manifest.ts";
import { OperationError } from "../ports/operation-error.ts";
import { CommitFiles } from "../usecases/commit-files.ts";
import type { ActionInputs } from "./action-inputs.ts";
import { gitEnvironment } from "./git-environment.ts";
import type { GitHubEvent } from "./github-event.ts";
import type { Runner } from "./runner.ts";

export interface SignedState {
  readonly text: string;
  /** The machine whose engine signed it, as the manifest names it. */
  readonly signer: string;
}

interface Place {
  readonly runner: Runner;
  readonly inputs: ActionInputs;
  readonly event: GitHubEvent;
  /** The repository's, in the workspace. */
  readonly directory: string;
  /** From the workspace. */
  readonly pathOf: (path: string) => string;
}

/** A whole state of a large cluster over a slow line. */
const FETCH_MS = 60_000;
/** Whoever publishes does so every few minutes: after a day nobody does any more, and reviewers are to know. */
const OLD_MS = 24 * 3_600_000;
/** Clocks differ by less. */
const AHEAD_MS = 5 * 60_000;
const NEXT = "publish one: fleet registry state --push, on a machine whose engineKey the manifest lists";

/**
 * What the input `state` names, if an engine signed it whose key the manifest lists: that of the commit which the pull request is to be
 * merged into, for its own could list any key. Rejects with `state-unreadable`, `state-refused`, `state-unsigned`, `state-unlisted-key`,
 * `state-of-another` or `state-no-base`.
 */
export async function openSignedState(place: Place, named: string): Promise<SignedState> {
  const text = await readNamed(place, named);
  const decoded = decodeState(text, sha256);
  if (decoded.kind !== "state") {
    const problem = decoded.kind === "newer" ? `it is of version ${decoded.version}` : decoded.problem;
    throw new OperationError("state-refused", `${named} is no state this fleet can use: ${problem}`, { next: NEXT });
  }
  const { state, seal } = decoded;
  if (seal === null) throw new OperationError("state-unsigned", `nobody signed the state ${named}`, { next: NEXT });
  if (!isSignedBy(seal.key, seal.bytes, seal.signature))
    throw new OperationError("state-refused", `${seal.key} has not signed the state ${named}`, { next: NEXT });
  const { cluster, machines } = await baseManifest(place);
  if (cluster.value !== state.cluster) {
    throw new OperationError(
      "state-of-another",
      `${named} tells of the cluster ${state.cluster}, not ${cluster.value}`,
      {
        next: "name the state of the cluster that the manifest names",
      },
    );
  }
  const machine = machines.find(({ engineKey }) => engineKey?.value === seal.key);
  if (machine === undefined) {
    throw new OperationError(
      "state-unlisted-key",
      `${named} is signed with ${seal.key}, which is no engineKey of a machine`,
      {
        next: "list it in the manifest of the branch that machines follow, if that is the engine's: fleet join prints it",
      },
    );
  }
  warnOfAge(place.runner, state);
  return { text, signer: machine.key.value };
}

function warnOfAge(runner: Runner, { at }: ClusterState): void {
  const ageMs = systemClock.wallMs() - Date.parse(at);
  if (!(ageMs <= OLD_MS)) runner.warn(`the state is of ${at}: is it still published?`);
  if (ageMs < -AHEAD_MS) runner.warn(`the state is of ${at}, which is not yet: are the clocks right?`);
}

/** The manifest that says whose word counts. A pull request's own is what is under review. */
async function baseManifest({ inputs, event, directory }: Place): Promise<Manifest> {
  const composition = await compose({ directory, manifest: inputs.manifest, registry: "none" });
  try {
    const repository = await composition.repository();
    const base = event.baseSha === "" ? null : await repository.resolve(event.baseSha);
    if (base === null) {
      throw new OperationError("state-no-base", `the commit ${event.baseSha.slice(0, 7)} is not in this checkout`, {
        next: "check the repository out with fetch-depth: 0",
      });
    }
    const { manifest } = await new CommitFiles(repository, inputs.manifest).open(base);
    if (manifest !== null) return manifest;
    throw new OperationError("state-no-base", `commit ${base.slice(0, 7)} has no ${inputs.manifest} that can be read`, {
      next: "a state is verified by the engine keys of the branch it is merged into: merge these first",
    });
  } finally {
    await composition.close();
  }
}

function readNamed(place: Place, named: string): Promise<string> {
  const { inputs, event } = place;
  const ref = /^(?:(.+)#)?(refs\/.+)$/.exec(named);
  if (ref !== null) {
    const remote = ref[1] ?? inputs.source ?? `${event.serverUrl}/${event.repository}`;
    return fetchState({ remote, ref: ref[2]!, environment: gitEnvironment(place, remote) }, STATE_CHARACTERS_MAX);
  }
  return /^https?:/.test(named) ? download(named) : readWhole(place.pathOf(named), named);
}

async function readWhole(path: string, named: string): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size > STATE_CHARACTERS_MAX) throw tooLarge();
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new OperationError("state-unreadable", `cannot read the state ${named}`, { cause, next: NEXT });
  }
}

/** No credential goes there: what it is worth says its signature. */
async function download(url: string): Promise<string> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(FETCH_MS) });
    if (!response.ok) throw new Error(`it answered with ${response.status}`);
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of response.body ?? []) {
      bytes += chunk.length;
      if (bytes > STATE_CHARACTERS_MAX) throw tooLarge();
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString("utf8");
  } catch (cause) {
    throw new OperationError("state-unreadable", `cannot fetch the state from ${new URL(url).host}`, {
      cause,
      next: NEXT,
    });
  }
}

function tooLarge(): Error {
  return new Error(`it has more than the ${STATE_CHARACTERS_MAX} bytes allowed`);
}
