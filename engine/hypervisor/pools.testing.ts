import fc from 'fast-check';

const cost = fc.nat({ max: 4 });

/** What pools cost, as a profile has it: nothing said, `mapPagesPerPoolPage` alone, or all of it. */
export function anyPool(mapPagesPerPoolPage: number) {
  return fc.oneof(
    fc.constant({}),
    fc.constant({ mapPagesPerPoolPage }),
    fc.record({
      partition: fc.constantFrom(1, 208),
      vp: fc.constantFrom(1, 90),
      port: cost,
      messageBuffer: cost,
      connection: cost,
      child: cost,
      contiguous: fc.subarray(['partition', 'vp', 'port', 'connection', 'child'] as const),
      proximityDomains: fc.constantFrom(0, 2),
      mapPagesPerPoolPage: fc.constantFrom(0, 2, 512),
    }),
  );
}
