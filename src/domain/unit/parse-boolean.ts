/** systemd's spellings of yes and no, in any case; null for anything else. */
export function parseBoolean(text: string): boolean | null {
  const lower = text.toLowerCase();
  if (["1", "yes", "y", "true", "t", "on"].includes(lower)) return true;
  if (["0", "no", "n", "false", "f", "off"].includes(lower)) return false;
  return null;
}
