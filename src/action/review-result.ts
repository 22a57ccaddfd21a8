import type { Forge, Written } from "./forge.ts";
import { printMarker, withoutMarker } from "./marker.ts";
import type { Review } from "./review-comment.ts";
import { wholeLines } from "./runner.ts";

const [BEGIN, END] = ["<!-- fleet:result -->", "<!-- fleet:result-end -->"];
/** What a comment still holds beside its plan. */
const RESULT_BYTES_MAX = 5_000;

/** Writes what became of a reviewed plan above it; `isOver`: the next plan is to have a comment of its own. An earlier result is replaced. */
export function writeResult(
  forge: Forge,
  { comment, marker }: Review,
  result: string,
  isOver: boolean,
): Promise<Written> {
  const body = withoutMarker(comment.body);
  const end = body.indexOf(END);
  const plan = body.startsWith(BEGIN) && end >= 0 ? body.slice(end + END.length).replace(/^(\r?\n)+/, "") : body;
  return forge.updateComment(
    comment.id,
    [printMarker({ ...marker, closed: marker.closed || isOver }), BEGIN, fitting(result), END, "", plan].join("\n"),
  );
}

/** A cut text leaves its fence open: it is closed again by the one it began with. */
function fitting(result: string): string {
  const cut = wholeLines(result, RESULT_BYTES_MAX);
  if (cut === result) return result;
  const fence = /^`{3,}/m.exec(cut)?.[0] ?? "";
  return `${cut}… the log has the rest\n${fence}`;
}
