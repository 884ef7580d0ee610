import type { Profile } from './profile.ts';
import { DEFAULT_POOL, DEFAULT_PROVIDED, PROFILE_ROWS } from './profile-keys.ts';
import { quirksOf } from './quirks.ts';
import { isObject, type Json, type JsonObject, type JsonPath, parseJson } from './text/json.ts';
import { objectOf, Refusal } from './text/refusal.ts';
import { readRows, refuseUnknownKey } from './text/row.ts';

/** What is wrong with a profile: the keys down to the place, and what must stand there. */
export interface ProfileProblem {
  readonly path: JsonPath;
  readonly atKey: boolean;
  readonly message: string;
}

/** A profile as it was written: only the keys that were given. */
export type GivenProfile = JsonObject;

/** VMBus runs on a guest of any kind and not on a root partition of its own (Linux 7.2 drivers/hv/vmbus_drv.c). */
const VMBUS_ROLES: readonly Profile['role'][] = ['l1vh', 'nested-root', 'guest'];

/** Every parameter by default; `kernel` and `role` decide three of them. */
function defaultsFor(kernel: Profile['kernel'], role: Profile['role']): Profile {
  return {
    kernel,
    role,
    vmbus: VMBUS_ROLES.includes(role),
    // Most kernels have it; traces that were stored before the key was there were played without.
    debugfs: false,
    mmuNotifier: kernel !== 'upstream-6.16',
    backing: new Map(),
    cpus: 1,
    processors: 0,
    arch: 'x64',
    gpaBits: 46,
    cpuid: new Map(),
    initial: 'reset',
    scheduler: 'core-smt',
    // The SynIC ownership patch and the reboot notifier on L1VH both arrived with Linux 7.2.
    synicOwnership: kernel === 'upstream-7.2' ? 'merged' : 'before',
    rebootNotifier: kernel === 'upstream-7.2' ? 'always' : 'root-only',
    vmbusUnload: 'answered',
    synicPolicy: 'permissive',
    scontrolReset: '0',
    pointerErrors: 'docs',
    pointerOverlap: 'accept',
    unknownRegister: '0x05',
    reservedBits: 'strict',
    hltExits: 'without-lapic',
    registerPage: 'stopped',
    asyncCalls: 'never',
    quirks: quirksOf(kernel),
    pool: DEFAULT_POOL,
    partitionDepth: 0,
    activePartitions: 0,
    finalizeCalls: 1,
    depositablePages: 0,
    messageBuffers: 16,
    repTimeout: 0,
    provided: DEFAULT_PROVIDED,
    seed: 0,
    instructionNs: 0,
  };
}

const KEYS = PROFILE_ROWS.map((row) => row.key);

/** The same reading for callers that know where the object stands; throws a {@link Refusal}. */
export function readProfile(json: Json): Profile {
  const object = objectOf(json);
  const given: { -readonly [K in keyof Profile]?: Profile[K] } = {};
  if (readRows(PROFILE_ROWS, object, given) !== Object.keys(object).length) refuseUnknownKey(object, KEYS);
  const defaults = defaultsFor(given.kernel ?? 'upstream-7.2', given.role ?? 'root');
  return { ...defaults, ...given, quirks: { ...defaults.quirks, ...given.quirks } };
}

/** Reads the profile object of a trace's header and fills in the defaults. */
export function parseProfile(
  given: Json,
): { readonly profile: Profile } | { readonly problem: ProfileProblem } {
  try {
    return { profile: readProfile(given) };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { problem: { path: error.path, atKey: error.atKey, message: error.message } };
  }
}

/** Every parameter, defaults included, as canonical JSON text by key (`kernel` → `"upstream-7.2"`). */
export function describeProfile(profile: Profile): Readonly<Record<string, string>> {
  const values = profile as unknown as Readonly<Record<string, unknown>>;
  return Object.fromEntries(PROFILE_ROWS.map((row) => [row.key, row.codec.write(values[row.key])]));
}

/** Where the next `key=value` starts: commas inside brackets or quotes belong to the value. */
function splitAtCommas(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let quoted = false;
  let start = 0;
  for (let i = 0; i < text.length; i += 1) {
    const c = text[i];
    if (quoted && c === '\\') i += 1;
    else if (c === '"') quoted = !quoted;
    else if (quoted) continue;
    else if (c === '{' || c === '[') depth += 1;
    else if (c === '}' || c === ']') depth -= 1;
    else if (c === ',' && depth === 0) {
      parts.push(text.slice(start, i));
      start = i + 1;
    }
  }
  return [...parts, text.slice(start)];
}

function overlayValue(text: string): Json | undefined {
  if (text === 'true' || text === 'false') return text === 'true';
  if (!/^["{[]/.test(text)) return text;
  const read = parseJson(text);
  return 'value' in read ? read.value : undefined;
}

/**
 * Reads `key=value,key=value`: values are words, numbers or JSON (`pool={"vp":100}`), and a dot leads into an
 * object (`quirks.gpap-noop-sets=false`). The values themselves are judged by {@link parseProfile}.
 */
export function parseProfileOverlay(
  text: string,
): { readonly given: GivenProfile } | { readonly problem: string } {
  const given: Record<string, Json> = {};
  for (const part of splitAtCommas(text)) {
    const equals = part.indexOf('=');
    const keys = part.slice(0, equals).trim().split('.');
    const value = equals < 0 ? undefined : overlayValue(part.slice(equals + 1).trim());
    const [outer, inner] = keys;
    if (value === undefined || outer === undefined || !KEYS.includes(outer) || keys.length > 2)
      return {
        problem: `expected key=value with one of the keys ${KEYS.join(' ')}, found ${JSON.stringify(part)}`,
      };
    const around = given[outer];
    if (inner === undefined) given[outer] = value;
    else given[outer] = { ...(isObject(around) ? around : {}), [inner]: value };
  }
  return { given };
}

/** `given` with the keys of `overlay` on top; objects (`pool`, `quirks`, `cpuid`) are joined key by key. */
export function overlayProfile(given: GivenProfile, overlay: GivenProfile): GivenProfile {
  const joined: Record<string, Json> = { ...given };
  for (const [key, value] of Object.entries(overlay)) {
    const below = joined[key];
    joined[key] = isObject(below) && isObject(value) ? { ...below, ...value } : value;
  }
  return joined;
}
