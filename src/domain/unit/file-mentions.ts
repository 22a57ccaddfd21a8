import type { SourceLocation } from "../diagnostic.ts";
import type { UnitName } from "../names.ts";
import { FILES_ROOT } from "../spec/delivered-file.ts";
import type { EffectiveUnit } from "./effective-unit.ts";
import { expandSpecifiers } from "./specifiers.ts";

/** A place in a unit that names a file fleet delivers, or a folder of such files. */
export interface FileMention {
  readonly section: string;
  readonly key: string;
  readonly at: SourceLocation;
  /** Below `FILES_ROOT`, with the unit's own specifiers replaced: `web.service/app.env`. */
  readonly path: string;
  /** Names a folder, all of whose files are meant: it ends so, or goes on with what only the machine knows (`%H`). */
  readonly isFolder: boolean;
  /** It is what a command line runs, and not what it is given. */
  readonly isCommand: boolean;
}

/** What ends a path in any directive: `Volume=` and `LoadCredential=` go on after a colon, `Mount=` after a comma, `-p a=b` after `=`. */
const END = "\\s:,;\"'=<>|&(){}*?\\[\\]";
const MENTION = new RegExp(`(^|[${END}@+!-])${FILES_ROOT}(/[^${END}]*|(?=[${END}]|$))`, "g");
const isExec = (key: string) => /^Exec(Start|Stop|Reload|Condition)/.test(key);

/** In the unit's own order; `service` is what `%n` stands for. */
export function fileMentions(service: UnitName, unit: EffectiveUnit): readonly FileMention[] {
  const mentions: FileMention[] = [];
  for (const section of unit.sections) {
    for (const key of new Set(unit.assignments(section).map((one) => one.key))) {
      for (const { value, at } of unit.values(section, key)) {
        if (!value.includes(FILES_ROOT)) continue;
        for (const found of value.matchAll(MENTION)) {
          const { text, left } = expandSpecifiers(found[2]!.slice(1), service);
          const known = left.length === 0 ? text : text.slice(0, text.indexOf(left[0]!));
          // A pattern of `EnvironmentFile=`, or a specifier of the machine, means whatever is in that folder.
          const isPattern = left.length > 0 || /^[*?[]/.test(value.slice(found.index + found[0].length));
          const isFolder = isPattern || known === "" || known.endsWith("/");
          const path = isPattern ? known.slice(0, Math.max(0, known.lastIndexOf("/"))) : known.replace(/\/+$/, "");
          const before = value.slice(0, found.index + found[1]!.length);
          const isCommand = isExec(key) && /^[-@:+!]*$/.test(before);
          mentions.push({ section, key, at, path, isFolder, isCommand });
        }
      }
    }
  }
  return mentions;
}

/** Whether that mention means the file of that path below `FILES_ROOT`. */
export function means(mention: FileMention, path: string): boolean {
  if (!mention.isFolder && mention.path === path) return true;
  return mention.path === "" || path.startsWith(`${mention.path}/`);
}
