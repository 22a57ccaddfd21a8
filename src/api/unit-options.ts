import { maskSecrets } from "../domain/lint/mask-secrets.ts";
import type { SpecUnit } from "../domain/spec/cluster-spec.ts";
import { parseUnitFile } from "../domain/unit/parse-unit-file.ts";

/** One assignment of a unit's text, as the original API spelled it. */
export interface UnitOption {
  readonly section: string;
  readonly name: string;
  readonly value: string;
}

/**
 * What a unit's file and its drop-ins say, in the order systemd applies them; an empty value resets a list, as in the files. What looks like
 * a secret is masked: whoever may ask here need not be allowed to read the repository.
 */
export function unitOptions({ fragment, dropins }: Pick<SpecUnit, "fragment" | "dropins">): UnitOption[] {
  return [fragment, ...dropins].flatMap(({ path, text }) =>
    parseUnitFile(path, maskSecrets(text)).file.entries.flatMap((entry) =>
      entry.kind === "assignment" ? [{ section: entry.section, name: entry.key, value: entry.value }] : [],
    ),
  );
}
