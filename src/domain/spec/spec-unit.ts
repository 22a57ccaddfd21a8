import type { DriftPolicy } from "../drift/drift-policy.ts";
import { stopAfterMsOf } from "../unit/on-disconnect.ts";
import { type ReplaceOption, replaceAfterMs } from "../unit/replace-option.ts";
import type { SpecUnit } from "./cluster-spec.ts";
import type { DraftUnit } from "./draft-unit.ts";
import { kindOf } from "./draft-units.ts";
import { rolloutPolicy } from "./unit-settings.ts";

/** What becomes of a draft, with what comparing it with other units has shown. */
export function specUnit(
  unit: DraftUnit,
  found: Pick<SpecUnit, "goal" | "group" | "after" | "companions" | "secrets">,
): SpecUnit {
  return {
    name: unit.name,
    service: unit.service,
    kind: kindOf(unit.name),
    template: unit.template,
    fragment: unit.fragment,
    dropins: unit.dropins,
    ...(unit.files.length === 0 ? {} : { files: unit.files }),
    options: unit.options,
    ...(unit.requests === null ? {} : { requests: unit.requests }),
    ...found,
    rollout: rolloutPolicy(unit.settings),
    ...(unit.settings.adopt === true ? { adopt: true as const } : {}),
    ...uncorrected(unit.settings.drift),
    ...(unit.settings.confirm === null ? {} : { confirm: unit.settings.confirm }),
    ...replacePolicy(unit.replace),
    ...(unit.onDisconnect === null ? {} : { stopAfterMs: stopAfterMsOf(unit.onDisconnect.value)! }),
  };
}

/** As absent where there are none. */
export function secretsIn(secrets: SpecUnit["secrets"] | null): Pick<SpecUnit, "secrets"> {
  return secrets === null || secrets === undefined ? {} : { secrets };
}

/** As absent where it is the default: a spec from before there was a choice keeps its hash. */
function uncorrected(drift: DriftPolicy | null): Pick<SpecUnit, "drift"> {
  return drift === null || drift === "correct" ? {} : { drift };
}

/** As absent where it is the default. */
function replacePolicy(option: ReplaceOption | null): Pick<SpecUnit, "replace"> {
  if (option === null || option === "yes") return {};
  return { replace: option === "no" ? "no" : { afterMs: replaceAfterMs(option)! } };
}
