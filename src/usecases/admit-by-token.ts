import { decodeRecord } from "../codec/record.ts";
import type { RegistryKeys } from "../codec/registry-keys.ts";
import { PRESENCE_SHAPE, type PresenceRecord } from "../codec/registry-records.ts";
import { decodeAdmission, decodeToken, encodeAdmission } from "../codec/token-record.ts";
import type { Admission } from "../domain/join/admission.ts";
import type { AttemptLimit } from "../domain/join/attempt-limit.ts";
import type { EnrolAnswer } from "../domain/join/join-talk.ts";
import { type CallerStanding, type JoinCaller, judgeCaller, type ListedMachine } from "../domain/join/judge-caller.ts";
import { judgeEnrolment } from "../domain/join/judge-enrolment.ts";
import { hashOfToken, parseSiteToken } from "../domain/join/site-token.ts";
import type { Sha256 } from "../domain/names.ts";
import type { Clock, RandomId } from "../ports/clock.ts";
import { UnknownResultError } from "../ports/operation-error.ts";
import type { Registry } from "../ports/registry.ts";

/** What an engine answers callers from. */
export interface JoinWorld {
  readonly registry: Registry;
  readonly keys: RegistryKeys;
  readonly clusterId: string;
  /** Of the commit in force. */
  readonly listed: readonly ListedMachine[];
  readonly clock: Clock;
  readonly newId: RandomId;
  readonly sha256: Sha256;
  /** One for as long as the engine runs. */
  readonly attempts: AttemptLimit;
}

/** What a caller is to the cluster, at this moment. */
export async function standingOf(
  caller: JoinCaller,
  world: Pick<JoinWorld, "registry" | "keys" | "listed">,
): Promise<CallerStanding> {
  return judgeCaller(caller, await readKnown(caller, world, null));
}

/**
 * Lets a machine in by a token, whose `address` it is counted by. One transaction takes the token away and writes the machine's key,
 * each only as it was read: of two machines with one token one is let in. The token is found by its hash, and no part of it is compared with
 * anything, so that no time tells what it is. A lost reply is read back; a machine that is in is told so again.
 */
export async function admitByToken(
  text: string,
  caller: JoinCaller,
  address: string,
  world: JoinWorld,
): Promise<EnrolAnswer> {
  const { clock, attempts } = world;
  const waitMs = attempts.waitMs(address, clock.monotonicMs());
  if (waitMs > 0) return { verdict: "wait", waitMs };
  const token = parseSiteToken(text);
  const hash = token === null ? null : hashOfToken(token, world.sha256);
  const known = await readKnown(caller, world, hash);
  const nowMs = clock.wallMs();
  const facts = { clusterId: world.clusterId, machines: known, token, hash: hash ?? "", known: known.token, nowMs };
  const enrolment = judgeEnrolment(caller, facts);
  if (enrolment.verdict === "refused") {
    attempts.refused(address, clock.monotonicMs());
    return enrolment;
  }
  if (enrolment.verdict === "already") {
    const before = known.admitted.find(({ machine }) => machine === caller.machine);
    return { verdict: "admitted", name: enrolment.name, metadata: before?.metadata ?? {} };
  }
  const { name } = enrolment;
  const { by, metadata } = enrolment.known;
  const admission: Admission = {
    machine: caller.machine,
    name,
    key: caller.key,
    metadata,
    by,
    atMs: nowMs,
    token: hash!,
  };
  if (await isWritten(admission, known.tokenRevision, world)) return { verdict: "admitted", name, metadata };
  // Somebody used it, or was let in under this id, between our reading and our writing: what is there now says who.
  const now = await readKnown(caller, world, hash);
  const again = judgeEnrolment(caller, { ...facts, machines: now, known: now.token });
  if (again.verdict === "already") return { verdict: "admitted", name: again.name, metadata };
  attempts.refused(address, clock.monotonicMs());
  if (again.verdict === "refused") return again;
  // Taken back and made again by the same text is not possible; what is left is a record written over by hand.
  return { verdict: "refused", refusal: { code: "token-unknown" } };
}

async function isWritten(
  admission: Admission,
  tokenRevision: number,
  { registry, keys, newId }: JoinWorld,
): Promise<boolean> {
  const [from, to] = [keys.token(admission.token), keys.admitted(admission.machine)];
  try {
    const { succeeded } = await registry.txn({
      when: [
        { key: from, target: "mod", is: "=", value: tokenRevision },
        { key: to, target: "create", is: "=", value: 0 },
      ],
      then: [
        { kind: "delete", key: from },
        { kind: "put", key: to, value: encodeAdmission(admission, newId()) },
      ],
    });
    return succeeded;
  } catch (error) {
    // What was written is read back by the caller: its own key under its own id is as good as the reply.
    if (!(error instanceof UnknownResultError)) throw error;
    return false;
  }
}

async function readKnown(
  caller: JoinCaller,
  { registry, keys, listed }: Pick<JoinWorld, "registry" | "keys" | "listed">,
  hash: string | null,
) {
  const exact = [keys.presence(caller.machine), ...(hash === null ? [] : [keys.token(hash)])];
  const { listings } = await registry.txn({
    when: [],
    then: [
      { kind: "list", prefix: keys.admissions },
      ...exact.map((prefix) => ({ kind: "list", prefix, exact: true }) as const),
    ],
  });
  const [admissions = [], [presence] = [], [token] = []] = listings;
  const decoded = presence === undefined ? null : decodeRecord<PresenceRecord>(presence.value, PRESENCE_SHAPE);
  return {
    listed,
    admitted: admissions.map((entry) => decodeAdmission(keys, entry)).filter((one) => one !== null),
    presentBoot: decoded?.kind === "record" ? decoded.record.bootId : null,
    token: token === undefined ? null : decodeToken(keys, token),
    tokenRevision: token?.modRevision ?? 0,
  };
}
