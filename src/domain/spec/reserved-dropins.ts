import { AT_MOST_ONE_DROPIN } from "./at-most-one-dropin.ts";
import { ENVIRONMENT_DROPIN } from "./environment-dropin.ts";
import { RESTART_DROPIN } from "./restart-dropin.ts";

/** Drop-ins that fleet writes: what the repository puts there would take their place. */
export const RESERVED_DROPINS: ReadonlySet<string> = new Set([AT_MOST_ONE_DROPIN, ENVIRONMENT_DROPIN, RESTART_DROPIN]);
