/** C0 and C1 controls but tab and line feed, and what turns the direction of a line: text that reads as what it is not. */
const STEERING = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** Most text there is, told apart at a glance. */
const PLAIN = /^[ -~]*$/;

/** Text from anywhere else (journals, commit subjects, unit files) cannot steer a terminal: control characters become visible. */
export function printable(text: string): string {
  if (PLAIN.test(text)) return text;
  return text.replace(STEERING, (character) => {
    if (character === "\r") return "";
    const code = character.charCodeAt(0).toString(16);
    return code.length > 2 ? `\\u${code}` : `\\x${code.padStart(2, "0")}`;
  });
}

/** The same in one line: of a name with a line feed in it, the rest cannot pass for a line of ours. */
export function printableLine(text: string): string {
  return printable(text).replace(/\n/g, "\\n");
}
