import fc from 'fast-check';

/** Draws values one after another, so that later ones can depend on earlier ones. Shrinks towards less. */
export class Draw {
  readonly #value: fc.GeneratorValue;

  constructor(value: fc.GeneratorValue) {
    this.#value = value;
  }

  /** A whole number between two ends, both included. */
  int(min: number, max: number): number {
    return this.#value(fc.integer, { min, max });
  }

  /** True in so many of a hundred cases. */
  chance(percent: number): boolean {
    return this.int(0, 99) >= 100 - percent;
  }

  pick<T>(list: readonly T[]): T {
    const chosen = list[this.int(0, list.length - 1)];
    if (chosen === undefined) throw new Error('nothing to pick from');
    return chosen;
  }

  /** Some of a list, each in so many of a hundred cases, in the order of the list. */
  some<T>(list: readonly T[], percent: number): readonly T[] {
    return list.filter(() => this.chance(percent));
  }

  /** The value in so many of a hundred cases, under its name; nothing else. */
  maybe<T>(percent: number, name: string, make: () => T): Readonly<Record<string, T>> {
    return this.chance(percent) ? { [name]: make() } : {};
  }
}

/** An arbitrary of what a function draws. */
export function drawn<T>(make: (draw: Draw) => T): fc.Arbitrary<T> {
  return fc.gen().map((value) => make(new Draw(value)));
}
