/** A machine has a few; a record of more is nobody's of ours. */
const CAPABILITIES_MAX = 32;

/** What a member record says its machine can run, sorted; null where it does not say, as older agents do not, or says nonsense. */
export function readCapabilities(value: unknown): readonly string[] | null {
  if (!Array.isArray(value) || value.length > CAPABILITIES_MAX) return null;
  return value.every((one) => typeof one === "string") ? [...new Set(value)].sort() : null;
}
