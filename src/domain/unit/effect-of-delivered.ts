import { compareText, type UnitName } from "../names.ts";
import { readSecretHeader } from "../secret/secret-header.ts";
import { deliveredName } from "../spec/delivered-file.ts";
import type { InstalledFile } from "../tasks/task.ts";
import { isCondition } from "./directive-effects.ts";
import { canReload } from "./effect-in-context.ts";
import type { EffectiveUnit } from "./effective-unit.ts";
import { type FileMention, fileMentions, means } from "./file-mentions.ts";
import { type EffectCause, UNIT_EFFECTS, type UnitEffect } from "./unit-effect.ts";
import { isQuadlet, serviceNameOf } from "./unit-name.ts";

/** Stands for a section in a cause: what differs is a file that the unit reads, and `key` its path below the unit's own folder. */
export const FILES_CAUSE = "files";

/** The same for a secret; `key` is its name. */
export const SECRETS_CAUSE = "secrets";

/**
 * The delivered files that differ, in contents, mode or owner, and what each does by itself to the unit as it is afterwards, which is read
 * only where there are any; null: it cannot be.
 */
export function deliveredCauses(
  name: UnitName,
  before: readonly InstalledFile[],
  after: readonly InstalledFile[],
  read: () => EffectiveUnit | null,
): readonly EffectCause[] {
  const [old, next] = [byPath(before), byPath(after)];
  const paths = [...new Set([...old.keys(), ...next.keys()])];
  const differing = paths.filter((path) => !isSame(old.get(path), next.get(path)));
  if (differing.length === 0) return [];
  const secrets = new Set([...before, ...after].filter(isSealed).map(({ path }) => path));
  const unit = read();
  const service = serviceNameOf(name);
  const mentions = unit === null ? [] : fileMentions(service, unit);
  return differing.sort(compareText).map((path) => {
    const key = deliveredName(service, path);
    if (secrets.has(path)) return { section: SECRETS_CAUSE, key, effect: effectOfSecret(path, before, after) };
    return {
      section: FILES_CAUSE,
      key,
      effect: unit === null ? "restart" : effectOf(name, `${service}/${key}`, unit, mentions),
    };
  });
}

function isSealed({ delivery }: InstalledFile): boolean {
  return delivery?.encoding === "age";
}

/** Its value is read when processes start. Encrypted anew to other machines it states the same version, for the same owner: nobody need notice. */
function effectOfSecret(path: string, before: readonly InstalledFile[], after: readonly InstalledFile[]): UnitEffect {
  const [old, next] = [before, after].map((files) => {
    const file = files.find((one) => one.path === path);
    const read = file === undefined || !isSealed(file) ? null : readSecretHeader(file.text);
    const version = read !== null && "header" in read ? read.header.version : null;
    return version === null ? null : JSON.stringify([version, file?.delivery]);
  });
  return old !== null && old === next ? "quiet" : "restart";
}

/**
 * By where the unit names it, the worst of them. Named nowhere, it is one that the manifest declares: read by the program, or by a file
 * that is named.
 */
function effectOf(name: UnitName, path: string, unit: EffectiveUnit, mentions: readonly FileMention[]): UnitEffect {
  const effects = mentions.filter((mention) => means(mention, path)).map((mention) => effectAt(name, mention));
  const worst = UNIT_EFFECTS.find((effect) => effects.includes(effect)) ?? "reload";
  return worst === "reload" && (isQuadlet(name) || !canReload(name, unit)) ? "restart" : worst;
}

/**
 * What is given to the processes when they start (`EnvironmentFile=`, `LoadCredential=`) needs new ones, and so does what is mounted: a
 * mount of a file shows the file that was there. What a command reads that runs later, it reads then. Only what the main command is told by
 * its path can be read again by it.
 */
function effectAt(name: UnitName, { section, key, isCommand }: FileMention): UnitEffect {
  if (section.startsWith("X-") || key.startsWith("X-") || section === "Install" || isCondition(key)) return "quiet";
  if (isQuadlet(name)) return "restart";
  if (key === "ExecReload" || key === "ExecStop" || key === "ExecStopPost") return "quiet";
  return (key === "ExecStart" && !isCommand) || key === "Environment" ? "reload" : "restart";
}

function byPath(files: readonly InstalledFile[]): ReadonlyMap<string, InstalledFile> {
  return new Map(files.filter(({ delivery }) => delivery !== undefined).map((file) => [file.path, file]));
}

/** Texts as they are: most often the very same one, and large. */
function isSame(a: InstalledFile | undefined, b: InstalledFile | undefined): boolean {
  return (
    a !== undefined && b !== undefined && a.text === b.text && JSON.stringify(a.delivery) === JSON.stringify(b.delivery)
  );
}
