import { Arena } from '../native/arena.ts';
import { addressOf, libc, syscall } from '../native/libc.ts';
import { ERRNO, NR } from '../native/numbers.ts';

type Spawn = (
  pid: number[],
  path: string,
  actions: Uint8Array,
  attributes: Uint8Array,
  argv: readonly (string | null)[],
  envp: readonly (string | null)[],
) => number;

const spawn = libc.func(
  'int posix_spawn(_Out_ int *pid, const char *path, void *actions, void *attributes, const char **argv, const char **envp)',
) as Spawn;
const initActions = libc.func('int posix_spawn_file_actions_init(void *actions)') as (
  a: Uint8Array,
) => number;
const addDuplicate = libc.func('int posix_spawn_file_actions_adddup2(void *actions, int from, int to)') as (
  a: Uint8Array,
  from: number,
  to: number,
) => number;
const initAttributes = libc.func('int posix_spawnattr_init(void *attributes)') as (a: Uint8Array) => number;
const setFlags = libc.func('int posix_spawnattr_setflags(void *attributes, short flags)') as (
  a: Uint8Array,
  flags: number,
) => number;
const setDefault = libc.func('int posix_spawnattr_setsigdefault(void *attributes, void *set)') as (
  a: Uint8Array,
  set: Uint8Array,
) => number;
const setMask = libc.func('int posix_spawnattr_setsigmask(void *attributes, void *set)') as (
  a: Uint8Array,
  set: Uint8Array,
) => number;

const SET_DEFAULT = 0x04;
const SET_MASK = 0x08;
/** More than glibc's structures take (80, 336 and 128 bytes). */
const ROOM = 512;
const SIGPIPE = 13;

const outside = (length: number) => new Uint8Array(new ArrayBuffer(length));

/**
 * Starts a program from the calling thread with the standard files of this process: Node marked them close-on-exec
 * and ignores SIGPIPE, which programs do not expect. `files` are descriptors of this process and the numbers they get
 * there. Returns the process id, or a negative errno.
 */
export function spawnProgram(
  path: string,
  argv: readonly string[],
  environment: readonly string[],
  files: readonly (readonly [from: number, to: number])[] = [],
): number {
  const actions = outside(ROOM);
  initActions(actions);
  for (const fd of [0, 1, 2]) addDuplicate(actions, fd, fd);
  for (const [from, to] of files) addDuplicate(actions, from, to);
  const attributes = outside(ROOM);
  initAttributes(attributes);
  const defaults = outside(ROOM);
  defaults[(SIGPIPE - 1) >> 3] = 1 << ((SIGPIPE - 1) & 7);
  setDefault(attributes, defaults);
  setMask(attributes, outside(ROOM));
  setFlags(attributes, SET_DEFAULT | SET_MASK);
  const pid = [0];
  const failed = spawn(pid, path, actions, attributes, [...argv, null], [...environment, null]);
  return failed === 0 ? (pid[0] as number) : -failed;
}

/** __WNOTHREAD: only children of this very thread, and not those that Node waits for. */
const OWN_CHILDREN = 0x20000000;

/** Waits for a child of the calling thread to end; returns what a shell would say: its status, or 128 + signal. */
export function waitForEnd(pid: number): number {
  const status = new Arena(16);
  while (syscall(NR.wait4, pid, addressOf(status.bytes), OWN_CHILDREN) === -ERRNO.EINTR);
  const word = status.view.getInt32(0, true);
  const signal = word & 0x7f;
  return signal === 0 ? (word >> 8) & 0xff : 128 + signal;
}
