/** As long as Linux takes a path, less the folder it is in. */
const PATH_MAX = 1024;
/** NAME_MAX of every Linux file system, less what is added to a name while it is written. */
const NAME_MAX = 240;

/**
 * What is wrong with a path as the name of a delivered file; null: nothing. Its characters are those that units can write without quoting
 * or escaping in any directive: no blanks, quotes, `:` `,` `%` `$` or backslashes.
 */
export function deliveredPathProblem(path: string): string | null {
  if (path.startsWith("/")) return "it is absolute";
  if (path.length > PATH_MAX) return `it is longer than ${PATH_MAX} characters`;
  for (const step of path.split("/")) {
    if (step === "..") return "it leads out of its folder";
    if (step === "" || step === ".") return "it has an empty step";
    if (step.length > NAME_MAX) return `a name in it is longer than ${NAME_MAX} characters`;
    if (!/^[A-Za-z0-9._@+~-]+$/.test(step)) return "a name may hold letters, digits and . _ @ + ~ -";
  }
  return null;
}

/** Octal source text of a mode that fleet gives a file. */
export const FILE_MODE_PATTERN = /^0[0-7][0-7][0145]$/;
export const FILE_MODE_FORM =
  'a mode such as "0640": four octal digits, the first of them 0 (no set-user-id, set-group-id or sticky bit), and not for others to write';

/** An account by its name, as useradd takes it, or by its number. */
export const ACCOUNT_PATTERN = /^([a-z_][a-z0-9_-]{0,30}\$?|0|[1-9][0-9]{0,8})$/;
export const ACCOUNT_FORM = "the name of an account in lower case, or its number up to 999999999";
