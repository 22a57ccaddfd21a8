import type { Sha256 } from "../names.ts";
import type { PlacementInput } from "./place-groups.ts";
import type { PlacementResult } from "./placement.ts";
import { UnitPlacer } from "./unit-placer.ts";

/** Which machine runs each unit, with which hash, and why; and why no machine runs the others. See `placeGroups` for the rules. */
export function placeUnits({ sha256, ...input }: PlacementInput & { readonly sha256: Sha256 }): PlacementResult {
  return new UnitPlacer(sha256).place(input);
}
