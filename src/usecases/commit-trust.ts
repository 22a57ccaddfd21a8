import { MANIFEST_BYTES_MAX, readManifest } from "../codec/manifest/read-manifest.ts";
import { readAllowedSigners, SIGNERS_BYTES_MAX } from "../codec/signatures/allowed-signers.ts";
import { canonicalJson, type Json } from "../domain/canonical-json.ts";
import type { Diagnostic } from "../domain/diagnostic.ts";
import { hasErrors } from "../domain/diagnostic.ts";
import { invariant } from "../domain/invariant.ts";
import type { CommitId } from "../domain/names.ts";
import { compileTrust } from "../domain/spec/compile-trust.ts";
import type { Manifest } from "../domain/spec/manifest.ts";
import { type ManifestSources, manifestSources } from "../domain/spec/repository-files.ts";
import { compilePaths } from "../domain/trust/path-pattern.ts";
import {
  NO_TRUST,
  type Signer,
  stricterMode,
  type Trust,
  type TrustMode,
  type TrustSpec,
} from "../domain/trust/trust-policy.ts";
import type { GitSource, TreeFile } from "../ports/git-source.ts";
import { OperationError } from "../ports/operation-error.ts";
import { LeastRecent } from "./least-recent.ts";

/** What a machine's own file says, whatever the repository says: who may sign, and at least how much must be signed. */
export interface MachineTrust {
  readonly mode: Exclude<TrustMode, "off">;
  readonly signers: readonly Signer[];
}

/** What a commit says of trust. */
export interface CommitTrust {
  /** The same value for the same words and the same signers; null where they cannot be gone by. */
  readonly trust: Trust | null;
  /** Which files its spec is made of; null where its manifest cannot be gone by. Asked for by rules alone, it may first have to be read. */
  readonly sources: () => ManifestSources | null;
  readonly signersPath: string | null;
  readonly diagnostics: readonly Diagnostic[];
}

/** Contents that are remembered: a history has few manifests, and fewer files of signers. */
const REMEMBERED_MAX = 64;

const SILENT: TrustSpec = { mode: "off", signers: null, forgeKeys: [], rules: [] };

interface ReadManifest {
  readonly spec: TrustSpec | null;
  readonly sources: () => ManifestSources | null;
  readonly diagnostics: readonly Diagnostic[];
}

/** Reads of commits what they say of trust, and remembers it by blob. */
export class CommitTrusts {
  readonly #source: Pick<GitSource, "listFiles" | "readBlob">;
  readonly #manifestPath: string;
  readonly #own: MachineTrust | null;
  readonly #manifests = new LeastRecent<string, ReadManifest>(REMEMBERED_MAX);
  readonly #signers = new LeastRecent<string, ReturnType<typeof readAllowedSigners>>(REMEMBERED_MAX);
  readonly #trusts = new LeastRecent<string, Trust>(REMEMBERED_MAX);

  constructor(source: Pick<GitSource, "listFiles" | "readBlob">, manifestPath: string, own: MachineTrust | null) {
    this.#source = source;
    this.#manifestPath = manifestPath;
    this.#own = own;
  }

  get own(): MachineTrust | null {
    return this.#own;
  }

  /** Rejects with OperationError where the commit cannot be read. */
  async at(commit: CommitId): Promise<CommitTrust> {
    const { spec, sources, diagnostics } = await this.#manifestAt(commit);
    const signersPath = spec?.signers ?? null;
    if (spec === null) return { trust: null, sources, signersPath, diagnostics };
    if (this.#own !== null) return { trust: this.#trust(spec, "", []), sources, signersPath, diagnostics };
    if (signersPath === null || spec.mode === "off")
      return { trust: this.#trust(spec, "", []), sources, signersPath, diagnostics };
    const file = await this.#fileAt(commit, signersPath);
    if (file === null) return { trust: null, sources, signersPath, diagnostics: [signersMissing(signersPath)] };
    const read = await this.#signersOf(signersPath, file);
    const isSound = !hasErrors(read.diagnostics);
    const trust = isSound ? this.#trust(spec, file.oid, read.signers) : null;
    return { trust, sources, signersPath, diagnostics: read.diagnostics };
  }

  async #manifestAt(commit: CommitId): Promise<ReadManifest> {
    const path = this.#manifestPath;
    const file = await this.#fileAt(commit, path);
    if (file === null) return { spec: null, sources: () => null, diagnostics: [] };
    const known = this.#manifests.get(file.oid);
    if (known !== undefined) return known;
    const bytes = await this.#read(file, MANIFEST_BYTES_MAX);
    const read = isSilent(bytes)
      ? { spec: SILENT, sources: () => this.#parsed(bytes).sources(), diagnostics: [] }
      : this.#parsed(bytes);
    this.#manifests.set(file.oid, read, 1);
    return read;
  }

  #parsed(bytes: Uint8Array): ReadManifest {
    const { manifest, diagnostics } = readManifest(this.#manifestPath, bytes);
    const isSound = manifest !== null && !manifest.flawed;
    return isSound ? this.#compiled(manifest) : { spec: null, sources: () => null, diagnostics };
  }

  #compiled(manifest: Manifest): ReadManifest {
    const { trust, diagnostics } = compileTrust(this.#manifestPath, manifest.trust);
    const sources = manifestSources(this.#manifestPath, manifest);
    return { spec: hasErrors(diagnostics) ? null : (trust ?? SILENT), sources: () => sources, diagnostics };
  }

  async #signersOf(path: string, file: TreeFile): Promise<ReturnType<typeof readAllowedSigners>> {
    const key = `${file.oid} ${path}`;
    const known = this.#signers.get(key);
    if (known !== undefined) return known;
    const read = readAllowedSigners(path, await this.#read(file, SIGNERS_BYTES_MAX));
    this.#signers.set(key, read, 1);
    return read;
  }

  /** A machine's own signers count in place of the repository's; its mode where it is the stricter one. */
  #trust(spec: TrustSpec, signersOid: string, signers: readonly Signer[]): Trust {
    const mode = this.#own === null ? spec.mode : stricterMode(spec.mode, this.#own.mode);
    if (mode === "off") return NO_TRUST;
    const { forgeKeys } = spec;
    const key = `${canonicalJson({ ...spec, signers: signersOid } as unknown as Json)}`;
    const known = this.#trusts.get(key);
    if (known !== undefined) return known;
    const rules = spec.rules.map((rule) => {
      const matches = compilePaths(rule.paths);
      invariant(matches !== null, "compileTrust takes only patterns that can be read");
      return { ...rule, matches };
    });
    const trust = { mode, signers: this.#own?.signers ?? signers, forgeKeys, rules };
    this.#trusts.set(key, trust, 1);
    return trust;
  }

  async #fileAt(commit: CommitId, path: string): Promise<TreeFile | null> {
    const found = (await this.#source.listFiles(commit, [path])).find((file) => file.path === path);
    return found?.kind === "file" ? found : null;
  }

  async #read({ oid }: TreeFile, maxBytes: number): Promise<Uint8Array> {
    try {
      return await this.#source.readBlob(oid, maxBytes);
    } catch (error) {
      if (!(error instanceof OperationError && error.code === "blob-too-large")) throw error;
      // What is too long for its reader is told by it.
      return new Uint8Array(maxBytes + 1);
    }
  }
}

/**
 * Whether it cannot have the key, however it is written: then its YAML, a second for each MiB, is not read for that. Most manifests of
 * clusters that do not ask for signatures.
 */
function isSilent(bytes: Uint8Array): boolean {
  const text = new TextDecoder("latin1").decode(bytes);
  return bytes.length <= MANIFEST_BYTES_MAX && !text.includes("trust") && !text.includes("\\");
}

function signersMissing(path: string): Diagnostic {
  const saw = `no file ${path} in the commit, which trust: names for the keys of signers`;
  const next = "add it (fleet trust init writes it), or correct `signers:` in the manifest";
  return { code: "signers-missing", severity: "error", at: { path }, saw, next };
}
