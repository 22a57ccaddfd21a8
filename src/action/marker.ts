import { deflateRawSync, inflateRawSync } from "node:zlib";

/** What a plan's comment knows of itself, in its first line, where no reader sees it. */
export interface ReviewMarker {
  /** Which of the plans of a pull request: several clusters in one repository have a manifest each, one in several places a label. */
  readonly manifest: string;
  readonly label: string;
  /** Null where the commit was rejected: there is nothing to approve. */
  readonly contentId: string | null;
  /** Of the cluster it was planned against; null where there was none. */
  readonly clusterId: string | null;
  readonly commit: string;
  /** The comment does not show all of the plan: nobody can have reviewed it there. */
  readonly truncated: boolean;
  /** It was applied; the next plan has a comment of its own. */
  readonly closed: boolean;
  /** `changeLines` of the plan; null where there are too many to carry. */
  readonly changes: readonly string[] | null;
}

/** The comment must hold 58,000 bytes of plan beside it, and has 65,536 characters. */
const CHANGES_BYTES_MAX = 4_000;
/** Of what a comment claims to carry; our own have far less. */
const INFLATED_BYTES_MAX = 1 << 20;
/** What becomes part of a ref and of a message. */
const ID = /^[0-9A-Za-z-]{1,64}$/;
const MARKER = /^<!-- fleet:plan (\{[^\n<>]*\}) -->(?:\r?\n|$)/;

/** One line, which nothing in the values can end. */
export function printMarker({ changes, ...marker }: ReviewMarker): string {
  const packed = changes === null ? null : deflateRawSync(changes.join("\n")).toString("base64");
  const carried = packed === null || packed.length > CHANGES_BYTES_MAX ? null : packed;
  const json = JSON.stringify({ v: 1, ...marker, changes: carried });
  return `<!-- fleet:plan ${json.replace(/[<>&-]/g, (character) => `\\u00${character.charCodeAt(0).toString(16)}`)} -->`;
}

/** Null where the text is no comment of ours, or of a fleet that is newer. */
export function parseMarker(body: string): ReviewMarker | null {
  const json = MARKER.exec(body)?.[1];
  if (json === undefined) return null;
  try {
    const { v, manifest, label, contentId, clusterId, commit, truncated, closed, changes } = JSON.parse(json) as Record<
      string,
      unknown
    >;
    if (v !== 1 || typeof manifest !== "string" || typeof label !== "string" || typeof commit !== "string") return null;
    return {
      ...{ manifest, label, commit },
      contentId: typeof contentId === "string" && ID.test(contentId) ? contentId : null,
      clusterId: typeof clusterId === "string" && ID.test(clusterId) ? clusterId : null,
      truncated: truncated !== false,
      closed: closed === true,
      changes: typeof changes === "string" ? unpacked(changes) : null,
    };
  } catch {
    // Whoever edits it by hand makes it a comment like any other.
    return null;
  }
}

/** The comment without its marker. */
export function withoutMarker(body: string): string {
  return body.replace(MARKER, "");
}

function unpacked(packed: string): string[] {
  const text = inflateRawSync(Buffer.from(packed, "base64"), { maxOutputLength: INFLATED_BYTES_MAX }).toString("utf8");
  return text === "" ? [] : text.split("\n");
}
