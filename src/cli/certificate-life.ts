import { parseDuration } from "../domain/spec/duration.ts";

/**
 * How long certificates of this machine's keys are good for, where somebody wants to see them renewed within a test (`FLEET_CERTIFICATE_LIFE`):
 * no flag, because nobody else has a use for it.
 */
export function certificateLife(): { readonly lifeMs?: number } {
  const lifeMs = parseDuration(process.env.FLEET_CERTIFICATE_LIFE ?? "");
  return lifeMs === null ? {} : { lifeMs };
}
