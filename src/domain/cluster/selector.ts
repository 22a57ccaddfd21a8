/** Which machines are meant: one language for MachineMetadata, the manifest's `machines:` keys and `--without`. */
export type Selector =
  | { readonly kind: "machine"; readonly nameOrId: string }
  | { readonly kind: "metadata"; readonly key: string; readonly values: readonly string[] };
