/**
 * Where the CPUs of a collective's ranks sat: hypervisors move them between caches, which changes the time of a message by up to
 * four and a copy's by two. Pure; from what each launch saw before and after its samples.
 */
type Facts = Readonly<Record<string, string | number | boolean | null>>;

/** Between the two states seen, latency differs by 4 and copy bandwidth by up to 2; noise by less than these. */
const LATENCY_CHANGE = 1.7;
const COPY_CHANGE = 1.5;

/** Of ranks of this machine, and of those of an MPI job, which aibench sees through MPI alone. */
const LATENCIES = [
  { name: 'oneWayNanoseconds', what: 'a cache line' },
  { name: 'messageNanoseconds', what: 'a message of 4 bytes' },
];
const COPY = 'copyBytesPerSecond';

/** How a launch's ranks sat before its samples and after, where the facts tell: numbers by name, for the record of a launch. */
export function placementOf(facts: Facts): Record<string, number> {
  const names = [...LATENCIES.map(({ name }) => name), COPY].flatMap(name => [`${name}Before`, `${name}After`]);
  return Object.fromEntries(names.filter(name => Number(facts[name]) > 0).map(name => [name, Number(facts[name])]));
}

/** How the placement before the samples differs from that after, in words; null where it held or is not known. */
export function placementChange(facts: Facts): string | null {
  return difference(facts, 'Before', facts, 'After', ['before', 'after']);
}

/** How the placement of `b`, before its samples, differs from that of `a` after its own; null where alike or not known. */
export function placementDifference(a: Facts, b: Facts, sides: readonly [string, string]): string | null {
  return difference(a, 'After', b, 'Before', sides);
}

function difference(
  a: Facts,
  ofA: string,
  b: Facts,
  ofB: string,
  [first, second]: readonly [string, string],
): string | null {
  const values = (name: string): [number, number] => [Number(a[name + ofA] ?? 0), Number(b[name + ofB] ?? 0)];
  for (const { name, what } of LATENCIES) {
    const [x, y] = values(name);
    if (differ(x, y, LATENCY_CHANGE))
      return `${what} took ${x.toFixed(0)} ns ${first} and ${y.toFixed(0)} ns ${second}`;
  }
  const [x, y] = values(COPY);
  return differ(x, y, COPY_CHANGE)
    ? `a copy ran at ${(x / 1e9).toFixed(1)} GB/s ${first} and ${(y / 1e9).toFixed(1)} GB/s ${second}`
    : null;
}

function differ(x: number, y: number, factor: number): boolean {
  return x > 0 && y > 0 && Math.max(x / y, y / x) > factor;
}
