import { recipientTag, sshLineOf } from "../codec/signatures/machine-ssh-key.ts";
import type { Diagnostic } from "../domain/diagnostic.ts";
import type { CommitId, Sha256 } from "../domain/names.ts";
import { type SecretReach, secretReach, sightOfGit } from "../domain/secret/secret-reach.ts";
import type { GitSource } from "../ports/git-source.ts";
import { OperationError } from "../ports/operation-error.ts";
import { CommitFiles } from "./commit-files.ts";
import { commitCompiler } from "./compile-commit.ts";

/** The secrets of a commit that units name, and whom they are to be encrypted to. */
export interface CommitSecrets {
  /** By name; also those whose file is yet to be written. */
  readonly secrets: readonly SecretReach[];
  /** Recipients of age, of people whom the manifest names. */
  readonly people: readonly string[];
}

export type ReadSecrets =
  | ({ readonly kind: "read" } & CommitSecrets)
  | { readonly kind: "rejected"; readonly diagnostics: readonly Diagnostic[] };

/**
 * Which secrets a commit has and which machines must read them: by git alone, without a cluster and without a key. For a working tree, its
 * reader as the source. Rejects with OperationError where it cannot be read.
 */
export async function secretsOfCommit(input: {
  readonly source: Pick<GitSource, "listFiles" | "readBlob">;
  readonly manifestPath: string;
  readonly commit: CommitId;
  readonly sha256: Sha256;
}): Promise<ReadSecrets> {
  const { source, manifestPath, commit } = input;
  const { spec, diagnostics } = await commitCompiler({ ...input, assumeSecrets: true })(commit);
  if (spec === null) return { kind: "rejected", diagnostics };
  const { manifest } = await new CommitFiles(source, manifestPath).open(commit);
  const secrets = secretReach(spec, sightOfGit(spec), recipientTag);
  return { kind: "read", secrets, people: manifest?.secretRecipients ?? [] };
}

/** The one of that name. Throws OperationError `no-such-secret`, which says how one comes to be. */
export function secretNamed(name: string, { secrets }: CommitSecrets): SecretReach {
  const found = secrets.find((secret) => secret.name === name);
  if (found !== undefined) return found;
  throw new OperationError(
    "no-such-secret",
    `no unit names the secret ${name}, so nobody knows which machines need it`,
    {
      next: `write into a unit: LoadCredential=${name}:/run/fleet/secrets/%n/${name}`,
    },
  );
}

/** Whether it is encrypted to exactly those who are to read it; people are not named in a file, and are counted. */
export function isUpToDate({ machines, strangers, others, problem }: SecretReach, people: readonly string[]): boolean {
  if (problem !== null || strangers.length > 0 || others !== people.length) return false;
  return machines.every(({ state }) => state === "reads" || state === "no-key");
}

/** Whether each machine it must reach can read it. */
export function reachesAll({ machines, problem }: SecretReach): boolean {
  return problem === null && machines.length > 0 && machines.every(({ state }) => state === "reads");
}

/** For programs: with each machine's key as a recipient of age, for whoever encrypts without fleet. */
export function secretsJson(secrets: readonly SecretReach[], people: readonly string[]) {
  return secrets.map((secret) => ({
    ...secret,
    ok: reachesAll(secret),
    upToDate: isUpToDate(secret, people),
    machines: secret.machines.map((reader) => ({
      ...reader,
      recipient: reader.key === null ? null : sshLineOf(reader.key),
    })),
  }));
}
