import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { lockEntry, ROOT } from "./lock-file.ts";

/** A package of which code is in the bundle. */
export interface BundledPackage {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly integrity: string;
}

/** Whose code a bundle is made of, by the paths esbuild read (from the repository's root): one for each package, in the order of names. */
export function bundledPackages(inputs: readonly string[]): BundledPackage[] {
  return [...foldersOf(inputs)]
    .map((folder) => lockEntry(folder))
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.version < b.version ? -1 : 1));
}

/** Texts for packages that name their licence and ship no copy of it. */
const STANDARD_TEXTS: Readonly<Record<string, string>> = {
  MIT: "packaging/licenses/MIT.txt",
  "Apache-2.0": "LICENSE",
};

/** Their licences: most ask that these go where their code goes. Throws where there is none for a package. */
export function bundledLicenses(inputs: readonly string[]): string {
  const parts = [...foldersOf(inputs)].sort().map((folder) => {
    const { name, version, license } = lockEntry(folder);
    const title = `${name} ${version} (${license})`;
    return `${title}\n${"-".repeat(title.length)}\n\n${licenseText(folder, license)}\n`;
  });
  return `fleet's program holds code of these packages, each under its own licence.\n\n${parts.join("\n\n")}`;
}

function licenseText(folder: string, license: string): string {
  const absolute = join(ROOT, folder);
  const own = readdirSync(absolute)
    .filter((name) => /^(licen[cs]e|copying|notice)/i.test(name))
    .sort()
    .map((name) => readFileSync(join(absolute, name), "utf8").trim());
  if (own.length > 0) return own.join("\n\n");
  const standard = STANDARD_TEXTS[license];
  if (standard === undefined) throw new Error(`${folder} ships no licence, and ${license} has no text here`);
  const { author } = JSON.parse(readFileSync(join(absolute, "package.json"), "utf8")) as { author?: Author };
  const by = typeof author === "object" ? author.name : author;
  return `Copyright ${by ?? "its authors"}\n\n${readFileSync(join(ROOT, standard), "utf8").trim()}`;
}

/** As package.json may say it. */
type Author = string | { readonly name?: string };

function foldersOf(inputs: readonly string[]): Set<string> {
  const folders = inputs.map((path) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0]);
  return new Set(folders.filter((folder) => folder !== undefined));
}
