/** systemd says "not-found" of what it merely heard of, and also of what runs on though somebody deleted its file: that it holds. */
export function isHeldBySystemd(unit: { readonly load: string; readonly active: string } | null): boolean {
  return unit !== null && (unit.load !== "not-found" || (unit.active !== "inactive" && unit.active !== "failed"));
}
