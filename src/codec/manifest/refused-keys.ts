/** Why a key that people look for is refused, and what to do instead. */
export interface RefusedKey {
  readonly because: string;
  readonly next: string;
}

/** At the top of the manifest. */
const REFUSED_KEYS: Readonly<Record<string, RefusedKey>> = {
  // systemd 252 takes a running unit along where its old name becomes an alias of the new one over a daemon-reload. But placements,
  // rollouts, holds and what a machine remembers go by a unit's name: until all of them follow it the key would promise what no plan keeps.
  moved: {
    because: "fleet knows a unit by its name, and cannot rename one that runs",
    next: "remove it: the new name is another unit, started as the old one is stopped; to keep its machine, bind it there",
  },
};

/** Null where the language refuses no key there on purpose. */
export function refusedKey(path: readonly PropertyKey[]): RefusedKey | null {
  const key = path.map(String).join(".");
  return Object.hasOwn(REFUSED_KEYS, key) ? REFUSED_KEYS[key]! : null;
}
