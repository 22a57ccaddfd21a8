import { ApiProblem } from "./api-problem.ts";

/** Entries of a page: the original's `token_limit`. */
const PAGE_SIZE = 100;

export interface Page<Entry> {
  readonly entries: readonly Entry[];
  /** Absent: it is the last one. */
  readonly nextPageToken?: string;
}

/**
 * The page that a `nextPageToken` names, or the first. A token is the original's: the URL-safe base64 of limit and page, two little-endian
 * uint16. A page that ends the list exactly has no next one. Throws 400 for what is no token of ours.
 */
export function pageOf<Entry>(all: readonly Entry[], tokens: readonly string[]): Page<Entry> {
  const page = tokens.length === 0 ? 1 : pageNumber(tokens);
  const end = page * PAGE_SIZE;
  const entries = all.slice(end - PAGE_SIZE, end);
  return end < all.length ? { entries, nextPageToken: tokenOf(page + 1) } : { entries };
}

function tokenOf(page: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt16LE(PAGE_SIZE, 0);
  bytes.writeUInt16LE(page, 2);
  return bytes.toString("base64url");
}

function pageNumber([token = "", ...more]: readonly string[]): number {
  const bytes = Buffer.from(token, "base64url");
  const isToken = more.length === 0 && /^[A-Za-z0-9_-]{6}(==)?$/.test(token) && bytes.length === 4;
  const [limit, page] = isToken ? [bytes.readUInt16LE(0), bytes.readUInt16LE(2)] : [0, 0];
  if (limit === PAGE_SIZE && page > 0) return page;
  throw new ApiProblem(400, "invalid nextPageToken: send one that a page before had, and no other");
}
