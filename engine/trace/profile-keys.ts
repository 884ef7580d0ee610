import {
  ARCHES,
  ASYNC_CALLS,
  BACKINGS,
  type Backing,
  type CpuidLeaf,
  HLT_EXITS,
  INITIALS,
  KERNELS,
  POINTER_ERRORS,
  POINTER_OVERLAPS,
  POOL_OBJECTS,
  type PoolCosts,
  type Profile,
  type ProvidedFrames,
  REBOOT_NOTIFIERS,
  REGISTER_PAGES,
  RESERVED_BITS,
  ROLES,
  SCHEDULERS,
  SCONTROL_RESETS,
  SYNIC_OWNERSHIPS,
  SYNIC_POLICIES,
  UNKNOWN_REGISTERS,
  VMBUS_UNLOADS,
} from './profile.ts';
import { QUIRK_NAMES, type QuirkName, type Quirks } from './quirks.ts';
import type { JsonSchema } from './schema/json-schema.ts';
import { type Codec, decimal, FLAG, hex, oneOf, U32 } from './text/codec.ts';
import type { Json } from './text/json.ts';
import { expected, objectOf, Refusal } from './text/refusal.ts';
import { type Row, readRows, refuseUnknownKey, rowsOf, writeRows } from './text/row.ts';

/** An object of rows, each of which has a default: what is not given keeps its value in `defaults`. */
function parameters<T extends object>(rows: readonly Row[], defaults: T): Codec<T> {
  return {
    read(json) {
      const object = objectOf(json);
      const target = { ...defaults } as Record<string, unknown>;
      if (readRows(rows, object, target) !== Object.keys(object).length)
        refuseUnknownKey(
          object,
          rows.map((row) => row.key),
        );
      return target as T;
    },
    write: (value) => `{${writeRows(rows, value as Record<string, unknown>).slice(1)}}`,
    schema: {
      type: 'object',
      properties: Object.fromEntries(rows.map((row) => [row.key, row.codec.schema])),
      additionalProperties: false,
    },
  };
}

/** Words that look like numbers (`"0"`, `"0x87"`); a number of the same value is read too. */
function numberWord<T extends string>(words: readonly T[]): Codec<T> {
  const plain = oneOf(words);
  return {
    read(json) {
      const same = typeof json === 'number' ? words.find((word) => Number(word) === json) : undefined;
      return same ?? plain.read(json);
    },
    write: plain.write,
    schema: { enum: [...words, ...words.map(Number)] },
  };
}

const QUIRK = oneOf(QUIRK_NAMES);

/** Those that are not named keep the kernel's default. A list names those that are on. */
const SOME_QUIRKS: Codec<Partial<Quirks>> = {
  read(json) {
    const named = Array.isArray(json)
      ? json.map((name: Json, index) => [index, name, true] as const)
      : Object.entries(objectOf(json)).map(([name, on]) => [name, name, on] as const);
    const found: Partial<Record<QuirkName, boolean>> = {};
    for (const [place, name, on] of named) {
      try {
        found[QUIRK.read(name)] = FLAG.read(on);
      } catch (error) {
        throw error instanceof Refusal ? error.below(place) : error;
      }
    }
    return found;
  },
  write: (value) => JSON.stringify(value),
  schema: {
    anyOf: [
      {
        type: 'object',
        properties: Object.fromEntries(QUIRK_NAMES.map((name) => [name, FLAG.schema])),
        additionalProperties: false,
      },
      { type: 'array', items: QUIRK.schema },
    ],
  },
};

/** A list of words out of some that there are. */
function listOf<T extends string>(words: readonly T[], what: string): Codec<readonly T[]> {
  const word = oneOf(words);
  return {
    read(json) {
      if (!Array.isArray(json)) throw expected(`a list of ${what}`, json);
      return json.map((item: Json, index) => {
        try {
          return word.read(item);
        } catch (error) {
          throw error instanceof Refusal ? error.below(index) : error;
        }
      });
    },
    write: (value) => JSON.stringify(value),
    schema: { type: 'array', items: word.schema },
  };
}

const ADDRESS = hex(64);
const leaf = rowsOf<CpuidLeaf>();
const LEAF = parameters<CpuidLeaf>(
  [
    leaf.optional('eax', U32),
    leaf.optional('ebx', U32),
    leaf.optional('ecx', U32),
    leaf.optional('edx', U32),
  ],
  { eax: 0, ebx: 0, ecx: 0, edx: 0 },
);

const CPUID: Codec<Profile['cpuid']> = {
  read(json) {
    const leaves = new Map<number, CpuidLeaf>();
    for (const [key, value] of Object.entries(objectOf(json))) {
      try {
        const number = U32.read(key);
        if (leaves.has(number)) throw new Refusal(`the leaf ${key} stands here twice`);
        leaves.set(number, LEAF.read(value));
      } catch (error) {
        throw error instanceof Refusal ? error.below(key) : error;
      }
    }
    return leaves;
  },
  write: (value) =>
    `{${[...value].map(([number, registers]) => `"0x${number.toString(16)}":${LEAF.write(registers)}`).join(',')}}`,
  schema: { type: 'object', additionalProperties: LEAF.schema },
};

const BACKING = oneOf(BACKINGS);
const BACKING_MAP: Codec<Profile['backing']> = {
  read(json) {
    const backing = new Map<bigint, Backing>();
    for (const [key, value] of Object.entries(objectOf(json))) {
      try {
        backing.set(ADDRESS.read(key), BACKING.read(value));
      } catch (error) {
        throw error instanceof Refusal ? error.below(key) : error;
      }
    }
    return backing;
  },
  write: (value) =>
    JSON.stringify(
      Object.fromEntries([...value].map(([address, what]) => [`0x${address.toString(16)}`, what])),
    ),
  schema: { type: 'object', additionalProperties: BACKING.schema },
};

/**
 * What objects cost by default. 208 and 90 are the deposits of Linux 7.2 drivers/hv/mshv_root_main.c for a
 * partition and a VP, so that its fixed deposits are just enough and no retry loop fires. The others cost nothing,
 * because the driver deposits for them only when it is refused.
 */
export const DEFAULT_POOL: PoolCosts = {
  partition: 208,
  vp: 90,
  port: 0,
  messageBuffer: 0,
  connection: 0,
  child: 0,
  contiguous: [],
  proximityDomains: 0,
  mapPagesPerPoolPage: 0,
};

const pages = decimal(0, 0xffff_ffff);
const pool = rowsOf<PoolCosts>();
const POOL = parameters<PoolCosts>(
  [
    pool.optional('partition', pages),
    pool.optional('vp', pages),
    pool.optional('port', pages),
    pool.optional('messageBuffer', pages),
    pool.optional('connection', pages),
    pool.optional('child', pages),
    pool.optional('contiguous', listOf(POOL_OBJECTS, 'objects of a pool')),
    pool.optional('proximityDomains', pages),
    pool.optional('mapPagesPerPoolPage', pages),
  ],
  DEFAULT_POOL,
);

/** Runs of 4096 frames (one for each CPU) from 4 GiB on: above all low memory, and apart from each other. */
export const DEFAULT_PROVIDED: ProvidedFrames = {
  simp: 0x10_0000n,
  siefp: 0x10_1000n,
  sirbp: 0x10_2000n,
  hypercall: 0x10_3000n,
  vpAssist: 0x10_4000n,
};

/** A page frame number has the 52 bits that the base field of a page MSR has (TLFS, SIMP MSR). */
const MAX_FRAME = (1n << 52n) - 1n;
const frame: Codec<bigint> = {
  read(json) {
    const value = ADDRESS.read(json);
    if (value > MAX_FRAME) throw expected('a page frame number below 2^52', json);
    return value;
  },
  write: ADDRESS.write,
  schema: ADDRESS.schema,
};
const provided = rowsOf<ProvidedFrames>();
const PROVIDED = parameters<ProvidedFrames>(
  [
    provided.optional('simp', frame),
    provided.optional('siefp', frame),
    provided.optional('sirbp', frame),
    provided.optional('hypercall', frame),
    provided.optional('vpAssist', frame),
  ],
  DEFAULT_PROVIDED,
);

const of = rowsOf<Profile>();

/** Every key of a profile, in the order in which it is printed. Defaults: profile-read.ts. */
export const PROFILE_ROWS: readonly Row[] = [
  of.optional('kernel', oneOf(KERNELS)),
  of.optional('role', oneOf(ROLES)),
  of.optional('vmbus', FLAG),
  of.optional('debugfs', FLAG),
  of.optional('mmuNotifier', FLAG),
  of.optional('backing', BACKING_MAP),
  of.optional('cpus', decimal(1, 4096)),
  of.optional('processors', decimal(0, 0xffff)),
  of.optional('arch', oneOf(ARCHES)),
  of.optional('gpaBits', decimal(32, 52)),
  of.optional('cpuid', CPUID),
  of.optional('initial', oneOf(INITIALS)),
  of.optional('scheduler', oneOf(SCHEDULERS)),
  of.optional('synicOwnership', oneOf(SYNIC_OWNERSHIPS)),
  of.optional('rebootNotifier', oneOf(REBOOT_NOTIFIERS)),
  of.optional('vmbusUnload', oneOf(VMBUS_UNLOADS)),
  of.optional('synicPolicy', oneOf(SYNIC_POLICIES)),
  of.optional('scontrolReset', numberWord(SCONTROL_RESETS)),
  of.optional('pointerErrors', oneOf(POINTER_ERRORS)),
  of.optional('pointerOverlap', oneOf(POINTER_OVERLAPS)),
  of.optional('unknownRegister', numberWord(UNKNOWN_REGISTERS)),
  of.optional('reservedBits', oneOf(RESERVED_BITS)),
  of.optional('hltExits', oneOf(HLT_EXITS)),
  of.optional('registerPage', oneOf(REGISTER_PAGES)),
  of.optional('asyncCalls', oneOf(ASYNC_CALLS)),
  rowsOf<{ readonly quirks: Partial<Quirks> }>().optional('quirks', SOME_QUIRKS),
  of.optional('pool', POOL),
  of.optional('partitionDepth', decimal(0, 0xffff_ffff)),
  of.optional('activePartitions', decimal(0, 0xffff_ffff)),
  of.optional('finalizeCalls', decimal(1, 0xffff)),
  of.optional('depositablePages', decimal(0, 0xffff_ffff)),
  of.optional('messageBuffers', decimal(0, 0xffff)),
  of.optional('repTimeout', decimal(0, 4095)),
  of.optional('provided', PROVIDED),
  of.optional('seed', decimal(0, Number.MAX_SAFE_INTEGER)),
  of.optional('instructionNs', decimal(0, 1_000_000)),
];

export const PROFILE_SCHEMA: JsonSchema = {
  type: 'object',
  properties: Object.fromEntries(PROFILE_ROWS.map((row) => [row.key, row.codec.schema])),
  additionalProperties: false,
};
