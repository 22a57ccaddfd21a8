import type { Member } from "../domain/cluster/cluster-snapshot.ts";
import { readCapacity } from "./capacity-record.ts";

/** What a machine has and what it can, of a member record, each only where it is said and makes sense. */
export function readMeans(told: unknown, can: unknown): Pick<Member, "capacity" | "capabilities"> {
  const [capacity, capabilities] = [readCapacity(told), readCapabilities(can)];
  return { ...(capacity === null ? {} : { capacity }), ...(capabilities === null ? {} : { capabilities }) };
}

/** A machine has a few; a record of more is nobody's of ours. */
const CAPABILITIES_MAX = 32;

/** What a member record says its machine can run, sorted; null where it does not say, as older agents do not, or says nonsense. */
export function readCapabilities(value: unknown): readonly string[] | null {
  if (!Array.isArray(value) || value.length > CAPABILITIES_MAX) return null;
  return value.every((one) => typeof one === "string") ? [...new Set(value)].sort() : null;
}
