import type { UnitName } from "../names.ts";
import type { InstalledFile } from "../tasks/task.ts";
import { type EffectiveUnit, effectiveUnit } from "../unit/effective-unit.ts";
import { parseUnitFile } from "../unit/parse-unit-file.ts";
import { isQuadlet, unitNameParts } from "../unit/unit-name.ts";

/** An image that a quadlet is to run, which a registry may have. */
export interface QuadletImage {
  /** As written: `docker.io/library/postgres:16`. */
  readonly image: string;
  /** Of credentials; null: podman's own. */
  readonly authFile: string | null;
}

/** Where images stand, by type of quadlet: podman-systemd.unit(5) of podman 5.4. */
const SECTIONS: Readonly<Record<string, string>> = { container: "Container", image: "Image", volume: "Volume" };

/** The one image a quadlet names itself; null where it names none, or one that another quadlet pulls or builds. */
export function imageOf(name: UnitName, unit: EffectiveUnit): QuadletImage | null {
  const section = isQuadlet(name) ? SECTIONS[unitNameParts(name).type] : undefined;
  if (section === undefined) return null;
  const image = unit.last(section, "Image")?.value ?? "";
  if (image === "" || /\.(image|build)$/.test(image)) return null;
  return { image, authFile: unit.last(section, "AuthFile")?.value || null };
}

/** Whether podman, asked for it by that name alone, would get what the service will ask for. */
export function isPullable({ image, authFile }: QuadletImage): boolean {
  // A specifier is the service's own to expand, and what begins like an option is none; neither is anything with blanks.
  const isPlain = /^[A-Za-z0-9][A-Za-z0-9._:/@-]*$/.test(image) && image.length <= IMAGE_MAX;
  // podman's name for what was built on the machine itself.
  const isLocal = image.startsWith("localhost/");
  return isPlain && !isLocal && (authFile === null || /^\/[^%\s]*$/.test(authFile));
}

/** A reference has at most 255 characters and a digest of 71 behind them (distribution's reference grammar). */
const IMAGE_MAX = 400;

/** Of a quadlet's files as they are installed: what is to be there before it changes. Null: nothing, or nothing anybody else could fetch. */
export function imageToPull(name: UnitName, files: readonly InstalledFile[]): QuadletImage | null {
  if (!isQuadlet(name)) return null;
  const unit = effectiveOf(name, files);
  const found = imageOf(name, unit);
  if (found === null || !isPullable(found)) return null;
  return unit.last(SECTIONS[unitNameParts(name).type]!, "Pull")?.value === "never" ? null : found;
}

/**
 * Of several quadlets that are to stand side by side, by name. What one of them builds, or pulls under another name (`ImageTag=`), is there once
 * that one has run, and nobody else's to pull.
 */
export function imagesToPull(
  units: readonly { readonly name: UnitName; readonly files: readonly InstalledFile[] }[],
): Map<UnitName, QuadletImage> {
  const made = new Set(units.flatMap(({ name, files }) => tagsOf(name, files)));
  const found = new Map<UnitName, QuadletImage>();
  for (const { name, files } of units) {
    const image = imageToPull(name, files);
    if (image !== null && !made.has(image.image)) found.set(name, image);
  }
  return found;
}

function tagsOf(name: UnitName, files: readonly InstalledFile[]): readonly string[] {
  const section = { build: "Build", image: "Image" }[unitNameParts(name).type as string];
  return section === undefined
    ? []
    : effectiveOf(name, files)
        .values(section, "ImageTag")
        .map(({ value }) => value);
}

function effectiveOf(name: UnitName, files: readonly InstalledFile[]): EffectiveUnit {
  const read = ({ path, text }: InstalledFile) => parseUnitFile(path, text).file;
  const fragment = files.find(({ path }) => path === name) ?? { path: name, text: "" };
  const dropins = files.filter(({ path }) => path.startsWith(`${name}.d/`));
  return effectiveUnit(read(fragment), dropins.map(read));
}

/** Whether a reference says which image it is, whatever anybody pushes under that name. */
export function isPinned(image: string): boolean {
  return /@sha(256|512):[0-9a-f]{64,128}$/.test(image);
}
