/** A value JSON can carry. `undefined` members are left out, as JSON.stringify leaves them out. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined };

/**
 * RFC 8785 (JSON Canonicalization Scheme): members sorted by UTF-16 code units, no white space, ECMAScript's number form.
 * What is hashed or compared byte by byte is printed by this function and no other; files add one final newline.
 */
export function canonicalJson(value: Json): string {
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  const members = value as { readonly [key: string]: Json | undefined };
  const printed = Object.keys(members)
    .sort()
    .flatMap((key) => {
      const member = members[key];
      return member === undefined ? [] : [`${JSON.stringify(key)}:${canonicalJson(member)}`];
    });
  return `{${printed.join(",")}}`;
}
