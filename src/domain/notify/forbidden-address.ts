/**
 * Whether an engine may not connect to this address on behalf of a commit: what only the machine itself or its hypervisor answers (loopback,
 * link-local with the metadata services of clouds, unspecified, multicast). Private networks are allowed: a home's chat server is there.
 * Anything that is no address is forbidden.
 */
export function isForbiddenAddress(address: string): boolean {
  const text = address.toLowerCase().replace(/%.*$/, "");
  const mapped = /^::(?:ffff:)?(\d+\.\d+\.\d+\.\d+)$/.exec(text)?.[1];
  if (mapped !== undefined) return isForbiddenV4(mapped);
  // ::ffff:7f00:1 is 127.0.0.1 in other words; so is 64:ff9b::/96 behind a translator.
  if (text.startsWith("::") || text.startsWith("64:ff9b:")) return true;
  if (text.includes(":")) return !/^[0-9a-f]{1,4}:/.test(text) || /^(fe[89a-f]|ff)/.test(text) || /^0+:/.test(text);
  return isForbiddenV4(text);
}

function isForbiddenV4(text: string): boolean {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1).map(Number);
  if (parts === undefined || parts.some((part) => part > 255)) return true;
  const [first, second] = parts as [number, number];
  return first === 0 || first === 127 || first >= 224 || (first === 169 && second === 254);
}
