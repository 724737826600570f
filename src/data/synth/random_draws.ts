/** Draws from a stream of uniform numbers. */
export class Draws {
  /** @param uniform numbers in [0, 1); the same ones give the same draws */
  constructor(readonly uniform: () => number) {}

  between(low: number, high: number): number {
    return low + (high - low) * this.uniform();
  }

  /** Evenly on a logarithmic scale. */
  scale(low: number, high: number): number {
    return low * (high / low) ** this.uniform();
  }

  /** A whole number from 0 to `count` - 1. */
  index(count: number): number {
    return Math.min(count - 1, Math.floor(count * this.uniform()));
  }

  one<T>(of: readonly T[]): T {
    return of[this.index(of.length)] as T;
  }

  chance(share: number): boolean {
    return this.uniform() < share;
  }
}
