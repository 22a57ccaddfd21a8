import type { PlanReport } from "../../domain/plan/plan-report.ts";
import { counted } from "./counted.ts";

/** A plan of more has its list in the JSON. */
const IMAGES_SHOWN_MAX = 12;

/** Which images change, each with whether its name alone says which one will run. */
export function imageLines({ images = [] }: Pick<PlanReport, "images">): string[] {
  const lines = images.map(({ unit, from, to, pinned }) => {
    const note = to === null || pinned ? "" : ", not pinned";
    if (from === null) return `image ${to} (${unit}, new)${note}`;
    return to === null ? `image ${from} goes (${unit})` : `image ${from} → ${to} (${unit})${note}`;
  });
  if (lines.length <= IMAGES_SHOWN_MAX) return lines;
  const more = lines.length - IMAGES_SHOWN_MAX;
  return [...lines.slice(0, IMAGES_SHOWN_MAX), `… ${counted(more, "more image")} (--json has all)`];
}
