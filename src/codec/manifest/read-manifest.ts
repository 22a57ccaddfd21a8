import { type Diagnostic, hasErrors } from "../../domain/diagnostic.ts";
import type { Manifest } from "../../domain/spec/manifest.ts";
import { FLEET_VERSION } from "../../domain/version/fleet-version.ts";
import { isInRange, parseVersionRange } from "../../domain/version/version-range.ts";
import { manifestFromTree } from "./manifest-from-tree.ts";
import { manifestProblems, valueAt } from "./manifest-problems.ts";
import { type ManifestTree, manifestSchema } from "./manifest-schema.ts";
import { readYamlTree, type YamlPath, type YamlTree, type YamlValue } from "./yaml-tree.ts";

/** A manifest of 1,000 machines with metadata has about 100 KiB; YAML costs a second per MiB to read. */
export const MANIFEST_BYTES_MAX = 256 * 1024;

/**
 * Reads `fleet.yaml`. Every problem is reported at once, with its line and column. Where a part is wrong the rest still
 * comes back, marked `flawed`, so that the units can be looked at in the same go; null where too little is left.
 * `version` is that of the fleet that reads.
 */
export function readManifest(
  path: string,
  content: Uint8Array | string,
  version: string = FLEET_VERSION,
): { manifest: Manifest | null; diagnostics: readonly Diagnostic[] } {
  const size = typeof content === "string" ? Buffer.byteLength(content) : content.byteLength;
  if (size > MANIFEST_BYTES_MAX) {
    const saw = `a manifest of ${size} bytes`;
    return nothing({
      code: "manifest-too-large",
      severity: "error",
      at: { path },
      saw,
      expected: `at most ${MANIFEST_BYTES_MAX} bytes`,
    });
  }
  const text = typeof content === "string" ? content : decode(content);
  if (text === null) {
    const next = "save the file as UTF-8";
    return nothing({
      code: "manifest-not-utf8",
      severity: "error",
      at: { path },
      saw: "bytes that are not UTF-8",
      next,
    });
  }
  const { tree, diagnostics } = readYamlTree(path, text);
  if (tree === null) return { manifest: null, diagnostics };
  const refused = requiresOther(tree, version);
  return refused === null ? checkTree(tree) : nothing(refused);
}

/**
 * That the manifest is for another fleet. It is looked for before anything else: keys that this fleet does not know are then no mistakes
 * of their author.
 */
function requiresOther(tree: YamlTree, version: string): Diagnostic | null {
  const text = valueAt(tree.root, ["requires"]);
  const range = typeof text === "string" ? parseVersionRange(text) : null;
  if (range === null || isInRange(version, range)) return null;
  const saw = `requires: "${text}", and this is fleet ${version}`;
  const next = "use a fleet of such a version, here and on every machine of the cluster";
  return { code: "manifest-requires", severity: "error", at: tree.valueAt(["requires"]), saw, next };
}

function nothing(diagnostic: Diagnostic): { manifest: null; diagnostics: readonly Diagnostic[] } {
  return { manifest: null, diagnostics: [diagnostic] };
}

function decode(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}

function checkTree(tree: YamlTree): { manifest: Manifest | null; diagnostics: readonly Diagnostic[] } {
  const first = manifestSchema.safeParse(tree.root);
  if (first.success) return { manifest: manifestFromTree(tree.root as ManifestTree, tree, false), diagnostics: [] };
  const diagnostics = first.error.issues
    .flatMap((issue) => manifestProblems(manifestSchema, tree, issue))
    .sort((a, b) => (a.at?.line ?? 0) - (b.at?.line ?? 0) || (a.at?.column ?? 0) - (b.at?.column ?? 0));
  const rest = structuredClone(tree.root);
  for (const issue of first.error.issues) {
    if (issue.code === "unrecognized_keys") for (const key of issue.keys) remove(rest, [...issue.path, key]);
    else remove(rest, issue.path);
  }
  // Without its paths the manifest would mean another folder, and every finding about that one would be noise.
  const usable =
    !first.error.issues.some(({ path }) => path[0] === "paths" || (path[0] === "machines" && path[2] === "paths")) &&
    manifestSchema.safeParse(rest).success;
  const manifest = usable && hasErrors(diagnostics) ? manifestFromTree(rest as ManifestTree, tree, true) : null;
  return { manifest, diagnostics };
}

/** Takes the innermost named part around that path out of the tree. */
function remove(root: YamlValue, path: YamlPath): void {
  const index = path.findIndex((step) => typeof step === "number");
  const steps = (index === -1 ? path : path.slice(0, index)).map(String);
  const last = steps.pop();
  let parent: YamlValue | undefined = root;
  for (const step of steps) {
    if (parent === null || parent === undefined || typeof parent === "string") return;
    parent = (parent as Record<string, YamlValue>)[step];
  }
  if (last !== undefined && parent !== null && typeof parent === "object") {
    delete (parent as Record<string, YamlValue>)[last];
  }
}
