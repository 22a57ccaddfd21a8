const RealDate = Date;
const SLOW_MS = 365 * 86_400_000;
globalThis.Date = class extends RealDate {
  constructor(...parts) {
    super(...(parts.length === 0 ? [RealDate.now() - SLOW_MS] : parts));
  }
  static now() {
    return RealDate.now() - SLOW_MS;
  }
};
