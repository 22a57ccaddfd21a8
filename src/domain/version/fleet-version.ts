/** The version of this fleet, as `package.json` has it (`test/tidy.test.ts` compares them): what a manifest's `requires:` is held against. */
export const FLEET_VERSION = "0.1.0";
