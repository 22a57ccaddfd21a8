/** systemd's object path of a unit: every byte but letters and digits (and a leading digit) as `_xx`. */
export function unitPath(name: string): string {
  const escaped = [...Buffer.from(name, "utf8")].map((byte, index) => {
    const character = String.fromCharCode(byte);
    const plain = /[A-Za-z]/.test(character) || (index > 0 && /[0-9]/.test(character));
    return plain ? character : `_${byte.toString(16).padStart(2, "0")}`;
  });
  return `/org/freedesktop/systemd1/unit/${escaped.join("")}`;
}
