import { HOLD_MAX_MS, HOLD_MIN_MS, type Hold, parseHoldScope, printHoldScope } from "../domain/cluster/hold.ts";
import { type MachineId, parseMachineId } from "../domain/names.ts";
import type { StandaloneState } from "../domain/standalone/standalone-state.ts";
import { OperationError } from "../ports/operation-error.ts";
import { decodeRecord, encodeRecord, hasShape, type Shape } from "./record.ts";

/** What somebody at the machine asks its agent, one line of JSON on `/run/fleet-agent/control.sock`; the answer is one line, too. */
export type ControlRequest =
  | { readonly do: "holds" }
  /** What it follows, of a machine that follows git alone. */
  | { readonly do: "standalone" }
  | {
      readonly do: "hold";
      /** `machine`, this machine's name or id, or a unit. */
      readonly what: string;
      readonly forMs: number;
      readonly reason: string;
      readonly by: string;
    }
  | { readonly do: "end-hold"; readonly what: string };

export interface ControlAnswer {
  readonly machine: MachineId;
  readonly name: string;
  /** All the agent knows of, widest first. */
  readonly holds: readonly Hold[];
  /** Of `end-hold`: whether there was one. */
  readonly ended?: boolean;
  /** Of `standalone`; absent: this machine's orders come from engines, or its agent is older than the question. */
  readonly standalone?: StandaloneState;
}

/** Where an agent listens to whoever is root on its machine. */
export const CONTROL_SOCKET = "/run/fleet-agent/control.sock";

/** Characters of a request: its longest has a unit's name (256) and a reason. */
export const CONTROL_REQUEST_MAX = 4_096;
/** Characters of a reason; everybody's status shows it in one line. */
const REASON_MAX = 500;
const NAME_MAX = 256;

const REQUEST_SHAPES: Readonly<Record<ControlRequest["do"], Shape>> = {
  holds: {},
  standalone: {},
  hold: { what: "string", forMs: "number", reason: "string", by: "string" },
  "end-hold": { what: "string" },
};
const HOLD_SHAPE: Shape = {
  scope: "string",
  reason: "string",
  by: "string",
  at: "string",
  forMs: "number",
  placedAt: "string?",
};
const ANSWER_SHAPE: Shape = { machine: "string", name: "string", holds: "objects" };
const ERROR_SHAPE: Shape = { code: "string", message: "string" };

export const encodeControlRequest = (request: ControlRequest): string => encodeRecord(request);

/** Throws OperationError `bad-request` for what is none, or goes beyond what may be asked. */
export function decodeControlRequest(line: string): ControlRequest {
  const decoded = decodeRecord<{ readonly do: ControlRequest["do"] }>(line, { do: "string" });
  if (decoded.kind === "newer") throw badRequest(`it is of version ${decoded.version}, newer than this agent`);
  if (decoded.kind === "garbage") throw badRequest(decoded.problem);
  const { record } = decoded;
  if (!Object.hasOwn(REQUEST_SHAPES, record.do)) throw badRequest(`there is no ${record.do}`);
  if (!hasShape(record, REQUEST_SHAPES[record.do])) throw badRequest(`${record.do} lacks a field`);
  const request = record as ControlRequest;
  if (request.do === "hold") {
    const { forMs, reason, by, what } = request;
    if (!(forMs >= HOLD_MIN_MS && forMs <= HOLD_MAX_MS)) throw badRequest(`nothing is held for ${forMs} ms`);
    if (reason.length > REASON_MAX) throw badRequest(`a reason has at most ${REASON_MAX} characters`);
    if (by.length > NAME_MAX || what.length > NAME_MAX) throw badRequest(`a name has at most ${NAME_MAX} characters`);
  }
  return request;
}

export function encodeControlAnswer(answer: ControlAnswer): string {
  const holds = answer.holds.map(({ scope, placedAt = null, ...hold }) => ({
    ...hold,
    scope: printHoldScope(scope),
    placedAt,
  }));
  return encodeRecord({ ...answer, holds });
}

export function encodeControlRefusal({ code, message, next = "" }: OperationError): string {
  return encodeRecord({ error: { code, message, next } });
}

/** Throws what the agent refused with; OperationError `bad-answer` for what is no answer. */
export function decodeControlAnswer(line: string): ControlAnswer {
  const refused = decodeRecord<{ error: { code: string; message: string; next?: string } }>(line, { error: "object?" });
  if (refused.kind === "record" && hasShape(refused.record.error, ERROR_SHAPE)) {
    const { code, message, next = "" } = refused.record.error;
    throw new OperationError(code, message, next === "" ? {} : { next });
  }
  const decoded = decodeRecord<Omit<ControlAnswer, "holds"> & { holds: readonly object[] }>(line, ANSWER_SHAPE);
  if (decoded.kind !== "record") {
    throw new OperationError("bad-answer", "the agent of this machine answers in words this fleet does not know", {
      next: "run the fleet that the agent was started from",
    });
  }
  return { ...decoded.record, holds: decoded.record.holds.flatMap(readHold) };
}

function readHold(record: object): Hold[] {
  if (!hasShape(record, HOLD_SHAPE)) return [];
  const { scope: text, placedAt, ...rest } = record as { scope: string; placedAt: string | null };
  const scope = parseHoldScope(text);
  const machine = placedAt === null ? null : parseMachineId(placedAt);
  if (scope === null) return [];
  return [{ ...rest, scope, ...(machine === null ? {} : { placedAt: machine }) } as Hold];
}

function badRequest(problem: string): OperationError {
  return new OperationError("bad-request", `the agent does not take this request: ${problem}`);
}
