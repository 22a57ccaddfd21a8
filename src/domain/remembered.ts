/**
 * The same function, computed once for each object and text. Only for a pure one, of objects nobody changes after they were made:
 * daemons compile commit after commit, and all but a few of a commit's files are the very objects of the one before.
 */
export function remembered<Key extends object, Text extends string, Value>(
  compute: (key: Key, text: Text) => Value,
): (key: Key, text: Text) => Value {
  const known = new WeakMap<Key, Map<Text, Value>>();
  return (key, text) => {
    const values = known.get(key) ?? new Map<Text, Value>();
    known.set(key, values);
    if (!values.has(text)) values.set(text, compute(key, text));
    return values.get(text)!;
  };
}
