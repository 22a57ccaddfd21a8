/** Keys of the language whose issue has not landed, by the path they stand at (`*` is any key), and what they will do. */
const NOT_YET_KEYS: Readonly<Record<string, string>> = {
  moved: "rename a unit without stopping it",
};

/** What a key will do once its issue lands, or null where the language has no such key there. */
export function notYetKey(path: readonly PropertyKey[]): string | null {
  const steps = path.map(String);
  if (["units", "machines"].includes(steps[0] ?? "") && steps.length > 1) steps[1] = "*";
  const key = steps.join(".");
  return Object.hasOwn(NOT_YET_KEYS, key) ? NOT_YET_KEYS[key]! : null;
}
