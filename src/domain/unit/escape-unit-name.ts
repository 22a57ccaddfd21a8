/** `web\x2dapp-data` → `web-app/data`: what systemd's %I, %J and %P do. Null where an escape is malformed or no UTF-8. */
export function unescapeUnitName(text: string): string | null {
  const bytes: number[] = [];
  for (let index = 0; index < text.length; index++) {
    const character = text[index]!;
    if (character === "-") {
      bytes.push(0x2f);
    } else if (character === "\\") {
      const digits = /^x([0-9a-fA-F]{2})/.exec(text.slice(index + 1, index + 4))?.[1];
      if (digits === undefined) return null;
      bytes.push(Number.parseInt(digits, 16));
      index += 3;
    } else {
      bytes.push(...new TextEncoder().encode(character));
    }
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(bytes));
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}

/** `/var/lib/a-b/` → `var-lib-a\x2db`, the name of the path's mount unit without its type; null for relative paths and `..`. */
export function escapePath(path: string): string | null {
  if (!path.startsWith("/")) return null;
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes("..")) return null;
  if (parts.length === 0) return "-";
  return parts.map((part, index) => escapePart(part, index === 0)).join("-");
}

/** systemd escapes a leading dot, and every byte but ASCII letters, digits, `:`, `_` and `.`. */
function escapePart(part: string, first: boolean): string {
  let escaped = "";
  for (const byte of new TextEncoder().encode(part)) {
    const character = String.fromCharCode(byte);
    const kept = /[A-Za-z0-9:_.]/.test(character) && !(first && escaped === "" && character === ".");
    escaped += kept ? character : `\\x${byte.toString(16).padStart(2, "0")}`;
  }
  return escaped;
}
