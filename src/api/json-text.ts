/** Escaped in JSON already are the controls below 0x20. These are the others that steer a terminal or turn the direction of a line. */
const STEERING = /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** JSON that can be shown as it is: names and texts of anybody cannot steer the terminal of who asked. Programs read the same value. */
export function jsonText(value: unknown): string {
  const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return JSON.stringify(value).replace(STEERING, escaped);
}
