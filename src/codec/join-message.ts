import { parseNodeKey } from "../domain/identity/node-key.ts";
import type { EnrolAnswer, EnrolRequest, HelloAnswer, HelloRequest, LeaveAnswer } from "../domain/join/join-talk.ts";
import { type Decoded, decodeRecord, encodeRecord, hasShape, type Shape } from "./record.ts";

/** Of any of them: names and addresses; a long list of engine keys is a few kilobytes. */
export const JOIN_MESSAGE_BYTES_MAX = 64 * 1024;
/** A name is at most 63 characters, a boot id 36; whatever is longer is none. */
const WORD_MAX = 200;

const REQUEST: Shape = { name: "string", isNamed: "boolean", bootId: "string" };
const HELLO: Shape = {
  clusterId: "string",
  cluster: "string",
  source: "string",
  branch: "string",
  manifest: "string",
  version: "string",
  engineKeys: "strings",
  standing: "object?",
};
const ENROLLED: Readonly<Record<string, Shape>> = {
  admitted: { verdict: "string", name: "string", metadata: "texts" },
  refused: { verdict: "string", refusal: "object?" },
  wait: { verdict: "string", waitMs: "number" },
};
const CODED: Shape = { code: "string" };

export const encodeJoinMessage = (
  message: HelloRequest | EnrolRequest | HelloAnswer | EnrolAnswer | LeaveAnswer,
): string => encodeRecord(message);

/** Null for what is none, or more than a name and a boot id can be. */
export function decodeHelloRequest(text: string): HelloRequest | null {
  const request = recordOf(decodeRecord<HelloRequest>(text, REQUEST));
  if (request === null || request.name.length > WORD_MAX || request.bootId.length > WORD_MAX) return null;
  const { name, isNamed, bootId } = request;
  return { name, isNamed, bootId };
}

export function decodeEnrolRequest(text: string): EnrolRequest | null {
  const hello = decodeHelloRequest(text);
  const request = recordOf(decodeRecord<EnrolRequest>(text, { ...REQUEST, token: "string" }));
  return hello === null || request === null ? null : { ...hello, token: request.token };
}

/** Null for an answer of another kind of fleet than this one knows. */
export function decodeHelloAnswer(text: string): HelloAnswer | null {
  const answer = recordOf(decodeRecord<HelloAnswer>(text, HELLO));
  if (answer === null || !hasShape(answer.standing, CODED)) return null;
  return answer.engineKeys.every((key) => parseNodeKey(key) !== null) ? answer : null;
}

export function decodeEnrolAnswer(text: string): EnrolAnswer | null {
  const answer = recordOf(decodeRecord<EnrolAnswer>(text, { verdict: "string" }));
  if (answer === null || !Object.hasOwn(ENROLLED, answer.verdict)) return null;
  if (!hasShape(answer, ENROLLED[answer.verdict]!)) return null;
  return answer.verdict !== "refused" || hasShape(answer.refusal, CODED) ? answer : null;
}

function recordOf<T>(decoded: Decoded<T>): T | null {
  return decoded.kind === "record" ? decoded.record : null;
}
