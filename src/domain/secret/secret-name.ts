/**
 * Where a machine has the values of secrets, each a file in a folder of the unit that uses it: `/run/fleet/secrets/web@1.service/db-password`,
 * which a unit writes `/run/fleet/secrets/%n/db-password`. In memory, root's alone, gone with a reboot. A folder for each unit, so that two on
 * one machine may have two versions while a rollout is on its way. Unit files name it, so it is part of the language.
 */
export const SECRETS_ROOT = "/run/fleet/secrets";

/** The ending of a secret's file in the repository. */
export const SECRET_ENDING = ".age";

/** What a secret may be called, for people. */
export const SECRET_NAME_FORM = "1 to 64 letters, digits, dots, _ and -, beginning with a letter or a digit";

/** It becomes a file's name on machines, and a credential's. */
export function isSecretName(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(text);
}

/** Who may read it, octal: its owner, and its group at most. */
export const SECRET_MODE_PATTERN = /^0[46][04]0$/;
export const SECRET_MODE_FORM =
  'a mode such as "0400": four octal digits, for nobody to execute and not for others to read';
