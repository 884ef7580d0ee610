import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { findingToJson } from './finding.ts';
import { AS_INTERCEPT, judge, MASKED, Traffic, UNMASKED } from './traffic.testing.ts';

interface Write {
  readonly component: string;
  readonly cpu: number;
  readonly register: string;
  readonly value: bigint;
}

/** One round of one SynIC: a leader owns SIMP, SIEFP and SCONTROL, each of the others its SINTs and perhaps SIRBP. */
interface Round {
  readonly cpu: number;
  readonly leader: number;
  /** Owner of each SINT, an index in COMPONENTS; -1 for none. */
  readonly sints: readonly number[];
  readonly ringOwner: number;
  readonly redundant: readonly { readonly component: number; readonly register: number }[];
  /** How the components' steps interleave. */
  readonly picks: readonly number[];
}

const COMPONENTS = ['a', 'b', 'c'];
const SHARED = ['SIMP', 'SIEFP', 'SCONTROL'];
/** Each register has a page of its own. */
const PAGES: Readonly<Record<string, bigint>> = { SIMP: 0x5000_001n, SIEFP: 0x6000_001n, SIRBP: 0x7000_001n };

const component = fc.nat({ max: COMPONENTS.length - 1 });
const round: fc.Arbitrary<Round> = fc.record({
  cpu: fc.nat({ max: 2 }),
  leader: component,
  sints: fc.array(fc.integer({ min: -1, max: COMPONENTS.length - 1 }), { minLength: 16, maxLength: 16 }),
  ringOwner: component,
  redundant: fc.array(fc.record({ component, register: fc.nat({ max: 2 }) }), { maxLength: 4 }),
  picks: fc.array(fc.nat({ max: 1000 }), { minLength: 120, maxLength: 120 }),
});

function interleave(scripts: readonly (readonly Write[])[], picks: readonly number[]): Write[] {
  const left = scripts.map((script) => [...script]).filter((script) => script.length > 0);
  const out: Write[] = [];
  for (let i = 0; left.length > 0; i++) {
    const which = (picks[i % picks.length] as number) % left.length;
    out.push(left[which]?.shift() as Write);
    if (left[which]?.length === 0) left.splice(which, 1);
  }
  return out;
}

/** Bring-up, some redundant enables, tear-down: each component in the order of R02, the components in any. */
function legal({ cpu, leader, sints, ringOwner, redundant, picks }: Round): Write[] {
  const by = (who: number) => (register: string, value: bigint) => ({
    component: COMPONENTS[who] as string,
    cpu,
    register,
    value,
  });
  const up = COMPONENTS.map((_, who) => {
    const write = by(who);
    const own = sints.flatMap((owner, n) => (owner === who ? [write(`SINT${n}`, UNMASKED)] : []));
    const ring = who === ringOwner ? [write('SIRBP', PAGES.SIRBP!)] : [];
    const asIntercept =
      who === ringOwner && own.length > 0 ? [{ ...own[0]!, value: UNMASKED | AS_INTERCEPT }] : [];
    const rest = own.slice(asIntercept.length);
    const lead = who === leader;
    // Which of unmasking and SCONTROL comes first is free.
    const on = lead ? [write('SCONTROL', 1n)] : [];
    const pages = lead ? [write('SIMP', PAGES.SIMP!), write('SIEFP', PAGES.SIEFP!)] : [];
    const live = (picks[0] as number) % 2 === 0 ? [...rest, ...on] : [...on, ...rest];
    return [...pages, ...ring, ...asIntercept, ...live];
  });
  const middle = redundant.map((r) => by(r.component)(SHARED[r.register]!, PAGES[SHARED[r.register]!] ?? 1n));
  const down = up.map((script) => {
    const off = (register: (name: string) => boolean, value: bigint) =>
      script.filter((w) => register(w.register)).map((w) => ({ ...w, value }));
    return [
      ...off((name) => name.startsWith('SINT'), MASKED),
      ...off((name) => name === 'SIRBP' || name === 'SIMP' || name === 'SIEFP', 0n),
      ...off((name) => name === 'SCONTROL', 0n),
    ];
  });
  return [...interleave(up, picks), ...middle, ...interleave(down, [...picks].reverse())];
}

function trafficOf(writes: readonly Write[]): Traffic {
  const traffic = new Traffic({ role: 'guest' });
  for (const { component, cpu, register, value } of writes) traffic.write(component, cpu, register, value);
  return traffic;
}

test('legal bring-up and tear-down gives no finding, whoever leads and however the steps interleave', () => {
  fc.assert(
    fc.property(fc.array(round, { maxLength: 6 }), (rounds) => {
      assert.deepEqual(judge(trafficOf(rounds.flatMap(legal))).map(findingToJson), []);
    }),
    { numRuns: 80 },
  );
});

test('one write of a stranger in a legal sequence is found, and it alone is to blame', () => {
  fc.assert(
    fc.property(
      fc.array(round, { minLength: 1, maxLength: 3 }),
      fc.nat(),
      fc.nat(),
      (rounds, where, which) => {
        const writes = rounds.flatMap(legal);
        const place = where % writes.length;
        // Controls that are on before the place, with the value that switches them off.
        const on = new Map<string, Write>();
        for (const write of writes.slice(0, place)) {
          const key = `${write.cpu} ${write.register}`;
          if (write.value === 0n || write.value === MASKED) on.delete(key);
          else on.set(key, write);
        }
        fc.pre(on.size > 0);
        const taken = [...on.values()][which % on.size]!;
        const value = taken.register.startsWith('SINT') ? MASKED : 0n;
        const stranger = { ...taken, component: 'stranger', value };
        const findings = judge(trafficOf(writes.toSpliced(place, 0, stranger)));
        assert.deepEqual(
          findings.map(({ rule, culprit }) => [rule, culprit.component, culprit.at.seq]),
          [['R01', 'stranger', place + 1]],
          JSON.stringify(findings.map(findingToJson), undefined, 1),
        );
      },
    ),
    { numRuns: 80 },
  );
});
