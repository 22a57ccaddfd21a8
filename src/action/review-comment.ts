import { OperationError } from "../ports/operation-error.ts";
import type { CommentMode } from "./action-inputs.ts";
import type { Forge, Written } from "./forge.ts";
import { parseMarker, printMarker, type ReviewMarker } from "./marker.ts";

/** A comment of ours with what it says of itself. */
export interface Review {
  readonly comment: Written;
  readonly marker: ReviewMarker;
}

/** Older ones that are folded away at once; the rest follows with the next plans. */
const MINIMIZED_MAX = 20;

/** Our comments about that plan, oldest first. A forged one has another author. */
export async function findReviews(
  forge: Forge,
  number: number,
  { manifest, label }: Pick<ReviewMarker, "manifest" | "label">,
): Promise<Review[]> {
  const found: Review[] = [];
  for (const comment of await forge.comments(number)) {
    const marker = parseMarker(comment.body);
    if (marker?.manifest === manifest && marker.label === label && (await forge.isOwn(comment)))
      found.push({ comment, marker });
  }
  return found;
}

export interface ReviewText {
  readonly marker: ReviewMarker;
  /** Markdown below the marker. */
  readonly text: string;
  /** For a server that finds the text too long: it counts otherwise than we do. */
  readonly shortText: string;
  /** Whether there is anything to review. */
  readonly changes: boolean;
}

/**
 * Brings the pull request's comment up to date: an open one is edited, a closed one is left as the record it is and folded away with all
 * older ones. Null where the mode wants none. Rejects as RestClient does.
 */
export async function writeReview(
  forge: Forge,
  number: number,
  mode: Exclude<CommentMode, "false">,
  review: ReviewText,
): Promise<Written | null> {
  const known = await findReviews(forge, number, review.marker);
  const newest = known.findLast(({ marker }) => !marker.closed) ?? null;
  if (newest === null && mode === "changes-only" && !review.changes) return null;
  const reused = mode === "always-new" ? null : newest;
  const comment = await (reused === null
    ? createReview(forge, number, review, known)
    : fitting(review, (body) => forge.updateComment(reused.comment.id, body)));
  const outdated = known.filter((one) => one !== reused && (reused === null || !one.marker.closed));
  for (const { comment: old } of outdated.slice(-MINIMIZED_MAX)) await forge.minimize(old);
  return comment;
}

/** A reply may be lost after the comment was written: then it is looked for, and never written a second time unseen. */
async function createReview(
  forge: Forge,
  number: number,
  review: ReviewText,
  known: readonly Review[],
): Promise<Written> {
  const create = (body: string) => forge.createComment(number, body);
  try {
    return await fitting(review, create);
  } catch (error) {
    if (!(error instanceof OperationError) || error.code !== "forge-unavailable") throw error;
    const now = await findReviews(forge, number, review.marker);
    const written = now.find(({ comment }) => known.every((one) => one.comment.id !== comment.id));
    return written?.comment ?? fitting(review, create);
  }
}

async function fitting(
  { marker, text, shortText }: ReviewText,
  write: (body: string) => Promise<Written>,
): Promise<Written> {
  try {
    return await write(`${printMarker(marker)}\n${text}`);
  } catch (error) {
    if (!(error instanceof OperationError) || error.code !== "forge-unprocessable") throw error;
    return write(`${printMarker({ ...marker, truncated: true, changes: null })}\n${shortText}`);
  }
}
