import type { UnitName } from "../names.ts";
import type { EffectiveUnit, EffectiveValue } from "./effective-unit.ts";
import { escapePath } from "./escape-unit-name.ts";
import { expandSpecifiers } from "./specifiers.ts";
import { splitWords } from "./split-words.ts";
import { parseUnitName, serviceNameOf } from "./unit-name.ts";
import type { UnitReference } from "./unit-reference.ts";

const EXEC_SECTIONS = ["Mount", "Service", "Socket", "Swap"];

/**
 * The mount units systemd requires for the paths a unit stands on, whichever of them exist: `/srv/data` means srv.mount and
 * srv-data.mount. `RequiresMountsFor=` says it; state, working and root directories, a mount's own parents and (through
 * podman's generator) a quadlet's host paths imply it. `/` is always there.
 */
export function mountDependencies(name: UnitName, unit: EffectiveUnit): UnitReference[] {
  return pathsOf(unit).flatMap(({ path, by, at }) => {
    const { text, left } = expandSpecifiers(path.replace(/^[-!+]+/, ""), serviceNameOf(name));
    if (left.length > 0 || !text.startsWith("/")) return [];
    const parts = text.split("/").filter((part) => part !== "");
    return parts.flatMap((_, index) => {
      const escaped = escapePath(`/${parts.slice(0, index + 1).join("/")}`);
      const mount = escaped === null ? null : parseUnitName(`${escaped}.mount`);
      return mount === null || mount === name ? [] : [{ unit: mount, by, at }];
    });
  });
}

interface PathOnDisk {
  readonly path: string;
  readonly by: string;
  readonly at: EffectiveValue["at"];
}

function pathsOf(unit: EffectiveUnit): PathOnDisk[] {
  const paths: PathOnDisk[] = [];
  for (const { value, at } of unit.allValues("Unit", "RequiresMountsFor")) {
    for (const path of splitWords(value).words) paths.push({ path, by: "RequiresMountsFor=", at });
  }
  for (const section of EXEC_SECTIONS) {
    for (const { value, at } of unit.values(section, "StateDirectory")) {
      for (const word of splitWords(value).words) {
        paths.push({ path: `/var/lib/${word.split(":")[0]}`, by: "StateDirectory=", at });
      }
    }
    for (const key of ["RootDirectory", "WorkingDirectory"]) {
      const last = unit.last(section, key);
      if (last !== null) paths.push({ path: last.value, by: `${key}=`, at: last.at });
    }
  }
  const where = unit.last("Mount", "Where");
  if (where !== null) paths.push({ path: where.value, by: "Where=", at: where.at });
  for (const section of ["Container", "Pod"]) {
    for (const { value, at } of unit.values(section, "Volume")) {
      paths.push({ path: value.includes(":") ? value.split(":")[0]! : "", by: "Volume=", at });
    }
  }
  return paths;
}
