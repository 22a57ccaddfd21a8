/** What a secret's file looks like to those who have no key: a header that states these tags, and something for the value. */
export function sealedFile(
  tags: readonly string[],
  { version = "v1", people = 0, value = "sealed" }: { version?: string | null; people?: number; value?: string } = {},
): string {
  const body = "ak3Y0eBtV9FBCc6Sj3cLy+oePL6SI07QJHfm1AXjVdo";
  const lines = [
    "age-encryption.org/v1",
    ...tags.flatMap((tag) => [`-> ssh-ed25519 ${tag} share`, body]),
    ...Array.from({ length: people }, () => ["-> X25519 share", body]).flat(),
    ...(version === null ? [] : [`-> fleet-version ${version}`, ""]),
    ...["--- mac", value, ""],
  ];
  const base64 = btoa(lines.join("\n")).match(/.{1,64}/g)!;
  return ["-----BEGIN AGE ENCRYPTED FILE-----", ...base64, "-----END AGE ENCRYPTED FILE-----", ""].join("\n");
}
