/**
 * The same port, each answer of which counts as progress of whoever asked, also a refusal: a pass over hundreds of units on a slow disk
 * moves on though it does not come round for minutes.
 */
export function countingProgress<Port extends object>(port: Port, progress: () => void): Port {
  return new Proxy(port, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== "function") return member;
      return (...words: unknown[]): unknown => {
        const answer: unknown = member.apply(target, words);
        // Whoever asked hears of a rejection; here it is only that something came.
        if (answer instanceof Promise) void answer.then(progress, progress);
        return answer;
      };
    },
  });
}
