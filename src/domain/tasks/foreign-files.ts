import type { UnitName } from "../names.ts";
import { type EffectCause, effectOfFiles } from "../unit/unit-effect.ts";
import { isQuadlet, serviceNameOf } from "../unit/unit-name.ts";
import type { InstalledFile } from "./task.ts";

/** What there is of somebody else's definition of a unit that is wanted here. */
export type ForeignFiles =
  /** It amounts to ours. With `paths` out of the way, ours is the only one. */
  | { readonly state: "same"; readonly fragmentPath: string; readonly paths: readonly string[] }
  /** Worst first; empty where a file cannot be read as a unit's. */
  | { readonly state: "differs"; readonly causes: readonly EffectCause[] }
  | { readonly state: "unclear"; readonly because: UnclearForeign }
  /** A takeover has begun: what is still there of `paths` goes. */
  | { readonly state: "under-way"; readonly paths: readonly string[] }
  /** Taken over: systemd still names the file it loaded, and that file is out of the way. */
  | { readonly state: "taken" };

export type UnclearForeign =
  /** Only what an administrator installed is taken over: packages and generators bring theirs again. */
  | "not-in-etc"
  /** Its other names would be gone with its files. */
  | "has-aliases"
  /** systemd holds another text than the files have. */
  | "changed-since-loaded"
  | "unreadable";

/** Where administrators install units. */
export const FOREIGN_FOLDER = "/etc/systemd/system";
/** Where they install quadlets. */
export const FOREIGN_QUADLETS = "/etc/containers/systemd";

/** A unit as systemd loaded it: the path of each file, the fragment first, and its text. */
export interface LoadedFiles {
  readonly names: readonly UnitName[];
  readonly isOutdated: boolean;
  /** Null where it could not be read. */
  readonly files: readonly { readonly path: string; readonly text: string | null }[];
}

/**
 * Holds a foreign definition against ours. `links` are what enables the unit in /etc. A template's file stays, as do drop-ins of the
 * template or of all units of a type: they are others' as well, and apply to ours as they did.
 */
export function compareForeign(
  name: UnitName,
  loaded: LoadedFiles,
  links: readonly string[],
  ours: readonly InstalledFile[],
): ForeignFiles {
  const [fragment, ...dropins] = loaded.files;
  const folder = isQuadlet(name) ? FOREIGN_QUADLETS : FOREIGN_FOLDER;
  if (fragment === undefined || !fragment.path.startsWith(`${folder}/`)) return unclear("not-in-etc");
  if (loaded.names.length > 1) return unclear("has-aliases");
  if (loaded.isOutdated) return unclear("changed-since-loaded");
  if (loaded.files.some((file) => file.text === null)) return unclear("unreadable");
  // What is said of a quadlet's service is said of the quadlet.
  const own = [`${folder}/${name}.d/`, `${FOREIGN_FOLDER}/${serviceNameOf(name)}.d/`];
  const going = dropins.filter(({ path }) => own.some((start) => path.startsWith(start)));
  const staying = dropins.filter((dropin) => !going.includes(dropin));
  const asDropins = (files: typeof dropins): InstalledFile[] =>
    files.map(({ path, text }) => ({ path: `${name}.d/${baseName(path)}`, text: text! }));
  const before = [{ path: name, text: fragment.text! }, ...asDropins(dropins)];
  // What a unit reads is no part of its definition: another one of the same definition names the same paths.
  const texts = ours.filter(({ delivery }) => delivery === undefined);
  const after = withoutHidden([...texts, ...asDropins(staying)]);
  const { effect, causes } = effectOfFiles(name, before, after);
  // What is quiet is no reason: named along with what is, it would send a person after descriptions.
  if (effect !== "quiet") return { state: "differs", causes: causes.filter((cause) => cause.effect !== "quiet") };
  const fragments = fragment.path === `${folder}/${name}` ? [fragment.path] : [];
  // The fragment first: dying in between and after a power-off, what is left are drop-ins that say again what ours say.
  return {
    state: "same",
    fragmentPath: fragment.path,
    paths: [...fragments, ...going.map(({ path }) => path), ...links],
  };
}

/** Of files of one name the first counts, as the unit's own drop-in hides its type's. */
function withoutHidden(files: readonly InstalledFile[]): InstalledFile[] {
  return [...new Map([...files].reverse().map((file) => [file.path, file])).values()];
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function unclear(because: UnclearForeign): ForeignFiles {
  return { state: "unclear", because };
}
