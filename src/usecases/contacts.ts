import type { RegistryKeys } from "../codec/registry-keys.ts";
import type { Contact } from "../ports/contact.ts";
import type { GitSource } from "../ports/git-source.ts";
import type { Registry } from "../ports/registry.ts";

/** A read of one small key: no answer is made up on the way, as one of a watch that has been open since before may be. */
export function registryContact(registry: Pick<Registry, "list">, keys: RegistryKeys): Contact {
  return {
    name: "the registry",
    ask: async () => {
      await registry.list(keys.cluster, { exact: true });
    },
  };
}

export function sourceContact(source: Pick<GitSource, "fetch">): Contact {
  return {
    name: "the source",
    ask: async () => {
      await source.fetch();
    },
  };
}
