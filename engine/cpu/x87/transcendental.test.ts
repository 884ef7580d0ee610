/** Transcendental functions beside what the host's processor is asked about (test/cpu/compare-x87.ts): values that are known, limits, tiny numbers. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { reg, TestGuest } from '../cpu.testing.ts';
import { widened } from './convert.ts';
import type { Extended } from './extended.ts';
import { ALL_EXCEPTIONS, Calculation } from './round.ts';
import { LN2, PI, UNIT } from './series.ts';
import {
  angleOf,
  ofAngle,
  powerLessOne,
  timesBinaryLogarithm,
  timesLogarithmOfOneAnd,
} from './transcendental.ts';

const c = (): Calculation => new Calculation(ALL_EXCEPTIONS | 0x300);
const double = new Float64Array(1);
const bits = new BigUint64Array(double.buffer);
const of = (value: number): Extended => {
  double[0] = value;
  return widened(c(), bits[0]!, 8);
};
const numberOf = ({ sign, exponent, significand }: Extended): number =>
  (sign === 1 ? -1 : 1) * Number(significand) * 2 ** (exponent - 0x3fff - 63);

test('constants: the first digits of pi and of ln 2', () => {
  const digits = (value: bigint): string => ((value * 10n ** 40n) >> BigInt(UNIT)).toString();
  assert.equal(digits(PI), '31415926535897932384626433832795028841971');
  assert.equal(digits(LN2), '6931471805599453094172321214581765680755');
});

describe('functions agree with those of JavaScript to its last bits', () => {
  const near = (what: string, value: Extended, expected: number): void => {
    const error = Math.abs(numberOf(value) - expected);
    assert.ok(error <= 4e-16 * Math.abs(expected), `${what}: ${numberOf(value)}, not ${expected}`);
  };
  const values = [1e-30, 1e-12, 0.001, 0.1, 0.25, 0.5, 0.7, 0.99];

  test('angles', () => {
    for (const x of [...values, 1, 1.5, 2, 3, 4, 5, 6, 10].flatMap((value) => [value, -value])) {
      near(`sin ${x}`, ofAngle(c(), 'sine', of(x)), Math.sin(x));
      near(`cos ${x}`, ofAngle(c(), 'cosine', of(x)), Math.cos(x));
      near(`tan ${x}`, ofAngle(c(), 'tangent', of(x)), Math.tan(x));
    }
  });

  test('the angle of a point in each quarter', () => {
    for (const y of [1e-25, 0.3, 1, 7, 1e25])
      for (const x of [1e-25, 0.2, 1, 9, 1e30])
        for (const [a, b] of [
          [y, x],
          [-y, x],
          [y, -x],
          [-y, -x],
        ] as const)
          near(`atan2 ${a} ${b}`, angleOf(c(), of(a), of(b)), Math.atan2(a, b));
  });

  test('powers and logarithms', () => {
    for (const x of values.flatMap((value) => [value, -value]))
      near(`2^${x} - 1`, powerLessOne(c(), of(x)), Math.expm1(x * Math.LN2));
    for (const x of [1e-300, 0.1, 0.5, 0.7, 0.75, 0.999, 1.001, 1.4, 1.5, 2, 3, 1e10, 1e300])
      near(`3 log2 ${x}`, timesBinaryLogarithm(c(), of(3), of(x)), 3 * Math.log2(x));
    for (const x of [1e-30, 1e-5, 0.1, 0.29].flatMap((value) => [value, -value]))
      near(`3 log2(1 + ${x})`, timesLogarithmOfOneAnd(c(), of(3), of(x)), 3 * (Math.log1p(x) * Math.LOG2E));
  });
});

test('FPTAN pushes 1, FSINCOS the cosine; an angle of 2 to the power of 63 is left with C2', () => {
  const top = (program: string, count: number, st0: bigint): string[] => {
    const guest = new TestGuest().flat(program);
    guest.set('FP_CONTROL_STATUS', (1n << 32n) | 0x37fn);
    guest.set('FP_MMX0', st0);
    assert.equal(guest.run().kind, 'halt');
    const status = (guest.cpu.getRegister(reg('FP_CONTROL_STATUS')) >> 16n) & 0x400n;
    const registers = Array.from({ length: count }, (_, n) => guest.cpu.getRegister(reg(`FP_MMX${n}`)));
    return [...registers, status].map((value) => value.toString(16));
  };
  const one = (0x3fffn << 64n) | (1n << 63n);
  const beyond = ((0x3fffn + 63n) << 64n) | (1n << 63n);
  assert.deepEqual(top('d9f2 f4', 2, one), ['3fff8000000000000000', '3fffc75922e5f71d2dc5', '0']);
  assert.deepEqual(top('d9fb f4', 2, one), ['3ffe8a51407da8345c92', '3ffed76aa47848677021', '0']);
  assert.deepEqual(top('d9fe f4', 1, beyond), ['403e8000000000000000', '400']);
});
